// Files that wait to go out with the next reply: chosen, dropped or pasted, uploaded at once, each with its progress.
// A shelf belongs to its conversation; what is on it stays there while one looks at another.
import { $, announce, attribute, clone, fields, icon, reconcile, show, text } from "../ui/js/dom.js";
import { Problem } from "../ui/js/http.js";
import { renew } from "../ui/js/session.js";
import { t } from "../ui/js/words.js";
import { sizeWord } from "./files.js";

const MOST_BYTES = 100 * 1024 * 1024;
const MOST_FILES = 10;
const PREVIEWED = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);

export class Shelf {
  #shelves = new Map();
  #store; #path; #changed;
  #place = $(".composer-files");
  #pane = $(".thread");
  #drop = $('[data-part="drop"]');
  #input = document.forms.composer?.elements.files;
  #number = 0;

  /** `changed()` when what can be sent may have changed. */
  constructor(store, slug, changed) {
    [this.#store, this.#path, this.#changed] = [store, `/api/v1/workspaces/${slug}/attachments/`, changed];
    if (!this.#input) return;
    $('[data-act="attach"]').addEventListener("click", () => this.#input.click());
    this.#input.addEventListener("change", () => { this.add([...this.#input.files]); this.#input.value = ""; });
    this.#place.addEventListener("click", (event) => this.#click(event));
    document.forms.composer.elements.body.addEventListener("paste", (event) => {
      if (this.#takes(event.clipboardData)) { event.preventDefault(); this.add([...event.clipboardData.files]); }
    });
    this.#listenForDrops();
  }

  get #items() {
    return this.#shelves.get(this.#store.open) ?? [];
  }

  get isEmpty() {
    return !this.#items.length;
  }

  /** Everything on it has arrived at the server. */
  get isReady() {
    return this.#items.every(({ made }) => made);
  }

  /** Takes everything off, as it goes out. */
  take() {
    const made = this.#items.map(({ made: file, preview }) => (preview ? { ...file, preview } : file));
    this.#shelves.delete(this.#store.open);
    this.render();
    return made;
  }

  putBack(files) {
    const items = files.map((made) => ({ key: String(++this.#number), name: made.name, size: made.size, made, preview: made.preview }));
    this.#shelves.set(this.#store.open, [...items, ...this.#items]);
    this.render();
  }

  add(files) {
    const id = this.#store.open;
    if (!id || !this.#input) return;
    const items = this.#items;
    for (const file of files) {
      const refusal = items.length >= MOST_FILES ? t("file.many", { n: MOST_FILES }) : file.size > MOST_BYTES ? t("file.large", { n: MOST_BYTES / 1024 / 1024 }) : file.size ? "" : t("file.empty");
      const item = { key: String(++this.#number), file, name: file.name, size: file.size, percent: 0, error: refusal };
      if (!refusal && PREVIEWED.has(file.type)) item.preview = URL.createObjectURL(file);
      items.push(item);
      if (refusal) announce(t("file.refused", { name: file.name, reason: refusal }));
      else this.#upload(item);
    }
    this.#shelves.set(id, items);
    this.render();
    document.forms.composer.elements.body.focus();
  }

  async #upload(item) {
    Object.assign(item, { error: "", again: false, percent: 0 });
    try {
      item.made = await this.#post(item);
      announce(t("file.attached", { name: item.name }));
    } catch (problem) {
      if (item.gone) return;
      Object.assign(item, { error: problem.data?.errors?.file?.toString() ?? problem.message, again: problem.passing });
      announce(t("file.refused", { name: item.name, reason: item.error }));
    }
    this.render();
  }

  async #post(item, again = true) {
    try {
      return await send(this.#path, item, () => this.#progress(item));
    } catch (problem) {
      if (problem.status === 401 && again && await renew()) return this.#post(item, false);
      throw problem;
    }
  }

  #progress(item) {
    const card = this.#place.querySelector(`[data-key="${item.key}"]`);
    if (!card) return;
    fields(card).meter.value = item.percent;
    text(fields(card).about, t("file.uploading", { n: item.percent }));
  }

  #click(event) {
    const card = event.target.closest("[data-key]");
    const item = this.#items.find(({ key }) => key === card?.dataset.key);
    const act = event.target.closest("[data-act]")?.dataset.act;
    if (!item || !act) return;
    if (act === "upload-again") this.#upload(item);
    if (act === "take-off") this.#takeOff(item);
    this.render();
  }

  #takeOff(item) {
    item.gone = true;
    item.asking?.abort();
    if (item.preview) URL.revokeObjectURL(item.preview);
    const items = this.#items.filter((one) => one !== item);
    if (items.length) this.#shelves.set(this.#store.open, items);
    else this.#shelves.delete(this.#store.open);
    document.forms.composer.elements.body.focus();
  }

  /** Only files that are dropped on the thread are meant for it; and only where one may reply right now. */
  #listenForDrops() {
    const aim = (on) => show(this.#drop, on);
    this.#pane.addEventListener("dragover", (event) => {
      if (!this.#takes(event.dataTransfer)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      aim(true);
    });
    this.#pane.addEventListener("dragleave", (event) => { if (!this.#pane.contains(event.relatedTarget)) aim(false); });
    this.#pane.addEventListener("drop", (event) => {
      aim(false);
      if (!this.#takes(event.dataTransfer)) return;
      event.preventDefault();
      this.add([...event.dataTransfer.files]);
    });
  }

  #takes(transfer) {
    const form = document.forms.composer;
    return transfer?.types.includes("Files") && form.dataset.mode !== "note" && !$('[data-field="write"]', form).hidden;
  }

  render() {
    if (this.#place) {
      show(this.#place, !this.isEmpty);
      reconcile(this.#place, this.#items, { key: ({ key }) => key, make: () => clone("shelf-file"), fill });
    }
    this.#changed();
  }
}

function fill(card, item) {
  const parts = fields(card);
  attribute(card, "data-state", item.error ? "failed" : item.made ? "ready" : "uploading");
  text(parts.name, item.name);
  text(parts["remove-name"], item.name);
  show(parts.meter, !item.error && !item.made);
  parts.meter.value = item.percent ?? 100;
  text(parts.about, item.error || (item.made ? sizeWord(item.size) : t("file.uploading", { n: item.percent })));
  show(parts.again, item.again);
  const preview = !item.error && item.preview;
  show(parts.preview, preview);
  show(parts.icon, !preview);
  icon(parts.icon, item.error ? "alert" : "file");
  if (preview) attribute(parts.preview, "src", item.preview);
}

/** fetch() tells nothing of how far an upload has come. */
function send(path, item, progress) {
  return new Promise((resolve, reject) => {
    const asking = new XMLHttpRequest();
    item.asking = asking;
    asking.open("POST", path);
    asking.responseType = "json";
    asking.setRequestHeader("Accept", "application/json");
    asking.setRequestHeader("X-CSRFToken", document.querySelector('meta[name="csrf-token"]').content);
    asking.upload.addEventListener("progress", ({ loaded, total }) => { item.percent = Math.min(99, Math.round((loaded / (total || 1)) * 100)); progress(); });
    const lost = () => reject(new Problem(0, "network", t("problem.network")));
    asking.addEventListener("error", lost);
    asking.addEventListener("abort", lost);
    asking.addEventListener("load", () => {
      const { status, response: answer } = asking;
      if (status === 201 && answer) resolve(answer);
      else reject(new Problem(status, answer?.code ?? "unknown", answer?.detail || t("problem.unknown"), answer ?? {}));
    });
    const form = new FormData();
    form.append("file", item.file, item.name);
    asking.send(form);
  });
}

/** The server has them: their local copies can go. */
export function letGo(files) {
  for (const { preview } of files ?? []) if (preview) URL.revokeObjectURL(preview);
}
