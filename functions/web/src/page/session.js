// The session: what was said, what is under way, and what is kept so that a reload loses nothing.

const find = (id) => document.getElementById(id);
const [log, composer, field, picker] = [find("log"), find("composer"), find("message"), find("assistant")];

/* ---- What is kept ---- */

const STORE = `colloquy:${api("").pathname}`;
const KEPT_TURNS = 30;

/**
 * A session not yet begun. `turns` are answered; `pending` is a request under way, with the key to send it again under and, once it
 * has begun, the `turn` to follow.
 */
const fresh = (assistant = null) => ({ assistant, sessionId: null, slots: null, turns: [], pending: null });

let session = fresh();
let assistants = [];
/** Ends what is under way when the session is left. */
let under = new AbortController();
let busy = false;
/** The turn under way, once it has an id by which it can be stopped. */
let running = null;

function keep() {
  session.turns = session.turns.slice(-KEPT_TURNS);
  try {
    sessionStorage.setItem(STORE, JSON.stringify(session));
  } catch {
    // Storage is full or forbidden: the session goes on, only a reload would lose it.
  }
}

function recall() {
  try {
    return { ...fresh(), ...JSON.parse(sessionStorage.getItem(STORE)) };
  } catch {
    return fresh();
  }
}

/** 128 random bits. `crypto.randomUUID` has fewer, and is missing where the page is not served over HTTPS. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The browser's clock with its zone, as RFC 9557: what "tomorrow" means to the person who writes. */
function clientTime(now = new Date()) {
  const two = (number) => String(Math.abs(number)).padStart(2, "0");
  const east = -now.getTimezoneOffset();
  const offset = `${east < 0 ? "-" : "+"}${two(Math.trunc(east / 60))}:${two(east % 60)}`;
  const date = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  const time = `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return `${date}T${time}${offset}${zone?.includes("/") ? `[${zone}]` : ""}`;
}

/* ---- A turn ---- */

let latest = null;

/** Says something to the assistant; does nothing while an answer is awaited. */
function say(message) {
  if (busy) return;
  latest?.leave();
  session.pending = {
    key: newKey(),
    body: { assistant: session.assistant, message, client_time: clientTime(), ...(session.sessionId && { session_id: session.sessionId }) },
  };
  keep();
  latest = new Turn(message);
  settle(latest);
  rest();
}

/** Sends what is pending until it is answered or refused. */
async function settle(turn) {
  const { signal } = under;
  busy = true;
  turn.waiting();
  present();
  turn.show();
  try {
    for await (const event of exchange(session.pending, signal)) {
      if (event.event === "turn") {
        running = event;
        keep();
        present();
      }
      if (event.event === "done") settled(turn, event.reply);
      else turn.heard(event);
    }
  } catch (error) {
    if (signal.aborted) return;
    if (error.kept && turn.begun()) settled(turn, turn.broken());
    else unsettled(turn, error);
  } finally {
    if (!signal.aborted) {
      busy = false;
      running = null;
      present();
    }
  }
}

/** Has the turn under way stopped; what there is of its answer stays. */
function stop() {
  if (!running) return;
  stopTurn(running);
  running = null;
  present();
  rest();
}

/**
 * A card is asked about by its number, which means an offer of those shown last. So once others are shown, or the journey
 * is another, the cards of earlier turns can no longer be asked about.
 */
function retire(turn, reply, slots) {
  const others = reply.offers?.length && reply.action !== "show_offer";
  const another = reply.slots && JSON.stringify(reply.slots) !== JSON.stringify(slots);
  if (!others && !another) return;
  for (const button of log.querySelectorAll(".ask")) {
    if (!turn.root.contains(button)) button.remove();
  }
}

function settled(turn, reply) {
  retire(turn, reply, session.slots);
  // An answer that broke off does not tell what is known by now.
  Object.assign(session, { sessionId: reply.session_id, slots: reply.slots ?? session.slots, pending: null });
  session.turns.push({ message: turn.message, reply });
  keep();
  turn.answered(reply);
}

function unsettled(turn, error) {
  if (!(error instanceof Unanswered)) console.error(error);
  // That turn is over or lost: who tries again sends the message again.
  session.pending.turn = null;
  keep();
  const { message, again, gone } = error instanceof Unanswered ? error : new Unanswered("Something went wrong on this page.", { again: true });
  const edit = () => {
    session.pending = null;
    keep();
    turn.root.remove();
    write(turn.message);
    present();
  };
  const retry = () => { rest(); settle(turn); };
  const anew = () => { startOver(); say(turn.message); };
  const first = again ? ["Try again", retry] : gone && ["Begin a new session with it", anew];
  turn.failed(turn.begun() ? `${BROKE_OFF} ${message}` : message, [first, ["Edit the message", edit]].filter(Boolean));
}

/* ---- The page ---- */

const MOST_CHARACTERS = 4000;
const NEAR_CHARACTERS = 3600;

/** Shows what follows from the state: the welcome, what is known, what can be pressed. */
function present() {
  const assistant = assistants.find(({ name }) => name === session.assistant);
  const begun = log.childElementCount > 0;
  find("welcome").hidden = begun || !assistant;
  find("start-over").hidden = !begun;
  find("stop").hidden = !running;
  log.setAttribute("aria-busy", String(busy));
  if (assistant) {
    find("welcome-title").textContent = assistant.title;
    find("welcome-text").textContent = assistant.greeting || assistant.description;
    find("welcome-disclaimer").textContent = assistant.disclaimer ?? "";
    find("welcome-disclaimer").hidden = !assistant.disclaimer;
    const chips = assistant.suggestions.map((words) =>
      element("li", {}, element("button", { type: "button", class: "chip", click: () => say(words) }, words)));
    find("suggestions").replaceChildren(...chips);
  }
  const known = journey(session.slots);
  find("known").textContent = known;
  find("known").title = known;
  find("known").hidden = !known;
  measure();
}

/** Says how much room is left, once it gets little, and whether what is written can be sent. */
function measure() {
  const length = Array.from(field.value).length;
  const left = MOST_CHARACTERS - length;
  find("room").textContent = length < NEAR_CHARACTERS ? ""
    : left >= 0 ? `${count(left, "character", "characters")} left` : `${count(-left, "character", "characters")} too many`;
  find("room").classList.toggle("over", left < 0);
  const ready = !busy && session.assistant && field.value.trim() && left >= 0;
  // Not `disabled`, which would take the focus away from whoever just pressed it.
  find("send").setAttribute("aria-disabled", String(!ready));
  if (!CSS.supports("field-sizing", "content")) {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  }
}

function write(text) {
  field.value = text;
  measure();
  field.focus();
}

/** Puts the focus where one goes on; on a touch screen not into the field, which would raise the keyboard. */
function rest() {
  (matchMedia("(pointer: coarse)").matches ? log : field).focus({ preventScroll: true });
}

function startOver() {
  under.abort();
  under = new AbortController();
  busy = false;
  latest = null;
  // Nobody reads it any more: a server goes on with it otherwise.
  if (running) stopTurn(running);
  running = null;
  if (session.sessionId) {
    // The person is done with it whether or not the server hears of it; it forgets by itself.
    fetch(api("v1/session"), { method: "DELETE", headers: ofSession(session.sessionId), keepalive: true }).catch(() => {});
  }
  session = fresh(session.assistant);
  keep();
  log.replaceChildren();
  find("notice").replaceChildren();
  present();
  rest();
}

function alertOf(words, label, click) {
  find("notice").replaceChildren(element("div", { class: "trouble" },
    element("p", {}, words), element("div", {}, element("button", { type: "button", class: "quiet", click }, label))));
}

async function loadAssistants() {
  find("notice").replaceChildren();
  try {
    const response = await fetch(api("v1/assistants"), { signal: AbortSignal.timeout(LONGEST_SILENCE_MS) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    ({ assistants } = await response.json());
  } catch {
    alertOf("The assistants cannot be reached.", "Try again", loadAssistants);
    return;
  }
  if (!assistants.some(({ name }) => name === session.assistant)) {
    session = fresh(assistants[0]?.name);
    log.replaceChildren();
  }
  picker.replaceChildren(...assistants.map(({ name, title }) => element("option", { value: name, selected: name === session.assistant && "" }, title)));
  picker.disabled = assistants.length < 2;
  present();
}

/** After a reload: the session as it was, and a turn that was under way is followed, or its message sent again under its old key. */
async function resume() {
  let slots = null;
  for (const { message, reply } of session.turns) {
    latest?.leave();
    latest = new Turn(message);
    latest.answered(reply);
    retire(latest, reply, slots);
    slots = reply.slots ?? slots;
  }
  latest?.root.scrollIntoView({ block: "start" });
  await loadAssistants();
  if (session.pending) {
    latest?.leave();
    latest = new Turn(session.pending.body.message);
    await settle(latest);
  } else if (session.sessionId) {
    const response = await fetch(api("v1/session"), { headers: ofSession(session.sessionId) }).catch(() => null);
    if (response?.status === 404) alertOf("This session is no longer kept, so it cannot go on.", "Start over", startOver);
  }
}

function submit() {
  if (find("send").getAttribute("aria-disabled") === "true") return;
  const message = field.value;
  write("");
  say(message);
}

composer.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
field.addEventListener("input", measure);
field.addEventListener("keydown", (event) => {
  // While an input method composes a word, Enter accepts the word.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  submit();
});
picker.addEventListener("change", () => { session.assistant = picker.value; startOver(); });
find("start-over").addEventListener("click", startOver);
find("stop").addEventListener("click", stop);

session = recall();
present();
resume();
