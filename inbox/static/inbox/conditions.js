// The tree of a saved view on the page: conditions, and groups of all, any or none of them (docs/desk.md, "The list").
import { $, clone, fields, show } from "../ui/js/dom.js";
import { t } from "../ui/js/words.js";
import { PRIORITIES } from "./store.js";

const DEEPEST = 3; // groups within groups that one can still read; the server takes more
const MANY = new Set(["in", "not_in", "any", "all", "none"]);
const NOTHING = new Set(["is_empty", "is_not_empty"]);
const NUMBERS = new Set(["longer_than_hours", "closes_within_hours", "within_days", "not_within_days", "at_least", "at_most"]);
const WORDS = ["is", "is_not", "contains", "not_contains", "starts_with", "is_empty", "is_not_empty"];
const CHOICE = ["is", "is_not", "in", "not_in"];
const TIMES = ["within_days", "not_within_days", "after", "before"];

/** Field to its operators and the values it takes: a list of choices, or the type of an input. */
const FIELDS = {
  status: [CHOICE, "state"], assignee: [CHOICE, "assignee"], team: [CHOICE, "team"], labels: [["any", "all", "none", "is_empty", "is_not_empty"], "label"],
  priority: [CHOICE, "priority"], channel: [CHOICE, "channel"], unread: [["is"], "yes"], waiting: [["longer_than_hours", "is_empty", "is_not_empty"], "number"],
  window: [["closes_within_hours", "is"], "window"],
  last_activity: [TIMES, "date"], created_at: [TIMES, "date"],
  "contact.name": [WORDS, "text"], "contact.email": [WORDS, "text"], "contact.phone": [["contains", "is_empty"], "text"],
  "contact.lead_status": [["is", "is_not", "is_empty", "is_not_empty"], "text"], "contact.lead_score": [["at_least", "at_most", "is_empty", "is_not_empty"], "number"],
  "contact.tags": [["any", "all", "none", "is_empty", "is_not_empty"], "texts"],
};

/** A tree that has more than these rows can show. */
class Beyond extends Error {
  beyond = true;
}

export class Builder {
  #place; #choices;

  constructor(place, { channel, team, label, assignee }) {
    this.#place = place;
    this.#choices = {
      channel, team, label, assignee,
      state: ["open", "pending", "snoozed", "resolved"].map((value) => [value, t(`state.${value}`)]),
      priority: PRIORITIES.map((value) => [value, t(`priority.${value}`)]),
      yes: [["true", t("yes")], ["false", t("no")]],
      window: ["open", "shut"].map((value) => [value, t(`window.is-${value}`)]),
    };
  }

  draw(tree) {
    const root = "field" in tree ? { all: [tree] } : Object.keys(tree).length ? tree : { all: [] };
    const element = this.#group(root, 0);
    show(fields(element).remove, false);
    this.#place.replaceChildren(element);
  }

  read() {
    return read(this.#place.firstElementChild);
  }

  act(button) {
    const group = button.closest("[data-group]"), list = fields(group).list, depth = Number(group.dataset.group);
    const kind = button.dataset.partAct;
    if (kind === "remove") {
      const row = button.closest("[data-condition], [data-group]");
      const next = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      (next?.querySelector("select") ?? fields(group).add)?.focus();
      return;
    }
    const row = kind === "group" ? this.#group({ any: [{ field: "status", is: "is", value: "open" }] }, depth + 1) : this.#condition({ field: "status", is: "is", value: "open" });
    list.append(row);
    $("select", row).focus();
  }

  /** Another field has other operators, another operator another value. */
  changed(target) {
    const row = target.closest("[data-condition]");
    if (!row || !["field", "is"].includes(target.dataset.name)) return;
    const { field, is } = fields(row);
    if (target === field) fill(is, FIELDS[field.value][0].map((name) => [name, t(`is.${name}`)]), FIELDS[field.value][0][0]);
    this.#value(row, undefined);
  }

  #group(node, depth) {
    const [[kind, inside]] = Object.entries(node), join = kind === "not" ? "none" : kind;
    const children = kind === "not" ? ("any" in inside ? inside.any : [inside]) : inside;
    if (depth > DEEPEST || !Array.isArray(children)) throw new Beyond();
    const element = clone("condition-group"), parts = fields(element);
    element.dataset.group = depth;
    parts.join.value = join;
    show(parts.group, depth < DEEPEST);
    parts.list.append(...children.map((child) => ("field" in child ? this.#condition(child) : this.#group(child, depth + 1))));
    return element;
  }

  #condition({ field, is = "is", value }) {
    if (!FIELDS[field]?.[0].includes(is)) throw new Beyond();
    const element = clone("condition"), parts = fields(element);
    fill(parts.field, Object.keys(FIELDS).map((name) => [name, t(`field.${name}`)]), field);
    fill(parts.is, FIELDS[field][0].map((name) => [name, t(`is.${name}`)]), is);
    this.#value(element, value);
    return element;
  }

  #value(row, value) {
    const { field, is, value: place } = fields(row);
    const kind = FIELDS[field.value][1], choices = NUMBERS.has(is.value) ? null : this.#choices[kind];
    show(place, !NOTHING.has(is.value));
    const input = document.createElement(choices ? "select" : "input");
    input.className = "input";
    input.setAttribute("aria-label", t("value"));
    if (choices) {
      input.multiple = MANY.has(is.value);
      const held = [value].flat().map(String);
      fill(input, choices, null);
      for (const option of input.options) option.selected = value === undefined ? option === input.options[0] : held.includes(option.value);
    } else {
      input.type = NUMBERS.has(is.value) ? "number" : kind === "date" ? "date" : "text";
      if (input.type === "number") Object.assign(input, { min: 0, step: "any" });
      else input.dir = "auto";
      input.required = true;
      input.value = value === undefined ? "" : [value].flat().join(", ");
      if (kind === "texts") input.placeholder = t("commas");
    }
    if (!NOTHING.has(is.value)) place.replaceChildren(input);
    else place.replaceChildren();
  }
}

function fill(select, options, chosen) {
  select.replaceChildren(...options.map(([value, title]) => new Option(title, value)));
  if (chosen !== null) select.value = chosen;
}

function read(element) {
  if (element.hasAttribute("data-condition")) return condition(element);
  const { join, list } = fields(element), inside = [...list.children].map(read);
  return join.value === "none" ? { not: { any: inside } } : { [join.value]: inside };
}

function condition(element) {
  const { field, is, value: place } = fields(element), input = place.firstElementChild;
  const found = { field: field.value, is: is.value };
  if (NOTHING.has(is.value)) return found;
  const kind = FIELDS[field.value][1];
  if (input.multiple) found.value = [...input.selectedOptions].map(({ value }) => value);
  else if (kind === "yes") found.value = input.value === "true";
  else if (kind === "texts") found.value = input.value.split(",").map((one) => one.trim()).filter(Boolean);
  else found.value = input.type === "number" ? Number(input.value) : input.value;
  return found;
}
