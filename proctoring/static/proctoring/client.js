// Sits between an exam page and Switchboard: starts the session, beats, reports what the rules watch for, hears what
// tutors do, chats. One module, no dependency, no markup and no words: those are the page's. See docs/exam-client.md.
//
//   const exam = new ExamClient({ exam: "demo-exam" });
//   exam.addEventListener("command", ({ detail }) => show(detail));
//   await exam.start({ consent: { policy_version: "2026-11-01" } });
//   exam.progress({ current_question: 3, answered_count: 2 });

const ANSWER_WITHIN = 8_000; // ms for HTTP; a beat on the socket gets less, then goes over HTTP
const BEAT_ANSWER_WITHIN = 4_000;
const RETRY_FIRST = 1_000, RETRY_LONGEST = 30_000;
const START_TRIES = 4, SEND_TRIES = 6;
const RECONNECT_WITHIN = 10_000; // after the server went: everybody comes back somewhere in these seconds
const TELL_AFTER = 3; // failed beats in a row before the student hears of it
const BATCH = 50;
const MOST_KEPT = 1_000; // entries that wait for the line
const AWAY_COUNTS = 5_000; // out of focus so long is told while it lasts
const LIVE = new Set(["active", "paused", "disconnected"]);

export class ExamError extends Error {
  constructor(status, code, message, data = {}, wait = 0) {
    super(message);
    Object.assign(this, { name: "ExamError", status, code, data, wait });
  }

  /** Nobody answered, too many, or the server stumbled: the same again may work. */
  get passing() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

export class ExamClient extends EventTarget {
  session = null; // as the server last showed it
  log = []; // one's own entries, newest first
  messages = []; // of the exam room, oldest first
  seenByTutors = 0;
  trouble = 0; // failed beats in a row
  #options;
  #token = "";
  #device;
  #ahead = 0; // the server's clock less ours, ms
  #progress = {};
  #beatTimer = null;
  #beatDue = 0;
  #beatSeq = 0;
  #beating = false;
  #beatenAt = 0;
  #beatPending = null;
  #interval = 10_000;
  #least = 5_000;
  #rtt = null;
  #usedAt = Date.now();
  #socket = null;
  #reconnect = null;
  #socketFailures = 0;
  #heardAt = 0;
  #topicSeq = null;
  #queue = null;
  #flushing = false;
  #flushTimer = null;
  #flushFailures = 0;
  #atOnce = BATCH;
  #commands = new Map();
  #shown = new Set(); // commands the student has seen and the server does not know of yet
  #watching = null;
  #watched = null; // what the page asked to have watched, also while there is no consent
  #stopped = false;

  /** `base` of Switchboard ("" is this site); `token()` a bearer, where the page is another site's; `grant` the exam
   *  system's signed word; `renew()` gets a new sign-in and answers whether there is one. */
  constructor({ exam, base = "", token = () => null, grant = "", renew = async () => false, device, socket = true, csrf = csrfOfPage }) {
    super();
    this.#options = { exam, base: base.replace(/\/$/, ""), token, grant, renew, socket, csrf };
    this.#device = device ?? ownDevice();
  }

  /** Starts one's session or goes on with it. Raises ExamError: `consent_required`, `exam_not_open`, `no_attempts_left`,
   *  `device_ended`, 404. */
  async start({ consent = null } = {}) {
    const { exam, grant } = this.#options;
    const body = { device: this.#device, ...(consent && { consent }), ...(grant && { grant }) };
    const path = `/api/v1/exams/${encodeURIComponent(exam)}/sessions`;
    const session = await this.#again(() => this.#call("POST", path, body), START_TRIES);
    this.#token = session.token || "";
    this.#interval = session.interval * 1000;
    this.#least = session.least_interval * 1000;
    this.#topicSeq = session.live?.seq ?? null;
    this.#progress = { current_question: session.current_question ?? undefined, answered_count: session.answered_count };
    this.#queue = new Queue(session.id, session.violation_seq);
    this.#learn(session);
    if (this.#queue.withdrawn) this.#withdrawn().catch(() => {}); // said before the reload, and not heard yet
    this.#take(session.commands ?? []);
    this.#beatSeq = 0;
    this.#plan(500);
    this.#connect();
    this.#flushSoon(0);
    addEventListener("online", this.#online);
    addEventListener("pagehide", this.#hide);
    addEventListener("pageshow", this.#online);
    document.addEventListener("visibilitychange", this.#visible);
    for (const kind of ["pointerdown", "keydown", "wheel", "touchstart"]) addEventListener(kind, this.#used, { passive: true, capture: true });
    await Promise.allSettled([this.loadLog(), this.loadChat()]);
    return this.session;
  }

  get isLive() { return Boolean(this.session) && LIVE.has(this.session.status); }
  get now() { return Date.now() + this.#ahead; }
  /** Milliseconds until the time is over, all given time included; null without an end. It stands still while paused. */
  get timeLeft() {
    const { ends_at: end, paused_at: paused } = this.session ?? {};
    if (!end) return null;
    return Math.max(0, Date.parse(end) - (paused ? this.#endsSeenAt : this.now));
  }
  #endsSeenAt = Date.now();
  get queued() { return this.#queue?.items.length ?? 0; }
  get connected() { return this.#socket?.readyState === WebSocket.OPEN; }

  /** Told with the next beat, and at once when one is allowed. */
  progress({ current_question, answered_count }) {
    Object.assign(this.#progress, { current_question, answered_count });
    this.#plan(Math.max(0, this.#beatenAt + this.#least + 100 - Date.now()), { sooner: true });
  }

  async end(counts = {}) {
    await this.flush().catch(() => {});
    const session = await this.#call("POST", this.#own("/end"), { ...this.#progress, ...counts });
    this.#learn(session);
    return session;
  }

  /** Nothing is noticed from here on, whether the server hears of it at once or when the line is back. */
  withdraw() {
    this.#queue.say(true);
    this.#unwatch();
    this.#say("session", this.session);
    return this.#withdrawn();
  }

  async #withdrawn() {
    const tell = async () => {
      if (!this.#queue.withdrawn) return;
      await this.flush().catch(() => {}); // what was noticed until then was agreed to
      const session = await this.#call("DELETE", this.#own("/consent"));
      if (!this.#queue.withdrawn) return; // agreed again meanwhile
      this.#queue.say(false);
      this.#learn(session);
    };
    await this.#again(tell).catch((error) => { this.#queue.say(false); throw error; });
  }

  /** Agrees again: `{ policy_version, guardian }`. Raises `consent_required` when the rules are others by now. */
  async agree(consent) {
    this.#queue.say(false);
    this.#learn(await this.#call("POST", this.#own("/consent"), consent));
  }

  /** Whether the student has taken their consent back. */
  get isPrivate() { return Boolean(this.session?.consent_withdrawn_at || this.#queue?.withdrawn); }

  async hand(raised, note = "") {
    this.#learn(await this.#call("POST", this.#own("/hand"), { raised, note }));
  }

  // --- beats -----------------------------------------------------------------------------------------------------------

  #plan(wait, { sooner = false } = {}) {
    if (this.#stopped) return;
    const due = Date.now() + wait;
    if (sooner && this.#beatTimer !== null && due >= this.#beatDue) return;
    clearTimeout(this.#beatTimer);
    this.#beatDue = due;
    this.#beatTimer = setTimeout(() => this.#beat(), wait);
  }

  async #beat() {
    if (this.#stopped || !this.isLive || this.#beating) return;
    this.#beating = true;
    const late = Math.max(0, Date.now() - this.#beatDue);
    const seen = [...this.#shown].slice(0, 50);
    const about = this.isPrivate ? {} : {
      visibility: document.hidden ? "hidden" : "visible", timer_delay_ms: late, idle_ms: Date.now() - this.#usedAt,
      rtt_ms: this.#rtt ?? undefined, network: networkType(), client_time: new Date().toISOString(), device: this.#device,
    };
    const body = { ...this.#progress, ...about, seq: ++this.#beatSeq, ...(seen.length && { seen }) };
    const sent = Date.now();
    try {
      const answer = await this.#sendBeat(body);
      this.#rtt = Date.now() - sent;
      this.#ahead = Date.parse(answer.server_time) - (sent + this.#rtt / 2);
      this.#beatenAt = Date.now();
      for (const id of seen) this.#shown.delete(id);
      this.#recovered();
      this.#interval = answer.next_interval * 1000;
      this.#learn({ ...this.session, status: answer.status, ends_at: answer.ends_at, last_heartbeat: answer.server_time });
      this.#take(answer.commands ?? []);
      if (this.queued) this.#flushSoon(0);
      if (!this.connected) this.#lookWithoutSocket();
      this.#plan(this.#interval);
    } catch (error) {
      this.#beatFailed(error);
    } finally {
      this.#beating = false;
    }
  }

  /** Over the socket where there is one; what it does not answer goes over HTTP. */
  async #sendBeat(body) {
    const socket = this.#socket;
    if (this.connected) {
      try {
        return await new Promise((done, failed) => {
          const timer = setTimeout(() => failed(null), BEAT_ANSWER_WITHIN);
          this.#beatPending = { done: (frame) => { clearTimeout(timer); done(frame); }, failed: (error) => { clearTimeout(timer); failed(error); } };
          socket.send(JSON.stringify({ op: "beat", session: this.session.id, ...body }));
        });
      } catch (error) {
        if (error && !error.passing && error.code !== "not_signed_in") throw error;
        if (error?.code === "beat_too_early") throw error;
        if (!error) socket.close(); // it looks open and is dead
      } finally {
        this.#beatPending = null;
      }
    }
    return this.#call("POST", this.#own("/heartbeat"), body);
  }

  #beatFailed(error) {
    if (error.code === "session_ended") return this.#learn({ ...this.session, status: error.data.session_status });
    if (error.code === "beat_out_of_order") this.#beatSeq = Math.max(this.#beatSeq, error.data.client_seq ?? 0);
    if (error.code === "beat_too_early") {
      this.#recovered(); // it was answered
      return this.#plan((error.wait || 5_000) + 100);
    }
    if (error.status === 404) return this.#stop("removed");
    this.trouble += 1;
    if (this.trouble === TELL_AFTER) this.#say("trouble", { error });
    const wait = Math.min(this.#interval, RETRY_FIRST * 2 ** Math.min(this.trouble, 5));
    return this.#plan(Math.max(error.wait ?? 0, wait * (0.7 + Math.random() * 0.6)));
  }

  #recovered() {
    const before = this.trouble;
    this.trouble = 0;
    if (before >= TELL_AFTER) {
      this.#say("recovered", {});
      this.loadLog().catch(() => {});
    }
  }

  #visible = () => {
    // A page in view again, or going: its tutor should know now, not when a throttled timer fires.
    this.#plan(Math.max(0, this.#beatenAt + this.#least + 100 - Date.now()), { sooner: true });
    if (!document.hidden) { for (const command of this.#commands.values()) this.#say("command", command); }
  };

  #online = () => {
    this.#flushFailures = 0;
    this.#plan(Math.max(Math.random() * 1_000, this.#beatenAt + this.#least + 100 - Date.now()), { sooner: true });
    if (!this.#socket) this.#connect(Math.random() * 1_000);
    this.#flushSoon(300);
  };

  #hide = () => {
    if (this.queued && this.isLive) this.flush({ keepalive: true }).catch(() => {});
  };

  #used = () => { this.#usedAt = Date.now(); };

  #stop(reason) {
    this.#stopped = true;
    clearTimeout(this.#beatTimer);
    clearTimeout(this.#reconnect);
    this.#socket?.close();
    removeEventListener("online", this.#online);
    this.unwatch();
    if (reason) this.#say("stopped", { reason });
  }

  // --- what we know of the session -------------------------------------------------------------------------------------

  #learn({ server_time: theirs, ...session }) {
    const before = this.session;
    this.session = { ...before, ...session };
    if (this.session.status !== "paused") this.session.paused_at = null;
    else this.session.paused_at ??= new Date(this.now).toISOString();
    this.#endsSeenAt = this.now;
    if (theirs) this.#ahead = Date.parse(theirs) - Date.now();
    const keys = ["status", "ends_at", "hand_raised_at", "violation_count", "extra_seconds", "consent_withdrawn_at"];
    if (!before || keys.some((key) => before[key] !== this.session[key])) this.#say("session", this.session);
    if (this.isPrivate) this.#unwatch();
    else this.#watch();
    if (before && LIVE.has(before.status) && !this.isLive) { this.flush().catch(() => {}); this.#stop(""); }
  }

  // --- the socket ------------------------------------------------------------------------------------------------------

  #connect(wait = 0) {
    clearTimeout(this.#reconnect);
    if (!this.#options.socket || this.#stopped) return;
    this.#reconnect = setTimeout(() => this.#open(), wait);
  }

  #open() {
    const bearer = this.#token || this.#options.token();
    const url = new URL(`${this.#options.base}/ws/live`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    let socket;
    try {
      socket = new WebSocket(url, bearer ? ["live.v1", `bearer.${bearer}`] : ["live.v1"]);
    } catch {
      return this.#connect(RECONNECT_WITHIN);
    }
    this.#socket = socket;
    this.#heardAt = Date.now();
    const watch = setInterval(() => {
      const quiet = Date.now() - this.#heardAt;
      if (quiet > 20_000) socket.close();
      else if (quiet > 10_000 && socket.readyState === WebSocket.OPEN) socket.send('{"op":"ping"}');
    }, 3_000);
    socket.onopen = () => {
      this.#socketFailures = 0;
      this.#subscribe();
      this.#say("connection", { connected: true });
    };
    socket.onmessage = (event) => {
      this.#heardAt = Date.now();
      try { this.#hear(JSON.parse(event.data)); } catch (error) { reportError(error); }
    };
    socket.onclose = async ({ code }) => {
      clearInterval(watch);
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#beatPending?.failed(null);
      this.#say("connection", { connected: false });
      if (this.#stopped) return;
      if (code === 4401) await this.#options.renew();
      this.#socketFailures += 1;
      this.#connect(500 + Math.random() * RECONNECT_WITHIN * Math.min(3, this.#socketFailures));
    };
    return undefined;
  }

  #subscribe() {
    this.#socket?.send(JSON.stringify({ op: "subscribe", topic: `session.${this.session.id}`, after: this.#topicSeq }));
  }

  #hear(frame) {
    if (frame.op === "beat_ok") this.#beatPending?.done(frame);
    else if (frame.op === "error" && !frame.topic) {
      const wait = (frame.retry_after ?? 0) * 1000;
      const status = { beat_too_early: 429, unavailable: 503, not_found: 404 }[frame.code] ?? 409;
      this.#beatPending?.failed(new ExamError(status, frame.code, frame.message, frame, wait));
    } else if (frame.op === "reset") this.#reload();
    else if (frame.op === "subscribed") this.#topicSeq ??= frame.seq;
    else if (frame.op === "heads") {
      const head = frame.topics?.[`session.${this.session.id}`];
      if (head > this.#topicSeq) setTimeout(() => { if (head > this.#topicSeq && this.connected) this.#subscribe(); }, 1_500);
    } else if (frame.op === "signal" && frame.type === "typing" && frame.data.user?.kind === "tutor") this.#say("typing", frame.data.user);
    else if (frame.op === "event") this.#event(frame);
  }

  #event({ seq, type, data }) {
    if (this.#topicSeq !== null && seq <= this.#topicSeq) return;
    if (this.#topicSeq !== null && seq > this.#topicSeq + 1) return void this.#subscribe();
    this.#topicSeq = seq;
    if (type === "session.updated" || type === "session.started") this.#learn(data);
    else if (type === "command.created") { if (data.state === "queued" && (!data.device || data.device === this.#device)) this.#deliver([data]); }
    else if (type.startsWith("violation.")) this.#entry(data);
    else if (type.startsWith("message.")) this.#message(data);
    else if (type === "chat.read") { this.seenByTutors = data.seen_count; this.#say("chat", {}); }
  }

  async #reload() {
    try {
      const session = await this.#call("GET", this.#own(""));
      this.#topicSeq = session.live?.seq ?? null;
      this.#learn(session);
      this.#take(session.commands ?? []);
      await Promise.all([this.loadLog(), this.loadChat()]);
      if (this.connected) this.#subscribe();
    } catch {
      setTimeout(() => { if (this.connected) this.#reload(); }, RETRY_LONGEST);
    }
  }

  #lastLook = 0;
  async #lookWithoutSocket() {
    if (Date.now() - this.#lastLook < this.#interval * 0.9) return;
    this.#lastLook = Date.now();
    await this.loadChat().catch(() => {});
  }

  // --- what tutors do --------------------------------------------------------------------------------------------------

  #take(commands) {
    for (const command of commands) {
      if (this.#commands.has(command.id) || command.state === "seen") continue;
      if (command.type === "end_device") { this.#endHere(command); continue; }
      this.#commands.set(command.id, command);
      if (command.type === "extra_time" || command.type === "resume" || command.type === "pause") this.#plan(Math.max(0, this.#beatenAt + this.#least + 100 - Date.now()), { sooner: true });
      this.#say("command", command);
    }
  }

  /** The sitting goes on at another device. What was noticed here still goes out. */
  async #endHere(command) {
    if (command.device !== this.#device) return;
    this.#commands.set(command.id, command);
    this.seen(command.id);
    this.#stop("ended_here");
    await this.flush().catch(() => {});
  }

  #deliver(commands) {
    this.#call("POST", this.#own("/commands"), { commands: commands.map(({ id }) => id), state: "delivered" }).catch(() => {});
    this.#take(commands);
  }

  /** The student has it before their eyes. Told at once; when that fails, with the beats. */
  seen(id) {
    this.#commands.delete(id);
    this.#shown.add(id);
    this.#call("POST", this.#own("/commands"), { commands: [id], state: "seen" }).then(() => this.#shown.delete(id), () => {});
  }

  // --- violations ------------------------------------------------------------------------------------------------------

  /** Kept on this device until the server has answered for it, reloads and dead lines included. */
  report(type, detail = {}) {
    if (!this.#queue || !this.isLive || this.isPrivate) return null;
    const entry = this.#queue.add(type, { ...(this.#progress.current_question && { question: this.#progress.current_question }), ...detail }, MOST_KEPT);
    this.#say("noticed", entry);
    this.#flushSoon(20); // what one doing sets off goes together
    return entry;
  }

  #flushSoon(wait) {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = setTimeout(() => this.flush().catch(() => {}), wait);
  }

  async flush({ keepalive = false } = {}) {
    if (!this.#queue || (this.#flushing && !keepalive)) return;
    this.#flushing = true;
    try {
      while (this.queued) {
        const answer = await this.#sendEntries(keepalive);
        if (!answer) continue;
        const answered = new Set(answer.results.map(({ client_id }) => client_id));
        if (!answered.size) throw new ExamError(500, "no_answer", "");
        this.#queue.remove(answered);
        this.#flushFailures = 0;
        this.#atOnce = Math.min(BATCH, this.#atOnce * 2);
        for (const one of answer.results) {
          if (one.violation) this.#entry(one.violation);
          else this.#say("rejected", one);
        }
        if (keepalive) break;
      }
    } catch (error) {
      if (!error.passing && error.status !== 401 && error.status !== 403) {
        this.#queue.remove(new Set(this.#queue.items.slice(0, this.#atOnce).map(({ client_id }) => client_id))); // it will never be taken
      } else {
        const wait = Math.min(RETRY_LONGEST, RETRY_FIRST * 2 ** Math.min(this.#flushFailures, 6));
        this.#flushFailures += 1;
        this.#flushSoon(Math.max(error.wait ?? 0, wait * (0.7 + Math.random() * 0.6)));
      }
      throw error;
    } finally {
      this.#flushing = false;
    }
  }

  /** Null when the server could not read it: it goes by halves then, and one broken entry takes none of the others along. */
  async #sendEntries(keepalive) {
    const items = this.#queue.items.slice(0, this.#atOnce);
    try {
      return await this.#call("POST", this.#own("/violations"), { violations: items, sent_at: new Date().toISOString() }, { keepalive });
    } catch (error) {
      if (error.status !== 400 && error.status !== 413) throw error;
      const [{ client_id }] = items;
      if (items.length > 1) this.#atOnce = Math.ceil(items.length / 2);
      else {
        this.#queue.remove(new Set([client_id]));
        this.#say("rejected", { client_id, status: "rejected", code: error.code, message: error.message, violation: null });
      }
      return null;
    }
  }

  async loadLog() {
    const { results } = await this.#call("GET", this.#own("/violations"));
    this.log = results;
    this.#say("log", {});
  }

  #entry(entry) {
    const at = this.log.findIndex(({ id }) => id === entry.id);
    if (at >= 0) this.log[at] = entry;
    else this.log.unshift(entry);
    this.#say("log", {});
  }

  async explain(id, explanation) {
    this.#entry(await this.#call("POST", this.#own(`/violations/${id}/explanation`), { explanation }));
  }

  /** Listens to what the browser tells of. `without` leaves kinds out; `mouse` reports the pointer leaving the page. */
  watch({ without = [], mouse = false } = {}) {
    if (this.#watched) return;
    const left = new Set(without);
    this.#watched = { mouse, tell: (type, detail) => { if (!left.has(type)) this.report(type, detail); } };
    this.#watch();
    if (performance.getEntriesByType("navigation")[0]?.type === "reload") this.#watched.tell("page_reload", {});
    if (globalThis.screen?.isExtended) this.#watched.tell("multiple_displays", {});
  }

  #watch() {
    if (!this.#watched || this.#watching || this.isPrivate) return;
    const { mouse, tell } = this.#watched, stop = new AbortController();
    this.#watching = stop;
    const on = (target, kind, run) => target.addEventListener(kind, run, { signal: stop.signal, capture: true });
    watchFocus(on, tell, stop.signal);
    watchKeys(on, tell);
    watchWindow(on, tell, stop.signal);
    if (mouse) on(document.documentElement, "mouseleave", () => tell("mouse_leave", {}));
  }

  unwatch() {
    this.#watched = null;
    this.#unwatch();
  }

  #unwatch() {
    this.#watching?.abort();
    this.#watching = null;
  }

  // --- the exam room ---------------------------------------------------------------------------------------------------

  async loadChat() {
    const answer = await this.#call("GET", `${this.#own("/chat")}?limit=50`);
    const waiting = this.messages.filter(({ status, id }) => !id || status === "failed");
    this.messages = [...answer.results.reverse(), ...waiting.filter((one) => !answer.results.some(({ client_id }) => client_id === one.client_id))];
    this.seenByTutors = answer.seen.by_tutors;
    this.isChatOpen = answer.is_open;
    this.#say("chat", {});
  }
  isChatOpen = true;

  /** Shows at once; the same client_id until the server has it. */
  async send(body, client_id = uuid()) {
    const mine = { client_id, body, direction: "in", status: "queued", created_at: new Date(this.now).toISOString() };
    this.#message(mine);
    try {
      const message = await this.#again(() => this.#call("POST", this.#own("/chat"), { client_id, body }), SEND_TRIES);
      this.#message(message);
      return message;
    } catch (error) {
      this.#message({ ...mine, status: "failed", error });
      throw error;
    }
  }

  #message(message) {
    const at = this.messages.findIndex(({ id, client_id }) => (id && id === message.id) || (client_id && client_id === message.client_id));
    if (at >= 0 && this.messages[at].id && !message.id) return;
    if (at >= 0) this.messages[at] = message;
    else this.messages.push(message);
    this.#say("chat", { message, isNew: at < 0 });
  }

  read() { return this.#call("POST", this.#own("/chat/read"), {}).catch(() => {}); }

  #typedAt = 0;
  typing() {
    if (Date.now() - this.#typedAt < 5_000) return;
    this.#typedAt = Date.now();
    this.#call("POST", this.#own("/chat/typing"), {}).catch(() => {});
  }

  // --- asking ----------------------------------------------------------------------------------------------------------

  #own(rest) { return `/api/v1/sessions/${this.session.id}${rest}`; }

  async #call(method, path, body, { keepalive = false, again = true } = {}) {
    const { base, token, csrf, renew } = this.#options;
    const headers = { Accept: "application/json" };
    if (document.documentElement.lang) headers["Accept-Language"] = document.documentElement.lang;
    const bearer = token();
    if (this.#token) headers["X-Exam-Token"] = this.#token;
    else if (bearer) headers.Authorization = `Bearer ${bearer}`;
    else if (method !== "GET") headers["X-CSRFToken"] = csrf();
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let response, answer;
    try {
      response = await fetch(base + path, { method, headers, keepalive, body: body === undefined ? undefined : JSON.stringify(body), signal: AbortSignal.timeout(ANSWER_WITHIN) });
      answer = response.status === 204 ? null : await response.json().catch(() => null);
    } catch (error) {
      throw new ExamError(0, error.name === "TimeoutError" ? "timeout" : "network", error.message);
    }
    if (response.ok) return answer;
    if (response.status === 401 && again && (await renew())) return this.#call(method, path, body, { keepalive, again: false });
    const wait = Number(response.headers.get("Retry-After")) * 1000 || 0;
    throw new ExamError(response.status, answer?.code ?? "unknown", answer?.detail ?? answer?.title ?? "", answer ?? {}, wait);
  }

  /** The same once more, later each time, while the trouble passes. */
  async #again(ask, tries = Infinity) {
    for (let failed = 0; ; failed += 1) {
      try {
        return await ask();
      } catch (error) {
        if (!error.passing || failed + 1 >= tries) throw error;
        await pause(Math.max(error.wait, Math.min(RETRY_LONGEST, RETRY_FIRST * 2 ** failed)));
      }
    }
  }

  /** The sign-in was renewed: the socket lives on with it. */
  renewed() {
    const bearer = this.#options.token();
    if (this.connected) this.#socket.send(JSON.stringify(bearer ? { op: "token", token: bearer } : { op: "token" }));
  }

  #say(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

// --- what waits for the line -----------------------------------------------------------------------------------------

/** On this device, per session; in memory where a browser keeps nothing. Numbers go on where they stopped. */
class Queue {
  constructor(session, known) {
    this.key = `exam.${session}`;
    const kept = this.#read();
    this.seq = Math.max(kept.seq, known ?? 0);
    this.items = kept.items;
    this.withdrawn = kept.withdrawn ?? false; // consent, and the server has not heard it yet
  }

  add(type, detail, most) {
    this.#join();
    this.seq += 1;
    const entry = { client_id: uuid(), seq: this.seq, type, occurred_at: new Date().toISOString(), detail };
    this.items = [...this.items, entry].slice(-most);
    this.#keep();
    return entry;
  }

  say(withdrawn) {
    this.#join();
    this.withdrawn = withdrawn;
    this.#keep();
  }

  remove(ids) {
    this.#join();
    this.items = this.items.filter(({ client_id }) => !ids.has(client_id));
    this.#keep();
  }

  /** What another tab of the same sitting keeps here stays, should that one be gone: the server takes each but once. */
  #join() {
    const kept = this.#read(), mine = new Set(this.items.map(({ client_id }) => client_id));
    this.seq = Math.max(this.seq, kept.seq);
    this.withdrawn = kept.withdrawn ?? this.withdrawn;
    this.items = [...this.items, ...kept.items.filter(({ client_id }) => !mine.has(client_id))].sort((a, b) => a.seq - b.seq);
  }

  #read() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.key));
      if (Array.isArray(kept?.items)) return kept;
    } catch { /* nothing kept here */ }
    return { seq: 0, items: this.items ?? [] };
  }

  #keep() {
    try { localStorage.setItem(this.key, JSON.stringify({ seq: this.seq, items: this.items, withdrawn: this.withdrawn })); } catch { /* full, or not allowed */ }
  }
}

// --- what a browser tells of -----------------------------------------------------------------------------------------

/** One absence is one entry: a hidden page at once, a window out of focus when it is back or after five seconds. */
function watchFocus(on, tell, signal) {
  let away = 0, timer = null, told = false;
  const back = () => {
    clearTimeout(timer);
    if (away && !told) tell("focus_loss", { duration_ms: Date.now() - away });
    away = 0;
  };
  on(globalThis, "blur", () => setTimeout(() => {
    const inFrame = document.activeElement?.tagName === "IFRAME";
    if (signal.aborted || away || inFrame || document.hidden || document.hasFocus()) return;
    [away, told] = [Date.now() - 250, false];
    timer = setTimeout(() => { if (away) { told = true; tell("focus_loss", { duration_ms: Date.now() - away }); } }, AWAY_COUNTS);
  }, 250));
  on(globalThis, "focus", back);
  on(document, "visibilitychange", () => {
    if (!document.hidden) return;
    clearTimeout(timer);
    if (away) told = true;
    tell("tab_switch", {});
  });
}

const SHORTCUTS = new Set(["p", "s", "u"]); // with Ctrl or Cmd: print, save, source
const TOOLS = new Set(["i", "j", "c"]); // with Shift as well

function watchKeys(on, tell) {
  for (const kind of ["copy", "cut", "paste"]) {
    on(document, kind, (event) => {
      const length = kind === "paste" ? event.clipboardData?.getData("text").length : String(getSelection()).length;
      tell(kind, { length: length ?? 0 }); // how much, never what
    });
  }
  on(document, "contextmenu", () => tell("context_menu", {}));
  on(document, "keyup", (event) => { if (event.key === "PrintScreen") tell("print_screen", {}); });
  on(document, "keydown", (event) => {
    const key = event.key.toLowerCase(), mod = event.ctrlKey || event.metaKey;
    if (event.repeat) return;
    const tools = event.key === "F12" || (mod && (event.shiftKey || event.altKey) && TOOLS.has(key));
    if (tools) { tell("prohibited_shortcut", { keys: keyName(event), hint: "devtools" }); expectTools(tell); }
    else if (mod && !event.shiftKey && SHORTCUTS.has(key)) tell("prohibited_shortcut", { keys: keyName(event) });
  });
}

const keyName = (event) => [event.ctrlKey && "Ctrl", event.metaKey && "Meta", event.altKey && "Alt", event.shiftKey && "Shift", event.key].filter(Boolean).join("+");

/** Only a hint by itself; with a panel that takes part of the window right after, it is more than that. */
function expectTools(tell) {
  const before = [innerWidth, innerHeight], outer = [outerWidth, outerHeight];
  setTimeout(() => {
    const taken = Math.max(before[0] - innerWidth, before[1] - innerHeight);
    if (taken > 150 && outer[0] === outerWidth && outer[1] === outerHeight) tell("devtools_open", { taken_px: taken });
  }, 1_500);
}

function watchWindow(on, tell, signal) {
  let was = Boolean(document.fullscreenElement), width = innerWidth, timer;
  on(document, "fullscreenchange", () => {
    const is = Boolean(document.fullscreenElement);
    if (was && !is) tell("fullscreen_exit", {});
    was = is;
  });
  on(globalThis, "resize", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      // A phone's keyboard changes the height, and turning it round both; a narrower window is somebody's doing.
      if (!signal.aborted && innerWidth < width * 0.85 && !was) tell("window_resize", { from: width, to: innerWidth });
      width = innerWidth;
    }, 800);
  });
  const network = (detail) => tell("network_change", detail);
  on(globalThis, "offline", () => network({ online: false }));
  on(globalThis, "online", () => network({ online: true }));
  const line = navigator.connection;
  let type = line?.type ?? line?.effectiveType;
  if (line) on(line, "change", () => {
    const now = line.type ?? line.effectiveType;
    if (now !== type) network({ from: type, to: now });
    type = now;
  });
}

const networkType = () => String(navigator.connection?.type ?? navigator.connection?.effectiveType ?? "").slice(0, 20) || undefined;
const csrfOfPage = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";
const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

/** Also where a page has no secure context. */
function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  return [...bytes].map((byte, at) => ([4, 6, 8, 10].includes(at) ? "-" : "") + byte.toString(16).padStart(2, "0")).join("");
}

/** This browser's own name for itself: a second one on the same sitting is noticed by it. */
function ownDevice() {
  try {
    const kept = localStorage.getItem("exam.device") ?? uuid();
    localStorage.setItem("exam.device", kept);
    return kept;
  } catch {
    return uuid();
  }
}
