// The bell's menu: the newest notices, each leading to its conversation or contact, and what of them this browser makes.
import { $, attribute, clone, fields, show, text } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { paintAll } from "../ui/js/time.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";

let load, notices, read, said; // the bell's own, given with the first opening
const menu = $("#menu-notices");
const part = (name) => $(`[data-bell="${name}"]`, menu);
const failed = (problem) => toast(t("notice.failed", { reason: problem.message }), { tone: "danger" });
let key = null; // to subscribe with

export function open(bell) {
  if (!notices) {
    ({ load, notices, read, said } = bell);
    notices.on(() => { if (menu.matches(":popover-open")) draw(); });
    offerPush().catch(() => {});
  }
  draw();
}

function draw() {
  const focused = menu.contains(document.activeElement) && document.activeElement.dataset.notice;
  part("list").replaceChildren(...notices.rows.map(row));
  if (focused) $(`[data-notice="${focused}"]`, menu)?.focus();
  paintAll(part("list"));
  show(part("nothing"), !notices.rows.length);
  show(part("more"), notices.next);
  part("all").disabled = !notices.unread;
  for (const what of ["sound", "desktop"]) attribute(part(what), "aria-checked", String(notices.wanted(what)));
}

function row(notice) {
  const element = clone("notice"), link = element.matches?.("a") ? element : $("a", element), parts = fields(link);
  link.href = notices.place(notice);
  link.dataset.notice = notice.id;
  link.dataset.kind = notice.kind;
  attribute(link, "data-unread", notice.read_at ? null : "");
  show(parts.dot, !notice.read_at);
  text(parts.said, said(notice));
  const { words = "" } = notice.message ?? notice.note ?? {};
  text(parts.words, words);
  show(parts.words, words);
  parts.at.dateTime = notice.created_at;
  return link;
}

async function turn(what) {
  if (what === "sound") return notices.want("sound", !notices.wanted("sound"));
  const on = !notices.wanted("desktop");
  if (on && (await globalThis.Notification?.requestPermission?.()) !== "granted") return void toast(t("notice.refused"), { tone: "danger" });
  notices.want("desktop", on);
}

// --- waking this browser ------------------------------------------------------------------------------------------------

const worker = () => navigator.serviceWorker?.getRegistration("/");
const subscription = async () => (await worker())?.pushManager?.getSubscription() ?? null;

async function offerPush() {
  if (key !== null || !("PushManager" in globalThis) || !navigator.serviceWorker) return;
  key = (await call("GET", `${notices.base}push`)).public_key;
  show(part("push"), key);
  if (key) await showPush();
}

async function showPush() {
  const mine = await subscription();
  const known = mine && (await call("POST", `${notices.base}push/known`, { endpoint: mine.endpoint })).subscribed;
  attribute(part("push"), "aria-checked", String(Boolean(known)));
}

async function turnPush() {
  const mine = await subscription();
  if (part("push").getAttribute("aria-checked") === "true" && mine) {
    await call("POST", `${notices.base}push/off`, { endpoint: mine.endpoint });
    await mine.unsubscribe();
    return showPush();
  }
  if ((await Notification.requestPermission()) !== "granted") return void toast(t("notice.refused"), { tone: "danger" });
  await navigator.serviceWorker.register("/worker.js", { scope: "/" });
  const ready = await navigator.serviceWorker.ready;
  const made = mine ?? await ready.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  await call("POST", `${notices.base}push`, made.toJSON());
  return showPush();
}

part("all").addEventListener("click", () => read({ all: true }).catch(failed));
part("more").addEventListener("click", () => load(notices.next).catch(failed));
for (const what of ["sound", "desktop"]) part(what).addEventListener("click", () => turn(what).catch?.(failed));
part("push").addEventListener("click", () => turnPush().catch(failed));
part("list").addEventListener("click", ({ target }) => {
  const { notice } = target.closest("[data-notice]")?.dataset ?? {};
  if (notice) read({ ids: [notice] }).catch(() => {});
});
