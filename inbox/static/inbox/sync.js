// Between the live line, the API and the store: which topics are followed, what an event changes, what a reset loads.
import { afterFrame, announce } from "../ui/js/dom.js";
import { recall } from "../ui/js/memory.js";
import { nameOf } from "../ui/js/people.js";
import { t } from "../ui/js/words.js";
import { Reading } from "./reading.js";
import { hearTyping } from "./thread.js";

const PAGE = 50, MOST = 200; // rows asked for anew
const COUNTS_LATE = 1_500; // ms after which a lost counts signal is made up for
const VIEW_LATE = 1_500; // ms: who fits a saved view only the server can say, and not with every event
const ASKED_AT_ONCE = 3;
const AGAIN = 5_000; // ms after a question that did not get through
const OFFERS = 30_000; // ms between two looks at what is set up, where nobody tells
const KEPT_THREADS = 20;
const FARTHEST_KNOWN = 10; // pages asked for anew; what lies before them comes when somebody scrolls there
const FARTHEST = 100; // pages back to a message that was looked for

export class Sync {
  #store; #api; #live; #outbox; #views;
  #turn = 0;
  #fresh = false;
  #recount = null;
  #reload = null;
  #viewing = null;
  #wondered = new Set();
  #queue = [];
  #asking = 0;
  #loads = new Map();
  #offered = 0;
  #topic = null;
  #reading;
  #ahead = null; // the thread that is got before it was asked for, and how to let go of it
  #about = afterFrame(() => this.#detail(this.#store.open).catch(() => {}));

  constructor({ store, api, live, outbox, views, slug, after, ownAfter }) {
    [this.#store, this.#api, this.#live, this.#outbox, this.#views] = [store, api, live, outbox, views];
    this.#reading = new Reading(async (id, count) => {
      const asked = store.moment;
      const { seen_count: seen } = await api.read(id, count);
      store.saw(id, seen, seen < count ? Infinity : asked); // fewer: one of them was taken back meanwhile
    });
    store.untold = (id) => this.#reading.waiting(id);
    let before = false;
    live.subscribe(`inbox.${slug}`, {
      after,
      event: (frame) => (frame.type === "settings.updated" ? views.setting(frame.data) : this.#conversation(frame)),
      signal: ({ type, data }) => type === "counts" && this.#counted(data),
      subscribed: () => { if (before) this.#expectCounts(0); before = true; },
      reload: () => { this.#offers(); return this.loadList({ fresh: true }); },
      refused: () => views.failed("refused", {}),
    });
    live.subscribe(`user.${store.me.id}`, {
      after: ownAfter,
      event: ({ type, data }) => {
        if (type.startsWith("notice.")) dispatchEvent(new CustomEvent("live:user", { detail: { type, data } }));
        else if (type === "conversation.read") store.saw(data.id, Math.max(data.seen_count, this.#reading.waiting(data.id)));
        else if (type === "conversation.unread") store.saw(data.id, data.seen_count);
        else if (type === "draft.updated") views.draft(data);
      },
      // No snapshot of its own: the list's rows say how far one came. Where sockets are blocked they are asked for anyway.
      reload: async () => {
        if (!live.polling) dispatchEvent(new CustomEvent("live:user"));
        await Promise.all([live.polling ? null : this.loadList({ fresh: true }), views.drafts()]);
        return null;
      },
    });
    document.addEventListener("visibilitychange", () => this.looked());
  }

  /** Back among what this reader has not seen, whatever was on its way to say otherwise. */
  async unread(id) {
    await this.#reading.settled(id);
    const { seen_count: seen } = await this.#api.unread(id);
    this.#store.saw(id, seen);
  }

  // --- the list --------------------------------------------------------------------------------------------------------

  /** The list from the server. Answers its number; of several loads under way only the last is shown. */
  async loadList({ fresh = false } = {}) {
    const turn = ++this.#turn;
    this.#fresh ||= fresh;
    clearTimeout(this.#reload);
    const store = this.#store, asked = store.moment;
    try {
      const snapshot = await this.#api.list(store.filter, Math.min(MOST, Math.max(PAGE, fresh || store.filter.view ? store.rows().length : 0)));
      if (turn !== this.#turn) return snapshot.live?.seq;
      store.takeList(snapshot, { fresh: this.#fresh, asked });
      this.#fresh = false;
      this.looked(); // the list may say for the first time how far one has read what is open
      return snapshot.live?.seq;
    } catch (problem) {
      if (turn === this.#turn) {
        Object.assign(store, { loading: false, failed: problem });
        if (problem.passing) this.#reload = setTimeout(() => this.loadList().catch(() => {}), AGAIN); // what is known is not all there is
      }
      store.changed("list");
      throw problem;
    }
  }

  /** What was set up anew while nothing was told: what is offered here is asked for again. */
  #offers() {
    if (Date.now() - this.#offered < OFFERS) return;
    this.#offered = Date.now();
    this.#views.setting({ what: "member" });
  }

  async more() {
    const store = this.#store;
    if (!store.next || store.loading || this.#loads.has("more")) return;
    const turn = this.#turn, asked = store.moment;
    this.#loads.set("more", true);
    try {
      const page = await this.#api.page(store.next);
      if (turn === this.#turn) store.takePage(page, asked);
    } catch (problem) {
      store.stalled = true;
      this.#views.failed("failed.older", problem);
    } finally {
      this.#loads.delete("more");
    }
    if (turn !== this.#turn) this.more(); // another list came meanwhile, and its end may have asked in vain
  }

  #conversation({ type, data }) {
    const store = this.#store;
    const before = store.conversations.get(data.id);
    store.tell(data);
    if (store.filter.view) this.#viewing ??= setTimeout(() => { this.#viewing = null; this.loadList().catch(() => {}); }, VIEW_LATE);
    if (data.deleted) {
      if (data.id === store.open) this.#views.gone(data.id);
      return this.#expectCounts();
    }
    if (!store.seen.has(data.id)) {
      if (type === "conversation.created") store.saw(data.id, 0);
      else this.#wonder(data.id);
    }
    if (!before || before.status !== data.status || before.assignee?.id !== data.assignee?.id) this.#expectCounts();
    const wrote = data.last_message?.direction === "in" && data.last_message.id !== before?.last_message?.id;
    if (wrote && data.id !== store.open && store.matches(data)) announce(t("said.elsewhere", { name: nameOf(data.contact) }));
    if (data.id === store.open) this.looked();
  }

  #counted(counts) {
    clearTimeout(this.#recount);
    this.#recount = null;
    this.#store.count(counts);
  }

  /** Signals may be lost; counts may not stay wrong. */
  #expectCounts(wait = COUNTS_LATE) {
    this.#recount ??= setTimeout(async () => {
      const asked = this.#store.moment;
      const answer = await this.#api.counts().catch((problem) => problem);
      this.#recount = null;
      if (answer.counts) this.#store.count(answer.counts, asked);
      else if (answer.passing) this.#expectCounts(AGAIN);
    }, wait);
  }

  /** An event does not say how far this reader came; for a row never loaded that has to be asked. */
  #wonder(id) {
    if (this.#wondered.has(id)) return;
    this.#wondered.add(id);
    this.#queue.push(id);
    this.#answer();
  }

  async #answer() {
    while (this.#queue.length && this.#asking < ASKED_AT_ONCE) {
      const id = this.#queue.shift();
      const conversation = this.#store.conversations.get(id);
      if (!conversation || !this.#store.matches(conversation)) { this.#wondered.delete(id); continue; }
      this.#asking += 1;
      const asked = this.#store.moment;
      const row = await this.#api.conversation(id).catch((problem) => problem);
      this.#asking -= 1;
      this.#wondered.delete(id);
      if (row.id) this.#store.learn(row, asked);
      else if (row.passing) setTimeout(() => this.#wonder(id), AGAIN);
      this.looked();
    }
  }

  // --- the open thread ---------------------------------------------------------------------------------------------------

  /** Get a thread before it is asked for (the pointer rests on its row, or it is the next one). One at a time: who goes on
   *  does not wait for it. */
  prefetch(id) {
    if (this.#ahead?.id === id || this.#store.threads.get(id)?.loaded) return;
    this.#letGo(id);
    const stop = new AbortController(), ahead = { id, stop };
    this.#ahead = ahead;
    this.loadThread(id, stop.signal).catch(() => {}).finally(() => { if (this.#ahead === ahead) this.#ahead = null; });
  }

  #letGo(wanted) {
    const ahead = this.#ahead;
    if (!ahead || ahead.id === wanted || ahead.id === this.#store.open) return;
    ahead.stop.abort();
    this.#loads.delete(ahead.id); // who comes back to it asks anew
    this.#ahead = null;
  }

  async #detail(id) {
    if (!id) return null;
    const asked = this.#store.moment, thread = this.#store.thread(id), told = thread.plannedAt;
    const row = await this.#api.conversation(id);
    if (told !== thread.plannedAt) return this.#detail(id); // older than what was told meanwhile
    this.#store.learn(row, asked);
    this.#store.takePlanned(id, row.planned ?? []);
    thread.detail = row.contact_detail;
    this.#store.changed("person");
    return row;
  }

  loadThread(id, signal) {
    let load = this.#loads.get(id);
    if (!load) {
      load = this.#fetchThread(id, signal).finally(() => { if (this.#loads.get(id) === load) this.#loads.delete(id); });
      this.#loads.set(id, load);
    }
    return load;
  }

  /** The newest messages; as far back as they are known, since an edit or a deletion may be anywhere among them. */
  async #page(id, known, signal) {
    const page = await this.#api.messages(id, known.size > PAGE ? Math.min(MOST, known.size) : null, signal);
    const least = [...known].reduce((one, other) => (one < other ? one : other), page.results.at(-1)?.id);
    for (let pages = 1; page.next && least < page.results.at(-1).id && pages < FARTHEST_KNOWN; pages += 1) {
      const { results, next } = await this.#api.page(page.next);
      page.results.push(...results);
      page.next = next;
    }
    return page;
  }

  async #fetchThread(id, signal) {
    const store = this.#store;
    try {
      // The row is known: the messages alone bring it on screen. Else both are needed.
      const detail = store.conversations.has(id) ? null : this.#detail(id);
      const before = new Set(store.thread(id).messages.keys());
      const page = await this.#page(id, before, signal);
      const conversation = await detail;
      const { loaded, messages } = store.thread(id);
      const news = loaded ? page.results.filter((message) => !messages.has(message.id)).reverse() : [];
      store.takeThread(id, page, conversation, before);
      for (const message of page.results) if (message.client_id) this.#outbox.arrived(message.client_id);
      if (id === store.open) for (const message of news) this.#views.came(message);
      return store.thread(id).seq;
    } catch (problem) {
      const thread = store.thread(id);
      if (id === store.open) {
        if (!thread.loaded) thread.failed = problem;
        store.changed("thread");
      }
      throw problem;
    }
  }

  /** Follow a conversation that has come on screen, from the number its messages were loaded at. */
  async follow(id) {
    const store = this.#store;
    this.leave();
    this.#letGo(id);
    const thread = store.thread(id);
    const known = thread.loaded;
    if (!known) {
      thread.failed = null;
      await this.loadThread(id).catch(() => {});
      if (store.open !== id || !thread.loaded) return;
    }
    store.threads.delete(id); // and last again, so that those looked at long ago are forgotten first
    store.threads.set(id, thread);
    this.#mark(thread);
    const line = this.#live.subscribe(`conversation.${id}`, {
      after: thread.seq,
      event: (frame) => this.#message(thread, frame),
      signal: ({ type, data }) => { if (type === "typing" && data.user?.id !== store.me.id) hearTyping(thread, data, () => store.changed("thread")); },
      subscribed: () => { if (known) this.#mark(thread); this.looked(); },
      reload: () => { this.#about(); return this.loadThread(id); },
      refused: (frame) => { thread.failed = { status: 404, message: frame.message }; store.changed("thread"); },
    });
    this.#topic = { id, line };
    this.looked();
    if (known || !thread.detail) this.#about(); // who this is follows when the messages are on screen
    this.#forget();
  }

  leave() {
    if (!this.#topic) return;
    const thread = this.#store.threads.get(this.#topic.id);
    if (thread) thread.seq = this.#topic.line.seq;
    this.#topic.line.close();
    this.#topic = null;
  }

  /** Where reading stopped: before the first of the messages not seen yet. */
  #mark(thread) {
    const conversation = this.#store.conversations.get(thread.id);
    const unread = conversation ? this.#store.unread(conversation) : 0;
    if (!unread) return;
    const incoming = this.#store.messages(thread.id).filter(({ direction, type }) => direction === "in" && type !== "reaction");
    thread.line = incoming.at(-Math.min(unread, incoming.length))?.id ?? null;
    this.#store.changed("thread");
  }

  #message(thread, { type, seq, data }) {
    const store = this.#store;
    if (type.startsWith("message.")) {
      const isNew = !thread.messages.has(data.id);
      store.hear(thread.id, data);
      if (data.client_id) this.#outbox.arrived(data.client_id);
      if (isNew && thread.messages.has(data.id)) this.#views.came(data);
      if (data.sender?.id && thread.typing.has(data.sender.id)) hearTyping(thread, { user: data.sender, typing: false }, () => {});
    } else if (type === "conversation.updated") {
      store.tell(data);
    } else if (type === "planned.updated") {
      store.plan(thread.id, data);
    }
    if (this.#views.looking()) thread.seenSeq = seq;
    this.looked();
  }

  /** The newest number the agent has had on screen; sending says so, and the server holds back what was written past it. */
  seenSeq() {
    if (this.#views.looking()) this.looked();
    return this.#store.threads.get(this.#store.open)?.seenSeq ?? null;
  }

  typing(on) {
    this.#topic?.line.signal("typing", { typing: on });
  }

  async older() {
    const thread = this.#store.threads.get(this.#store.open);
    if (!thread?.next || thread.loadingOlder) return;
    thread.loadingOlder = true;
    this.#store.changed("thread");
    try {
      this.#store.takeOlder(thread.id, await this.#api.page(thread.next));
    } catch (problem) {
      this.#views.failed("failed.older", problem);
    } finally {
      thread.loadingOlder = false;
      this.#store.changed("thread");
    }
  }

  /** Earlier pages until this message is there; false when it never comes. */
  async reach(id, message) {
    const thread = this.#store.thread(id);
    await this.#loads.get(id)?.catch(() => {});
    for (let pages = 0; !thread.messages.has(message); pages += 1) {
      if (this.#store.open !== id || !thread.loaded || !thread.next || pages === FARTHEST) return false;
      const url = new URL(thread.next, location.href);
      url.searchParams.set("limit", MOST);
      this.#store.takeOlder(id, await this.#api.page(url.href));
    }
    return true;
  }

  /** The end of the thread is in sight of a person: nothing of it is unread any more. */
  looked() {
    const store = this.#store;
    const conversation = store.conversations.get(store.open);
    const thread = store.threads.get(store.open);
    if (!conversation || !thread?.loaded || !this.#views.looking()) return;
    if (this.#topic?.id === store.open) thread.seenSeq = this.#topic.line.seq ?? thread.seenSeq;
    if (!store.unread(conversation)) return;
    if (conversation.waiting_since && conversation.status !== "resolved" && recall("read-when-answered") === true) return; // as this reader wants it (composer.js)
    store.saw(conversation.id, conversation.inbound_count);
    this.#reading.saw(conversation.id, conversation.inbound_count);
  }

  #forget() {
    for (const id of this.#store.threads.keys()) {
      if (this.#store.threads.size <= KEPT_THREADS) return;
      if (id !== this.#store.open) this.#store.threads.delete(id); // the one that was on screen the longest ago
    }
  }
}
