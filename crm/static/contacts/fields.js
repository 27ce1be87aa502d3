// What is edited in place: saved when one leaves a field or presses Enter, shown at once, and said if it did not work.
import { $, $$, attribute, text } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { leadToOther } from "./new.js";
import { base, lookSoon, page, state } from "./page.js";

const here = `${base}contacts/${state.contact.id}/`;

/** As REST takes it. An empty field is no value; names and words are empty texts. */
function read(field) {
  const value = field.value.trim();
  const kind = field.dataset.edit;
  const keeps = !field.name.startsWith("attributes.");
  if (kind === "boolean") return value === "" ? null : value === "true";
  if (kind === "number" || kind === "score") return value === "" ? null : Number(value);
  if (kind === "list") return value.split(",").map((one) => one.trim()).filter(Boolean);
  if (kind === "person") return value || null;
  return value === "" && !keeps ? null : value;
}

/** attributes.kids: {"attributes": {"kids": 2}}; profile.zip_code has an address of its own. */
function wish(field) {
  const [group, name] = field.name.split(/\.(.*)/s);
  if (group === "profile") return [`${here}profile`, { [name]: read(field) }];
  return [here, name ? { [group]: { [name]: read(field) } } : { [group]: read(field) }];
}

const deepest = (said) => (said && typeof said === "object" ? deepest(Object.values(said)[0]) : said);

const before = (field) => (field.matches("select") ? ($$("option", field).find((one) => one.defaultSelected) ?? field.options[0]).value : field.defaultValue);

function settle(field) {
  if (field.matches("select")) for (const one of $$("option", field)) one.defaultSelected = one.selected;
  else field.defaultValue = field.value;
}

const turns = new WeakMap();

async function save(field) {
  const place = $(".edit-error", field.parentElement), edit = field.closest(".edit");
  const turn = (turns.get(field) ?? 0) + 1;
  turns.set(field, turn);
  if (!field.checkValidity()) return wrong(field, place, field.validationMessage);
  edit.dataset.state = "saving";
  attribute(edit, "data-held", true); // until the server has it, what it renders is old
  const [path, body] = wish(field);
  try {
    await call("PATCH", path, body);
    if (turns.get(field) !== turn) return null;
    settle(field);
    wrong(field, place, "");
    edit.dataset.state = "saved";
  } catch (problem) {
    if (turns.get(field) !== turn) return null;
    edit.dataset.state = "failed";
    const said = deepest(problem.data?.errors) ?? problem.message;
    wrong(field, place, said);
    if (problem.code === "phone_taken" && problem.data.contact) leadToOther(place, problem.data.contact);
    toast(t("not-saved", { reason: said }), { tone: "danger", action: t("put-back"), act: () => putBack(field) });
    return null;
  }
  attribute(edit, "data-held", null);
  lookSoon();
  return null;
}

function wrong(field, place, said) {
  text(place, said);
  place.id ||= `wrong-${field.name.replace(/\W/g, "-")}`;
  attribute(field, "aria-invalid", said ? "true" : null);
  attribute(field, "aria-describedby", said ? place.id : null);
}

function putBack(field) {
  field.value = before(field);
  turns.set(field, (turns.get(field) ?? 0) + 1);
  wrong(field, $(".edit-error", field.parentElement), "");
  attribute(field.closest(".edit"), "data-held", null);
  lookSoon();
}

export function startFields() {
  page.addEventListener("change", ({ target }) => { if (target.matches("[data-edit]") && target.value !== before(target)) save(target); });
  page.addEventListener("focusout", ({ target }) => { if (target.matches("[data-edit]")) lookSoon(); });
  page.addEventListener("keydown", (event) => {
    const field = event.target.closest("input[data-edit]");
    if (!field) return;
    if (event.key === "Enter") field.blur();
    if (event.key === "Escape") { putBack(field); field.blur(); }
  });
}

/** Tags are set whole, so they are asked for just before. */
export async function changeTags(change) {
  const { tags } = await call("GET", here);
  const next = change(tags);
  if (next.length !== tags.length || next.some((tag, at) => tag !== tags[at])) await call("PATCH", here, { tags: next });
  lookSoon();
}
