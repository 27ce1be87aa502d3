// What every page starts: times, menus, roving lists, shortcuts.
import { startMenus } from "./menus.js";
import { startRoving } from "./roving.js";
import { startShortcuts } from "./shortcuts.js";
import { paintAll, startTicking } from "./time.js";

const root = document.documentElement;
const apple = /Mac|iPhone|iPad/.test(navigator.platform);
for (const key of document.querySelectorAll('[data-key-name="mod"]')) key.textContent = apple ? "⌘" : "Ctrl";
paintAll();
startTicking();
startMenus();
startRoving();
startShortcuts();
root.dataset.ready = "";
