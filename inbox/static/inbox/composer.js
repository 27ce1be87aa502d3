// Where one writes: reply or private note, a draft per conversation, the 24-hour window, what is allowed here.
import { $, attribute, fields, show, text } from "../ui/js/dom.js";
import { recall, remember } from "../ui/js/memory.js";
import { nameOf } from "../ui/js/people.js";
import { moment, now, onTick, span } from "../ui/js/time.js";
import { t } from "../ui/js/words.js";
import { Shelf } from "./shelf.js";
import { lineOf } from "./store.js";

const DAY = 24 * 60 * 60_000;
const SOON = 2 * 60 * 60_000; // ms before the window shuts that it turns amber
const LIMITS = { kapso: 4096, twilio: 1600, widget: 4096 }; // characters the channel takes
const NOTE_LIMIT = 65_536;
const TYPING_EVERY = 4_000; // ms
const DRAFTS = "inbox.drafts";
const HABITS = ["enter-sends", "read-when-answered"]; // each reader's own, in this browser

export class Composer {
  #store;
  #form = document.forms.composer;
  #body = this.#form?.elements.body;
  #parts = this.#form && fields(this.#form);
  #typed = 0;
  #handlers;
  #shelf;
  // Whose place it is, and how it stands: as was told last
  #place = "";
  mentions = null; // who is meant in a note, once suggestions have come

  /** Handlers: send({ body, direction, attachments }), typing(boolean), drafted(conversation id), and stands(how, asked):
   *  "open", "shut" or "note", told when it changes; `asked` where somebody wants to write there now. */
  constructor(store, slug, handlers) {
    this.#store = store;
    this.#handlers = handlers;
    store.drafts = new Map(recall(DRAFTS, "sessionStorage") ?? []);
    if (!this.#form) return;
    this.#shelf = new Shelf(store, slug, () => this.render());
    this.#form.addEventListener("submit", (event) => { event.preventDefault(); this.#send(); });
    this.#form.addEventListener("change", (event) => { if (event.target.name === "mode") { this.#keep(); this.render(); this.#body.focus(); } });
    this.#body.addEventListener("input", () => this.#input());
    this.#body.addEventListener("keydown", (event) => this.#key(event));
    this.#body.addEventListener("blur", () => this.#stopTyping());
    for (const name of HABITS) $(`[data-act="${name}"]`, this.#form).addEventListener("click", () => { remember(name, recall(name) !== true); this.render(); });
    onTick(() => this.render());
  }

  get mode() {
    return this.#form?.elements.mode.value ?? "reply";
  }

  get #enterSends() {
    return recall("enter-sends") === true;
  }

  /** What was written before the script came stays. */
  begin() {
    if (this.#body?.value && this.#store.open) this.#keep();
    this.opened();
  }

  opened() {
    if (!this.#form) return;
    this.#place = "";
    this.#stopTyping();
    const draft = this.#store.drafts.get(this.#store.open);
    this.#body.value = draft?.body ?? "";
    this.#choose(draft?.mode ?? "reply");
    this.#shelf.render();
    this.render();
  }

  focus(mode) {
    if (!this.#form) return;
    this.#choose(mode);
    this.render();
    if (!this.#parts.write.hidden) this.#body.focus();
    else if (!this.#parts.shut.hidden) this.#handlers.stands("shut", true);
  }

  /** Only a template can be sent to whom is on screen. */
  get isShut() {
    return this.#place === `shut ${this.#store.open}`;
  }

  /** Back from the templates: to the words, or to the button that brings them again. */
  left() {
    this.render();
    (this.#parts.write.hidden ? $('[data-act="templates"]', this.#parts.shut) : this.#body).focus();
  }

  /** Words that were not sent come back to be changed. */
  putBack({ body, direction, attachments = [] }) {
    this.#choose(direction === "note" ? "note" : "reply");
    this.#body.value = [body, this.#body.value].filter(Boolean).join("\n");
    this.#keep();
    this.#shelf.putBack(attachments);
    this.#body.focus();
  }

  #choose(mode) {
    const wanted = [...this.#form.elements.mode].find(({ value, disabled }) => value === mode && !disabled);
    if (wanted) wanted.checked = true;
  }

  #key(event) {
    if (event.key !== "Enter" || event.isComposing || event.shiftKey) return;
    if (!(event.ctrlKey || event.metaKey || this.#enterSends)) return;
    event.preventDefault();
    this.#send();
  }

  #input() {
    this.#keep();
    this.render();
    if (this.mode === "note" || !this.#body.value) return this.#stopTyping();
    if (Date.now() - this.#typed < TYPING_EVERY) return;
    this.#typed = Date.now();
    this.#handlers.typing(true);
  }

  #stopTyping() {
    if (!this.#typed) return;
    this.#typed = 0;
    this.#handlers.typing(false);
  }

  #keep() {
    const { drafts, open } = this.#store;
    const body = this.#body.value;
    if (body.trim()) drafts.set(open, { body, mode: this.mode });
    else drafts.delete(open);
    this.keepDrafts();
    this.#handlers.drafted(open);
  }

  /** A reload must not lose what was written, nor bring back what was sent from elsewhere. */
  keepDrafts() {
    remember(DRAFTS, [...this.#store.drafts], "sessionStorage");
  }

  #send() {
    const body = this.#body.value.trim();
    const note = this.mode === "note";
    if ((!body && (note || this.#shelf.isEmpty)) || $('[type="submit"]', this.#form).disabled) return;
    this.#body.value = "";
    this.#keep();
    this.#stopTyping();
    const mentions = note ? this.mentions?.in(body) ?? [] : [];
    this.mentions?.forget();
    this.#handlers.send({ body, direction: note ? "note" : "out", attachments: note ? [] : this.#shelf.take(), mentions });
    this.render();
  }

  render() {
    const conversation = this.#store.conversations.get(this.#store.open);
    if (!this.#form || !conversation) return;
    const parts = this.#parts;
    const note = this.mode === "note";
    const name = nameOf(conversation.contact) || t("nameless");
    const actions = conversation.allowed_actions;
    const mute = !note && actions && !actions.includes("reply") && !actions.includes("send_template");
    const shut = !this.#window(conversation) && !note && !mute;
    this.#form.dataset.mode = this.mode;
    show(parts.shut, shut);
    show(parts.mute, mute);
    this.#tell(conversation.id, note ? "note" : shut ? "shut" : "open");
    show(parts.write, !shut && !mute);
    const channel = t(`channel.${lineOf(conversation)}`), phone = conversation.contact.phone;
    text(parts.to, phone ? t("to", { name, channel, phone }) : t("to.short", { name, channel }));
    text(parts.label, t(note ? "note-about" : "message-to", { name }));
    this.#body.placeholder = t(note ? "placeholder.note" : "placeholder.reply");
    text(parts["send-word"], t(note ? "add-note" : "send"));
    const over = [...this.#body.value].length - (note ? NOTE_LIMIT : LIMITS[conversation.channel.kind] ?? NOTE_LIMIT);
    show(parts.length, over > 0);
    if (over > 0) text(parts.length, t("too-long", { n: over }));
    $('[type="submit"]', this.#form).disabled = over > 0 || (!note && !this.#shelf.isReady);
    show(parts.attach, !note);
    if (parts.templates) show(parts.templates, !note && lineOf(conversation) === "kapso");
    show(parts.files, !note && !this.#shelf.isEmpty);
    show(parts.saved, this.#body.value.trim());
    for (const name of HABITS) attribute($(`[data-act="${name}"]`, this.#form), "aria-checked", String(recall(name) === true));
    const [mod] = parts.keys.children;
    show(mod, !this.#enterSends);
  }

  #tell(id, how) {
    const place = `${how} ${id}`;
    if (place === this.#place) return;
    this.#place = place;
    this.#handlers.stands(how);
  }

  /** Says how long the window is open yet; answers whether one may write. Channels without a window have no end of it. */
  #window({ window: is }) {
    const end = moment(is?.closes_at);
    const left = end === null ? Infinity : end - now();
    const open = Boolean(is?.open ?? true) && left > 0;
    const parts = this.#parts;
    show(parts.window, open && end !== null);
    if (open && end !== null) {
      attribute(parts.window, "data-tone", left < SOON ? "warning" : null);
      attribute(parts.ring, "stroke-dasharray", `${Math.round(Math.min(1, left / DAY) * 100)} 100`);
      text(parts["window-word"], t(left < SOON ? "window.soon" : "window.open", { span: span(left + 59_999) }));
    }
    return open;
  }
}
