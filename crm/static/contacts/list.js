// /contacts: search, filters, the selection, and that what is shown stays true.
import { $, $$, announce, attribute } from "../ui/js/dom.js";
import { settle, step } from "../ui/js/roving.js";
import { bind } from "../ui/js/shortcuts.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { startBoard } from "./board.js";
import { startBulk } from "./bulk.js";
import { startNew } from "./new.js";
import { startViews } from "./views.js";
import { go, live, look, lookSoon, page, start, state } from "./page.js";

const TYPED = 250; // ms of rest before what was typed is looked for
const MOST_FOLLOWED = 150; // topics of contacts that are on the page

let typing;
page.addEventListener("input", (event) => {
  if (event.target.name !== "q") return;
  clearTimeout(typing);
  typing = setTimeout(() => search(event.target.form), TYPED);
});
page.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  event.target.closest("dialog")?.close();
  search(event.target);
});

function search(form) {
  const words = new URLSearchParams([...new FormData(form)].filter(([, value]) => String(value).trim()));
  go(`?${words}`, { replace: form.matches(".toolbar") });
}

page.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.name === "q") event.target.blur();
});
// Opening is a link; the dialog with attributes is put in anew by every look, and commands find it by its id.

const rows = () => $("[data-rows]") ?? document.activeElement?.closest("[data-roving]") ?? $("[data-roving]");
bind("j", () => step(rows(), 1));
bind("k", () => step(rows(), -1));
bind("/", () => $("input[name=q]")?.focus());

// --- live: the contacts that are on the page --------------------------------------------------------------------------

const followed = new Map();

function follow() {
  const wanted = new Set($$("[data-contact-id]", page).slice(0, MOST_FOLLOWED).map((row) => row.dataset.contactId));
  for (const [id, topic] of followed) {
    if (wanted.has(id)) continue;
    topic.close();
    followed.delete(id);
  }
  for (const id of wanted) {
    if (followed.has(id)) continue;
    followed.set(id, live.subscribe(`contact.${id}`, { event: lookSoon, reload: async () => { lookSoon(); }, refused: lookSoon, poll: false }));
  }
}

// --- start ------------------------------------------------------------------------------------------------------------

const selection = startBulk();
const board = startBoard();
startNew();
startViews();

let told = $('[data-part="total"]').dataset.total;
start(() => {
  for (const list of $$("[data-roving]", page)) settle(list);
  selection?.drawn();
  board?.drawn();
  follow();
  const total = $('[data-part="total"]').dataset.total;
  if (total !== told && document.activeElement?.name === "q") announce(t("found", { n: total }));
  told = total;
});
// New conversations bring new contacts.
live.subscribe(`inbox.${state.workspace.slug}`, { event: ({ type }) => { if (type === "conversation.created") lookSoon(); }, reload: look, refused: () => toast(t("refused"), { tone: "danger" }) });
attribute(page, "aria-busy", null);
