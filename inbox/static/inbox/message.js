// One message of the thread, filled into the server's partial. `message` is REST's, or one still on its way (no id yet).
import { attribute, clone, fields, icon, show, text } from "../ui/js/dom.js";
import { paint } from "../ui/js/time.js";
import { t } from "../ui/js/words.js";
import { kindWord } from "./list.js";

const LINK = /\bhttps?:\/\/[^\s<>"']+[^\s<>"'.,:;!?)\]}]/g;

export const makeMessage = (message) => clone(message.direction === "activity" ? "activity" : "message");

export function fillMessage(element, message, { joined, more, last, offline, canReply }) {
  const parts = fields(element);
  attribute(element, "data-message-id", message.id ?? null);
  attribute(element, "data-client-id", message.client_id ?? null);
  element.dataset.direction = message.direction;
  paint(parts.at, message.created_at);
  if (message.direction === "activity") return text(parts.body, message.body);
  const status = message.direction === "out" || !message.id ? message.status : "received";
  element.dataset.status = status;
  attribute(element, "data-joined", joined);
  attribute(element, "data-last", last);
  body(parts.body, message.body);
  show(parts.private, message.direction === "note");
  attachments(parts.attachments, message.attachments ?? []);
  const odd = !message.body && !message.attachments?.length;
  show(parts.kind, odd);
  if (odd) text(parts["kind-word"], kindWord(message.type));
  show(parts.meta, !more);
  text(parts.sender, message.sender?.name ?? "");
  show(parts["sender-part"], message.sender?.name);
  show(parts.status, status !== "received");
  const shown = status === "queued" && !message.id && offline ? "waiting" : status;
  if (status !== "received") {
    icon(parts["status-icon"], `status-${shown}`);
    text(parts["status-word"], t(`status.${shown}`));
  }
  failure(parts, message, status, canReply);
}

function failure(parts, message, status, canReply) {
  const failed = status === "failed" || status === "held" || status === "unknown";
  show(parts.failure, failed);
  if (!failed) return;
  text(parts.reason, reason(message, status));
  text(parts.code, message.id ? message.error?.code : "");
  show(parts.retry, canReply && status !== "held");
  show(parts.force, status === "held");
  show(parts.edit, !message.id);
}

function reason({ id, error }, status) {
  if (status === "held") return t("reason.changed");
  if (status === "unknown") return t("reason.unknown");
  if (!id) return error?.passing ? t("reason.connection") : t("reason.refused", { reason: error?.message });
  return error?.message ? t("reason.provider", { reason: error.message }) : t("reason.plain");
}

/** Text as it was written, with web addresses one can follow. */
function body(element, words) {
  show(element, words);
  if (element.textContent === words) return;
  const pieces = [];
  let from = 0;
  for (const { 0: address, index } of words?.matchAll(LINK) ?? []) {
    const link = document.createElement("a");
    Object.assign(link, { href: address, textContent: address, target: "_blank", rel: "noopener noreferrer" });
    pieces.push(words.slice(from, index), link);
    from = index + address.length;
  }
  element.replaceChildren(...pieces, (words ?? "").slice(from));
}

function attachments(place, files) {
  show(place, files.length);
  if (!files.length && !place.childElementCount) return;
  place.replaceChildren(...files.map((file) => {
    const element = clone("attachment");
    const parts = fields(element);
    text(parts.name, file.name || kindWord(file.kind ?? file.type));
    text(parts.about, [file.content_type, file.size && `${Math.max(1, Math.round(file.size / 1024))} KB`].filter(Boolean).join(" · "));
    attribute(parts.link, "href", file.url ?? null);
    show(parts.link, file.url);
    return element;
  }));
}
