// The merge dialog, for any page that includes contacts/merge_dialog.html:
//   const merge = mergeDialog({ base: "/api/v1/workspaces/demo/", merged: (merge) => {}, undo: (merge) => {} });
//   merge.open({ id, name });
// `merged` is told of a merge that was made. `undoMerge(base, id)` takes one back, for a toast or a list of merges.
import { $, attribute, fields, show, text } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { t } from "../ui/js/words.js";

const TYPED = 250; // ms of rest before what was typed is looked for

export const undoMerge = (base, id) => call("POST", `${base}contacts/merges/${id}/undo`);

export function mergeDialog({ base, merged }) {
  const dialog = $("#dialog-merge");
  const part = (name) => $(`[data-merge="${name}"]`, dialog);
  let kept = null, chosen = null, typing = null, turn = 0;

  function complain(problem) {
    text(part("error"), problem?.message);
    show(part("error"), Boolean(problem));
  }

  function choose(contact, reasons) {
    chosen = contact;
    attribute(part("now"), "disabled", contact ? null : true);
    attribute(part("apart"), "disabled", contact && reasons.length ? null : true);
  }

  function offer(found, words) {
    choose(null, []);
    show(part("none"), words && !found.length);
    const legend = $("legend", part("choices"));
    part("choices").replaceChildren(legend, ...found.map(({ contact, reasons }) => {
      const label = document.importNode(part("choice").content.firstElementChild, true);
      const { name, about, reason } = fields(label);
      text(name, contact.name || contact.phone || contact.email);
      text(about, [contact.phone_normalized, contact.email].filter(Boolean).join(" · "));
      text(reason, reasons.map((one) => t(`merge.${one}`)).join(", "));
      show(reason, reasons.length);
      $("input", label).addEventListener("change", () => choose(contact, reasons));
      return label;
    }));
  }

  /** What looks like the same person, or what was typed. Of several under way only the last counts. */
  async function look(words) {
    const mine = ++turn;
    complain(null);
    try {
      const path = words
        ? `contacts/?${new URLSearchParams({ q: words, limit: 8 })}`
        : `contacts/duplicates?${new URLSearchParams({ contact: kept.id, limit: 8 })}`;
      const { results } = await call("GET", base + path);
      if (mine !== turn) return;
      const found = words
        ? results.map((contact) => ({ contact, reasons: [] }))
        : results.map(({ contacts, reasons }) => ({ contact: contacts.find(({ id }) => id !== kept.id), reasons }));
      offer(found.filter(({ contact }) => contact && contact.id !== kept.id), words);
    } catch (problem) {
      if (mine === turn) complain(problem);
    }
  }

  part("search").addEventListener("input", ({ target }) => {
    clearTimeout(typing);
    typing = setTimeout(() => look(target.value.trim()), TYPED);
  });
  part("now").addEventListener("click", () => act(async () => {
    const merge = await call("POST", `${base}contacts/${kept.id}/merge`, { from: chosen.id });
    dialog.close();
    merged?.(merge);
  }));
  part("apart").addEventListener("click", () => act(async () => {
    await call("POST", `${base}contacts/duplicates/dismiss`, { contacts: [kept.id, chosen.id] });
    await look("");
  }));

  async function act(work) {
    complain(null);
    part("now").setAttribute("aria-busy", "true");
    try {
      await work();
    } catch (problem) {
      complain(problem);
    } finally {
      part("now").removeAttribute("aria-busy");
    }
  }

  return {
    open(contact) {
      kept = contact;
      part("search").value = "";
      offer([]);
      show(part("none"), false);
      dialog.showModal();
      return look("");
    },
  };
}
