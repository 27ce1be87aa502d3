// One message of the thread, filled into the server's partial. `message` is REST's, or one still on its way (no id yet).
import { attribute, clone, fields, icon, show, text } from "../ui/js/dom.js";
import { exact, moment, paint } from "../ui/js/time.js";
import { t } from "../ui/js/words.js";
import { mapAddress } from "./extras.js";
import { fillFiles } from "./files.js";
import { kindWord } from "./list.js";
import { fillQuote } from "./quoting.js";

const LINK = /\bhttps?:\/\/[^\s<>"']+[^\s<>"'.,:;!?)\]}]/g;

export const makeMessage = ({ direction }) => clone(direction === "activity" ? "activity" : `message-${direction}`);

export function fillMessage(element, message, { joined, more, last, offline, canReply, quoted }) {
  const parts = fields(element);
  attribute(element, "data-message-id", message.id ?? null);
  attribute(element, "data-client-id", message.client_id ?? null);
  element.dataset.direction = message.direction;
  paint(parts.at, message.created_at);
  if (message.direction === "activity") {
    show(parts.sender, message.sender?.name);
    text(parts.sender, message.sender?.name);
    const { said, until } = message.detail?.activity ?? {};
    // A time by the reader's own clock
    return text(parts.body, said ? t(said.sentence, until ? { at: exact(moment(until)) } : said.values) : message.body);
  }
  const { status } = message;
  element.dataset.status = status;
  attribute(element, "data-joined", joined);
  attribute(element, "data-last", last);
  const files = message.attachments ?? [];
  fillFiles(element, parts.body, files, canReply);
  body(parts.body, message, files);
  fillQuote(parts.body, message.reply_to, quoted);
  show(parts.meta, !more);
  text(parts.sender, message.sender?.name || t("nameless"));
  if (parts["status-word"]) {
    const shown = status === "queued" && !message.id && offline ? "waiting" : status;
    icon(parts["status-icon"], `status-${shown}`);
    text(parts["status-word"], t(`status.${shown}`));
  }
  const wrong = status === "held" || (status === "failed" || status === "unknown") && (message.direction === "out" || !message.id);
  failure(part(element, "failure", wrong), message, status, canReply);
}

/** The last part of that name in the message: put there when wanted, taken away when not. */
function part(element, name, wanted) {
  const there = element.querySelector(`:scope > [data-part="${name}"]`);
  if (!wanted) there?.remove();
  return wanted ? there ?? element.appendChild(clone(name)) : null;
}

function failure(element, message, status, canReply) {
  if (!element) return;
  const parts = fields(element);
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

/** Text as it was written, with web addresses one can follow; where there is none, what came instead. */
function body(element, message, files) {
  const { body: words, type } = message;
  show(element, words || !files.length);
  attribute(element, "data-kind", words ? null : type);
  const map = mapAddress(message);
  if (map) return element.replaceChildren(link(map, words || kindWord(type)));
  if (!words) return text(element, kindWord(type));
  if (element.textContent === words && (element.firstElementChild || !words.includes("://"))) return;
  const pieces = [];
  let from = 0;
  for (const { 0: address, index } of words.matchAll(LINK)) {
    pieces.push(words.slice(from, index), link(address, address));
    from = index + address.length;
  }
  element.replaceChildren(...pieces, words.slice(from));
}

function link(href, textContent) {
  return Object.assign(document.createElement("a"), { href, textContent, target: "_blank", rel: "noopener noreferrer" });
}
