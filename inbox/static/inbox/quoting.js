// Answering one message in particular: the bar over the composer, the quote in a bubble, and a quick reaction.
import { $, clone, fields, show, text } from "../ui/js/dom.js";
import { t } from "../ui/js/words.js";
import { kindWord } from "./list.js";

const REACTING = new Set(["kapso"]); // channels that take reactions
const REST = 60; // ms
const UNDER_WAY = new Set(["queued", "sending", "unknown"]); // those are not taken out

export class Quoting {
  #store; #react; #focus;
  #bar = $('[data-part="quoting"]');
  #chosen = new Map(); // conversation to the message that the next reply answers
  #actions = null;

  /** `react(conversation, message, emoji)` sends one; `focus()` goes to the composer. */
  constructor(store, list, { react, focus }) {
    [this.#store, this.#react, this.#focus] = [store, react, focus];
    if (!this.#bar) return;
    this.#actions = clone("message-actions");
    this.#actions.addEventListener("click", (event) => this.#act(event.target.closest("button")));
    list.addEventListener("focusin", (event) => this.#offer(event.target.closest(".message")));
    let resting; // messages that only pass under the pointer while somebody scrolls are left as they are
    list.addEventListener("pointerover", (event) => {
      clearTimeout(resting);
      resting = setTimeout(() => this.#offer(event.target.closest(".message")), REST);
    });
    $("button", this.#bar).addEventListener("click", () => { this.#chosen.delete(store.open); this.render(); focus(); });
  }

  /** One set of buttons for the whole thread: it goes where the pointer is. */
  #offer(element) {
    const message = this.#messageOf(element);
    if (!message || message.direction === "activity" || element.contains(this.#actions)) return;
    const conversation = this.#store.conversations.get(this.#store.open);
    const { can, me } = this.#store, written = message.direction !== "note";
    const quotes = written && message.provider_id && can.has("reply") && (conversation?.allowed_actions?.includes("reply") ?? true); // an event's row does not say
    const does = {
      quote: quotes,
      react: quotes && REACTING.has(conversation.channel.kind) && message.direction === "in",
      forward: written && message.type !== "reaction" && can.has("reply"),
      delete: can.has("note") && !UNDER_WAY.has(message.status) && (can.has("manage") || (message.direction !== "in" && message.sender?.id === me.id)),
    };
    for (const button of this.#actions.children) show(button, does[button.dataset.does]);
    if (Object.values(does).some(Boolean)) element.append(this.#actions);
    else this.#actions.remove();
  }

  #messageOf(element) {
    return element && this.#store.threads.get(this.#store.open)?.messages.get(element.dataset.messageId);
  }

  #act(button) {
    const message = button && !button.dataset.act && this.#messageOf(button.closest(".message"));
    if (!message) return;
    if (button.dataset.emoji) return this.#react(this.#store.open, message, button.dataset.emoji);
    this.#chosen.set(this.#store.open, message);
    this.render();
    this.#focus();
  }

  /** What the reply that goes out now answers; asked once. */
  take() {
    const message = this.#chosen.get(this.#store.open);
    this.#chosen.delete(this.#store.open);
    this.render();
    return message?.id ?? null;
  }

  render() {
    if (!this.#bar) return;
    const message = this.#chosen.get(this.#store.open);
    show(this.#bar, message);
    if (message) fill(fields(this.#bar), message);
  }
}

/** The quote over a message's words; `quoted` may not be loaded. */
export function fillQuote(body, replyTo, quoted) {
  const there = body.parentElement.querySelector(":scope > .quote");
  if (!replyTo) return there?.remove();
  const quote = there ?? clone("quote");
  if (!there) body.before(quote);
  fill(fields(quote), quoted);
}

function fill({ who, words }, message) {
  text(who, message?.sender?.name || (message ? t("nameless") : ""));
  text(words, message ? message.body || kindWord(message.type) : t("quote.earlier"));
}
