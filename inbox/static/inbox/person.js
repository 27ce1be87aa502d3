// The right pane: who this is. Filled from the row at once and from `contact_detail` when it has come.
import { $, attribute, clone, fields, reconcile, show, text } from "../ui/js/dom.js";
import { avatar, nameOf } from "../ui/js/people.js";
import { paint } from "../ui/js/time.js";
import { has, t } from "../ui/js/words.js";
import { fillLabels, preview } from "./list.js";

export class Person {
  #store;
  #pane = $(".person");
  #parts = fields(this.#pane);
  #earlier;
  #of = null;
  #beside = null; // the conversation that is not among the others

  constructor(store, earlier) {
    this.#store = store;
    this.#earlier = earlier;
    this.#parts.earlier.addEventListener("toggle", () => this.#load());
  }

  render() {
    const conversation = this.#store.conversations.get(this.#store.open);
    attribute(this.#pane, "data-state", conversation ? null : "none");
    if (!conversation) return;
    const parts = this.#parts;
    const detail = this.#store.threads.get(conversation.id)?.detail;
    const { contact } = conversation;
    avatar(parts.avatar, parts.letters, contact);
    text(parts.name, nameOf(contact) || t("nameless"));
    text(parts.phone, contact.name ? contact.phone ?? "" : "");
    attribute(parts.page, "href", `/contacts/${contact.id}`);
    text(parts.channel, conversation.channel.name);
    paint(parts.since, conversation.created_at);
    if (conversation.labels.length) fillLabels(parts.labels, conversation.labels);
    else nothing(parts.labels);
    this.#identity(contact, detail);
    this.#lead(detail);
    const attributes = Object.entries({ ...detail?.attributes, ...detail?.metadata }).filter(([, value]) => value !== null && value !== "" && typeof value !== "object");
    show(parts.attributes, attributes.length);
    facts(parts.metadata, attributes);
    if (this.#of !== contact.id || this.#beside !== conversation.id) {
      [this.#of, this.#beside] = [contact.id, conversation.id];
      parts["earlier-list"].replaceChildren();
      show(parts["earlier-none"], false);
      this.#load();
    }
  }

  #identity(contact, detail) {
    const known = (detail?.identities ?? [{ kind: "phone", value: contact.phone }]).filter(({ kind, value }) => value && kind !== "match"); // "match" is for finding, not for reading
    if (detail?.email && !known.some(({ kind }) => kind === "email")) known.push({ kind: "email", value: detail.email });
    facts(this.#parts.identity, known.map(({ kind, value }) => [word(`identity.${kind}`, kind), value]));
  }

  #lead(detail) {
    const parts = this.#parts;
    show(parts.lead, detail);
    if (!detail) return;
    show(parts["lead-status"], detail.lead_status);
    text(parts["lead-status"], word(`lead.${detail.lead_status}`, detail.lead_status));
    const score = detail.lead_score ?? null;
    show(parts["score-name"], score !== null);
    show(parts["score-part"], score !== null);
    text(parts.score, String(score ?? ""));
    parts.meter.value = score ?? 0;
    if (!detail.tags?.length) return nothing(parts.tags);
    parts.tags.replaceChildren(...detail.tags.map((tag) => {
      const badge = document.createElement("span");
      Object.assign(badge, { className: "badge", dir: "auto", textContent: tag });
      return badge;
    }));
  }

  /** Earlier conversations cost a request, so only when somebody looks. */
  async #load() {
    const parts = this.#parts, contact = this.#of, open = this.#beside;
    if (!parts.earlier.open || !contact) return;
    const page = await this.#earlier(contact).catch(() => null);
    if (this.#beside !== open || !page) return;
    const others = page.results.filter(({ id }) => id !== open);
    show(parts["earlier-none"], !others.length);
    reconcile(parts["earlier-list"], others, {
      key: ({ id }) => id,
      make: () => clone("earlier"),
      fill(element, conversation) {
        const row = fields(element);
        text(row.link, preview(conversation.last_message) || conversation.channel.name);
        row.link.href = `/inbox/${conversation.id}`;
        row.link.dataset.conversationId = conversation.id;
        text(row.status, t(`state.${conversation.status}`));
        paint(row.at, conversation.last_message?.created_at ?? conversation.created_at);
      },
    });
  }
}

const word = (key, otherwise) => (has(key) ? t(key) : otherwise);

export function facts(list, pairs) {
  list.replaceChildren(...pairs.map(([name, value]) => {
    const element = clone("fact");
    const parts = fields(element);
    text(parts.name, name);
    text(parts.value, String(value));
    return element;
  }));
}

function nothing(place) {
  const none = document.createElement("span");
  Object.assign(none, { className: "muted", textContent: t("none") });
  place.replaceChildren(none);
}
