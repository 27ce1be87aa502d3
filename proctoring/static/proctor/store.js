// What the grid knows of an exam. No document here. Each change marks one session; what it means for the chips is added
// and taken away, never counted anew.
import { moment, now } from "../ui/js/time.js";

export const LIVE = new Set(["active", "disconnected", "paused"]);
// As proctoring/grid.py has it for the first paint
const RANKS = { critical: 6, high: 5, locked: 5, silent: 4, hand: 3, medium: 2 };
const FLAGGING = new Set(["medium", "high", "critical"]);
const ORDER = ["disconnected", "paused", "active", "submitted", "expired", "terminated"];
const NOTHING = { rank: 0, tone: "", why: "" };

export class Store {
  sessions = new Map();
  newest = new Map(); // of each student's attempts at an exam the last
  counts = { all: 0, attention: 0, active: 0, disconnected: 0, paused: 0, submitted: 0, ended: 0, hand: 0, review: 0 };
  #open = new Map(); // session -> its entries to review, by id
  #unread = new Map();
  #facts = new Map();
  #told = new Set(); // sessions that an event has told of: no older answer overwrites them
  #changed;

  /** `changed(id, facts, before)` is called for each session that may look different. */
  constructor(changed) {
    this.#changed = changed;
  }

  facts = (id) => this.#facts.get(id) ?? NOTHING;
  open = (id) => [...(this.#open.get(id)?.values() ?? [])];
  shown = (session) => this.newest.get(sitter(session)) === session.id;

  /** From a snapshot; what an event has told since is newer. */
  learn(session) {
    if (!this.#told.has(session.id)) this.#put(session);
  }

  /** A snapshot of an exam is on its way that is newer than everything. */
  forget(exam) {
    for (const id of this.#of(exam, this.#told)) this.#told.delete(id);
  }

  #of = (exam, ids) => [...ids].filter((id) => this.sessions.get(id)?.exam === exam);

  put(session) {
    this.#told.add(session.id);
    this.#put(session);
  }

  #put(session) {
    const held = this.newest.get(sitter(session));
    if (!held || held <= session.id) { // ids rise with time
      this.newest.set(sitter(session), session.id);
      if (held && held !== session.id) this.look(held);
    }
    const before = this.sessions.get(session.id);
    if (before?.last_heartbeat && moment(before.last_heartbeat) > moment(session.last_heartbeat)) session = { ...session, last_heartbeat: before.last_heartbeat };
    this.sessions.set(session.id, { ...session, read_at: now() });
    this.look(session.id);
  }

  /** Bare liveness: no card looks different but for its seconds. */
  beat(id, at) {
    const session = this.sessions.get(id);
    if (session) session.last_heartbeat = at;
    return session;
  }

  entry(violation) {
    if (violation.merged_into) return;
    const open = violation.review === "not_reviewed" && FLAGGING.has(violation.severity);
    let held = this.#open.get(violation.session);
    if (!open && !held) return;
    if (!held) this.#open.set(violation.session, (held = new Map()));
    if (open) held.set(violation.id, violation);
    else held.delete(violation.id);
    this.look(violation.session);
  }

  /** All that is to review in an exam. */
  entries(exam, violations) {
    for (const id of this.#of(exam, this.#open.keys())) this.#open.delete(id);
    for (const violation of violations) this.entry(violation);
    for (const id of this.#of(exam, this.sessions.keys())) this.look(id);
  }

  wrote(id) { this.#unread.set(id, (this.#unread.get(id) ?? 0) + 1); this.look(id); }
  read(id) { if (this.#unread.delete(id)) this.look(id); }
  unread(exam, counts) {
    for (const id of this.#of(exam, this.#unread.keys())) if (!counts[id]) this.read(id);
    for (const [id, count] of Object.entries(counts)) { this.#unread.set(id, count); this.look(id); }
  }
  unreadOf = (id) => this.#unread.get(id) ?? 0;

  look(id) {
    const session = this.sessions.get(id);
    if (!session) return;
    const before = this.#facts.get(id);
    const facts = this.shown(session) ? this.#judge(session) : null;
    for (const tag of before?.tags ?? []) this.counts[tag] -= 1;
    for (const tag of facts?.tags ?? []) this.counts[tag] += 1;
    if (facts) this.#facts.set(id, facts);
    else this.#facts.delete(id);
    this.#changed(id, facts, before);
  }

  #judge(session) {
    const flag = LIVE.has(session.status) ? this.#flag(session) : NOTHING;
    const tags = ["all"];
    if (flag.rank) tags.push("attention");
    tags.push(session.status === "terminated" || session.status === "expired" ? "ended" : session.status);
    if (session.hand_raised_at && LIVE.has(session.status)) tags.push("hand");
    if (session.unreviewed_count) tags.push("review");
    return { ...flag, tags, state: stateOf(session) };
  }

  #flag(session) {
    let worst = null;
    for (const entry of this.#open.get(session.id)?.values() ?? []) if (!worst || RANKS[entry.severity] >= RANKS[worst.severity]) worst = entry;
    const found = [];
    if (worst) found.push({ rank: RANKS[worst.severity], tone: worst.severity === "medium" ? "warning" : "danger", why: "entry", entry: worst });
    if (session.status === "disconnected") found.push({ rank: RANKS.silent, tone: "danger", why: "silent" });
    const locked = session.status === "paused"; // can do nothing but call
    const calls = { rank: locked ? RANKS.locked : RANKS.hand, tone: locked ? "danger" : "warning", locked };
    if (session.hand_raised_at) found.push({ ...calls, why: "hand", note: session.hand_note });
    else if (this.#unread.get(session.id)) found.push({ ...calls, why: "wrote" });
    return found.sort((one, other) => other.rank - one.rank)[0] ?? NOTHING;
  }
}

const sitter = ({ exam, student }) => `${exam} ${student}`;

export const stateOf = ({ status, connection }) =>
  (status === "active" && ["idle", "hidden", "throttled"].includes(connection) ? connection : status);

export const silence = (session) => Math.max(0, now() - (moment(session.last_heartbeat) ?? moment(session.started_at)));

/** What a card is sorted by: compared part by part. */
export function sortKey(order, session, facts) {
  const name = (session.student_name || session.student).toLocaleLowerCase();
  if (facts.rank) return [-facts.rank, name];
  const state = ORDER.indexOf(session.status);
  if (order === "name") return [name, state];
  if (order === "group") return [session.group, name];
  if (order === "progress") return [LIVE.has(session.status) ? 0 : 1, session.answered_count, name];
  if (order === "violations") return [-session.violation_count, state, name];
  if (order === "beat") return [LIVE.has(session.status) ? 0 : 1, moment(session.last_heartbeat) ?? 0, name];
  return [state, name];
}

export function compare(one, other) {
  for (let at = 0; at < one.length; at += 1) {
    if (one[at] === other[at]) continue;
    if (typeof one[at] === "string") { const words = COLLATOR.compare(one[at], other[at]); if (words) return words; } else return one[at] - other[at];
  }
  return 0;
}
const COLLATOR = new Intl.Collator();
