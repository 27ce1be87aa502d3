// What every page starts: times, menus, roving lists, shortcuts, the command palette.
import { $, $$ } from "./dom.js";
import { offer } from "./commands.js";
import { startMenus } from "./menus.js";
import { startRoving } from "./roving.js";
import { startShortcuts } from "./shortcuts.js";
import { paintAll, startTicking } from "./time.js";
import { t } from "./words.js";

const root = document.documentElement;
const apple = /Mac|iPhone|iPad/.test(navigator.platform);
for (const key of document.querySelectorAll('[data-key-name="mod"]')) key.textContent = apple ? "⌘" : "Ctrl";
paintAll();
startTicking();
startMenus();
startRoving();
startShortcuts();

/** Every page has these: where one can go, and what the rail does. */
offer(() => [
  ...$$(".rail > a[data-tip]:not(.rail-mark)").map((link) => ({ title: t("palette.go", { name: link.dataset.tip }), group: t("palette.places"), icon: iconOf(link), run: () => location.assign(link.href) })),
  ...$$('#menu-account button, #menu-account [data-command]').map((button) => ({ title: wordsOf(button), group: t("palette.page"), icon: iconOf(button), run: () => button.click() })),
]);
const iconOf = (element) => $("use", element)?.getAttribute("href").split("#").at(-1);
const wordsOf = (element) => [...element.childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE).map(({ data }) => data).join(" ").trim();

/** Open at once, so that what is typed next is typed into it; what it offers comes when its module has. */
async function palette() {
  const dialog = $("#dialog-palette"), input = $("input", dialog);
  input.value = "";
  dialog.showModal();
  const { fillPalette } = await import("./palette.js");
  fillPalette();
}
document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || $("dialog[open]")) return;
  event.preventDefault();
  palette();
});
document.addEventListener("click", (event) => { if (event.target.closest?.('[data-action="palette"]')) palette(); });
$("#menu-account")?.addEventListener("toggle", async ({ target, newState }) => {
  if (newState === "open" && $("[data-availability]", target)) (await import("./availability.js")).opened(target);
});
root.dataset.ready = "";
