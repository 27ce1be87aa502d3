// What this page knows: every conversation it has met, kept true by events, and the lists and threads made of them.
// Nothing here touches the document. REST rows and events go in by `learn` and `apply`; views listen for "change".

import { NARROWING } from "./api.js";

export const activity = (conversation) => conversation.last_activity_at ?? conversation.last_message?.created_at ?? conversation.created_at ?? "";
/** The name of the line that is spoken on: Twilio carries WhatsApp too, which alone has a window. */
export const lineOf = ({ channel: { kind }, window }) => (kind === "twilio" && (window?.closes_at || window?.open === false) ? "kapso" : kind);
export const PRIORITIES = ["none", "low", "medium", "high", "urgent"];
const READERS_OWN = ["seen_count", "unread_count", "allowed_actions", "live", "contact_detail"];

export class Store extends EventTarget {
  conversations = new Map();
  seen = new Map(); // conversation -> how many incoming messages this reader has seen
  threads = new Map();
  drafts = new Map();
  open = null; // id of the conversation on screen
  inView = new Set(); // what the server says fits the saved view: its tree asks for more than rows say
  untold = () => 0; // how far this reader came that the server does not know yet; the sync says
  moment = 0; // counts what was told: who asks for something keeps it, since the answer may be older than what comes meanwhile
  #told = new Map(); // conversation -> the moment of its last event
  #sawAt = new Map(); // and of the last word on how far this reader came
  #countedAt = 0;

  constructor(state) {
    super();
    this.me = state.me;
    this.can = new Set(state.workspace.can);
    this.agents = state.agents;
    this.teams = state.teams;
    this.counts = state.list.counts;
    this.filter = { assignee: "", status: "open", unread: false, order: "newest", ...withoutNulls(state.list.filter) };
    this.takeList(state.list);
    if (state.thread) {
      this.learn(state.thread.conversation);
      this.takeThread(state.thread.conversation.id, state.thread.messages, state.thread.conversation);
      this.open = state.thread.conversation.id;
    }
  }

  changed(...what) {
    this.dispatchEvent(new CustomEvent("change", { detail: what }));
  }

  // --- conversations ---------------------------------------------------------------------------------------------------

  /** A row as REST gave it, asked for at that `moment`. What events have told since stands, and so does how far this reader
   *  came; one that has gone since stays away. Without a moment it says how far only where nothing is known. */
  learn(row, asked) {
    const known = this.conversations.get(row.id);
    if (!known && this.#told.get(row.id) > asked) return null;
    if (!this.seen.has(row.id) || (this.#sawAt.get(row.id) ?? 0) <= asked) {
      const seen = row.seen_count ?? row.inbound_count - row.unread_count;
      if (Number.isInteger(seen)) this.seen.set(row.id, Math.max(seen, this.untold(row.id)));
    }
    const stale = known && Date.parse(known.updated_at) > Date.parse(row.updated_at);
    const next = stale ? { ...known } : { ...known, ...row };
    for (const name of READERS_OWN) if (row[name] !== undefined) next[name] = row[name];
    this.conversations.set(row.id, next);
    this.changed("list", row.id);
    return next;
  }

  /** What an event says is the truth as of its number. */
  tell(data) {
    this.#told.set(data.id, this.moment += 1);
    if (data.deleted) this.conversations.delete(data.id);
    else this.conversations.set(data.id, { ...this.conversations.get(data.id), ...data });
    this.changed("list", data.id);
  }

  /** An optimistic change; the answer undoes it when the server would not have it and nothing else came meanwhile. */
  guess(id, change) {
    const before = this.conversations.get(id);
    const after = { ...before, ...change };
    this.conversations.set(id, after);
    this.changed("list", id);
    return () => {
      if (this.conversations.get(id) !== after) return;
      this.conversations.set(id, before);
      this.changed("list", id);
    };
  }

  /** null while it is not known how far this reader came. */
  unread(conversation) {
    if (!this.seen.has(conversation.id)) return null;
    return Math.max(0, (conversation.inbound_count ?? 0) - this.seen.get(conversation.id));
  }

  /** With a moment: as the answer to what was said then, which is older than whatever was told since. */
  saw(id, count, asked = Infinity) {
    if ((this.#sawAt.get(id) ?? 0) > asked) return;
    this.#sawAt.set(id, this.moment += 1);
    if (this.seen.get(id) === count) return;
    this.seen.set(id, count);
    this.changed("list", id);
  }

  get isNarrowed() {
    const { assignee } = this.filter;
    return NARROWING.some((name) => this.filter[name]) || Boolean(assignee && assignee !== "me" && assignee !== "none");
  }

  // --- the list --------------------------------------------------------------------------------------------------------

  /** How many there are on each tab; as asked for at that `moment`, which is not heard when others were told since. */
  count(counts, asked) {
    if (this.#countedAt > asked) return;
    this.counts = { ...this.counts, ...counts };
    this.#countedAt = this.moment += 1;
    this.changed("counts");
  }

  takeList(snapshot, { fresh = false, asked } = {}) {
    if (fresh) {
      // After a hole in the numbers only the snapshot is true, and what came since; the open one is loaded by its own.
      const stale = (moments) => (id) => id !== this.open && (moments.get(id) ?? 0) <= asked;
      for (const id of [...this.conversations.keys()].filter(stale(this.#told))) this.conversations.delete(id);
      for (const id of [...this.seen.keys()].filter(stale(this.#sawAt))) this.seen.delete(id);
    }
    this.inView = new Set(snapshot.results.map(({ id }) => id));
    for (const row of snapshot.results) this.learn(row, asked);
    if (snapshot.counts) this.count(snapshot.counts, asked);
    this.next = snapshot.next ?? null;
    this.loading = false;
    this.failed = null;
    this.edge = this.next ? this.#lowest(snapshot.results) : null;
    // An order by waiting may leave out those who do not wait; follow what the server did.
    this.withIdle = this.filter.order !== "waiting" || snapshot.results.some((row) => !row.waiting_since);
    this.changed("list", "counts");
  }

  takePage(page, asked) {
    for (const row of page.results) { this.inView.add(row.id); this.learn(row, asked); }
    this.next = page.next ?? null;
    const lowest = this.#lowest(page.results);
    this.edge = this.next ? (lowest < this.edge ? lowest : this.edge) : null;
    this.changed("list");
  }

  setFilter(change) {
    this.filter = { ...this.filter, ...change };
    this.next = this.edge = null;
    this.withIdle = this.filter.order !== "waiting";
    this.inView = new Set();
    this.loading = true;
    this.changed("list", "counts");
  }

  matches(conversation) {
    const { assignee, status, unread, channel, label, team, priority, view } = this.filter;
    if (view && !this.inView.has(conversation.id)) return false;
    if (conversation.scope && conversation.scope !== "support") return false;
    if (Boolean(conversation.is_spam) !== (status === "spam")) return false;
    if (status && status !== "spam" && conversation.status !== status) return false;
    if (assignee === "none" && conversation.assignee) return false;
    if (assignee && assignee !== "none" && conversation.assignee?.id !== (assignee === "me" ? this.me.id : assignee)) return false;
    if (channel && conversation.channel.slug !== channel) return false;
    if (label && !conversation.labels?.some(({ name }) => name === label)) return false;
    if (team && (team === "none" ? conversation.team : conversation.team?.id !== team)) return false;
    if (priority && conversation.priority !== priority) return false;
    // The one on screen stays where it is while it is being read.
    if (unread && conversation.id !== this.open && this.unread(conversation) === 0) return false;
    return this.withIdle || Boolean(conversation.waiting_since);
  }

  /** The rows to show, in order, down to where pages have been loaded. */
  rows() {
    const rows = [];
    for (const conversation of this.conversations.values()) {
      if (!this.matches(conversation)) continue;
      const key = this.#key(conversation);
      if (this.edge === null || key >= this.edge) rows.push([key, conversation]);
    }
    return rows.sort(([a], [b]) => (a < b ? 1 : a > b ? -1 : 0)).map(([, conversation]) => conversation);
  }

  #lowest(rows) {
    return rows.map((row) => this.#key(row)).sort()[0] ?? "";
  }

  /** Sorts descending: the newest, the oldest, the most urgent, or who waits longest; the id decides between equals. */
  #key(conversation) {
    const { order } = this.filter, at = stamp(activity(conversation)), { id } = conversation;
    if (order === "oldest") return `${upsideDown(at)} ${upsideDown(id)}`;
    if (order === "priority") return `${PRIORITIES.indexOf(conversation.priority)} ${at} ${id}`;
    if (order !== "waiting") return `${at} ${id}`;
    const since = conversation.waiting_since;
    return since ? `1 ${upsideDown(stamp(since))} ${upsideDown(id)}` : `0 ${at} ${id}`;
  }

  // --- threads ---------------------------------------------------------------------------------------------------------

  thread(id) {
    let thread = this.threads.get(id);
    if (!thread) {
      thread = { id, messages: new Map(), next: null, seq: null, seenSeq: null, loaded: false, loadingOlder: false, failed: null, line: null, detail: null, planned: new Map(), plannedAt: 0, typing: new Map() };
      this.threads.set(id, thread);
    }
    return thread;
  }

  /** `before`: what was here when the page was asked for. What it does not bring of that has gone; what came since stays. */
  takeThread(id, page, conversation, before = new Set()) {
    const thread = this.thread(id);
    const since = thread.loaded ? [...thread.messages].filter(([one]) => !before.has(one)) : [];
    thread.messages = new Map([...page.results.map((message) => [message.id, message]), ...since]);
    thread.next = page.next ?? null;
    thread.loaded = true;
    thread.failed = null;
    thread.detail = conversation?.contact_detail ?? thread.detail;
    if (conversation?.planned) this.takePlanned(id, conversation.planned);
    const numbers = [page.live?.seq, conversation?.live?.seq].filter(Number.isInteger);
    thread.seq = numbers.length ? Math.min(...numbers) : null; // from the older of the two: what comes twice is harmless
    thread.seenSeq = thread.seq;
    if (id === this.open) this.changed("thread", "person");
    return thread;
  }

  /** Replies that go out later, as a row of the conversation has them. */
  takePlanned(id, rows) {
    this.thread(id).planned = new Map(rows.map((one) => [one.id, one]));
    this.changed("planned");
  }

  /** One of them, made, held back or gone. */
  plan(id, planned) {
    const thread = this.threads.get(id);
    if (!thread) return;
    thread.plannedAt += 1;
    if (planned.deleted) thread.planned.delete(planned.id);
    else thread.planned.set(planned.id, planned);
    this.changed("planned");
  }

  takeOlder(id, page) {
    const thread = this.thread(id);
    for (const message of page.results) if (!thread.messages.has(message.id)) thread.messages.set(message.id, message);
    thread.next = page.next ?? null;
    this.changed("thread");
  }

  /** A message from an event. One from before the oldest loaded page waits for its page. */
  hear(id, message) {
    const thread = this.threads.get(id);
    if (!thread?.loaded) return;
    const known = thread.messages.get(message.id);
    if (message.deleted) thread.messages.delete(message.id);
    else if (known || !thread.next || message.id > oldest(thread)) thread.messages.set(message.id, { ...known, ...message });
    this.changed("thread");
  }

  /** A message from an answer of ours: only where no event was quicker. */
  hearAnswer(id, message) {
    if (!this.threads.get(id)?.messages.has(message.id)) this.hear(id, message);
  }

  messages(id) {
    return [...(this.threads.get(id)?.messages.values() ?? [])].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  }
}

const withoutNulls = (values) => Object.fromEntries(Object.entries(values ?? {}).filter(([, value]) => value !== null && value !== undefined));

function oldest(thread) {
  let least = null;
  for (const id of thread.messages.keys()) if (least === null || id < least) least = id;
  return least ?? "";
}

// Comparable whatever the number of decimals: milliseconds, then what the string says beyond them.
function stamp(iso) {
  const fraction = /\.(\d+)/.exec(iso)?.[1] ?? "";
  return `${String(Date.parse(iso) || 0).padStart(15, "0")}${fraction.padEnd(6, "0").slice(3, 6)}`;
}

// What sorts first sorts last: each hexadecimal digit turned into what it lacks to fifteen.
const upsideDown = (words) => words.replace(/[0-9a-f]/g, (digit) => (15 - parseInt(digit, 16)).toString(16));
