// /contacts/<id>: edited in place, live, merged and undone, deleted and brought back.
import { $, show, text } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { bind } from "../ui/js/shortcuts.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { changeTags, startFields } from "./fields.js";
import { mergeDialog, undoMerge } from "./merge.js";
import { complain, loadTags } from "./new.js";
import { startNotes } from "./notes.js";
import { base, failed, live, look, lookSoon, page, quietly, start, state } from "./page.js";

const here = `${base}contacts/${state.contact.id}/`;
const may = (action) => state.workspace.can.includes(action);
const EXPORT_LOOK = 1_000; // ms

// --- duplicates and merging -------------------------------------------------------------------------------------------

async function duplicates() {
  const place = $("[data-duplicates]");
  const { results } = await call("GET", `${base}contacts/duplicates?contact=${state.contact.id}&limit=5`);
  const others = results.map(({ contacts, reasons }) => ({ other: contacts.find(({ id }) => id !== state.contact.id), reasons })).filter(({ other }) => other);
  show(place, others.length);
  if (!others.length) return;
  const [{ other, reasons }] = others;
  const name = other.name || other.phone_normalized || other.email;
  const words = others.length > 1 ? t("duplicate.many", { n: others.length }) : t("duplicate.one", { name, reason: reasons.map((one) => t(`merge.${one}`)).join(", ") });
  text($("[data-duplicates-text]"), words);
}

const isAlive = () => !$('[data-part="deleted"] .banner', page);

const merge = $("#dialog-merge") && mergeDialog({
  base,
  merged({ id }) {
    toast(t("merge.done"), { action: t("merge.undo"), act: () => undo(id) });
    quietly(look());
    quietly(duplicates());
  },
});

async function undo(id) {
  try {
    await undoMerge(base, id);
    toast(t("merge.undone"));
  } catch (problem) {
    failed(problem);
  }
  await quietly(look());
  await quietly(duplicates());
}

// --- deleting, handing out, erasing -----------------------------------------------------------------------------------

async function restore() {
  await call("POST", `${here}restore`);
  toast(t("restored", { name: state.contact.name }));
  await quietly(look());
}

async function remove() {
  await call("DELETE", here);
  toast(t("deleted", { name: state.contact.name }), { action: t("undo"), act: () => restore().catch(failed) });
  await quietly(look());
}

async function hand() {
  const dialog = $("#dialog-export"), link = $("[data-export-link]"), said = $("[data-export-text]");
  text(said, t("export.making"));
  show(link, false);
  show($("[data-export-progress]"), true);
  dialog.showModal();
  let made = await call("POST", `${here}exports/`);
  while (dialog.open && made.state === "pending") {
    await new Promise((resolve) => { setTimeout(resolve, EXPORT_LOOK); });
    made = await call("GET", `${here}exports/${made.id}`);
  }
  show($("[data-export-progress]"), false);
  text(said, t(made.state === "ready" ? "export.ready" : "export.failed"));
  if (made.state !== "ready") return;
  link.href = made.url;
  show(link, true);
  link.focus();
}

$('[data-form="erase"]')?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  try {
    await call("POST", `${here}erase`, { confirm: form.elements.confirm.value.trim() });
    location.assign("/contacts");
  } catch (problem) {
    complain(form, problem);
  }
});

async function portal(account) {
  const { url } = await call("POST", `${base}billing-accounts/${account}/portal`, { return_url: location.href });
  location.assign(url);
}

const acts = {
  merge: () => merge.open(state.contact),
  "undo-merge": undo,
  delete: remove,
  restore,
  export: hand,
  erase() { const form = $('[data-form="erase"]'); form.reset(); complain(form, null); $("#dialog-erase").showModal(); },
  portal,
  "remove-tag": (tag) => changeTags((tags) => tags.filter((one) => one !== tag)),
};
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-act]");
  const act = acts[button?.dataset.act];
  if (act && button.getAttribute("aria-busy") !== "true") run(button, () => act(button.dataset.id));
});

async function run(button, work) {
  button.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (problem) {
    $("#dialog-export[open]")?.close();
    failed(problem);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

page.addEventListener("focusin", ({ target }) => { if (target.name === "new-tag") loadTags(); });
page.addEventListener("submit", (event) => {
  if (event.target.dataset.form !== "tag") return;
  event.preventDefault();
  const field = event.target.elements["new-tag"], tag = field.value.trim();
  if (!tag) return;
  field.value = "";
  changeTags((tags) => (tags.includes(tag) ? tags : [...tags, tag])).catch((problem) => { field.value = tag; failed(problem); });
});

if (may("edit_contacts")) bind("m", () => { if (isAlive()) merge.open(state.contact); });
// The list as it was left, filters and all
const back = $("[data-back]");
if (document.referrer && new URL(document.referrer).origin === location.origin && new URL(document.referrer).pathname === "/contacts") back.href = document.referrer;

// --- start ------------------------------------------------------------------------------------------------------------

startFields();
startNotes();
start(() => {
  state.contact.name = $("h1", page).textContent.trim() || state.contact.name;
  document.title = document.title.replace(/^.*( · [^·]*)$/s, `${state.contact.name}$1`);
});
live.subscribe(state.topic, { event: lookSoon, subscribed: lookSoon, reload: () => look(), refused: () => toast(t("refused"), { tone: "danger" }) });
if (isAlive()) quietly(duplicates());
