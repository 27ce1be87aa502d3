// How a conversation stands: snoozed, its priority, its labels, its team, unread, spam. Menus of the thread's head, keys, commands.
import { $, attribute, clone, fields, text } from "../ui/js/dom.js";
import { moment, timeAhead } from "../ui/js/time.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { failed } from "./actions.js";

const PRIORITIES = ["urgent", "high", "medium", "low", "none"];

/** What the buttons and keys of the inbox call by name. */
export function start({ store, api, actions, sync, open, setFilter }) {
  const standing = new Standing({ store, api, actions, sync, leave: () => open(null) });
  const able = (action, run) => (button) => (store.can.has(action) ? run(button) : null);
  return {
    "snooze-menu": able("resolve", () => standing.openSnooze()),
    "labels-menu": able("assign", () => standing.openLabels()),
    "priority-menu": able("assign", () => standing.openPriority()),
    snooze: ({ dataset }) => standing.snooze(dataset.value),
    "snooze-at": () => standing.askWhen(),
    priority: ({ dataset }) => standing.priority(dataset.value),
    label: (button) => standing.label(button.dataset.value, button),
    team: ({ dataset }) => standing.team(dataset.value),
    unread: () => standing.unread(),
    spam: able("resolve", () => standing.spam(!store.conversations.get(store.open).is_spam)),
    relabel: (label) => relabel(label, store, setFilter),
    commands: () => standing.commands(),
  };
}

/** A label has another name or colour, or is no more: rows are not told one by one. */
function relabel({ before, name, hue, deleted }, store, setFilter) {
  for (const [id, row] of store.conversations) {
    if (!row.labels?.some((label) => label.name === before)) continue;
    const labels = deleted ? row.labels.filter((label) => label.name !== before) : row.labels.map((label) => (label.name === before ? { ...label, name, hue } : label));
    store.conversations.set(id, { ...row, labels });
  }
  store.changed("list", store.open);
  if (before && store.filter.label === before) setFilter({ label: deleted ? "" : name });
}

class Standing {
  #store; #api; #actions; #sync; #leave; #labels = null; #presets = [];
  #when = $("#dialog-snooze form");

  /** `leave()` goes back to the list. */
  constructor({ store, api, actions, sync, leave }) {
    [this.#store, this.#api, this.#actions, this.#sync, this.#leave] = [store, api, actions, sync, leave];
    this.#when?.addEventListener("submit", () => {
      const until = new Date(this.#when.elements.until.value);
      this.#snooze(until.toISOString(), timeAhead(until), { until });
    });
  }

  get #row() {
    return this.#store.conversations.get(this.#store.open);
  }

  // --- menus ---------------------------------------------------------------------------------------------------------

  #open(name, entries) {
    const menu = $(`#menu-${name}`);
    $('[data-part="entries"]', menu).replaceChildren(...entries);
    const button = $(`.thread-head > [data-act="${name}-menu"]`);
    menu.showPopover({ source: button?.checkVisibility() ? button : $('[popovertarget="menu-thread"]') });
  }

  async openSnooze() {
    try {
      this.#presets = (await this.#api.presets()).results;
    } catch (problem) {
      return failed("failed.status", problem);
    }
    const entries = this.#presets.map(({ key, name, until }) => menuEntry({ act: "snooze", value: key, title: name, more: until && timeAhead(moment(until)) }));
    this.#open("snooze", [...entries, menuEntry({ act: "snooze-at", title: t("snooze.at") })]);
  }

  openPriority() {
    this.#open("priority", PRIORITIES.map((value) => menuEntry({ act: "priority", value, title: t(`priority.${value}`), checked: value === this.#row.priority, role: "menuitemradio" })));
  }

  async openLabels() {
    try {
      this.#labels = (await this.#api.labels()).results;
    } catch (problem) {
      return failed("failed.labels", problem);
    }
    const worn = new Set(this.#row?.labels.map(({ name }) => name));
    this.#open("labels", this.#labels.map(({ name, hue }) => menuEntry({ act: "label", value: name, title: name, hue, checked: worn.has(name), role: "menuitemcheckbox", stay: true })));
    if (!this.#labels.length) toast(t("labels.none"), { tone: "info" });
  }

  // --- actions -------------------------------------------------------------------------------------------------------

  snooze(key) {
    const { until, name } = this.#presets.find((one) => one.key === key);
    this.#snooze(until, name, { preset: key });
  }

  /** Any time that is not among the presets, by the clock of whoever asks. */
  askWhen() {
    const { until } = this.#when.elements, local = (at) => new Date(at - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
    const now = new Date();
    [until.min, until.value] = [local(now), local(new Date(now.getFullYear(), now.getMonth(), now.getDate() + 2, 9))];
    this.#when.closest("dialog").showModal();
  }

  async #snooze(until, name, wanted) {
    const { id, status: before } = this.#row;
    const undo = () => this.#actions.setStatus(id, before);
    const done = await this.#actions.change(id, { status: "snoozed", snoozed_until: until }, "failed.status", () => this.#api.snooze(id, wanted));
    if (done) toast(t("done.snoozed", { name }), { action: t("undo"), act: undo });
  }

  team(value) {
    const { id, team: before } = this.#row, team = this.#store.teams.find((one) => one.id === value) ?? null;
    if (before?.id === team?.id) return;
    this.#actions.change(id, { team }, "failed.assign", () => this.#api.team(id, team?.id ?? null));
  }

  priority(value) {
    const { id } = this.#row;
    return this.#actions.change(id, { priority: value }, "failed.priority", () => this.#api.priority(id, value));
  }

  label(name, button) {
    const { id, labels } = this.#row;
    const worn = labels.some((one) => one.name === name);
    const known = this.#labels?.find((one) => one.name === name);
    const wanted = worn ? labels.filter((one) => one.name !== name) : [...labels, { name, hue: known?.hue }];
    attribute(button, "aria-checked", String(!worn));
    return this.#actions.change(id, { labels: wanted }, "failed.labels", () => this.#api.label(id, worn ? { remove: [name] } : { add: [name] }));
  }

  spam(spam) {
    const { id } = this.#row;
    return this.#actions.change(id, { is_spam: spam }, "failed.status", () => this.#api.spam(id, spam))
      .then((done) => { if (done && spam) toast(t("done.spam"), { action: t("undo"), act: () => this.#api.spam(id, false).then((row) => this.#store.learn(row), (problem) => failed("failed.status", problem)) }); });
  }

  /** Back among what this reader has not seen; it would be seen again at once if it stayed on screen. */
  async unread() {
    const { id } = this.#row;
    this.#leave();
    try {
      await this.#sync.unread(id);
    } catch (problem) {
      failed("failed.unread", problem);
    }
  }

  commands() {
    const row = this.#row, { can } = this.#store;
    if (!row) return [];
    const one = (title, icon, run, keys) => ({ title, icon, run, keys, group: t("group.conversation") });
    return [
      can.has("resolve") && one(t("do.snooze"), "clock", () => this.openSnooze(), ["S"]),
      can.has("assign") && one(t("do.labels"), "tag", () => this.openLabels(), ["L"]),
      ...(can.has("assign") ? PRIORITIES.filter((value) => value !== row.priority).map((value) => one(t("do.priority", { name: t(`priority.${value}`) }), "flag", () => this.priority(value))) : []),
      one(t("do.unread"), "mail", () => this.unread(), ["U"]),
      can.has("resolve") && one(t(row.is_spam ? "do.not-spam" : "do.spam"), "shield", () => this.spam(!row.is_spam)),
    ].filter(Boolean);
  }
}

export function menuEntry({ act, value, title, more, checked, hue, role = "menuitem", stay }) {
  const element = clone("menu-entry"), parts = fields(element);
  Object.assign(element.dataset, { act, value });
  element.setAttribute("role", role);
  if (stay) element.dataset.stay = "";
  if (role !== "menuitem") element.setAttribute("aria-checked", String(Boolean(checked)));
  if (hue) Object.assign(parts.title, { className: "label" }).dataset.hue = hue;
  text(parts.title, title);
  text(parts.more, more ?? "");
  return element;
}
