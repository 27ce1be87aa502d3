// Narrowing the list by channel, assignee, team, label and priority: the dialog, and chips that say what is chosen.
import { $, clone, fields, show, text } from "../ui/js/dom.js";
import { t } from "../ui/js/words.js";
import { failed } from "./actions.js";
import { NARROWING } from "./api.js";
import { PRIORITIES } from "./store.js";

const CHIPS = ["view", "channel", "assignee", "team", "label", "priority"];
const TABS = new Set(["", "me", "none"]);

export function start({ store, api, setFilter, later, run }) {
  const dialog = $("#dialog-filter"), form = $("form", dialog), bar = $('[data-part="filters"]');
  let known = null, drawn = "";

  store.addEventListener("setting", () => { known = null; drawn = ""; });

  /** Channels, teams and labels as value and name; asked anew whenever the dialog opens. */
  async function ask() {
    const [channels, teams, labels] = await Promise.all([api.channels(), api.teams(), api.labels()]);
    known = {
      channel: channels.results.map(({ slug, name }) => [slug, name]),
      team: [["none", t("nobody")], ...teams.results.map(({ id, name }) => [id, name])],
      label: labels.results.map(({ name }) => [name, name]),
      priority: PRIORITIES.toReversed().map((value) => [value, t(`priority.${value}`)]),
      assignee: [["me", store.me.name], ["none", t("nobody")], ...store.agents.filter(({ id }) => id !== store.me.id).map(({ id, name }) => [id, name])],
    };
    return known;
  }

  async function open() {
    try {
      await ask();
    } catch (problem) {
      return failed("failed.filter", problem);
    }
    for (const [name, options] of Object.entries(known)) {
      form.elements[name].replaceChildren(new Option(t("any"), ""), ...options.map(([value, title]) => new Option(title, value)));
      form.elements[name].value = store.filter[name] ?? "";
    }
    show($('[data-field="keep"]', form), true);
    return dialog.showModal();
  }

  const given = () => Object.fromEntries([...new FormData(form)]);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
    setFilter(given());
  });
  $('[data-field="clear"]', form).addEventListener("click", () => { dialog.close(); clear(); });
  $('[data-field="keep"]', form).addEventListener("click", () => { dialog.close(); run("views", "views-from", given()); });

  function clear() {
    const { assignee } = store.filter;
    setFilter({ ...Object.fromEntries(NARROWING.map((name) => [name, ""])), assignee: TABS.has(assignee) ? assignee : "" });
  }

  const active = () => CHIPS.filter((name) => store.filter[name] && !(name === "assignee" && TABS.has(store.filter.assignee)));

  /** What the list is narrowed by, each with its way back. */
  async function shown() {
    const names = active(), now = JSON.stringify(names.map((name) => store.filter[name]));
    if (now === drawn) return;
    drawn = now;
    show(bar, names.length);
    if (!names.length) return bar.replaceChildren();
    const views = names.includes("view") ? await (await later("views")).named() : new Map();
    if (names.some((name) => name !== "view") && !known) await ask().catch(() => {});
    if (drawn !== now) return;
    bar.replaceChildren(...names.map((name) => chip(name, views)));
  }

  function chip(name, views) {
    const element = clone("filter-chip"), parts = fields(element), value = store.filter[name];
    element.dataset.value = name;
    text(parts.kind, t(`filter.${name}`));
    text(parts.value, name === "view" ? views.get(value) ?? "" : known?.[name].find(([one]) => one === value)?.[1] ?? value);
    return element;
  }

  store.addEventListener("change", ({ detail }) => { if (detail.includes("list")) shown(); });
  return {
    "filters-open": open,
    "filters-shown": shown,
    "filters-drop": ({ dataset }) => { setFilter({ [dataset.value]: "" }); ($("button", bar) ?? $('[data-act="filters-open"]')).focus(); },
    "filters-clear": clear,
    choices: async () => known ?? ask(),
  };
}
