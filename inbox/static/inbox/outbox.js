// Messages on their way to our server. Each keeps one client_id for life, so asking twice never sends twice; those of a
// conversation go one after the other. What the provider says afterwards is the server's business and comes as events.
import { recall, remember } from "../ui/js/memory.js";
import { now } from "../ui/js/time.js";

const WAITS = [1000, 2000, 4000, 8000, 16_000]; // ms between attempts; jitter on top
const TELL_AFTER = 4; // failed attempts before the agent is told
const KEPT = "inbox.outbox"; // a reload must not lose what was written

export class Outbox extends EventTarget {
  #items = [];
  #busy = new Set();
  #send;

  /** `send(conversation, message)` posts and answers the server's message; `sent(message, item)` hears of it. */
  constructor({ send, sent }) {
    super();
    this.#send = send;
    this.sent = sent;
    // What was under way when the page went may or may not have arrived: the same client_id finds out.
    this.#items = (recall(KEPT, "sessionStorage") ?? []).map((item) => ({ ...item, attachments: item.attachments?.map(({ preview: _, ...file }) => file), tries: 0, status: item.status === "held" ? "held" : "queued", error: item.status === "held" ? item.error : null }));
    for (const id of new Set(this.#items.map(({ conversation }) => conversation))) this.#work(id);
    addEventListener("online", () => this.flush());
  }

  of(conversation) {
    return this.#items.filter((item) => item.conversation === conversation);
  }

  add(conversation, { body, direction = "out", attachments = [], replyTo = null, mentions = [], seenSeq, sender }) {
    const item = {
      client_id: crypto.randomUUID(), conversation, direction, sender, type: "text", body, attachments, reply_to: replyTo, mentions, status: "queued",
      created_at: new Date(now()).toISOString(), seen_seq: seenSeq, force: false, tries: 0, error: null,
    };
    // What waits before it goes first: a new message is a reason to try the old one again.
    for (const earlier of this.of(conversation)) if (earlier.error?.passing) Object.assign(earlier, { status: "queued", due: 0 });
    this.#items.push(item);
    this.#changed();
    this.#work(conversation);
    return item;
  }

  /** Once more, at once: a person asked for it. */
  again(clientId, { force = false } = {}) {
    const item = this.#find(clientId);
    if (!item) return;
    Object.assign(item, { status: "queued", error: null, tries: 0, due: 0, force: force || item.force });
    this.#changed();
    this.#work(item.conversation);
  }

  take(clientId) {
    const item = this.#find(clientId);
    if (item) this.#remove(item);
    return item;
  }

  /** An event brought the message: it has arrived, whatever our own request may still say. */
  arrived(clientId) {
    this.take(clientId);
  }

  /** The line is back: whatever waits for it goes now. */
  flush() {
    for (const item of this.#items) if (item.error?.passing) Object.assign(item, { status: "queued", error: null, tries: 0, due: 0 });
    for (const id of new Set(this.#items.map(({ conversation }) => conversation))) this.#work(id);
    if (this.#items.length) this.#changed();
  }

  async #work(conversation) {
    if (this.#busy.has(conversation)) return;
    this.#busy.add(conversation);
    try {
      for (let item; (item = this.#next(conversation));) await this.#attempt(item);
    } finally {
      this.#busy.delete(conversation);
    }
  }

  /** The first that can go. One that only lacks a connection holds back those after it: order is kept. */
  #next(conversation) {
    const first = this.of(conversation).find(({ status, error }) => status === "queued" || error?.passing);
    return first?.status === "queued" ? first : null;
  }

  async #attempt(item) {
    if (item.due > Date.now()) await this.#until(item);
    if (!this.#items.includes(item) || item.status !== "queued") return;
    const { client_id, type, body, attachments, reply_to, mentions, direction, seen_seq, force } = item;
    const message = { client_id, type, body };
    if (attachments?.length) message.attachments = attachments.map(({ id }) => id);
    if (reply_to) message.reply_to = reply_to;
    if (mentions?.length) message.mentions = mentions;
    if (direction === "note") message.direction = "note";
    else if (Number.isInteger(seen_seq)) message.seen_seq = seen_seq;
    if (force) message.force = true;
    try {
      const answer = await this.#send(item.conversation, message);
      if (this.#items.includes(item)) this.#remove(item);
      this.sent(answer, item);
    } catch (problem) {
      if (this.#items.includes(item)) this.#stumbled(item, problem);
    }
  }

  #stumbled(item, problem) {
    if (problem.code === "conversation_changed") {
      Object.assign(item, { status: "held", error: { code: problem.code, message: problem.message } });
      this.dispatchEvent(new CustomEvent("held", { detail: { item, arrived: problem.data.arrived ?? [] } }));
    } else if (problem.passing) {
      item.tries += 1;
      const wait = Math.max(problem.wait ?? 0, WAITS[Math.min(item.tries, WAITS.length) - 1]);
      item.due = Date.now() + wait * (0.75 + Math.random() / 2);
      item.error = { code: problem.code, message: problem.message, passing: true, told: item.tries >= TELL_AFTER };
      if (item.error.told) item.status = "failed";
    } else {
      Object.assign(item, { status: "failed", error: { code: problem.code ?? "unknown", message: problem.message } });
    }
    this.#changed();
  }

  /** Waits for its turn, or for a nudge by flush() or again(). */
  async #until(item) {
    while (item.due > Date.now() && item.status === "queued" && this.#items.includes(item))
      await new Promise((done) => { setTimeout(done, Math.min(250, item.due - Date.now())); });
  }

  #find(clientId) {
    return this.#items.find((item) => item.client_id === clientId);
  }

  #remove(item) {
    this.#items = this.#items.filter((one) => one !== item);
    this.#changed();
  }

  #changed() {
    remember(KEPT, this.#items.length ? this.#items : null, "sessionStorage");
    this.dispatchEvent(new Event("change"));
  }
}
