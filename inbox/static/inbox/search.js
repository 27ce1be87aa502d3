// Search over all history from the box above the list. A hit leads to its place: a message opens at the message.
import { $, announce, clone, fields, icon, show, text } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { nameOf } from "../ui/js/people.js";
import { focusItem, settle } from "../ui/js/roving.js";
import { paint } from "../ui/js/time.js";
import { t } from "../ui/js/words.js";
import { preview } from "./list.js";

const WAIT = 180; // ms of rest before the server is asked

export class Search {
  #slug; #timer; #asking = new AbortController(); #next = null;
  #pane = $(".list"); #box = document.forms.search; #place = $('[data-part="hits"]');
  #parts = fields(this.#place);

  constructor(slug) {
    this.#slug = slug;
    const { q } = this.#box.elements;
    q.addEventListener("input", () => this.#typed());
    q.addEventListener("keydown", (event) => this.#key(event));
    this.#box.addEventListener("submit", (event) => { event.preventDefault(); $("[data-item]", this.#place)?.click(); });
    this.#place.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); this.clear(); q.focus(); } });
    this.#parts.more.addEventListener("click", () => this.#more());
    this.#typed();
  }

  clear() {
    this.#box.elements.q.value = "";
    this.#typed();
  }

  #key(event) {
    if (event.key === "Escape" && event.target.value) { event.preventDefault(); event.stopPropagation(); this.clear(); return; }
    const first = event.key === "ArrowDown" && $("[data-item]", this.#place);
    if (!first) return;
    event.preventDefault();
    focusItem(this.#parts.list, first);
  }

  #typed() {
    clearTimeout(this.#timer);
    this.#asking.abort();
    this.#asking = new AbortController();
    const words = this.#box.elements.q.value.trim(), { signal } = this.#asking;
    this.#pane.toggleAttribute("data-searching", words);
    show(this.#place, words);
    if (!words) return this.#parts.list.replaceChildren();
    this.#parts.list.setAttribute("aria-busy", "true");
    this.#timer = setTimeout(() => this.#ask(words, signal), WAIT);
  }

  async #ask(words, signal) {
    const base = `/api/v1/workspaces/${this.#slug}`, q = encodeURIComponent(words);
    try {
      const [found, listed] = await Promise.all([
        call("GET", `${base}/search/?q=${q}`, undefined, { signal }),
        call("GET", `${base}/conversations/?search=${q}&limit=5`, undefined, { signal }),
      ]);
      this.#fill(found, listed.results);
    } catch (problem) {
      if (signal.aborted) return;
      this.#parts.list.replaceChildren();
      this.#told(problem.data?.errors?.q?.[0] ?? problem.message);
    }
  }

  #fill({ contacts, messages, notes, next }, conversations) {
    const rows = [
      ...group(t("hits.conversations"), conversations, (row) => hit({ icon: `channel-${row.channel.kind}`, name: nameOf(row.contact) || t("nameless"), at: row.last_activity_at, snippet: [{ text: preview(row.last_message) }], url: `/inbox/${row.id}` })),
      ...group(t("hits.people"), contacts, (row) => hit({ icon: "user", name: nameOf(row) || t("nameless"), snippet: [{ text: [row.name ? row.phone : "", row.email].filter(Boolean).join(" · ") }], url: row.url })),
      ...group(t("hits.messages"), messages, messageHit),
      ...group(t("hits.notes"), notes, (row) => hit({ icon: "note", name: row.contact.name || t("nameless"), ...row })),
    ];
    this.#parts.list.replaceChildren(...rows);
    this.#ready(next);
    this.#told(rows.length ? "" : t("hits.none"));
    announce(t("hits.said", { n: conversations.length + contacts.length + messages.length + notes.length }));
  }

  async #more() {
    const { more, list } = this.#parts;
    more.disabled = true;
    try {
      const { messages, next } = await call("GET", this.#next, undefined, { signal: this.#asking.signal });
      list.append(...messages.map(messageHit));
      this.#ready(next);
    } catch (problem) {
      if (problem.name !== "AbortError") this.#told(problem.message);
    } finally {
      more.disabled = false;
    }
  }

  #ready(next) {
    this.#next = next;
    show(this.#parts.more, next);
    this.#parts.list.setAttribute("aria-busy", "false");
    settle(this.#parts.list);
  }

  #told(words) {
    text(this.#parts.none, words);
    show(this.#parts.none, words);
    if (words) this.#ready(null);
  }
}

const messageHit = (row) => hit({ icon: row.direction === "note" ? "lock" : row.direction === "out" ? "reply" : "inbox", name: row.contact.name || t("nameless"), message: row.id, ...row });

function group(title, rows, make) {
  if (!rows.length) return [];
  return [Object.assign(document.createElement("li"), { className: "menu-title", textContent: title }), ...rows.map(make)];
}

function hit({ icon: sign, name, at, snippet, url, message }) {
  const element = clone("hit"), parts = fields(element), link = element.firstElementChild;
  link.href = url;
  if (message) link.dataset.messageHit = message;
  icon(parts.icon, sign);
  text(parts.name, name);
  if (at) paint(parts.at, at);
  parts.words.replaceChildren(...snippet.map(({ text: words, hit: is }) => (is ? Object.assign(document.createElement("mark"), { textContent: words }) : words)));
  return element;
}
