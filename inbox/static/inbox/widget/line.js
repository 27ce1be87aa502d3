// What is known of the chat, and the way to the server. Words wait in localStorage until the server has them, under an id
// of their own, so that sending them again is harmless: after a reload, in another tab, after no answer.
const FIRST_WAIT = 1_000, LONGEST_WAIT = 30_000, LIMIT = 15_000; // ms
const CHATS = "/api/v1/chats/";

/** Whom the site says it is; only the server looks whether that is so. */
function person(identity) {
  try { return JSON.parse(atob(identity.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))).sub; } catch { return identity; }
}

export class Problem extends Error {
  constructor(status, code, message, wait = 0) {
    super(message);
    Object.assign(this, { status, code, wait, passing: !status || status === 408 || status === 429 || status >= 500 });
  }
}

export class Line {
  chat = null; unread = 0; failures = 0; notice = null;
  #messages = new Map(); #config; #on; #key; #files = new Map(); #blobs = new Map(); #next = null; #flushing = false; #later = null; #reading = null; #admitting = null; #era = 0; #seq = null; #loadingOlder = false; #settled = new Set();

  constructor(config, on) {
    this.#config = config;
    this.#on = on;
    this.#key = `switchboard:${config.channel}`;
    this.kept = { queue: [], ...this.#stored() };
    this.kept.queue = this.kept.queue.filter(({ body }) => body); // files do not outlive the page
    if (on.identity && this.kept.person && person(on.identity) !== this.kept.person) {
      this.#become({ mute: this.kept.mute });
      localStorage.removeItem(this.#key);
    }
    addEventListener("storage", ({ key }) => { if (key === this.#key) this.#merge(); });
  }

  #stored() {
    try { return JSON.parse(localStorage.getItem(this.#key)) ?? {}; } catch { return {}; }
  }
  /** What another tab has written and not sent stays: a reload finds all of it. */
  keep() {
    const ours = new Set(this.kept.queue.map(({ client_id }) => client_id));
    const theirs = (this.#stored().queue ?? []).filter(({ client_id }) => !ours.has(client_id) && !this.#settled.has(client_id));
    try { localStorage.setItem(this.#key, JSON.stringify({ ...this.kept, queue: [...theirs, ...this.kept.queue].sort((a, b) => (a.created_at < b.created_at ? -1 : 1)) })); } catch { /* storage is off: as long as the page */ }
  }
  /** Somebody else sits here now: nothing of who was here before is shown to them, or sent in their name. */
  #become(now) {
    for (const name of Object.keys(this.kept)) delete this.kept[name];
    Object.assign(this.kept, now, { queue: [] });
    this.#era += 1;
    this.#admitting = null;
    this.unread = 0;
    this.#clear();
    this.#on.become();
  }
  /** Another tab is the same person, or was told of another one. */
  #merge() {
    const stored = this.#stored(), { token, chat, mute, email } = stored;
    if (this.kept.person && stored.person !== this.kept.person) {
      this.#become(stored);
      this.#on.changed();
      this.find();
      return;
    }
    Object.assign(this.kept, { mute, email });
    if (token && (token !== this.kept.token || chat !== this.kept.chat)) {
      Object.assign(this.kept, { token, chat });
      this.find();
    }
  }

  /** Everything there is to see, in order; what is still on its way comes last. */
  get items() {
    const own = new Set([...this.#messages.values()].map(({ client_id }) => client_id));
    return [...[...this.#messages.values()].sort((a, b) => (a.id < b.id ? -1 : 1)), ...this.kept.queue.filter(({ client_id }) => !own.has(client_id))];
  }

  /** Where it is switched off, what there is can be read all the same. */
  async begin() {
    const { enabled } = this.#config;
    try {
      if (enabled && this.#on.back) await this.#comeBack();
      else if (enabled) await this.#introduce();
      if (this.kept.token) await this.find();
      this.flush();
    } catch { this.#retryLater(() => this.begin()); }
  }

  /** A word of the site's that does not count, such as one that is over, leaves everything as it was. */
  async #introduce() {
    try {
      while (this.#on.identity && this.#on.identity !== this.kept.identity) await this.#admit(); // the one under way may be of before
    } catch (problem) {
      if (problem.status !== 400 && problem.status !== 401) throw problem;
      this.#on.identity = "";
    }
  }

  /** Whom the page says it is from now on; "": they have signed out, and what they wrote is nobody else's to see. */
  identify(identity) {
    this.#on.identity = identity;
    if (this.kept.person && person(identity) !== this.kept.person) {
      this.#takeBack(this.kept.token);
      this.#become({ mute: this.kept.mute });
      localStorage.removeItem(this.#key);
      this.#on.changed();
    }
    this.begin();
  }

  /** By a link from our mail. One that is too old says so, and the chat begins as ever. */
  async #comeBack() {
    try { await this.#admit(); } catch (problem) {
      if (problem.passing) throw problem;
      this.notice = this.#on.say(problem.code);
    }
    this.#on.back = "";
  }

  // --- asking ---------------------------------------------------------------------------------------------------------

  /** With the token of now: one that is being replaced is waited for, and what met its end on the way goes again. */
  async #call(method, path, given, alone) {
    if (!alone) await this.#admitting?.catch(() => {});
    const token = alone ? alone.token : this.kept.token;
    const isForm = given instanceof FormData, headers = { Accept: "application/json", "Accept-Language": document.documentElement.lang || "en" };
    if (token) headers.Authorization = `Bearer ${token}`;
    if (given && !isForm) headers["Content-Type"] = "application/json";
    let answer, data = null;
    try {
      answer = await fetch(path, { method, headers, credentials: "omit", body: isForm ? given : given && JSON.stringify(given), signal: AbortSignal.timeout(isForm ? 120_000 : LIMIT), keepalive: !isForm && method === "POST" });
      if (answer.status !== 204) data = await answer.json().catch(() => null);
    } catch { throw new Problem(0, "network", ""); }
    if (answer.status === 401 && !alone && this.kept.token && this.kept.token !== token) return this.#call(method, path, given);
    if (!answer.ok) throw new Problem(answer.status, data?.code, data?.detail ?? "", Number(answer.headers.get("Retry-After")) * 1000);
    return data;
  }

  ask() { return this.#call("GET", `/api/v1/widgets/${this.#config.channel}/`, undefined, { token: null }); }
  #takeBack(token) { if (token) this.#call("DELETE", `/api/v1/widgets/${this.#config.channel}/visitor`, undefined, { token }).catch(() => {}); }

  /** A token of one's own; one at a time. */
  #admit() {
    if (this.#admitting) return this.#admitting;
    const own = this.#admitted().finally(() => { if (this.#admitting === own) this.#admitting = null; });
    return this.#admitting = own;
  }

  async #admitted() {
    const { kept } = this, { identity, page, back } = this.#on, { token } = kept, proof = this.#config.proof, era = this.#era;
    const given = { ...kept.about, page_url: page, language: document.documentElement.lang, identity, back };
    if (proof && !token) Object.assign(given, { proof, proof_answer: await solve(proof) });
    const made = await this.#call("POST", `/api/v1/widgets/${this.#config.channel}/visitors`, given, { token }).catch(async (problem) => {
      if (problem.code === "proof_needed") this.#config.proof = (await this.ask()).proof;
      throw problem;
    });
    if (era !== this.#era) { // somebody else sits here by now
      this.#takeBack(made.token);
      throw new Problem(0, "superseded", "");
    }
    Object.assign(kept, { token: made.token, identity, person: identity ? person(identity) : kept.person, email: made.email || kept.email, answered: kept.answered || Boolean(back) });
    this.keep();
  }

  /** The token is worth nothing any more: become somebody new, and keep what was written. */
  #forget() {
    Object.assign(this.kept, { token: null, chat: null, start: null });
    this.#clear();
    this.keep();
  }

  #clear() {
    this.chat = null;
    this.#messages.clear();
    this.#on.follow(null);
  }

  async renew() {
    try { await this.#call("GET", `${CHATS}?limit=1`); return true; } catch ({ status }) {
      if (status === 401) { this.#forget(); return false; }
      return null;
    }
  }

  // --- reading --------------------------------------------------------------------------------------------------------

  /** The chat one was in last. */
  async find() {
    try {
      const { results } = await this.#call("GET", `${CHATS}?channel=${this.#config.channel}&limit=1`);
      if (results.length) await this.#enter(results[0]);
    } catch (problem) {
      if (problem.status === 401) { this.#forget(); this.#on.changed(); } else throw problem;
    }
  }

  async #enter(chat) {
    this.chat = chat;
    this.kept.chat = chat.id;
    this.keep();
    this.#seq = null;
    await this.load();
    this.#on.follow(chat.id, this.#seq);
    this.#on.changed();
  }

  /** The newest page, as a snapshot; the number it was read at. */
  async load() {
    const { id } = this.chat;
    const [chat, { results, next, live }] = [await this.#call("GET", `${CHATS}${id}/`), await this.#call("GET", `${CHATS}${id}/messages`)];
    this.chat = chat;
    this.unread = chat.unread_count;
    this.#messages = new Map(results.map((message) => [message.id, message]));
    this.#next = next;
    for (const { client_id } of results) if (client_id) this.#has(client_id);
    this.#seq = Math.min(live.seq, chat.live.seq);
    this.#on.changed();
    return this.#seq;
  }

  /** Whether there were any; they stand on the page then. */
  async older() {
    if (!this.#next || this.#loadingOlder) return false;
    this.#loadingOlder = true;
    try {
      const { results, next } = await this.#call("GET", new URL(this.#next, location.href).href);
      for (const message of results) this.#messages.set(message.id, message);
      this.#next = next;
      this.#on.changed();
      return results.length > 0;
    } catch { return false; /* scrolled again it is asked again */ } finally { this.#loadingOlder = false; }
  }

  hear(type, data) {
    if (data.deleted) this.#messages.delete(data.id);
    else if (type === "conversation.updated") this.chat = { ...this.chat, ...data };
    else this.#put(data, true);
    this.#on.changed();
  }

  #put(message, fresh = false) {
    const known = this.#messages.get(message.id);
    this.#messages.set(message.id, message);
    if (message.client_id) this.#has(message.client_id);
    const isUnread = ({ direction, status }) => direction === "out" && status !== "read";
    if (isUnread(message) && !(known && isUnread(known))) this.unread += 1;
    if (!isUnread(message) && known && isUnread(known)) this.unread = Math.max(0, this.unread - 1);
    if (fresh && !known && message.direction === "out") this.#on.came(message);
  }

  #has(clientId) {
    const { kept } = this, before = kept.queue.length;
    kept.queue = kept.queue.filter(({ client_id }) => client_id !== clientId);
    this.#settled.add(clientId);
    this.#files.delete(clientId);
    if (kept.queue.length !== before) this.keep();
  }

  read() {
    if (!this.unread || !this.chat || this.#reading) return;
    this.#reading = setTimeout(() => {
      this.#reading = null;
      const newest = this.items.findLast(({ direction }) => direction === "out");
      if (newest) this.#call("POST", `${CHATS}${this.chat.id}/read`, { up_to: newest.id }).then(() => { this.unread = 0; this.#on.changed(); }, () => {});
    }, 200);
  }

  delivered() { if (this.chat) this.#call("POST", `${CHATS}${this.chat.id}/read`, { delivered: true }).catch(() => {}); }

  /** Written, and nobody has answered for a while. */
  lonely(seconds) {
    const last = this.items.at(-1);
    return Boolean(seconds && this.chat && !this.kept.email && !this.kept.noEmail && last?.direction === "in" && Date.now() - Date.parse(last.created_at) > seconds * 1000);
  }

  /** A file by its lasting address, which wants to know who is asking. */
  file(url) {
    if (!this.#blobs.has(url)) this.#blobs.set(url, fetch(url, { headers: { Authorization: `Bearer ${this.kept.token}` }, credentials: "omit" }).then(async (answer) => {
      if (!answer.ok) throw new Problem(answer.status, "", "");
      return URL.createObjectURL(await answer.blob());
    }).catch((problem) => { this.#blobs.delete(url); throw problem; }));
    return this.#blobs.get(url);
  }

  // --- writing --------------------------------------------------------------------------------------------------------

  write(body, files = []) {
    const item = { client_id: crypto.randomUUID?.() ?? uuid(), direction: "in", body, status: "sending", created_at: new Date().toISOString(), names: files.map(({ name }) => name) };
    if (files.length) this.#files.set(item.client_id, files);
    this.kept.queue.push(item);
    this.notice = null;
    this.keep();
    this.#on.changed();
    this.flush();
  }

  retry(item) {
    Object.assign(item, { status: "sending", reason: null });
    this.keep();
    this.failures = 0;
    this.#on.changed();
    this.flush();
  }

  /** In order, one at a time. What may work later is tried again; what never will says why and lets the others go. */
  async flush() {
    if (this.#flushing) return;
    this.#flushing = true;
    clearTimeout(this.#later);
    try {
      for (let item; (item = this.kept.queue.find(({ status }) => status === "sending"));) {
        try {
          this.#put(await this.#send(item));
          this.#has(item.client_id);
          this.failures = 0;
          this.#config.enabled = true;
        } catch (problem) {
          if (!(problem instanceof Problem)) throw problem;
          if (problem.status === 401 && !item.again) { item.again = true; this.#forget(); continue; }
          if (problem.status === 404 && this.chat) { this.chat = null; this.kept.chat = this.kept.start = null; continue; }
          if (problem.code === "another_is_open") { await this.find().catch(() => {}); continue; }
          if (problem.code === "feature_off") { this.#config.enabled = false; this.#retryLater(() => this.flush(), LONGEST_WAIT); break; }
          if (problem.passing || problem.code === "proof_needed") { this.failures += 1; this.#retryLater(() => this.flush(), problem.wait); break; }
          Object.assign(item, { status: "failed", reason: this.#on.say(problem.code) });
        }
        this.keep();
        this.#on.changed();
      }
    } finally { this.#flushing = false; this.#on.changed(); }
  }

  async #send(item) {
    const { kept } = this, files = this.#files.get(item.client_id);
    if (!kept.token) await this.#admit();
    if (!this.chat) await this.#start(files ? null : item);
    const known = [...this.#messages.values()].find(({ client_id }) => client_id === item.client_id);
    if (known) return known;
    const given = { client_id: item.client_id, body: item.body };
    if (!files) return this.#call("POST", `${CHATS}${this.chat.id}/messages`, given);
    const form = new FormData();
    for (const [name, value] of Object.entries(given)) form.append(name, value);
    for (const file of files) form.append("files", file);
    return this.#call("POST", `${CHATS}${this.chat.id}/messages`, form);
  }

  async #start(item) {
    this.kept.start ??= crypto.randomUUID?.() ?? uuid();
    this.keep();
    const first = item ? { body: item.body, message_client_id: item.client_id } : {};
    await this.#enter(await this.#call("POST", CHATS, { channel: this.#config.channel, client_id: this.kept.start, ...first }));
  }

  #retryLater(act, wait = 0) {
    clearTimeout(this.#later);
    const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(this.failures, 5));
    this.#later = setTimeout(act, Math.max(wait || 0, longest * (0.5 + Math.random() / 2)));
  }

  async describe(about) {
    if (!this.kept.token) { this.kept.about = { ...this.kept.about, ...about }; return; }
    await this.#call("PATCH", `/api/v1/widgets/${this.#config.channel}/visitor`, about);
  }

  async act(what, given) {
    const chat = await this.#call("POST", `${CHATS}${this.chat.id}/${what}`, given);
    if (chat) this.chat = chat;
  }
}

/** Pages that are not encrypted have no randomUUID. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = bytes[6] & 15 | 64;
  bytes[8] = bytes[8] & 63 | 128;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** A number that makes the digest begin with so many zero bits. */
async function solve(challenge) {
  const bits = parseInt(challenge, 10), encoder = new TextEncoder();
  for (let number = 0; ; number += 1) {
    const digest = new DataView(await crypto.subtle.digest("SHA-256", encoder.encode(`${challenge}:${number}`)));
    if (digest.getUint32(0) >>> (32 - bits) === 0) return String(number);
  }
}
