// What contacts, reports and settings do alike. Everything they show is rendered by the server; when something changed
// there, or a filter here, the same address is fetched again and what differs is put in place, so that focus, scroll and
// menus stay.
import { $, attribute } from "../ui/js/dom.js";
import { tellConnection } from "../ui/js/connection.js";
import { patch } from "../ui/js/patch.js";
import { keepFresh, renew, signIn } from "../ui/js/session.js";
import { moment, paintAll } from "../ui/js/time.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { Live } from "../live/live.js";

const AT_LEAST = 700; // ms between two looks, however much happens
const EVERY = 20_000; // ms: what no event tells

export const state = JSON.parse($("#page-state").textContent);
export const base = `/api/v1/workspaces/${state.workspace.slug}/`;
export const page = $("main.page");
export const live = new Live({ renew, signIn });

let turn = 0, lookedAt = Date.now(), due = null, told = null, drawn = () => {}, put = patch;

/** The page's address, fetched and put in place. Of several under way only the last counts. */
export async function look() {
  clearTimeout(due);
  due = null;
  lookedAt = Date.now();
  if (page.hasAttribute("data-moving")) return lookSoon(); // what the server says now is about to be another
  const mine = ++turn;
  const asked = new URL(location.href);
  asked.searchParams.set("part", "body");
  let response;
  try {
    response = await fetch(asked, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(10_000) });
  } catch {
    return stale(t("problem.network"));
  }
  if (mine !== turn) return null;
  if (response.redirected && new URL(response.url).pathname === "/login") return signIn();
  if (response.redirected) return location.assign(response.url.replace(/[?&]part=body/, ""));
  if (!response.ok) return stale(t(response.status === 403 || response.status === 404 ? "refused" : "problem.unknown"));
  const html = await response.text();
  if (mine !== turn) return null;
  told?.remove();
  told = null;
  put(page, new DOMParser().parseFromString(html, "text/html"));
  settled();
  return null;
}

function settled() {
  attribute(page, "aria-busy", null);
  paintAll(page);
  drawn();
}

function stale(reason) {
  attribute(page, "aria-busy", null);
  if (!told?.isConnected) told = toast(t("failed.load", { reason }), { tone: "danger" });
  throw new Error(reason);
}

export const quietly = (promise) => promise.catch(() => {});

/** Soon, but not more often than a person can read. */
export function lookSoon() {
  due ??= setTimeout(() => quietly(look()), Math.max(0, lookedAt + AT_LEAST - Date.now()));
}

/** Another filter or page: a new address, and what is there. */
export function go(address, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"]({}, "", address);
  attribute(page, "aria-busy", "true");
  return quietly(look());
}

export const failed = (problem) => toast(t("failed", { reason: problem.message }), { tone: "danger" });

const plain = (event) => event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-filter]");
  if (!link || !plain(event) || !page.contains(link)) return;
  // The other layout has other parts: that is another page.
  if (layout(new URL(link.href)) !== layout(location)) return;
  event.preventDefault();
  go(link.href, { replace: link.hasAttribute("data-keep-place") });
});

const layout = ({ search }) => new URLSearchParams(search).get("layout") ?? "";

/** `onDrawn` runs after every look, and once now; `place(page, fresh)` puts what was fetched where it belongs. */
export function start(onDrawn, place = patch) {
  [drawn, put] = [onDrawn, place];
  addEventListener("popstate", () => quietly(look()));
  addEventListener("online", lookSoon);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) lookSoon(); });
  setInterval(() => { if (!document.hidden && Date.now() - lookedAt > EVERY) lookSoon(); }, 5_000);
  drawn();
  tellConnection(live);
  live.start();
  const end = moment(state.me.expires_at);
  if (end) keepFresh(end, () => live.renewed());
}
