// /reports: another filter is put in place without loading the page anew, and what is shown is counted again.
import { $ } from "../ui/js/dom.js";
import { bind } from "../ui/js/shortcuts.js";
import { start } from "../contacts/page.js";

for (const [key, days] of [["1", 7], ["2", 28], ["3", 90]]) bind(key, () => $(`[data-chip="period-${days}"]`)?.click());
start(() => {});
