// The browser's end of the live line: one WebSocket for the page, many topics, nothing lost and nothing doubled.
// Every topic remembers its last number and asks for what came after it; what cannot be resumed is loaded anew through
// the subscriber's `reload`. Where sockets are blocked altogether the same `reload` runs every few seconds instead.
//
//   const live = new Live({ renew, signIn });
//   const inbox = live.subscribe("inbox.demo", { after: 41, event(frame) {}, signal(frame) {}, reload: async () => seq });
//   live.addEventListener("state", () => live.state);   // "live", "catching-up", "offline"

const GONE = new Set(["not_found", "feature_off"]); // codes that close a topic that was followed too
const FIRST_WAIT = 500, LONGEST_WAIT = 16_000; // ms between attempts, with jitter
const STEADY = 5_000; // a connection that lasted so long was a good one: back-off starts over
const QUIET = 10_000, DEAD = 18_000; // ms without a frame: ask, then give up (heads come every few seconds)
const PROBE = 4_000; // the same after a wake-up
const LAG = 1_200; // a head may be ahead of its event for so long without anything being lost
const LATER = 1_500; // ms until a topic that could not be followed just now is asked for again
const BLOCKED = 3; // failed attempts in a row before asking over HTTP
const POLL = 4_000, POLL_HIDDEN = 30_000;

export class Live extends EventTarget {
  state = "catching-up";
  polling = false;
  #options;
  #topics = new Map();
  #socket = null;
  #open = false;
  #openedAt = 0;
  #heardAt = 0;
  #failures = 0;
  #reachable = true;
  #next = null;
  #poll = null;
  #identifying = null;
  #started = false;

  /** `renew()` answers false when the sign-in is over, null when nobody answered; `token()` gives a bearer, where one is used. */
  constructor({ url = "/ws/live", renew = async () => null, signIn = () => {}, token = () => null } = {}) {
    super();
    this.#options = { url: new URL(url, location.href.replace(/^http/, "ws")).href, renew, signIn, token };
  }

  start() {
    if (this.#started) return;
    this.#started = true;
    setInterval(() => this.#watch(), 2_000);
    addEventListener("online", () => this.retryNow());
    addEventListener("offline", () => { this.#drop(); this.#tell(); });
    addEventListener("pageshow", (event) => { if (event.persisted) this.retryNow(); });
    addEventListener("pagehide", (event) => { if (event.persisted) this.#drop(); });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.#wake(); });
    this.#connect();
  }

  /** Options: after, event(frame), signal(frame), subscribed(seq), refused(frame), reload() -> the snapshot's seq;
   *  `poll: false` for a topic whose reload is not worth asking for every few seconds; `gather: true` for one on which
   *  much happens and a tenth of a second does not matter: several events may share a frame. */
  subscribe(name, options) {
    const topic = { name, options, seq: options.after ?? null, phase: "new", head: 0, misses: 0, resets: 0, doubted: false };
    this.#topics.set(name, topic);
    if (this.#open) this.#ask(topic);
    this.#tell();
    return {
      get seq() { return topic.seq; },
      get ready() { return topic.phase === "ready"; },
      // Only once it is followed: before that the server knows of no such topic here. A signal may be lost anyway.
      signal: (type, data) => topic.phase === "ready" && this.#send({ op: "signal", topic: name, type, data }),
      close: () => {
        if (this.#topics.get(name) !== topic) return;
        this.#topics.delete(name);
        topic.phase = "closed";
        this.#send({ op: "unsubscribe", topic: name });
        this.#tell();
      },
    };
  }

  /** The cookie was renewed, or there is a new bearer: the socket's identity lives on. */
  renewed() {
    const token = this.#options.token();
    this.#send(token ? { op: "token", token } : { op: "token" });
  }

  retryNow() {
    this.#failures = 0;
    if (this.#socket) this.#wake();
    else this.#connect();
  }

  // --- the connection ------------------------------------------------------------------------------------------------

  #connect() {
    clearTimeout(this.#next);
    this.#next = null;
    if (this.#socket) return;
    const token = this.#options.token();
    let socket;
    try {
      socket = new WebSocket(this.#options.url, token ? ["live.v1", `bearer.${token}`] : ["live.v1"]);
    } catch {
      return this.#closed(1006);
    }
    this.#socket = socket;
    this.#heardAt = Date.now();
    socket.onopen = () => {
      this.#open = true;
      this.#openedAt = this.#heardAt = Date.now();
      this.#stopPolling();
      for (const topic of this.#topics.values()) if (topic.phase !== "resetting") this.#ask(topic);
      this.#tell();
    };
    socket.onmessage = (event) => {
      this.#heardAt = Date.now();
      this.#hear(event.data);
    };
    socket.onclose = (event) => this.#closed(event.code);
  }

  #closed(code) {
    if (this.#open && Date.now() - this.#openedAt > STEADY) this.#failures = 0;
    else this.#failures += 1;
    this.#socket = null;
    this.#open = false;
    for (const topic of this.#topics.values()) if (topic.phase !== "resetting") topic.phase = "new";
    if (code === 4401) this.#identify();
    else this.#later();
    if (this.#failures >= BLOCKED) this.#startPolling();
    this.#tell();
  }

  #later() {
    clearTimeout(this.#next);
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT + Math.random() * FIRST_WAIT * 2 ** Math.min(this.#failures, 6));
    this.#next = setTimeout(() => this.#connect(), wait);
  }

  /** Let go of a socket without waiting for its goodbye, which may never come. */
  #drop() {
    const socket = this.#socket;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.#closed(1006);
  }

  /** Whoever we are has run out: renew, then come again. One at a time, however many topics were refused. */
  #identify() {
    this.#identifying ??= (async () => {
      const until = await this.#options.renew();
      this.#identifying = null;
      if (until === false) return this.#options.signIn();
      const socket = this.#socket;
      if (until && socket) {
        socket.onclose = null;
        socket.close(1000);
        this.#socket = null;
        this.#open = false;
      }
      if (until && this.#failures < BLOCKED) this.#connect();
      else if (!this.#socket) this.#later();
      else setTimeout(() => { if (this.#open) this.#identify(); }, 2_000); // nobody answered: still refused, ask again
    })();
  }

  #watch() {
    if (!this.#socket) return;
    const quiet = Date.now() - this.#heardAt;
    if (quiet > DEAD) this.#drop();
    else if (quiet > QUIET) this.#send({ op: "ping" });
  }

  /** After sleep a socket may look open and be dead. */
  #wake() {
    if (!this.#socket) return this.#connect();
    if (!this.#open) return;
    const asked = Date.now();
    this.#send({ op: "ping" });
    setTimeout(() => { if (this.#open && this.#heardAt < asked) { this.#drop(); this.retryNow(); } }, PROBE);
  }

  #send(frame) {
    if (this.#open) this.#socket.send(JSON.stringify(frame));
  }

  // --- what comes down -----------------------------------------------------------------------------------------------

  #hear(data) {
    let frame;
    try { frame = JSON.parse(data); } catch { return; }
    if (frame.op === "heads") return this.#heads(frame.topics ?? {});
    const topic = this.#topics.get(frame.topic);
    if (!topic) return;
    if (frame.op === "event") this.#event(topic, frame);
    else if (frame.op === "events") for (const event of frame.events ?? []) this.#event(topic, event);
    else if (frame.op === "signal") this.#give(topic, "signal", frame);
    else if (frame.op === "subscribed") this.#subscribed(topic, frame);
    else if (frame.op === "reset") this.#reset(topic, frame);
    else if (frame.op === "error") this.#failed(topic, frame);
  }

  #ask(topic) {
    topic.phase = "asked";
    this.#send({ op: "subscribe", topic: topic.name, after: topic.seq, ...(topic.options.gather && { gather: true }) });
  }

  #event(topic, frame) {
    if (topic.seq === null || topic.phase === "resetting" || frame.seq <= topic.seq) return;
    if (frame.seq > topic.seq + 1) {
      // A hole. Ask again from the last good number, unless that is already on its way.
      if (topic.phase === "ready") { this.#ask(topic); this.#tell(); }
      return;
    }
    topic.seq = frame.seq;
    this.#give(topic, "event", frame);
  }

  #subscribed(topic, frame) {
    if (topic.phase !== "asked") return;
    if (topic.seq !== null && topic.seq < frame.seq) {
      // Told to be at N without having got there.
      topic.misses += 1;
      return topic.misses < 3 ? this.#ask(topic) : this.#reset(topic, { head: frame.seq });
    }
    topic.seq ??= frame.seq;
    Object.assign(topic, { phase: "ready", misses: 0, resets: 0, doubted: false });
    this.#give(topic, "subscribed", frame.seq);
    this.#tell();
  }

  /** `head`, where the server says it, is its newest number: where to go on for those whose snapshot carries none. */
  async #reset(topic, { head = null }) {
    topic.phase = "resetting";
    this.#tell();
    // The first at once; a server that keeps saying it is not to be hammered.
    await pause(topic.resets ? Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** topic.resets) : 0);
    topic.resets += 1;
    while (topic.phase === "resetting") {
      try {
        topic.seq = (await topic.options.reload?.()) ?? head;
        break;
      } catch {
        await pause(2_000); // the snapshot did not load; there is nothing to go on from until it does
      }
    }
    if (topic.phase !== "resetting") return;
    topic.phase = "new";
    topic.misses = 0;
    if (this.#open) this.#ask(topic);
    this.#tell();
  }

  #failed(topic, frame) {
    if (topic.phase === "resetting" || (topic.phase === "ready" && !GONE.has(frame.code))) return; // about a signal
    if (GONE.has(frame.code) || frame.code === "forbidden") return this.#refused(topic, frame);
    setTimeout(() => { if (this.#open && topic.phase === "asked") this.#ask(topic); }, LATER);
  }

  #refused(topic, frame) {
    // An expired cookie is nobody, and nobody is told `not_found` too: find out who we are before believing it.
    if (!topic.doubted) {
      topic.doubted = true;
      topic.phase = "new";
      this.#identify();
    } else {
      topic.phase = "refused";
      this.#give(topic, "refused", frame);
    }
    this.#tell();
  }

  #heads(heads) {
    for (const [name, head] of Object.entries(heads)) {
      const topic = this.#topics.get(name);
      if (!topic || topic.phase !== "ready" || head <= topic.seq) continue;
      setTimeout(() => {
        if (topic.phase === "ready" && topic.seq < head) { this.#ask(topic); this.#tell(); }
      }, LAG);
    }
  }

  /** A subscriber that stumbles must not stop the numbers. */
  #give(topic, kind, value) {
    try { topic.options[kind]?.(value); } catch (error) { reportError(error); }
  }

  // --- without a socket ----------------------------------------------------------------------------------------------

  #startPolling() {
    if (this.#poll) return;
    const round = async () => {
      const topics = [...this.#topics.values()].filter(({ options, phase }) => options.reload && options.poll !== false && phase === "new");
      try {
        for (const topic of topics) {
          const seq = await topic.options.reload();
          if (topic.phase === "new" && seq !== null && seq !== undefined) topic.seq = seq;
        }
        this.#reachable = true;
      } catch {
        this.#reachable = false;
      }
      if (!this.#poll) return;
      this.polling = this.#reachable;
      this.#tell();
      this.#poll = setTimeout(round, document.hidden ? POLL_HIDDEN : POLL);
    };
    this.#poll = setTimeout(round, 0);
  }

  #stopPolling() {
    clearTimeout(this.#poll);
    this.#poll = null;
    this.polling = false;
  }

  #tell() {
    const before = `${this.state} ${this.#told}`;
    if (this.#open) this.state = [...this.#topics.values()].every(({ phase }) => phase === "ready" || phase === "refused") ? "live" : "catching-up";
    else if (this.polling && navigator.onLine) this.state = "catching-up";
    else this.state = this.#failures || !navigator.onLine ? "offline" : "catching-up";
    this.#told = this.polling;
    if (`${this.state} ${this.#told}` !== before) this.dispatchEvent(new Event("state"));
  }
  #told = false;
}

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });
