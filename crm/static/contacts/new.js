// The dialog for a new contact: what the server finds wrong stands under its field.
import { $, $$, show, text } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { whileBusy } from "../ui/js/once.js";
import { bind } from "../ui/js/shortcuts.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { base, look, quietly } from "./page.js";

let tags = null;
/** Tags in use, for whoever types one. */
export async function loadTags() {
  const list = $("#known-tags");
  tags ??= call("GET", `${base}tags`).catch(() => { tags = null; return { results: [] }; });
  const { results } = await tags;
  list?.replaceChildren(...results.map(({ name }) => Object.assign(document.createElement("option"), { value: name })));
}

/** The problem's sentences under the fields they are about; what is about none stands above them all. */
export function complain(form, problem) {
  const wrong = problem?.data?.errors ?? {};
  const left = [];
  for (const place of $$("[data-error]", form)) {
    const field = form.elements[place.dataset.error];
    const said = sentence(wrong[place.dataset.error]);
    text(place, said);
    if (said) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    place.id ||= `${form.dataset.form}-error-${place.dataset.error}`;
    if (said) field.setAttribute("aria-describedby", place.id);
    else field.removeAttribute("aria-describedby");
  }
  for (const [name, said] of Object.entries(wrong)) if (!$(`[data-error="${CSS.escape(name)}"]`, form)) left.push(sentence(said));
  const place = $("[data-problem]", form);
  const general = !problem ? "" : left.join(" ") || (Object.keys(wrong).length ? "" : problem.message);
  text(place, general);
  show(place, general);
  $('[aria-invalid="true"]', form)?.focus();
}

const sentence = (said) => (Array.isArray(said) ? sentence(said[0]) : said && typeof said === "object" ? sentence(Object.values(said)[0]) : said ?? "");

/** Somebody else goes by the number: the way to them stands under the field. */
export function leadToOther(place, contact) {
  const link = Object.assign(document.createElement("a"), { href: `/contacts/${contact}`, textContent: t("taken.open") });
  place.replaceChildren(t("taken"), " ", link);
}

export function startNew() {
  const form = $('[data-form="new"]');
  if (!form) return;
  const dialog = form.closest("dialog");
  let id = null; // the same press twice is the same contact

  const open = () => {
    form.reset();
    complain(form, null);
    id = crypto.randomUUID?.() ?? null;
    loadTags();
    dialog.showModal();
  };
  document.addEventListener("click", (event) => { if (event.target.closest('[data-act="new"]')) open(); });
  bind("c", open);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy($("[type=submit]", form), create);
  });

  async function create() {
    const given = Object.fromEntries(new FormData(form));
    const body = { name: given.name.trim(), lead_status: given.lead_status, owner: given.owner || null };
    for (const name of ["phone", "email"]) if (given[name].trim()) body[name] = given[name].trim();
    const words = given.tags.split(",").map((tag) => tag.trim()).filter(Boolean);
    if (words.length) body.tags = words;
    complain(form, null);
    try {
      const made = await call("POST", `${base}contacts/`, id ? { id, ...body } : body);
      dialog.close();
      const name = made.name || made.phone || made.email;
      toast(t("created", { name }), { action: t("open"), act: () => location.assign(`/contacts/${made.id}`) });
      await quietly(look());
    } catch (problem) {
      if (problem.code !== "phone_taken") { complain(form, problem); return; }
      complain(form, { data: { errors: { phone: t("taken") } } });
      if (problem.data.contact) leadToOther($('[data-error="phone"]', form), problem.data.contact);
    }
  }
}
