// The wire: how a message is sent, and how its answer comes back, as a stream where that is to be had.

/** An address of the API. Relative to the page, for a stage may be part of the path ("/prod", with or without a slash). */
const api = (path) => new URL(path, `${location.origin}${location.pathname.replace(/\/*$/, "/")}`);

/**
 * Why a message was not answered: `again` says whether the same request may do better, `gone` that the session is, `kept`
 * that the words which came are all there will be of this answer, `cut` that only the connection was lost, `lost` that the
 * turn was.
 */
class Unanswered extends Error {
  constructor(words, { again = false, gone = false, kept = false, cut = false, lost = false } = {}) {
    super(words);
    Object.assign(this, { again, gone, kept, cut, lost });
  }
}

const MOST_TRIES = 5;
/** The server sends something every ten seconds, be it an empty comment. */
const LONGEST_SILENCE_MS = 40_000;

const STREAM = "v1/chat/stream";
const WHOLE = "v1/chat";
/** Where messages are sent: where no stream is to be had, all of them go for a whole answer. */
let chatPath = STREAM;

/** For how long a turn is followed that nobody tells: a server that is started again behind it takes some seconds. */
const PATIENCE_MS = 60_000;

/**
 * Sends a pending request and yields the events of its answer; a whole answer is the one event `done`. A turn belongs to no
 * connection: once it has an id, which is noted in `pending.turn`, it is followed by that where the connection is lost, and
 * after a reload.
 */
async function* exchange(pending, signal) {
  if (pending.turn) {
    try {
      yield* followed({ ...pending.turn, seen: 0 }, signal);
      return;
    } catch (error) {
      if (!error.lost) throw error;
      pending.turn = null;
    }
  }
  let seen = 0;
  try {
    for await (const event of sent(pending, signal)) {
      if (event.event === "turn") pending.turn = { turn_id: event.turn_id, session_id: event.session_id };
      seen = event.seen ?? seen;
      yield event;
    }
  } catch (error) {
    if (!error.cut || !pending.turn) throw error;
    yield* followed({ ...pending.turn, seen }, signal);
  }
}

/**
 * The events of a turn after the first `seen`, wherever it runs or is kept. A server that did not run it tells all of it, from the
 * event `turn` on.
 */
async function* followed({ turn_id: turnId, session_id: sessionId, seen }, signal) {
  let heard = Date.now();
  for (;;) {
    const silence = new Silence(signal);
    try {
      const headers = { Accept: "text/event-stream", ...ofSession(sessionId), ...(seen && { "Last-Event-ID": String(seen) }) };
      const response = await fetch(api(`v1/turns/${turnId}/events`), { headers, signal: silence.signal });
      if (response.status === 200) {
        try {
          for await (const event of answer(response, silence)) {
            seen = event.seen ?? seen;
            yield event;
          }
          return;
        } finally {
          heard = Date.now();
        }
      }
      if (response.status === 404) throw new Unanswered(CUT_OFF, { again: true, lost: true });
    } catch (error) {
      if (signal.aborted || (error instanceof Unanswered && !error.cut)) throw error;
    } finally {
      silence.end();
    }
    if (Date.now() - heard > PATIENCE_MS) throw new Unanswered(CUT_OFF, { again: true });
    await pause(1000, signal);
  }
}

async function* sent({ key, body }, signal) {
  for (let tries = 1; ; tries += 1) {
    const silence = new Silence(signal);
    try {
      const response = await post(key, body, silence.signal);
      if (response.ok) {
        yield* answer(response, silence);
        return;
      }
      const problem = await response.json().catch(() => ({}));
      if (chatPath === STREAM && cannotStream(response.status, problem)) chatPath = WHOLE;
      // The same message is being answered already: wait for that answer.
      else if (response.status === 409 && tries < MOST_TRIES) await pause(retryAfter(response), signal);
      else throw refusal(response.status, problem);
    } catch (error) {
      if (signal.aborted || error instanceof Unanswered) throw error;
      throw new Unanswered(silence.signal.aborted ? "The answer is taking too long." : CUT_OFF, { again: true, cut: true });
    } finally {
      silence.end();
    }
  }
}

/** A limit on how long nothing may be heard. */
class Silence {
  constructor(signal) {
    this.limit = new AbortController();
    this.signal = AbortSignal.any([signal, this.limit.signal]);
    this.heard();
  }

  heard() {
    this.end();
    this.timer = setTimeout(() => this.limit.abort(), LONGEST_SILENCE_MS);
  }

  end() {
    clearTimeout(this.timer);
  }
}

async function post(key, body, signal) {
  try {
    return await fetch(api(chatPath), {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "text/event-stream, application/json", "Idempotency-Key": key },
      body: JSON.stringify(body),
      signal,
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Unanswered("The server cannot be reached. Is this device online?", { again: true });
  }
}

/** What a request about a session is sent with: its id, which stands in no address. */
const ofSession = (sessionId) => ({ "Colloquy-Session": sessionId });

/** Asks for a turn to be stopped: its words so far come as the answer. */
function stopTurn({ turn_id: turnId, session_id: sessionId }) {
  return fetch(api(`v1/turns/${turnId}`), { method: "DELETE", headers: ofSession(sessionId), keepalive: true }).catch(() => null);
}

/** Says whether an answer was of use; whether that is kept. */
async function rate(turnId, rating) {
  const response = await fetch(api(`v1/turns/${turnId}/feedback`), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ rating }),
    signal: AbortSignal.timeout(LONGEST_SILENCE_MS),
  }).catch(() => null);
  return Boolean(response?.ok);
}

/** A server without the path, or an emulator that fails at streams, in words that are not ours. */
function cannotStream(status, { type = "" }) {
  return status === 405 || (status === 404 && !/:unknown-(session|assistant)$/.test(type)) || (status === 502 && !type);
}

async function* answer(response, silence) {
  if (!response.headers.get("Content-Type")?.includes("event-stream")) {
    yield { event: "done", reply: await response.json() };
    return;
  }
  for await (const event of eventsOf(response, silence)) {
    if (event.event === "error") throw refusal(event.problem.status, event.problem);
    yield event;
    if (event.event === "done") return;
  }
  throw new Unanswered(CUT_OFF, { again: true, cut: true });
}

/**
 * Server-sent events, whose data also names the event; `seen` is the number of one. Frames end with an empty line; one of comments
 * alone is skipped.
 */
async function* eventsOf(response, silence) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = ""; ; ) {
    const { value, done } = await reader.read();
    if (done) return;
    silence.heard();
    const frames = (text + value).split(/\r?\n\r?\n/);
    text = frames.pop();
    for (const frame of frames) {
      const lines = frame.split(/\r?\n/);
      const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\n");
      const id = lines.find((line) => line.startsWith("id:"));
      if (data) yield { ...JSON.parse(data), ...(id && { seen: Number(id.slice(3)) }) };
    }
  }
}

function refusal(status, { type, detail }) {
  if (type?.endsWith(":unknown-session")) return new Unanswered("This session is no longer kept, so it cannot go on.", { gone: true });
  if (type?.endsWith(":reply-broke-off")) return new Unanswered(BROKE_OFF, { again: true, kept: true });
  if (status >= 500 || [408, 409, 425, 429].includes(status)) {
    return new Unanswered(detail || "The assistant is not available right now.", { again: true });
  }
  return new Unanswered(detail || `The message was not accepted (${status}).`);
}

const BROKE_OFF = "The answer broke off here.";
const CUT_OFF = "The answer was cut off.";

const retryAfter = (response) => Math.min(Number(response.headers.get("Retry-After")) || 1, 10) * 1000;

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
  });
}
