// The selection of the table, and what is done with all of it. A selection outlives pages and filters of the list.
import { $, $$, show, text } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { bind } from "../ui/js/shortcuts.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { loadTags } from "./new.js";
import { base, look, page, quietly } from "./page.js";

const AT_ONCE = 4;

/** Every one of `ids`, a few at a time; what was refused is counted, with the first reason. */
async function each(ids, work) {
  const waiting = [...ids], done = [];
  let refused = 0, reason = "";
  const worker = async () => {
    for (let id = waiting.shift(); id; id = waiting.shift()) {
      try {
        await work(id);
        done.push(id);
      } catch (problem) {
        refused += 1;
        reason ||= problem.message;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return { done, refused, reason };
}

const contact = (id, rest = "") => `${base}contacts/${id}/${rest}`;

export function startBulk() {
  const bar = $("[data-bulk]");
  if (!bar) return null;
  const chosen = new Set();

  function drawn() {
    const boxes = $$("input[data-select]", page);
    for (const box of boxes) box.checked = chosen.has(box.closest("tr").dataset.contactId);
    const all = $("input[data-select-all]", page);
    if (all) {
      const here = boxes.filter(({ checked }) => checked).length;
      all.checked = here > 0 && here === boxes.length;
      all.indeterminate = here > 0 && here < boxes.length;
    }
    show(bar, chosen.size);
    text($("[data-selected]", bar), t("selected", { n: chosen.size }));
  }

  function choose(box, on) {
    const { contactId } = box.closest("tr").dataset;
    if (on) chosen.add(contactId);
    else chosen.delete(contactId);
  }

  let last = null; // with Shift, all from there to here
  page.addEventListener("click", (event) => {
    const box = event.target.closest("input[data-select], input[data-select-all]");
    if (!box) return;
    const boxes = $$("input[data-select]", page);
    if (box.hasAttribute("data-select-all")) for (const one of boxes) choose(one, box.checked);
    else {
      const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((one, other) => one - other);
      for (const one of event.shiftKey && from >= 0 ? boxes.slice(from, to + 1) : [box]) choose(one, box.checked);
      last = box;
    }
    drawn();
  });
  bind("x", () => document.activeElement?.closest("tr")?.querySelector("input[data-select]")?.click());

  /** `change(id)` answers how to take it back. */
  async function act(change, words = "bulk.done") {
    const back = new Map();
    bar.setAttribute("aria-busy", "true");
    const { done, refused, reason } = await each(chosen, async (id) => back.set(id, await change(id)));
    bar.removeAttribute("aria-busy");
    const said = refused ? t("bulk.some", { n: done.length, m: refused, reason }) : t(words, { n: done.length });
    const undo = async () => {
      const again = await each(done, (id) => back.get(id)());
      toast(again.refused ? t("bulk.some", { n: again.done.length, m: again.refused, reason: again.reason }) : t("undone"), again.refused ? { tone: "danger" } : {});
      await quietly(look());
    };
    toast(said, { tone: refused ? "danger" : undefined, ...(done.length ? { action: t("undo"), act: undo } : {}) });
    if (words === "deleted.many") for (const id of done) chosen.delete(id);
    drawn();
    await quietly(look());
  }

  /** One field, the same for all. */
  const set = (field, value) => act(async (id) => {
    const before = await call("GET", contact(id));
    await call("PATCH", contact(id), { [field]: value });
    const old = field === "owner" ? before.owner?.id ?? null : before[field];
    return () => call("PATCH", contact(id), { [field]: old });
  });

  const tag = (word, add) => act(async (id) => {
    const { tags } = await call("GET", contact(id));
    const without = tags.filter((one) => one !== word);
    await call("PATCH", contact(id), { tags: add ? [...without, word] : without });
    return () => call("PATCH", contact(id), { tags });
  });

  const remove = () => act(async (id) => {
    await call("DELETE", contact(id));
    return () => call("POST", contact(id, "restore"));
  }, "deleted.many");

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-act]");
    const { act: name, value } = button?.dataset ?? {};
    if (name === "bulk-lead") set("lead_status", value);
    else if (name === "bulk-owner") set("owner", value || null);
    else if (name === "bulk-delete") remove();
    else if (name === "bulk-clear") { chosen.clear(); drawn(); $("input[data-select-all]", page)?.focus(); }
    else if (name === "bulk-tags") { loadTags(); $("#dialog-tags").showModal(); }
  });
  $('[data-form="tags"]').addEventListener("submit", ({ target }) => {
    const { tag: word, way } = Object.fromEntries(new FormData(target));
    if (word.trim()) tag(word.trim(), way === "add");
    target.reset();
  });
  return { drawn };
}
