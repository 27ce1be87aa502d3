// What the team has written down about the person on screen, beside the conversation; live, as is what else is known of them.
import { $, announce, clone, fields, reconcile, show, text } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { recall, remember } from "../ui/js/memory.js";
import { paint } from "../ui/js/time.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";

const SETTLE = 300; // ms a person is on screen before their notes are asked for: the messages come first
const AGAIN = 5_000; // ms after a question that did not get through
const ID = /@\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?/gi;

export class Notes {
  #store; #live; #slug; #of = null; #line = null; #notes = new Map(); #id = null; #mentions = null; #timer = null; #account = null; #told = 0;
  #parts = fields($('[data-part="notes"]'));
  #form = document.forms["contact-note"];

  constructor({ store, live, slug }) {
    [this.#store, this.#live, this.#slug] = [store, live, slug];
    this.#comeAccount($('[data-part="account"]'));
    if (!this.#form) return;
    const { note: body } = this.#form.elements;
    body.addEventListener("focusin", () => this.#comeNames(body).catch(() => {}), { once: true });
    body.addEventListener("input", () => remember(this.#kept, body.value || null, "sessionStorage"));
    body.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); this.#form.requestSubmit(); }
    });
    this.#form.addEventListener("submit", (event) => { event.preventDefault(); this.#add(); });
    this.#parts.list.addEventListener("click", (event) => {
      const button = event.target.closest('[data-act="delete-note"]');
      if (button) this.#delete(button.closest("li").dataset.key);
    });
  }

  /** Whom one can name comes when somebody is about to write. */
  async #comeNames(body) {
    const { Mentions, named, Suggest } = await import("./suggest.js");
    this.#mentions = new Mentions(() => named(this.#store));
    const suggest = new Suggest(body, this.#parts.suggestions, [this.#mentions]);
    if (document.activeElement === body) suggest.offer(); // typed before this came
  }

  /** Profile and billing come when somebody opens that part, or has left it open. */
  #comeAccount(place) {
    place.addEventListener("toggle", async () => {
      try {
        const { Account } = await import("./account.js");
        this.#account = new Account(this.#slug);
        this.#account.of(this.#of);
        await this.#account.load();
      } catch ({ message }) {
        if (!this.#account) this.#comeAccount(place);
        toast(message, { tone: "danger" });
      }
    }, { once: true });
    place.open ||= recall("inbox.account") === true;
  }

  get #address() {
    return `/api/v1/workspaces/${this.#slug}/contacts/${this.#of}/notes/`;
  }

  get #kept() {
    return `contact-note:${this.#of}`;
  }

  /** The person on screen; null for nobody. */
  of(contact) {
    if (contact === this.#of) return;
    clearTimeout(this.#timer);
    this.#line?.close();
    this.#line = null;
    this.#of = contact;
    this.#notes.clear();
    this.#id = null;
    this.#render();
    this.#account?.of(contact);
    if (!contact) return;
    if (this.#form) this.#form.elements.note.value = recall(this.#kept, "sessionStorage") ?? "";
    this.#timer = setTimeout(() => this.#follow(contact), SETTLE);
  }

  #follow(contact) {
    this.#line = this.#live.subscribe(`contact.${contact}`, {
      event: ({ type, data }) => { if (type.startsWith("note.")) this.#hear(data); else this.#account?.hear(type, data); },
      subscribed: () => this.#get(contact),
      reload: async () => { await this.#all(contact); return null; },
    });
  }

  /** Again after a while where nobody answered: nothing else would ask. */
  #get(contact) {
    this.#all(contact).catch(({ passing }) => { if (passing && contact === this.#of) this.#timer = setTimeout(() => this.#get(contact), AGAIN); });
  }

  #all(contact) {
    return Promise.all([this.#load(contact), this.#account?.load()]);
  }

  async #load(contact) {
    const told = this.#told;
    const { results } = await call("GET", this.#address);
    if (contact !== this.#of) return;
    if (told !== this.#told) return this.#load(contact); // older than what came meanwhile
    this.#notes = new Map(results.map((note) => [note.id, note]));
    this.#render();
  }

  #hear(note) {
    this.#told += 1;
    if (note.deleted) this.#notes.delete(note.id);
    else this.#notes.set(note.id, note);
    this.#render();
  }

  async #add() {
    const { note: body } = this.#form.elements, words = body.value.trim();
    if (!words) return body.focus();
    this.#id ??= crypto.randomUUID(); // the same for every try at the same words
    try {
      const note = await call("POST", this.#address, { id: this.#id, body: words, mentions: this.#mentions?.in(words) ?? [] });
      this.#id = null;
      body.value = "";
      this.#mentions?.forget();
      remember(this.#kept, null, "sessionStorage");
      announce(t("noted"));
      if (note.contact === this.#of) this.#hear(note);
    } catch (problem) {
      if (!problem.passing) this.#id = null;
      toast(t("failed.note", { reason: problem.message }), { tone: "danger" });
    }
  }

  async #delete(id) {
    const note = this.#notes.get(id);
    this.#hear({ id, deleted: true });
    try {
      await call("DELETE", this.#address + id);
      const { body, mentions } = note;
      const again = () => call("POST", this.#address, { body, mentions }).then((made) => this.#hear(made));
      toast(t("note.deleted"), { action: t("undo"), act: () => again().catch((problem) => toast(t("failed.note", { reason: problem.message }), { tone: "danger" })) });
    } catch (problem) {
      this.#hear(note);
      toast(t("failed.note", { reason: problem.message }), { tone: "danger" });
    }
  }

  #render() {
    const notes = [...this.#notes.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
    show(this.#parts.none, !notes.length);
    show(this.#parts.count, notes.length);
    text(this.#parts.count, String(notes.length));
    const names = new Map([...this.#store.agents, ...this.#store.teams].map(({ id, name }) => [id, name]));
    reconcile(this.#parts.list, notes, {
      key: ({ id }) => id,
      make: () => clone("note"),
      fill: (element, note) => {
        const parts = fields(element);
        text(parts.body, note.body.replace(ID, (all, id) => (names.has(id) ? `@${names.get(id)}` : all)));
        text(parts.author, note.author?.name ?? t("nameless"));
        paint(parts.at, note.created_at);
        show(parts.remove, note.author?.id === this.#store.me.id);
      },
    });
  }
}
