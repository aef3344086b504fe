// A message and its answer in the log: while it comes, once it is whole, and where it broke off.

/**
 * The words before and after the lines that list offers by rank, which the cards take the place of. While words are
 * still `coming`, a last line that may become such a line is held back.
 */
function wordsAround({ reply, offers = [] }, coming = false) {
  const ranks = offers.map(({ rank }) => `${rank}.`);
  const lines = reply.split("\n");
  if (coming && ranks.some((rank) => rank.startsWith(lines.at(-1)))) lines.pop();
  const listed = (line) => ranks.includes(line.split(" ", 1)[0]);
  const start = lines.findIndex(listed);
  if (start < 0) return [lines.join("\n").trim(), ""];
  return [lines.slice(0, start), lines.slice(start).filter((line) => !listed(line))].map((part) => part.join("\n").trim());
}

/** An address that a link may lead to; null for any other, like `javascript:`. */
function webAddress(text) {
  try {
    const url = new URL(text);
    return ["http:", "https:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** Where an answer is from: each source with the passage, by the number it has in the words. */
function sourceList(citations) {
  const items = citations.map(({ number, source, url, heading, text }) => {
    const href = webAddress(url);
    const passage = element("details", {}, element("summary", {}, "The passage", element("span", { class: "unseen" }, ` of source ${number}`)),
      element("p", { class: "passage" }, text));
    const item = element("li", { id: unique("source") },
      element("span", { class: "rank" }, `[${number}] `),
      href ? element("a", { href, rel: "noopener noreferrer", target: "_blank" }, source, element("span", { class: "unseen" }, " (opens a new tab)")) : source,
      heading && element("small", {}, heading),
      passage);
    return [number, { item, passage, source }];
  });
  const list = element("ol", { class: "sources", "aria-live": "off", "aria-label": "Sources" }, items.map(([, { item }]) => item));
  return { list, byNumber: new Map(items) };
}

/** Words in which "[1]" leads to the source of that number, where there is one. */
function linked(words, byNumber) {
  return words.split(/(\[\d+\])/).map((part, index) => {
    const cited = index % 2 === 1 && byNumber.get(Number(part.slice(1, -1)));
    if (!cited) return part;
    const open = (event) => {
      event.preventDefault();
      cited.passage.open = true;
      cited.passage.querySelector("summary").focus();
    };
    return element("a", { class: "cite", href: `#${cited.item.id}`, title: cited.source, click: open }, part);
  });
}

function writer({ written_by: by, citations }) {
  if (by === "extract") return "Quoted, not written by a model";
  return by === "model" && `Written by a language model${citations?.length ? " from the sources below" : ""}`;
}

/** The number in "116 123", "ambulance 998, police 999" or "888-SAFE-SPOT" that a phone can dial: the first one. */
function dialled(call) {
  const key = (letter) => "22233344455566677778889999"[letter.charCodeAt(0) - 65];
  return call?.match(/\+?\d[\dA-Z ()-]*/)?.[0].replace(/[A-Z]/g, key).replace(/[^\d+]/g, "");
}

/** Whom to reach, as links that dial, write or open; read out with the answer, for it is what counts in it. */
function helpLines({ lines = [], directory }) {
  const item = ({ name, call, text, online, hours }) => {
    const number = dialled(call);
    const to = text?.match(/\bto (\+?[\d ]+)$/)?.[1].replaceAll(" ", "");
    const ways = [
      number && element("a", { href: `tel:${number}` }, "Call ", call),
      text && (to ? element("a", { href: `sms:${to}` }, "Text ", text) : element("span", {}, text)),
      webAddress(online) && element("a", { href: webAddress(online), rel: "noopener noreferrer", target: "_blank" }, "Online",
        element("span", { class: "unseen" }, ` at ${name} (opens a new tab)`)),
    ].filter(Boolean);
    return element("li", {}, element("strong", {}, name), hours && element("small", {}, hours), ways);
  };
  const all = webAddress(directory) && element("li", {}, element("a", { href: webAddress(directory), rel: "noopener noreferrer", target: "_blank" },
    "Lines of every country", element("span", { class: "unseen" }, " (opens a new tab)")));
  return element("section", { class: "help", "aria-label": "Where to get help now" }, element("ul", {}, lines.map(item), all));
}

const SVG = "http://www.w3.org/2000/svg";
const THUMB = "M7 10v10H3V10zM7 10l4-7c2 0 2.6 1.5 2.2 3.5L12.7 9H19c1.4 0 2.3 1 2 2.3l-1.3 6.5c-.2 1.3-1.2 2.2-2.5 2.2H7";

/** Two buttons that say whether an answer was of use. Pressing the other one takes the place of the first. */
function thumbs(reply) {
  const trouble = element("span", { class: "note", role: "status" });
  const buttons = [["up", "Helpful"], ["down", "Not helpful"]].map(([rating, label]) => {
    const picture = document.createElementNS(SVG, "svg");
    picture.setAttribute("viewBox", "0 0 24 24");
    picture.setAttribute("aria-hidden", "true");
    picture.append(document.createElementNS(SVG, "path"));
    picture.firstChild.setAttribute("d", THUMB);
    const button = element("button", { type: "button", class: `quiet thumb ${rating}`, title: label, click: () => press(rating) },
      picture, element("span", { class: "unseen" }, label));
    return [rating, button];
  });
  const show = (pressed) => buttons.forEach(([rating, button]) => button.setAttribute("aria-pressed", String(rating === pressed)));
  // One after the other, so that the last one pressed is the one that stays.
  let sent = Promise.resolve();
  const press = async (rating) => {
    const before = reply.rating;
    reply.rating = rating;
    show(rating);
    keep();
    const kept = await (sent = sent.then(() => rate(reply.turn_id, rating)));
    if (!kept && reply.rating === rating) reply.rating = before;
    show(reply.rating);
    trouble.textContent = kept ? "" : "That could not be sent.";
    keep();
  };
  show(reply.rating);
  return element("div", { class: "thumbs", role: "group", "aria-label": "Was this answer of use?", "aria-live": "off" },
    buttons.map(([, button]) => button), trouble);
}

/** What is being done once this has happened; anything else changes nothing. */
const PROGRESS = { turn: "Looking into it", flights: "Comparing what was found", retrieve: "Reading what was found" };

const STOPPED = "You stopped this answer.";

/** The place in the log where a message and what becomes of it are shown. */
class Turn {
  constructor(message) {
    this.message = message;
    this.outcome = element("div");
    this.root = element("article", { class: "turn" },
      element("p", { class: "said" }, element("span", { class: "unseen" }, "You: "), message),
      this.outcome);
    log.append(this.root);
  }

  waiting() {
    const dots = element("span", { class: "dots", "aria-hidden": "true" }, element("i"), element("i"), element("i"));
    this.step = document.createTextNode("One moment");
    this.progress = element("p", { class: "note reply progress", "aria-live": "off" }, this.step, dots);
    this.answer = new Answer();
    this.coming = { reply: "", offers: [], citations: [] };
    this.outcome.replaceChildren(this.progress);
  }

  /** Shows an event as it comes. */
  heard({ event, step, offers, citations, text, session_id: sessionId }) {
    this.step.data = PROGRESS[event === "step" ? step : event] ?? this.step.data;
    // Told from its beginning, maybe again.
    if (event === "turn") this.coming = { reply: "", offers: [], citations: [], session_id: sessionId };
    if (event === "citations") this.coming.citations = citations;
    if (event === "delta") this.coming.reply += text;
    if (event === "offers") {
      this.coming.offers = offers;
      this.answer.offers(offers);
    }
    if (event === "delta" || event === "offers") {
      this.answer.words(this.coming);
      this.outcome.replaceChildren(this.answer.root);
    }
    if (event === "offers" && !this.coming.reply) this.outcome.append(this.progress);
  }

  /** Whether something came that is worth keeping on the page. */
  begun() {
    return Boolean(this.coming?.reply);
  }

  /** What came before the answer broke off, as an answer; of the passages found, those that the words cite. */
  broken() {
    const { coming } = this;
    return { ...coming, citations: coming.citations.filter(({ number }) => coming.reply.includes(`[${number}]`)), incomplete: true };
  }

  answered(reply) {
    this.answer ??= new Answer();
    this.answer.whole(reply);
    if (this.outcome.firstChild !== this.answer.root) this.outcome.replaceChildren(this.answer.root);
    else this.progress?.remove();
    const stopped = reply.degraded?.some(({ reason }) => reason === "stopped");
    if (reply.incomplete) this.failed(stopped ? STOPPED : BROKE_OFF, [["Ask again", () => say(this.message)]]);
  }

  /** Says what went wrong, below what there is of an answer. */
  failed(words, actions) {
    const buttons = actions.map(([label, click]) => element("button", { type: "button", class: "quiet", click }, label));
    this.outcome.replaceChildren(...this.outcome.querySelectorAll(":scope > div.reply"),
      element("div", { class: "trouble" }, element("p", {}, words), element("div", {}, buttons)));
  }

  /** Another message was sent instead: what only the last answer can offer goes. */
  leave() {
    const trouble = this.outcome.querySelector(".trouble");
    trouble?.replaceWith(element("p", { class: "note" }, this.outcome.querySelector(".words") ? BROKE_OFF : "Not answered."));
    this.outcome.querySelector(".further")?.remove();
  }

  show() {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.root.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  }
}

/** The words of a list of offers that goes on. */
const GOES_ON = /\bshow \d+ more\b/;

/** An answer's parts in their order. The words are read out once they are whole, not bit by bit as they come. */
class Answer {
  constructor() {
    this.parts = [this.before, this.cards, this.days, this.after, this.end] = ["p", "div", "div", "p", "div"].map((name) => element(name));
    this.root = element("div", { class: "reply" }, this.parts);
    for (const part of [this.before, this.after]) part.setAttribute("aria-live", "off");
    this.words({ reply: "" });
  }

  words(coming) {
    const [before, after] = wordsAround(coming, true);
    for (const [part, words] of [[this.before, before], [this.after, after]]) {
      part.className = "words";
      part.hidden = !words;
      if (part.textContent !== words) part.textContent = words;
    }
  }

  /** Cards that are there already stay, and with them what was opened. */
  offers(offers) {
    if (this.cards.childElementCount === 0 && offers?.length) this.cards.append(...offerList(offers, say));
  }

  whole(reply) {
    // What can be asked instead is there to be pressed.
    const instead = reply.suggestions ?? [];
    const [before, after] = wordsAround(withoutDays(reply)).map((words) => instead.reduce((rest, one) => rest.replace(`\n– ${one}`, ""), words));
    const { list, byNumber } = sourceList(reply.citations ?? []);
    // New elements, for what is added is what is read out.
    const fresh = (words, ...lead) => element("p", { class: "words", hidden: !words && "" }, lead, linked(words, byNumber));
    this.before.replaceWith(fresh(before, element("span", { class: "unseen" }, "Answer: ")));
    this.offers(reply.offers);
    if (reply.calendar?.length) this.days.replaceChildren(calendarTable(reply.calendar, say));
    this.after.replaceWith(fresh(after));
    const by = writer(reply);
    const missing = reply.degraded?.filter(({ reason }) => reason !== "stopped").map(({ part, reason }) => `${part} (${reason.replaceAll("_", " ")})`).join(", ");
    this.end.replaceChildren(...[
      reply.help && helpLines(reply.help),
      reply.booking?.url && bookingLink(reply.booking),
      reply.notice && element("p", { class: "note" }, reply.notice),
      instead.length > 0 && element("div", { class: "further" }, instead.map((words) =>
        element("button", { type: "button", class: "chip", click: () => say(words) }, words))),
      by && element("p", { class: "note by" }, by),
      byNumber.size > 0 && list,
      missing && element("p", { class: "note" }, `Missing from this answer: ${missing}.`),
      reply.offers?.length && GOES_ON.test(reply.reply)
        && element("button", { type: "button", class: "quiet more further", click: () => say("Show me more flights") }, "Show more flights"),
      reply.turn_id && !reply.incomplete && !reply.help && thumbs(reply),
    ].filter(Boolean));
  }
}
