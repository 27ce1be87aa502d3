// Names and texts offered while one types: after @ the people, after / the saved replies. Arrows choose, Enter takes.
import { $$, attribute, clone, fields, show, text } from "../ui/js/dom.js";
import { t } from "../ui/js/words.js";

const MOST = 8;
export const fold = (words) => words.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
let boxes = 0;

export class Suggest {
  #field; #list; #sources; #most; #options = []; #at = 0; #from = -1; #turn = 0;

  /** A source: { sign: "@", find(word) -> options }, an option { title, more, preview, take() -> what stands there instead }. */
  constructor(field, list, sources, { most = MOST } = {}) {
    [this.#field, this.#list, this.#sources, this.#most] = [field, list, sources, most];
    list.id ||= `suggest-${boxes += 1}`;
    // A field of several lines is a textbox and nothing else; what it points at says the rest.
    for (const [name, value] of Object.entries({ "aria-autocomplete": "list", "aria-controls": list.id, "aria-haspopup": "listbox" })) attribute(field, name, value);
    field.addEventListener("input", () => this.offer());
    field.addEventListener("blur", () => this.close());
    field.addEventListener("keydown", (event) => this.#key(event), { capture: true });
    list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const at = $$('[role="option"]', list).indexOf(event.target.closest('[role="option"]'));
      if (at >= 0) this.#take(at);
    });
  }

  close() {
    this.#from = -1;
    this.#turn += 1;
    show(this.#list, false);
    attribute(this.#field, "aria-activedescendant", null);
  }

  /** What fits where one stands; also for what was typed before this came. */
  async offer() {
    const { value, selectionStart } = this.#field;
    const [, sign, word] = /(?:^|[\s(])([@/])([^\s@/]{0,40})$/u.exec(value.slice(0, selectionStart)) ?? [];
    const source = this.#sources.find((one) => one.sign === sign && (one.when?.() ?? true));
    if (!source) return this.close();
    const turn = this.#turn += 1;
    const options = await source.find(fold(word));
    if (turn !== this.#turn) return;
    if (!options.length) return this.close();
    this.#options = options.slice(0, this.#most);
    this.#from = selectionStart - word.length - 1;
    this.#list.replaceChildren(...this.#options.map((option, at) => {
      const row = clone("suggestion"), parts = fields(row);
      row.id = `${this.#list.id}-${at}`;
      text(parts.title, option.title);
      text(parts.more, option.more);
      text(parts.preview, option.preview);
      return row;
    }));
    show(this.#list, true);
    this.#point(0);
  }

  #point(to) {
    this.#at = (to + this.#options.length) % this.#options.length;
    const rows = $$('[role="option"]', this.#list);
    rows.forEach((row, at) => attribute(row, "aria-selected", String(at === this.#at)));
    attribute(this.#field, "aria-activedescendant", rows[this.#at].id);
    rows[this.#at].scrollIntoView({ block: "nearest" });
  }

  async #take(at) {
    const { value, selectionStart } = this.#field, from = this.#from, option = this.#options[at];
    this.close();
    const words = await option.take();
    if (this.#field.value !== value) return;
    this.#field.setRangeText(words, from, selectionStart, "end");
    this.#field.dispatchEvent(new Event("input", { bubbles: true }));
    this.close();
    this.#field.focus();
  }

  #key(event) {
    if (this.#from < 0 || event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") this.#point(this.#at + (event.key === "ArrowDown" ? 1 : -1));
    else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") this.#take(this.#at);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}

/** All that a note can be meant for. */
export const named = (store) => [...store.agents.filter(({ id }) => id !== store.me.id), ...store.teams.map(({ id, name }) => ({ id, name, more: t("field.team") }))];

/** Colleagues and teams after an @; who was picked and still stands in the words is meant. */
export class Mentions {
  #picked = new Map();
  sign = "@";

  constructor(people, when) {
    this.find = (word) => people().filter(({ name }) => fold(name).split(/\s+/).some((part) => part.startsWith(word)))
      .map(({ id, name, more = "" }) => ({ title: name, more, take: () => { this.#picked.set(id, name); return `@${name} `; } }));
    this.when = when;
  }

  in(body) {
    return [...this.#picked].filter(([, name]) => body.includes(`@${name}`)).map(([id]) => id);
  }

  forget() {
    this.#picked.clear();
  }
}
