// The outbox comes alive. Everything it shows is rendered by the server; when something changed there, or a filter here,
// the same address is fetched again and what differs is put in place, so that focus, scroll and open rows stay.
import { $, $$, announce, attribute, show, text } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { tellConnection } from "../ui/js/connection.js";
import { settle, step } from "../ui/js/roving.js";
import { keepFresh, renew, signIn } from "../ui/js/session.js";
import { bind } from "../ui/js/shortcuts.js";
import { moment, paintAll } from "../ui/js/time.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { Live } from "../live/live.js";
import { paintMoments } from "./moments.js";
import { patch } from "../ui/js/patch.js";

const AT_LEAST = 1_000; // ms between two looks, however much happens
const EVERY = 15_000; // ms: what no signal tells, such as how long the oldest waits
const TYPED = 250; // ms of rest before what was typed is looked for

const state = JSON.parse($("#outbox-state").textContent);
const page = $(".outbox");
const base = `/api/v1/workspaces/${state.workspace.slug}/`;

// --- looking again ----------------------------------------------------------------------------------------------------

let turn = 0, lookedAt = 0, due = null, failedBefore = Number($("[data-failed]").dataset.failed), told = null;

/** The page's address, fetched and put in place. Of several under way only the last counts. */
async function look() {
  clearTimeout(due);
  due = null;
  lookedAt = Date.now();
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
  if (response.redirected) return signIn();
  if (!response.ok) return stale(t(response.status === 403 || response.status === 404 ? "refused" : "problem.unknown"));
  const html = await response.text();
  if (mine !== turn) return null;
  told?.remove();
  told = null;
  patch(page, new DOMParser().parseFromString(html, "text/html"));
  drawn();
  return null;
}

function stale(reason) {
  attribute($("[data-wrap]"), "aria-busy", null);
  told ??= toast(t("failed.load", { reason }), { tone: "danger" });
  if (!told.isConnected) told = null;
  throw new Error(reason);
}

const quietly = (promise) => promise.catch(() => {});

/** Soon, but not more often than a person can read. */
function lookSoon() {
  due ??= setTimeout(() => quietly(look()), Math.max(0, lookedAt + AT_LEAST - Date.now()));
}

function drawn() {
  attribute($("[data-wrap]"), "aria-busy", null);
  paintAll(page);
  paintMoments(page);
  settle($("[data-rows]"));
  const failed = Number($("[data-failed]").dataset.failed);
  const rail = $('[data-rail="failed"]');
  if (rail) {
    show(rail, failed);
    text($('[data-rail="failed-count"]'), String(failed));
  }
  if (failed > failedBefore) announce(t("said.failed", { n: failed }));
  failedBefore = failed;
}

/** Another filter, page or open row: a new address, and what is there. */
function go(address, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"]({}, "", address);
  attribute($("[data-wrap]"), "aria-busy", "true");
  return quietly(look());
}

addEventListener("popstate", () => quietly(look()));

// --- what people press ------------------------------------------------------------------------------------------------

const PATHS = {
  retry: (id) => `jobs/${id}/retry`,
  dismiss: (id) => `jobs/${id}/dismiss`,
  replay: (id) => `deliveries/${id}/retry`,
  redeliver: (id) => `webhook-calls/${id}/retry`,
};

async function act(button) {
  const { act: name, id, text: words } = button.dataset;
  if (name === "copy") {
    const copied = await navigator.clipboard.writeText(words).then(() => true, () => false);
    return toast(t(copied ? "copied" : "not-copied"), copied ? {} : { tone: "danger" });
  }
  if (name === "retry-all") return $("#dialog-retry-all").showModal();
  if (name === "retry-all-now") return retryAll();
  if (button.getAttribute("aria-busy") === "true") return null;
  button.setAttribute("aria-busy", "true");
  try {
    await call("POST", base + PATHS[name](id), {});
    toast(t(`done.${name}`));
  } catch (problem) {
    toast(t("failed", { reason: problem.message }), { tone: "danger" });
  } finally {
    button.removeAttribute("aria-busy");
  }
  return quietly(look());
}

/** In batches, as the server gives them; those refused stay where they are. */
async function retryAll() {
  $("#dialog-retry-all").close();
  let retried = 0, refused = 0, after = 0, left = 1;
  try {
    while (left) {
      const done = await call("POST", `${base}jobs/retry-failed`, { after });
      [retried, refused, after, left] = [retried + done.retried, refused + done.refused, done.after, done.left];
    }
    toast(t(refused ? "done.all.some" : "done.all", { n: retried, m: refused }));
  } catch (problem) {
    toast(t("failed", { reason: problem.message }), { tone: "danger" });
  }
  return quietly(look());
}

const plain = (event) => event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);

document.addEventListener("click", (event) => {
  if (!plain(event)) return;
  const link = event.target.closest("a[data-filter], a[data-toggle]");
  const button = event.target.closest("button[data-act]");
  if (button) act(button);
  else if (link && page.contains(link)) {
    const url = new URL(link.href);
    // Another table has other columns: that is another page.
    if ((url.searchParams.get("tab") ?? "jobs") !== page.dataset.tab) return;
    event.preventDefault();
    go(url, { replace: link.hasAttribute("data-toggle") });
  }
});

let typing;
page.addEventListener("input", (event) => {
  if (event.target.name !== "search") return;
  clearTimeout(typing);
  typing = setTimeout(() => search(event.target.form), TYPED);
});
page.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  search(event.target);
});

function search(form) {
  const words = new URLSearchParams(new FormData(form));
  if (!words.get("search")) words.delete("search");
  go(`?${words}`, { replace: true });
}

const rows = () => $("[data-rows]");
bind("j", () => step(rows(), 1));
bind("k", () => step(rows(), -1));
bind("/", () => $("input[name=search]")?.focus());
bind("r", () => document.activeElement?.closest("[data-row]")?.querySelector("[data-act]")?.click());
page.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.name === "search") event.target.blur();
});

// --- start ------------------------------------------------------------------------------------------------------------

const live = new Live({ renew, signIn });
live.subscribe(state.topic, {
  signal: lookSoon,
  subscribed: lookSoon, // what happened before the line was there
  reload: () => look(),
  refused: () => toast(t("refused"), { tone: "danger" }),
});
setInterval(() => { if (!document.hidden && Date.now() - lookedAt > EVERY) lookSoon(); }, 5_000);
setInterval(() => { if (!document.hidden) paintMoments(page); }, 1_000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) lookSoon(); });
for (const link of $$("[data-rows] [data-item]").slice(0, 1)) link.tabIndex = 0;
drawn();
tellConnection(live);
live.start();
const end = moment(state.me.expires_at);
if (end) keepFresh(end, () => live.renewed());
