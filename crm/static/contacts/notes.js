// Notes: writing one, telling people and teams by @, editing and deleting one's own.
import { $, $$, announce, attribute, clone, fields, show } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { recall, remember } from "../ui/js/memory.js";
import { bind } from "../ui/js/shortcuts.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { complain } from "./new.js";
import { base, failed, look, quietly, state } from "./page.js";

const MOST_SHOWN = 8;
const notes = `${base}contacts/${state.contact.id}/notes/`;
const DRAFT = `contact-note:${state.contact.id}`;
const named = [...state.people, ...state.teams.map((team) => ({ ...team, more: t("team") }))];
const folded = (words) => words.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** Who is meant: everybody that was picked and still stands in the words. */
const meant = (body, picked) => [...picked].filter(([, name]) => body.includes(`@${name}`)).map(([id]) => id);

function mentions(field, list, picked) {
  let options = [], at = 0, from = -1;

  function close() {
    from = -1;
    show(list, false);
    attribute(field, "aria-activedescendant", null);
  }

  function point(to) {
    at = (to + options.length) % options.length;
    for (const [place, option] of $$("[role=option]", list).entries()) attribute(option, "aria-selected", String(place === at));
    const option = $$("[role=option]", list)[at];
    attribute(field, "aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  function pick(person) {
    picked.set(person.id, person.name);
    const [before, after] = [field.value.slice(0, from), field.value.slice(field.selectionStart)];
    const put = `${before}@${person.name} `;
    field.value = put + after.replace(/^ /, "");
    field.setSelectionRange(put.length, put.length);
    close();
    field.focus();
  }

  function offer() {
    const typed = /(?:^|[\s(])@([^\s@]{0,30})$/u.exec(field.value.slice(0, field.selectionStart));
    if (!typed) return close();
    const wanted = folded(typed[1]);
    options = named.filter(({ name }) => folded(name).split(/\s+/).some((word) => word.startsWith(wanted))).slice(0, MOST_SHOWN);
    if (!options.length) return close();
    from = field.selectionStart - typed[1].length - 1;
    list.replaceChildren(...options.map((person, place) => {
      const option = clone("mention");
      option.id = `mention-${place}`;
      const part = fields(option);
      part.name.textContent = person.name;
      part.more.textContent = person.more ?? "";
      option.addEventListener("pointerdown", (event) => { event.preventDefault(); pick(person); });
      return option;
    }));
    show(list, true);
    return point(0);
  }

  field.addEventListener("input", offer);
  field.addEventListener("click", offer);
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (from < 0 || event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") point(at + (event.key === "ArrowDown" ? 1 : -1));
    else if (event.key === "Enter" || event.key === "Tab") pick(options[at]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

export function startNotes() {
  const form = $('[data-form="note"]');
  if (!form) return;
  const field = form.elements.body, picked = new Map();
  const draft = recall(DRAFT, "sessionStorage");
  if (draft) field.value = draft;
  let id = null; // the same press twice is the same note

  mentions(field, $("#mentions"), picked);
  field.addEventListener("input", () => remember(DRAFT, field.value || null, "sessionStorage"));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); }
  });
  bind("n", () => field.focus());

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = field.value.trim(), button = $("[type=submit]", form);
    if (!body) return field.focus();
    if (button.getAttribute("aria-busy") === "true") return null;
    id ??= crypto.randomUUID?.();
    button.setAttribute("aria-busy", "true");
    try {
      await call("POST", notes, { ...(id ? { id } : {}), body, mentions: meant(body, picked) });
      id = null;
      field.value = "";
      picked.clear();
      remember(DRAFT, null, "sessionStorage");
      announce(t("noted"));
      await quietly(look());
    } catch (problem) {
      if (!problem.passing) id = null;
      failed(problem);
    } finally {
      button.removeAttribute("aria-busy");
    }
    return null;
  });

  const edit = $('[data-form="edit-note"]');
  let touched = null;
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-act]");
    const { act, id: note } = button?.dataset ?? {};
    try {
      if (act === "edit-note") {
        const found = await find(note);
        touched = note;
        complain(edit, null);
        edit.elements.body.value = found?.body ?? "";
        $("#dialog-note").showModal();
      } else if (act === "delete-note") {
        touched = note;
        $("#dialog-delete-note").showModal();
      } else if (act === "delete-note-now") {
        $("#dialog-delete-note").close();
        await call("DELETE", notes + touched);
        toast(t("note.deleted"));
        await quietly(look());
      }
    } catch (problem) {
      failed(problem);
    }
  });
  edit.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await call("PATCH", notes + touched, { body: edit.elements.body.value });
      $("#dialog-note").close();
      await quietly(look());
    } catch (problem) {
      complain(edit, problem);
    }
  });
}

/** As it was written: the page shows names where the words hold ids. */
async function find(id) {
  for (let next = `${notes}?limit=200`; next; ) {
    const page = await call("GET", next);
    const found = page.results.find((note) => note.id === id);
    if (found) return found;
    next = page.next;
  }
  return null;
}
