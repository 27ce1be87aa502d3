// The files of a message in the thread. Each has a box of fixed size, so that nothing moves when a picture arrives.
import { attribute, clone, fields, show, text } from "../ui/js/dom.js";
import { kindWord } from "./list.js";

const KB = 1024, MB = 1024 * KB;
const SHAPES = { image: "image", sticker: "image", audio: "audio", video: "video" };

export function sizeWord(bytes) {
  if (!bytes) return "";
  // As the server's first paint has it
  return bytes < KB ? `${bytes} bytes` : bytes < MB ? `${(bytes / KB).toFixed(1)} KB` : `${(bytes / MB).toFixed(1)} MB`;
}

export function fillFiles(element, before, files, canReply) {
  let place = element.querySelector('[data-part="files"]');
  if (!files.length) return place?.remove();
  if (!place) {
    place = document.createElement("div");
    Object.assign(place, { className: "files" }).dataset.part = "files";
    before.before(place);
  }
  const there = new Map([...place.children].map((child) => [`${child.dataset.attachmentId} ${child.dataset.shape}`, child]));
  const wanted = files.map((file) => {
    const shape = shapeOf(file);
    const known = there.get(`${file.id} ${shape}`);
    if (known && shape !== "failed") return known; // what plays goes on playing, and what was seen is not loaded again
    const card = clone(`file-${shape}`);
    Object.assign(card.dataset, { attachmentId: file.id, kind: file.kind });
    fill(card, file, shape, canReply);
    return card;
  });
  if (wanted.length !== place.children.length || wanted.some((card, at) => card !== place.children[at])) place.replaceChildren(...wanted);
}

function shapeOf({ state, kind, preview }) {
  if (state === "pending") return "waiting";
  if (state === "failed") return "failed";
  return preview ? "image" : SHAPES[kind] ?? "document";
}

function fill(card, file, shape, canReply) {
  const parts = fields(card);
  const kind = kindWord(file.kind);
  const name = file.name || kind;
  if (parts.media) {
    attribute(parts.media, "src", file.preview ?? file.url);
    attribute(parts.media, shape === "image" ? "alt" : "aria-label", file.name ? `${kind}: ${file.name}` : kind);
  }
  if (parts.name) text(parts.name, name);
  if (parts.about) text(parts.about, shape === "waiting" ? kind : sizeWord(file.size));
  if (parts.reason) text(parts.reason, file.error?.message);
  if (parts.refetch) show(parts.refetch, canReply);
  if (!parts.link) return;
  attribute(parts.link, "href", shape === "image" ? file.url : file.url && `${file.url}?download=1`);
  show(parts.link, file.url);
  if (parts["link-name"]) text(parts["link-name"], name);
}
