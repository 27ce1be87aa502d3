// What one has begun to write, the same on all one's devices. The server's version tells an older save from a newer one.

const REST = 700; // ms without a key before it is saved
const AGAIN = 5_000; // ms after a save that did not get through

export class Drafts {
  #store; #api; #shown; #versions = new Map(); #saved = new Map(); #timers = new Map(); #busy = new Set(); #heard = new Map();

  /** `shown(conversation)`: what came from elsewhere is that conversation's draft now. */
  constructor({ store, api, shown }) {
    [this.#store, this.#api, this.#shown] = [store, api, shown];
    addEventListener("pagehide", () => { for (const id of [...this.#timers.keys()]) this.#save(id, { keepalive: true }); });
  }

  /** All of them from the server, at the start and after a hole. */
  async load() {
    const before = new Map(this.#versions);
    const { results } = await this.#api.drafts();
    for (const draft of results) this.hear(draft);
    const there = new Set(results.map(({ conversation }) => conversation));
    // One that is not among them any more, and was not touched since they were asked for, was sent from elsewhere.
    for (const [conversation, version] of before)
      if (!there.has(conversation) && this.#saved.get(conversation) && this.#versions.get(conversation) === version) this.hear({ conversation, body: "", is_note: false, version: version + 1 });
  }

  /** From another device, or from the server that has sent it. What is being written here stays. */
  hear(draft) {
    const { conversation, body, is_note: isNote, version } = draft;
    if (version <= (this.#versions.get(conversation) ?? -1)) return;
    if (this.#busy.has(conversation)) return void this.#heard.set(conversation, draft); // what is being saved may come before it
    const before = this.#saved.get(conversation) ?? "";
    this.#versions.set(conversation, version);
    this.#saved.set(conversation, body);
    if (this.#timers.has(conversation)) return;
    const local = this.#store.drafts.get(conversation)?.body ?? "";
    if (local === body) return;
    if (local && local !== before) return this.touched(conversation); // written here without a line: it is saved now
    if (body.trim()) this.#store.drafts.set(conversation, { body, mode: isNote ? "note" : "reply" });
    else this.#store.drafts.delete(conversation);
    this.#store.changed("list");
    this.#shown(conversation);
  }

  touched(id) {
    clearTimeout(this.#timers.get(id));
    this.#timers.set(id, setTimeout(() => this.#save(id), REST));
  }

  async #save(id, options) {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    if (this.#busy.has(id)) return this.touched(id);
    const { body = "", mode } = this.#store.drafts.get(id) ?? {};
    if (body === (this.#saved.get(id) ?? "")) return null;
    this.#busy.add(id);
    try {
      const saved = await this.#api.draft(id, { body, is_note: mode === "note", version: this.#versions.get(id) ?? 0 }, options);
      this.#versions.set(id, saved.version);
      this.#saved.set(id, saved.body);
    } catch (problem) {
      this.#stumbled(id, problem);
    } finally {
      this.#busy.delete(id);
    }
    const heard = this.#heard.get(id);
    this.#heard.delete(id);
    if (heard) this.hear(heard);
    return null;
  }

  #stumbled(id, problem) {
    if (problem.code === "draft_changed") {
      const { version, body } = problem.data.draft;
      this.#versions.set(id, version);
      this.#saved.set(id, body);
      this.touched(id); // who types last has the last word
    } else if (problem.passing) this.#timers.set(id, setTimeout(() => this.#save(id), AGAIN));
  }
}
