// /settings works without this: it copies what is shown once, goes to what went wrong, and shows what others set up
// meanwhile, unless somebody's hands are in the page: then it says that there is something newer.
import "../ui/js/once.js";
import { $, $$, show } from "../ui/js/dom.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { live, look, lookSoon, start, state } from "../contacts/page.js";

const place = $('[data-part="section"]');
const changed = $('[data-part="changed"]');
let shown = asRendered(place); // before any script wrote times into it

document.addEventListener("click", async ({ target }) => {
  const copy = target.closest("[data-copy]");
  if (target.closest('[data-act="show-changed"]')) location.assign(location.pathname + location.search);
  if (!copy) return;
  const field = document.getElementById(copy.dataset.copy);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    toast(t("copied"));
  } catch {
    toast(t("not-copied"), { tone: "danger" });
  }
});

/** What the server said, less the token that is another one in every answer. */
function asRendered(section) {
  const copy = section.cloneNode(true);
  for (const token of $$("[name=csrfmiddlewaretoken]", copy)) token.remove();
  return copy.innerHTML;
}

function put(page, fresh) {
  const next = $('[data-part="section"]', fresh);
  const wanted = next && asRendered(next);
  if (!wanted || wanted === shown) return show(changed, false);
  if (isHeld()) return show(changed, true);
  shown = wanted;
  show(changed, false);
  const open = new Set($$("details[open]", place).map(nameOf)), focused = place.contains(document.activeElement) && likeness(document.activeElement);
  place.replaceChildren(...next.childNodes);
  for (const one of $$("details", place)) if (open.has(nameOf(one))) one.open = true;
  if (focused) $$("a, button, input, select, summary, textarea", place).find((one) => likeness(one) === focused)?.focus({ preventScroll: true });
}

const nameOf = (details) => $("summary", details)?.textContent;
/** By which the element that had the focus is known again: what it is, and of which row. */
const likeness = (element) => JSON.stringify([element.tagName, element.name, element.textContent, element.form?.elements.id?.value, element.getAttribute("commandfor")]);

/** Something was typed, an answer stands there that is shown once, or a dialog asks. */
const isHeld = () => place.hasAttribute("data-held") || Boolean($("dialog[open], :popover-open", place)) || $$("input, select, textarea", place).some(isTouched);

function isTouched(field) {
  if (field.matches("[type=checkbox], [type=radio]")) return field.checked !== field.defaultChecked;
  if (!field.matches("select")) return field.type !== "hidden" && field.value !== field.defaultValue;
  const first = [...field.options].findIndex((option) => option.defaultSelected);
  if (field.multiple) return [...field.options].some((option) => option.selected !== option.defaultSelected);
  return field.selectedIndex !== Math.max(0, first);
}

$("[aria-invalid=true]")?.focus();
if (!$("[aria-invalid=true]")) $("[data-first]")?.focus();
$("nav .menu-item[aria-current=page]")?.scrollIntoView({ block: "nearest", inline: "center" });
start(() => {}, put);
// Not everybody who has settings hears of the inbox; what is not told is looked for now and then (contacts/page.js).
if (state.workspace.can.includes("read_inbox"))
  live.subscribe(`inbox.${state.workspace.slug}`, {
    event: ({ type }) => { if (type === "settings.updated") lookSoon(); },
    subscribed: lookSoon, // what happened before the line was there
    reload: () => look(),
    refused() {},
  });
