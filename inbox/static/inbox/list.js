// The left pane: tabs with counts, filters, rows that move as things happen, more rows on scrolling down.
import { $, $$, attribute, clone, fields, icon, reconcile, show, soon, text } from "../ui/js/dom.js";
import { avatar, nameOf } from "../ui/js/people.js";
import { settle } from "../ui/js/roving.js";
import { moment, now, onTick, paint } from "../ui/js/time.js";
import { t } from "../ui/js/words.js";
import { address } from "./api.js";
import { activity, lineOf } from "./store.js";

const LATE = 30 * 60_000, VERY_LATE = 60 * 60_000; // ms somebody has waited
const SOON = 2 * 60 * 60_000; // ms before the window shuts that the row says so
const EMPTY = new Set(["pending", "snoozed", "resolved", "spam"]); // those with words of their own
const LABELS = 2;
const AHEAD = 600; // px

export class List {
  #store;
  #pane = $(".list");
  #rows = $('[data-part="rows"]');
  #scroll = $('[data-part="list-scroll"]');
  #shown = new WeakMap();
  #address = "";
  #end = $('[data-part="list-end"]');
  #nearEnd;
  #length;

  constructor(store, { filter, more, reload }) {
    this.#store = store;
    this.render = soon(() => this.#render());
    this.#pane.addEventListener("click", (event) => this.#click(event, filter, reload));
    // Rows further down are fetched before they are needed; one that failed waits for the next scroll. The browser says
    // when it is time as it draws: asked for sizes in between, it would have to lay out everything at once.
    const near = ([{ isIntersecting }]) => { if (isIntersecting && store.next && !store.stalled) more(); };
    this.#nearEnd = new IntersectionObserver(near, { root: this.#scroll, rootMargin: `0px 0px ${AHEAD}px` });
    this.#scroll.addEventListener("scroll", () => { if (store.stalled) { store.stalled = false; this.#near(); } }, { passive: true });
    onTick(() => this.#tones());
  }

  get rows() {
    return this.#rows;
  }

  top() {
    this.#scroll.scrollTop = 0;
  }

  /** Looked at anew, although the end may be as near as it was. */
  #near() {
    this.#nearEnd.unobserve(this.#end);
    this.#nearEnd.observe(this.#end);
  }

  #click(event, filter, reload) {
    if (event.target.closest('[data-act="reload-list"]')) return reload();
    const tab = event.target.closest("[data-assignee]");
    const choice = event.target.closest("[data-filter]");
    if (tab && (event.ctrlKey || event.metaKey || event.shiftKey)) return;
    if (tab) filter({ assignee: tab.dataset.assignee === "all" ? "" : tab.dataset.assignee });
    else if (choice?.matches(".chip")) filter({ unread: !this.#store.filter.unread });
    else if (choice) filter({ [choice.dataset.filter]: choice.dataset.filter === "unread" ? false : choice.dataset.value });
    else return;
    event.preventDefault();
  }

  #render() {
    const store = this.#store;
    const { filter } = store;
    this.#address = address(filter);
    const conversations = store.rows();
    const skeletons = store.loading && !conversations.length ? Array.from({ length: 6 }, (_, at) => ({ skeleton: at })) : [];
    reconcile(this.#rows, [...conversations, ...skeletons], {
      key: (item) => item.id ?? `skeleton:${item.skeleton}`,
      make: (item) => clone(item.id ? "row" : "row-skeleton"),
      fill: (element, item) => { if (item.id) this.#fill(element, item); },
    });
    settle(this.#rows);
    this.#rows.setAttribute("aria-busy", Boolean(store.loading));
    this.#tools(filter);
    this.#states(filter, conversations.length);
    const length = `${conversations.length} ${store.next}`;
    if (this.#length !== length) this.#near();
    this.#length = length;
  }

  #tools(filter) {
    const chosen = filter.assignee || "all";
    for (const tab of $$("[data-assignee]", this.#pane)) {
      attribute(tab, "aria-current", tab.dataset.assignee === chosen ? "true" : null);
      tab.href = address({ ...filter, assignee: tab.dataset.assignee });
    }
    const { counts, me } = this.#store;
    const mine = counts.by_assignee?.[me.id] ?? (counts.by_assignee ? 0 : counts.mine);
    for (const place of $$("[data-count]", this.#pane)) {
      const count = { mine, unassigned: counts.unassigned, all: counts.all }[place.dataset.count] ?? 0;
      text(place, counts.capped && count >= counts.capped ? `${counts.capped - 1}+` : String(count));
    }
    text($('[data-filter-word="status"]', this.#pane), t(`state.${filter.status || "any"}`));
    text($('[data-filter-word="order"]', this.#pane), t(`order.${filter.order}`));
    attribute($('.chip[data-filter="unread"]', this.#pane), "aria-pressed", String(Boolean(filter.unread)));
    for (const entry of $$('[role="menuitemradio"]', this.#pane)) entry.setAttribute("aria-checked", filter[entry.dataset.filter] === entry.dataset.value);
  }

  #states(filter, count) {
    const { loading, failed } = this.#store;
    const empty = $('[data-part="list-empty"]'), broken = $('[data-part="list-failed"]');
    show(broken, failed && !count);
    text(fields(broken).text, failed?.message);
    show(empty, !count && !loading && !failed);
    const kind = this.#store.isNarrowed ? "narrowed" : filter.unread ? "unread" : EMPTY.has(filter.status) ? filter.status : filter.assignee === "me" ? "mine" : filter.assignee === "none" ? "none" : "all";
    const parts = fields(empty);
    text(parts.title, t(`empty.${kind}`));
    text(parts.text, t(`empty.${kind}.text`));
    show(parts.unassigned, kind === "mine" && this.#store.counts.unassigned > 0);
    show(parts["all-read"], kind === "unread");
  }

  #fill(element, conversation) {
    const store = this.#store;
    const current = conversation.id === store.open;
    const unread = store.unread(conversation);
    const draft = current ? "" : store.drafts.get(conversation.id)?.body ?? "";
    const seen = [conversation, current, unread, draft, this.#address];
    if (this.#shown.get(element)?.every((value, at) => value === seen[at])) return;
    this.#shown.set(element, seen);
    fillRow(element, conversation, { me: store.me, current, unread, draft, href: this.#address.replace("/inbox?", `/inbox/${conversation.id}?`) });
  }

  /** What depends on the hour: how late somebody waits, and whether the window shuts soon. */
  #tones() {
    for (const row of this.#rows.children) {
      const conversation = this.#store.conversations.get(row.dataset.key);
      if (conversation) timely(fields(row), conversation);
    }
  }
}

function fillRow(element, conversation, { me, current, unread, draft, href }) {
  const link = element.firstElementChild;
  const parts = fields(element);
  const { contact, assignee } = conversation;
  const last = conversation.last_message;
  link.dataset.conversationId = conversation.id;
  link.dataset.status = conversation.status;
  attribute(link, "href", href);
  attribute(link, "aria-current", current ? "true" : null);
  avatar(parts.avatar, parts.letters, contact);
  text(parts.name, nameOf(contact) || t("nameless"));
  icon(parts["channel-icon"], `channel-${lineOf(conversation)}`);
  text(parts.channel, t(`channel.${lineOf(conversation)}`));
  paint(parts.at, activity(conversation));
  text(parts.author, author(last, me, draft));
  text(parts.line, draft || preview(last));
  show(parts.count, unread && !current);
  text(parts.unread, unread > 99 ? "99+" : String(unread ?? ""));
  show(parts.draft, draft);
  const out = last?.direction === "out";
  const waiting = Boolean(conversation.waiting_since);
  show(parts.failed, out && last.status === "failed");
  show(parts.wait, waiting && !draft);
  if (waiting) paint(parts.since, conversation.waiting_since);
  show(parts.state, out && !waiting && last.status !== "failed");
  if (out) {
    icon(parts["state-icon"], `status-${last.status}`);
    text(parts["state-word"], t(`status.${last.status}`));
  }
  const urgent = conversation.priority === "urgent" || conversation.priority === "high";
  show(parts.priority, urgent);
  if (urgent) text(parts["priority-word"], t(`priority.${conversation.priority}`));
  for (const state of ["waiting", "held"]) show(parts[state], conversation.planned_state === state);
  fillLabels(parts.labels, (conversation.labels ?? []).slice(0, LABELS));
  show(parts.assignee, assignee);
  if (assignee) {
    avatar(parts.assignee, parts["assignee-letters"], assignee);
    parts.assignee.setAttribute("aria-label", t("assigned", { name: assignee.name }));
  }
  timely(parts, conversation);
}

export function fillLabels(place, labels) {
  place.replaceChildren(...labels.map((label) => {
    const element = clone("label");
    element.dataset.hue = label.hue;
    text(element, label.name);
    return element;
  }));
}

function timely(parts, { waiting_since: since, window: open }) {
  const waits = since ? now() - moment(since) : 0;
  attribute(parts.wait, "data-tone", waits > VERY_LATE ? "danger" : waits > LATE ? "warning" : null);
  const left = open?.open && open.closes_at ? moment(open.closes_at) - now() : Infinity;
  const shuts = left > 0 && left < SOON;
  show(parts.shuts, shuts);
  if (shuts) paint(parts.closes, open.closes_at);
}

function author(last, me, draft) {
  if (draft) return `${t("draft")}:`;
  if (last?.direction === "note") return `${t("note")}:`;
  if (last?.direction !== "out") return "";
  return `${last.sender?.id === me.id ? t("you") : last.sender?.name ?? ""}:`;
}

export function preview(message) {
  if (!message) return "";
  return message.body || kindWord(message.type);
}

export function kindWord(type) {
  const word = t(`type.${type}`);
  return word === `type.${type}` ? t("type.other") : word;
}
