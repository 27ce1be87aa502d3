// The bell of every page: how many notices wait, and what is heard of a new one. The list comes when it is opened.
import { $, announce, show, text } from "../ui/js/dom.js";
import { line } from "../ui/js/connection.js";
import { call } from "../ui/js/http.js";
import { recall, remember } from "../ui/js/memory.js";
import { has, t } from "../ui/js/words.js";

const button = $("button[data-bell]");
const { slug, me } = button.dataset;
const base = `/api/v1/workspaces/${slug}/notices/`;
const part = (name) => $(`[data-bell="${name}"]`);
const MOST = 99;
const EVERY = 15_000; // ms between two looks where the live line is blocked
const LOOKS = 2_000; // ms between two looks at what is before one's eyes
const IDLE = 10_000; // ms without a hand on the page
const heard = new EventTarget();
let told = 0; // counts what was heard: an answer may be older
let loaded = false;

const notices = {
  rows: [], next: null, unread: 0,
  on: (run) => heard.addEventListener("change", run),
  wanted: (what) => (what === "sound" ? recall("notices.sound") !== false : recall(`notices.${what}`) === true && globalThis.Notification?.permission === "granted"),
  want: (what, on) => { remember(`notices.${what}`, on); changed(); },
  base,
  /** The page it leads to. */
  place: ({ conversation, note }) => (conversation ? `/inbox/${conversation.id}` : note ? `/contacts/${note.contact.id}` : "/inbox"),
};

const said = ({ kind, actor, conversation, note }) =>
  t(has(`notice.${kind}`) ? `notice.${kind}` : "notice.nobody", { who: actor?.name || t("notice.nobody"), contact: conversation?.contact ?? note?.contact.name ?? "" });

function changed() {
  const { unread } = notices;
  text(part("count"), unread > MOST ? `${MOST}+` : String(unread));
  show(part("unread"), unread > 0);
  heard.dispatchEvent(new Event("change"));
}

async function load(address = `${base}?limit=20`) {
  const at = told;
  const answer = await call("GET", address);
  if (at !== told) return load(address);
  const known = address.includes("cursor=") ? notices.rows : [];
  Object.assign(notices, { rows: [...known, ...answer.results], next: answer.next, unread: answer.unread_count });
  loaded = true;
  changed();
  return answer.live.seq;
}

async function read(what) {
  const at = told;
  const answer = await call("POST", `${base}read`, what);
  const now = new Date().toISOString();
  for (const row of notices.rows)
    if (what.all || what.ids?.includes(row.id) || (what.conversation && row.conversation?.id === what.conversation)) row.read_at ??= now;
  if (at === told) notices.unread = answer.unread_count;
  changed();
}

// --- what comes in ---------------------------------------------------------------------------------------------------

function hear({ type, data }) {
  if (data.workspace !== slug) return;
  told += 1;
  if (type === "notice.read") return hearRead(data);
  if (type !== "notice.created" || notices.rows.some(({ id }) => id === data.id) || !data.ways.includes("page")) return;
  notices.rows = [data, ...notices.rows.filter(({ id }) => id !== data.replaces)];
  if (!data.replaces) notices.unread += 1;
  changed();
  if (before(data)) return look();
  announce(said(data));
  once(data);
}

function hearRead({ ids }) {
  const now = new Date().toISOString();
  for (const row of notices.rows) {
    if (row.read_at || (ids && !ids.includes(row.id))) continue;
    row.read_at = now;
  }
  load().catch(() => {}); // those beyond the list count too
}

/** Of several pages in this browser one makes a sound and shows a notice. */
function once(notice) {
  const tell = () => import("./sounding.js").then(({ sound, desktop }) => {
    if (notice.ways.includes("sound") && notices.wanted("sound")) sound();
    if (notice.ways.includes("desktop") && notices.wanted("desktop") && !document.hasFocus()) desktop(notice, said(notice), notices.place(notice));
  });
  if (!navigator.locks) return tell();
  navigator.locks.request(`notice ${notice.id}`, { ifAvailable: true }, async (lock) => {
    if (lock) await Promise.all([tell(), new Promise((done) => setTimeout(done, 3_000))]);
  });
}

// --- what is before one's eyes ---------------------------------------------------------------------------------------------

const before = (notice) => !document.hidden && location.pathname === notices.place(notice);

let asked = null;
function look() {
  const seen = notices.rows.filter((row) => !row.read_at && (row.conversation || row.note) && before(row));
  if (!seen.length || asked === location.pathname) return;
  asked = location.pathname;
  const [{ conversation }] = seen;
  read(conversation ? { conversation: conversation.id } : { ids: seen.map(({ id }) => id) }).catch(() => {}).finally(() => { asked = null; });
}

/** Whoever has a page open is here, on any page; the inbox sees to that by itself. */
function beHere(live) {
  if ($("main.inbox")) return;
  let moved = Date.now(), idle = false;
  const here = live.subscribe(`presence.workspace.${slug}`, { subscribed: () => tell(true), event() {}, reload: async () => null, poll: false });
  const tell = (always) => {
    const now = document.hidden || Date.now() - moved > IDLE;
    if (now === idle && !always) return;
    idle = now;
    here.signal("presence", { state: idle ? "idle" : "active" });
  };
  for (const name of ["pointermove", "pointerdown", "keydown", "wheel"]) addEventListener(name, () => { moved = Date.now(); tell(); }, { passive: true, capture: true });
  document.addEventListener("visibilitychange", () => tell());
  setInterval(() => tell(), LOOKS);
}

async function start() {
  const live = await line;
  addEventListener("live:user", ({ detail }) => (detail ? hear(detail) : load().catch(() => {})));
  const after = await load().catch(() => null);
  if (!$("main.inbox")) live.subscribe(`user.${me}`, { after, event: hear, reload: load, poll: false });
  beHere(live);
  setInterval(() => { if ((live.polling || !loaded) && !document.hidden) load().catch(() => {}); }, EVERY);
  setInterval(look, LOOKS);
}

$("#menu-notices").addEventListener("beforetoggle", ({ newState }) => { if (newState === "open") import("./bell-list.js").then(({ open }) => open({ load, notices, read, said })); });
start();
