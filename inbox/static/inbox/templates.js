// Templates: what may be sent while the 24-hour window is shut, then in the composer's place. Choose one, fill its blanks,
// see what the customer reads.
import { $, attribute, clone, fields, show, text } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { t } from "../ui/js/words.js";

const BLANK = /\{\{\s*([A-Za-z0-9_]+)\s*\}\}/g;
const BREAKS = /[\n\r\t]| {5,}/;

export function start({ store, slug, thread, composer }) {
  const templates = new Templates(store, slug, {
    sent(id, message) { store.hearAnswer(id, message); thread.toFoot(); },
    left: () => composer.left(),
    isShut: () => composer.isShut,
  });
  return {
    templates: () => templates.open(),
    shut: () => templates.stand(),
    open: () => templates.over(),
    note: () => templates.close(),
    close: () => templates.close(),
  };
}

class Templates {
  #store; #slug; #sent; #left; #isShut;
  #section = $('[data-part="templates"]');
  #parts = this.#section && fields(this.#section);
  #form = document.forms.template;
  #templates = [];
  // Channel to its approved templates, for as long as the page lives
  #known = new Map();
  #chosen = null;
  // The same for every try at the same words, so that asking twice never sends twice
  #clientId = null;
  #for = null;
  // Where they were put away
  #away = null;
  // For what cannot be written; otherwise somebody wants one all the same
  #stands = false;
  // Somebody wants to be here: what comes by itself takes nobody's focus
  #asked = false;

  /** `sent(conversation, message)` hears what the server made of it, `left()` that somebody is done here. */
  constructor(store, slug, { sent, left, isShut }) {
    [this.#store, this.#slug, this.#sent, this.#left, this.#isShut] = [store, slug, sent, left, isShut];
    if (!this.#section) return;
    this.#form.addEventListener("submit", (event) => { event.preventDefault(); this.#send(); });
    this.#form.addEventListener("input", () => { this.#clientId = null; this.#show(); });
    this.#section.addEventListener("click", (event) => {
      const button = event.target.closest("[data-act]");
      if (button?.dataset.act === "close-templates") this.#leave();
      else if (button?.dataset.act === "choose-template") { this.#choose(button.closest("li").dataset.key); this.#focus(); }
    });
    this.#section.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      this.#leave();
    });
  }

  open() {
    this.#asked = true;
    if (this.#for !== this.#store.open) this.#come();
    else if (!this.#section.hidden) this.#focus();
  }

  /** The window is shut. */
  stand() {
    const { open } = this.#store;
    if (!this.#isShut() || this.#for === open || this.#away === open) return;
    this.#asked = false;
    this.#come();
  }

  /** It is open again. What somebody has begun to fill stays. */
  over() {
    if (!this.#for || !this.#stands) return;
    show(this.#parts.shut, false);
    if (Object.values(this.#values).some((value) => value.trim())) return;
    const here = this.#section.contains(document.activeElement);
    this.close();
    if (here) this.#left();
  }

  async #come() {
    const conversation = this.#store.conversations.get(this.#store.open), parts = this.#parts;
    if (!this.#section || !conversation) return;
    this.#for = conversation.id;
    this.#chosen = null;
    this.#stands = this.#isShut();
    for (const part of ["none", "failed", "grid"]) show(parts[part], false);
    show(parts.shut, this.#stands);
    show(this.#section, this.#asked);
    const templates = await this.#of(conversation.channel.slug).catch(() => null);
    if (this.#for !== conversation.id) return;
    if (!templates && !this.#asked) return this.close();
    show(this.#section, true);
    show(parts.failed, !templates);
    show(parts.none, templates && !templates.length);
    show(parts.grid, templates?.length);
    this.#list(templates ?? []);
    if (templates?.length) this.#choose(templates[0].id);
    if (this.#asked) this.#focus();
  }

  close() {
    if (!this.#section) return;
    this.#for = this.#away = this.#chosen = this.#clientId = null;
    show(this.#section, false);
  }

  #leave() {
    const id = this.#for;
    this.close();
    this.#away = id;
    this.#left();
  }

  #focus() {
    (this.#chosen ? $("input", this.#parts.blanks) ?? $('[type="submit"]', this.#form) : $("button", this.#section)).focus();
  }

  async #of(channel) {
    if (!this.#known.has(channel)) {
      const { results } = await call("GET", `/api/v1/workspaces/${this.#slug}/channels/${channel}/templates/`);
      this.#known.set(channel, results.filter(({ status }) => status === "approved"));
    }
    return this.#known.get(channel);
  }

  #list(templates) {
    this.#templates = templates;
    this.#parts.names.replaceChildren(...templates.map((template) => {
      const row = clone("template-name");
      row.dataset.key = template.id;
      const { name, language } = fields(row);
      text(name, template.name);
      text(language, template.language);
      return row;
    }));
  }

  #choose(id) {
    this.#chosen = this.#templates.find((one) => one.id === id) ?? null;
    this.#clientId = null;
    for (const row of this.#parts.names.children) attribute($("button", row), "aria-current", row.dataset.key === id ? "true" : null);
    this.#parts.blanks.replaceChildren(...this.#chosen.variables.map((variable) => {
      const row = clone("template-blank");
      text(fields(row).label, labelOf(variable));
      const input = $("input", row);
      Object.assign(input, { name: variable.key, placeholder: variable.example, type: variable.media ? "url" : "text" });
      return row;
    }));
    text(this.#parts.about, [this.#chosen.language, this.#chosen.category].filter(Boolean).join(" · "));
    this.#show();
  }

  get #values() {
    return Object.fromEntries((this.#chosen?.variables ?? []).map(({ key }) => [key, this.#form.elements[key].value]));
  }

  #show() {
    const values = this.#values;
    show(this.#parts.problem, false);
    this.#parts.preview.replaceChildren(...this.#chosen.parts.flatMap((part, at) => [at ? "\n" : "", ...preview(part, values)]));
    show(this.#parts.buttons, this.#chosen.buttons.length);
    this.#parts.buttons.replaceChildren(...this.#chosen.buttons.map((button) => pressed(button, values)));
    $('[type="submit"]', this.#form).disabled = Object.values(values).some((value) => !value.trim() || BREAKS.test(value));
  }

  async #send() {
    const conversation = this.#for;
    const button = $('[type="submit"]', this.#form);
    if (!conversation || button.disabled) return;
    button.disabled = true;
    this.#clientId ??= crypto.randomUUID();
    const { name, language } = this.#chosen;
    const message = { client_id: this.#clientId, type: "template", template: { name, language, variables: this.#values } };
    try {
      const made = await call("POST", `/api/v1/workspaces/${this.#slug}/conversations/${conversation}/messages/`, message);
      this.#leave();
      this.#sent(conversation, made);
    } catch (problem) {
      text(this.#parts.problem, Object.values(problem.data?.errors ?? {})[0] ?? problem.message);
      show(this.#parts.problem, true);
      button.disabled = false;
    }
  }
}

/** What a blank is called: Meta's are mostly numbers, and those of heading and text begin anew. */
function labelOf({ where, name, label, media }) {
  if (media) return t(`blank.${media}`);
  if (where === "button") return t("blank.button", { name: label || name });
  const called = label || (/^\d+$/.test(name) ? t("blank.numbered", { n: name }) : name);
  return where === "header" ? t("blank.header", { name: called }) : called;
}

/** The text of a header, body or footer with what was filled in so far. */
function preview({ where, text: words }, values) {
  const pieces = filled(words, (name) => values[`${where}.${name}`]);
  if (where !== "header") return pieces;
  const heading = document.createElement("b");
  heading.append(...pieces);
  return [heading];
}

/** A button as the customer sees it, and where it leads. */
function pressed({ key, text: title, url }, values) {
  const row = clone("template-button"), parts = fields(row);
  text(parts.title, title);
  parts.url.replaceChildren(...filled(url, (name) => values[key] || values[`body.${name}`] || values[`button.${name}`]));
  return row;
}

function filled(words, valueOf) {
  const pieces = [];
  let from = 0;
  for (const { 0: blank, 1: name, index } of words.matchAll(BLANK)) {
    const mark = document.createElement("mark");
    mark.dir = "auto";
    mark.textContent = valueOf(name) || blank;
    pieces.push(words.slice(from, index), mark);
    from = index + blank.length;
  }
  return [...pieces, words.slice(from)];
}
