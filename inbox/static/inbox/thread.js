// The middle pane: one conversation's messages. The log hangs from its foot (column-reverse), so the first paint is at
// the newest message, and what is added above moves nothing.
import { $, announce, attribute, clone, fields, inRest, show, soon, text } from "../ui/js/dom.js";
import { avatar, nameOf } from "../ui/js/people.js";
import { dayKey, exact, moment, onTick, paint } from "../ui/js/time.js";
import { t } from "../ui/js/words.js";
import { fillExtras, reactionKey, reactionsIn } from "./extras.js";
import { fillMessage, makeMessage } from "./message.js";
import { lineOf } from "./store.js";
import { Stretches } from "./stretches.js";

const TOGETHER = 3 * 60_000; // ms within which one person's messages stand as a group
const FOOT = 40; // px from the foot that still count as being there
const WHOLE = 20; // stretches below a message that was looked for whose sizes are not guessed, since they would move it
const AHEAD = 800; // px above the fold at which earlier messages are fetched
const FIRST = 24, MORE = 60; // messages drawn before the first frame of a thread, and in each moment of rest after it
const TYPING = 15_000; // ms a colleague counts as writing after the last word of it

export class Thread {
  atFoot = true;
  #store;
  #outbox;
  #pane = $(".thread");
  #log = $('[data-part="log"]');
  #list = $('[data-part="messages"]');
  #parts = fields($(".thread-head"));
  #jump = $('[data-part="jump"]');
  #stretches;
  #most = FIRST; // of the newest that are drawn by now
  #waiting = 0; // and those that are not
  #below = 0;
  // How far up one is, and whether so far that a way back is shown: as the last scrolling said, since asking the browser
  // costs a layout of all that has just changed.
  #up = 0;
  #far = false;
  #painted = new WeakMap();

  constructor(store, outbox, { older, looked }) {
    this.#store = store;
    this.#outbox = outbox;
    this.#stretches = new Stretches(this.#list, store.open);
    this.render = soon(() => this.#render());
    this.#log.addEventListener("scroll", () => this.#scrolled(older, looked), { passive: true });
    onTick(() => this.render());
  }

  /** A conversation comes on screen; its messages may still be on their way. */
  opened() {
    this.#below = 0;
    this.atFoot = true;
    this.#foot();
    this.#list.querySelector("[data-hit]")?.removeAttribute("data-hit");
    this.#most = Math.max(FIRST, this.#stretches.turn(this.#store.open));
    this.#render();
  }

  toFoot() {
    this.#below = 0;
    this.atFoot = true;
    this.#foot();
    this.#jumper();
  }

  #foot() {
    if (this.#up) this.#log.scrollTop = 0;
    this.#up = 0;
    this.#far = false;
  }

  /** Something came in while it may not have been seen: mark where reading stopped, count what waits below. */
  came(message, looking) {
    if (message.type === "reaction") return; // shown at its message, unread nowhere
    const thread = this.#store.thread(message.conversation);
    if (message.direction === "in" && !looking) thread.line ??= message.id;
    if (!this.atFoot && message.direction !== "activity") this.#below += 1;
    const mine = message.sender?.id === this.#store.me.id && message.direction !== "in";
    if (!mine && message.direction !== "activity") announce(t("said.message", { name: message.sender?.name || t("nameless"), text: message.body || "" }));
    this.#jumper();
  }

  /** The message that was looked for, in the middle of the pane and marked until something else is done. */
  showMessage(id) {
    this.#most = Infinity;
    this.#render();
    const element = this.#list.querySelector(`[data-message-id="${CSS.escape(id)}"]`);
    if (!element) return false;
    this.atFoot = false;
    this.#up = FOOT;
    let stretch = element.parentElement;
    for (let count = 0; stretch && count < WHOLE; count += 1, stretch = stretch.nextElementSibling) stretch.toggleAttribute("data-whole", true);
    element.scrollIntoView({ block: "center" });
    requestAnimationFrame(() => element.scrollIntoView({ block: "center" })); // again: those above have got their sizes
    for (const other of this.#list.querySelectorAll("[data-hit]")) other.removeAttribute("data-hit");
    element.setAttribute("data-hit", "");
    this.#log.addEventListener("pointerdown", () => element.removeAttribute("data-hit"), { once: true });
    this.#log.focus({ preventScroll: true });
    announce(t("hit.at"));
    return true;
  }

  focus() {
    this.#log.focus({ preventScroll: true });
  }

  #scrolled(older, looked) {
    const up = -this.#log.scrollTop; // counted from the foot, in every writing direction
    const was = this.atFoot;
    this.#up = up;
    this.#far = up > this.#log.clientHeight;
    this.atFoot = up < FOOT;
    if (this.atFoot) this.#below = 0;
    this.#jumper();
    if (this.#log.scrollHeight - this.#log.clientHeight - up < AHEAD) {
      if (this.#waiting) this.#further();
      else older();
    }
    if (this.atFoot && !was) looked();
  }

  #jumper() {
    show(this.#jump, this.#below || this.#far);
    text(fields(this.#jump).text, this.#below ? t("new", { n: this.#below }) : t("latest"));
  }

  #render() {
    const store = this.#store;
    const conversation = store.conversations.get(store.open);
    const thread = store.threads.get(store.open);
    const state = !store.open ? "none" : thread?.failed ? "failed" : thread?.loaded ? "open" : "loading";
    attribute(this.#pane, "data-state", state);
    if (thread?.failed) text($('[data-field="failed-text"]', this.#pane), thread.failed.status === 404 ? t("gone") : thread.failed.message);
    if (conversation) this.#head(conversation);
    else for (const name of ["name", "status", "channel", "channel-name"]) text(this.#parts[name], "");
    if (!thread?.loaded) return this.#list.replaceChildren();
    const all = this.#items(thread), items = all.slice(-this.#most);
    if (all.length > items.length && !this.#waiting) inRest(() => this.#further());
    this.#waiting = all.length - items.length;
    if (!this.#waiting) this.#most = Infinity; // what comes in now takes nobody's place
    show($('[data-part="thread-quiet"]'), !items.length);
    show($('[data-part="older"]'), thread.loadingOlder);
    this.#keepingPlace(() => this.#stretches.draw(items, {
      key: (item) => item.key,
      make: (item) => (item.message ? makeMessage(item.message) : clone(item.kind)),
      fill: (element, item) => this.#fill(element, item),
    }));
    this.#jumper();
  }

  /** What stands above what was drawn: not all at once, since nobody sees it yet. */
  #further() {
    if (!this.#waiting) return;
    this.#waiting = 0;
    this.#most += MORE;
    this.#render();
  }

  /** Whatever changes in the list, what the agent is reading stays where it is. */
  #keepingPlace(change) {
    if (this.atFoot) {
      change();
      this.#foot();
      return;
    }
    const top = this.#log.getBoundingClientRect().top;
    const below = (child) => child.getBoundingClientRect().bottom > top;
    const stretch = [...this.#list.children].find(below); // of one that is left out no message is asked
    const anchor = stretch && [...stretch.children].find(below);
    const before = anchor?.getBoundingClientRect().top;
    change();
    if (anchor?.isConnected) this.#log.scrollTop += anchor.getBoundingClientRect().top - before;
  }

  #items(thread) {
    const store = this.#store;
    const offline = document.documentElement.dataset.connection === "offline";
    const known = store.messages(thread.id);
    const reactions = reactionsIn(known);
    const chips = new Set([...reactions.values()].flat());
    const messages = known.filter((message) => !chips.has(message));
    const arrived = new Set(messages.map(({ client_id: id }) => id).filter(Boolean));
    const all = [...messages, ...this.#outbox.of(thread.id).filter(({ client_id: id }) => !arrived.has(id))];
    const lastOut = all.findLast(({ direction }) => direction === "out");
    const items = [];
    let day, before, fresh = 0;
    if (thread.line) fresh = messages.filter(({ id, direction }) => direction === "in" && id >= thread.line).length;
    for (const message of all) {
      const at = moment(message.created_at);
      const key = dayKey(at);
      const isNew = thread.line && message.id === thread.line;
      const joined = !isNew && key === day && together(before?.message, message, at);
      if (key !== day) items.push({ key: `day:${key}`, kind: "day", at: message.created_at });
      if (isNew) items.push({ key: "new", kind: "new-line", count: fresh });
      if (joined && message.direction === "in" && before.message.direction === "in" && !before.message.edited_at) before.more = true;
      before = { key: message.client_id ?? message.id, message, joined, last: message === lastOut, offline, reactions: reactions.get(message.id) };
      day = key;
      items.push(before);
    }
    const writing = [...thread.typing.values()].filter(({ until }) => until > Date.now());
    if (writing.length) items.push({ key: "typing", kind: "typing", names: writing.map(({ name }) => name) });
    return items;
  }

  #fill(element, item) {
    if (item.message) {
      const { message, joined = false, more = false, last, offline, reactions } = item;
      const seen = [message, message.status, message.error, joined, more, last, offline, reactionKey(reactions)];
      if (this.#painted.get(element)?.every((value, at) => value === seen[at])) return;
      this.#painted.set(element, seen);
      fillExtras(element, message, reactions);
      fillMessage(element, message, { joined, more, last, offline, canReply: this.#store.can.has("reply"), quoted: this.#store.threads.get(this.#store.open)?.messages.get(message.reply_to) });
      return;
    }
    const parts = fields(element);
    if (item.kind === "day") paint(parts.at, item.at);
    else if (item.kind === "new-line") text(parts.text, t("new", { n: item.count }));
    else text(parts.text, t("typing", { name: item.names.join(", ") }));
  }

  #head(conversation) {
    const parts = this.#parts;
    const { contact, channel, assignee, status } = conversation;
    const can = this.#store.can.has("resolve");
    text(parts.name, nameOf(contact) || t("nameless"));
    text(parts.status, status === "snoozed" && conversation.snoozed_until ? t("snoozed.until", { at: exact(moment(conversation.snoozed_until)) }) : t(`state.${status}`));
    text(parts.channel, t(`channel.${lineOf(conversation)}`));
    text(parts["channel-name"], channel.name);
    show(parts.assignee, assignee);
    show(parts.nobody, !assignee);
    if (assignee) avatar(parts.assignee, parts["assignee-letters"], assignee);
    text(parts["assignee-name"], assignee?.name ?? conversation.team?.name ?? t("nobody"));
    show(parts.resolve, can && status !== "resolved");
    if (parts.snooze) show(parts.snooze, can && status !== "resolved");
    show(parts.reopen, can && status === "resolved");
    if (parts.pending) show(parts.pending, status === "open" || status === "snoozed");
    if (parts["open-again"]) show(parts["open-again"], status === "pending" || status === "snoozed");
    if (parts["spam-word"]) text(parts["spam-word"], t(conversation.is_spam ? "do.not-spam" : "do.spam"));
    for (const entry of document.querySelectorAll('#menu-assign [data-act="assign"]')) entry.setAttribute("aria-checked", entry.dataset.value === (assignee?.id ?? ""));
    for (const entry of document.querySelectorAll('#menu-assign [data-act="team"]')) entry.setAttribute("aria-checked", entry.dataset.value === (conversation.team?.id ?? ""));
  }
}

function together(before, message, at) {
  if (!before || before.direction !== message.direction || message.direction === "activity" || message.direction === "note") return false;
  return before.sender?.id === message.sender?.id && at - moment(before.created_at) < TOGETHER;
}

/** A colleague is writing, or has stopped. Forgotten by itself, since the word that they stopped may be lost. */
export function hearTyping(thread, { user, typing }, render) {
  clearTimeout(thread.typing.get(user.id)?.timer);
  thread.typing.delete(user.id);
  if (typing) thread.typing.set(user.id, { name: user.name, until: Date.now() + TYPING, timer: setTimeout(() => { thread.typing.delete(user.id); render(); }, TYPING) });
  render();
}
