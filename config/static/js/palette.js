// The command palette: type a few letters of what you want. Loaded when it is first asked for.
import { $, $$, announce, attribute, clone, fields, icon, show, text } from "./dom.js";
import { lookedUp, offered } from "./commands.js";
import { t } from "./words.js";

const WAIT = 150; // ms of rest before the server is asked
const MOST = 60;

const dialog = $("#dialog-palette"), input = $("input", dialog), list = $('[role="listbox"]', dialog), none = $('[data-part="nothing"]', dialog);
let commands = [], ready = Promise.resolve(), found = [], shown = [], at = 0, timer, asking = new AbortController();

/** What it offers: the dialog is open already, and something may have been typed. */
export function fillPalette() {
  if (!dialog.open) return;
  commands = null;
  ready = offered().catch(() => []).then((all) => { commands = all; typed(); }); // look-ups come with them
}

const fold = (words) => words.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** How well it fits: all letters of a word in a row at a word's beginning, then anywhere. 0 is not at all. */
function fits(command, wanted) {
  const title = fold(`${command.title} ${command.words ?? ""}`);
  let sum = 1;
  for (const word of wanted) {
    const where = title.indexOf(word);
    if (where < 0) return 0;
    sum += where === 0 ? 4 : title[where - 1] === " " ? 2 : 1;
  }
  return sum;
}

function typed() {
  clearTimeout(timer);
  asking.abort();
  asking = new AbortController();
  found = [];
  fill();
  const words = input.value.trim(), { signal } = asking;
  if (words.length < 2) return;
  timer = setTimeout(() => {
    for (const answer of lookedUp(words, signal)) {
      answer.then((more) => { if (!signal.aborted) { found.push(...more); fill(); } }).catch(() => {}); // commands are there all the same
    }
  }, WAIT);
}

function fill() {
  if (!commands) return; // on their way; what is typed meanwhile counts
  const wanted = fold(input.value).split(/\s+/).filter(Boolean);
  const fitting = commands.map((command) => [fits(command, wanted), command]).filter(([sum]) => sum);
  if (wanted.length) fitting.sort(([a], [b]) => b - a);
  shown = [...fitting.map(([, command]) => command), ...found].slice(0, MOST);
  at = 0;
  let group = null;
  list.replaceChildren(...shown.flatMap((command, index) => {
    const row = clone("command"), parts = fields(row);
    row.id = `command-${index}`;
    icon(parts.icon, command.icon ?? "chevron-right");
    text(parts.title, command.title);
    text(parts.more, command.more);
    parts.keys.replaceChildren(...(command.keys ?? []).map((key) => Object.assign(document.createElement("kbd"), { className: "kbd", textContent: key })));
    const title = !wanted.length && command.group && command.group !== group ? heading(command.group) : null;
    group = command.group;
    return title ? [title, row] : [row];
  }));
  show(none, !shown.length);
  mark();
  announce(shown.length ? t("palette.found", { n: shown.length }) : t("palette.none"));
}

function heading(words) {
  return Object.assign(document.createElement("li"), { className: "menu-title", textContent: words, role: "presentation" });
}

function mark() {
  const rows = $$('[role="option"]', list);
  rows.forEach((row, index) => attribute(row, "aria-selected", String(index === at)));
  attribute(input, "aria-activedescendant", rows[at]?.id);
  rows[at]?.scrollIntoView({ block: "nearest" });
}

function run(command) {
  if (!command) return;
  dialog.close();
  command.run();
}

input.addEventListener("input", typed);
input.addEventListener("keydown", (event) => {
  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
  if (event.key === "Enter" && !event.isComposing) ready.then(() => run(shown[at]));
  else if (steps[event.key] && shown.length) {
    const to = at + steps[event.key];
    at = Math.abs(steps[event.key]) === 1 ? (to + shown.length) % shown.length : Math.max(0, Math.min(shown.length - 1, to));
    mark();
  } else return;
  event.preventDefault();
});
list.addEventListener("click", (event) => {
  const row = event.target.closest('[role="option"]');
  if (row) run(shown[$$('[role="option"]', list).indexOf(row)]);
});
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
