// The inbox's store and sync without a page or a server: every question waits until a test answers it, every event is told by hand.
import { Drafts } from "/static/inbox/drafts.js";
import { Presence } from "/static/inbox/presence.js";
import { Store } from "/static/inbox/store.js";
import { Sync } from "/static/inbox/sync.js";

const asked = [], topics = {};
const api = new Proxy({}, { get: (_, name) => (...given) => new Promise((answer, fail) => asked.push({ name, given, answer, fail })) });
const live = {
  subscribe(name, options) {
    topics[name] = options;
    return { seq: options.after, signal() {}, close() { delete topics[name]; } };
  },
};
// What was answered or told has been taken in: a few rounds of whatever waits, by no clock.
const round = () => new Promise((done) => { const { port1, port2 } = new MessageChannel(); port1.onmessage = done; port2.postMessage(0); });
async function rest() { for (let count = 0; count < 5; count += 1) await round(); }

const row = (id, more) => ({
  id, status: "open", inbound_count: 1, seen_count: 0, assignee: null, labels: [], contact: { id: `of ${id}`, name: id }, channel: { slug: "wa", kind: "kapso" },
  created_at: "2026-01-01T00:00:00Z", updated_at: "2026-01-01T00:00:00Z", ...more,
});
const listed = (rows, more) => ({ results: rows, counts: { all: rows.length }, next: null, live: { seq: 1 }, ...more });
const thread = () => ({ results: [{ id: "m1", direction: "in", type: "text", body: "hi" }], next: null, live: { seq: 1 } });

const store = new Store({ me: { id: "me" }, workspace: { can: [] }, agents: [], teams: [], list: listed([row("one"), row("two")]), thread: null });
store.drafts = new Map();
const drafts = new Drafts({ store, api, shown() {} });
const views = { looking: () => Boolean(store.open), came() {}, failed() {}, setting() {}, gone() {}, draft: (draft) => drafts.hear(draft), drafts: () => drafts.load() };
const sync = new Sync({ store, api, live, views, outbox: { arrived() {} }, slug: "demo", after: 1, ownAfter: 7 });

/** Until that is asked, by whatever clock. */
async function until(name) { while (!asked.some((one) => one.name === name)) await new Promise((done) => { setTimeout(done, 5); }); }

function take(name) {
  const at = asked.findIndex((one) => one.name === name);
  if (at < 0) throw new Error(`nobody asked for ${name}`);
  return asked.splice(at, 1)[0];
}

Object.assign(window, {
  Presence, store, sync, drafts, topics, live, row, listed, thread, until, rest,
  waits: (name) => asked.filter((one) => one.name === name).length,
  async answer(name, value) { take(name).answer(value); await rest(); },
  async fail(name, problem = { passing: true, message: "" }) { take(name).fail(problem); await rest(); },
  async event(topic, type, data) { topics[topic].event({ type, data, seq: 2 }); await rest(); },
  async open(id) { store.open = id; sync.follow(id); await until("messages"); await window.answer("messages", thread()); },
  leave() { store.open = null; sync.leave(); },
  unread: (id) => store.unread(store.conversations.get(id)),
  rows: () => store.rows().map(({ id }) => id).sort(),
});
