// The dialog in which a child says who it is, or takes a name that says nothing about it.
import { $, clone, show, text } from "../ui/js/dom.js";
import { t } from "../ui/js/words.js";

const OFFERED = 6;
const BREATH = 350; // ms after the last key

export function startFinding({ address, key, board, call }) {
  const form = $('[data-form="me"]');
  const field = form.elements.nickname;
  const word = $('[data-part="name-word"]');
  const names = $('[data-part="names"]');
  const button = $('[data-part="me-word"]');
  let turn = 0, waiting;

  const say = () => text(button, board.nickname || t("find"));
  const ask = async (more) => {
    const mine = ++turn;
    const query = new URLSearchParams({ language: languageOf(), count: OFFERED, ...more });
    if (key) query.set("key", key);
    const answer = await fetch(`${address}/nicknames?${query}`, { credentials: "omit" }).then((found) => (found.ok ? found.json() : null)).catch(() => null);
    return mine === turn ? answer : null;
  };
  const suggest = async () => {
    const answer = await ask({});
    if (!answer) return;
    text(word, t("name.pick"));
    names.replaceChildren(...answer.results.map((name) => {
      const choice = clone("name");
      text(choice, name);
      choice.addEventListener("click", () => { field.value = name; text(word, t("name.fine")); });
      return choice;
    }));
  };
  const look = async () => {
    const nickname = field.value.trim();
    if (!nickname) return text(word, "");
    const answer = await ask({ nickname });
    if (answer) text(word, answer.is_fine ? t("name.fine") : answer.reason);
  };

  field.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(look, BREATH); });
  $('[data-act="suggest"]').addEventListener("click", suggest);
  $('[data-act="me"]').addEventListener("click", () => { field.value = board.nickname; });
  // Enter in the field is the primary button, which comes last: the first submit button would forget.
  field.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); form.requestSubmit(form.querySelector('[value="keep"]')); } });
  form.addEventListener("submit", ({ submitter }) => {
    const forget = submitter?.value === "forget";
    call(forget ? "" : field.value.trim().slice(0, 60));
    say();
  });
  say();
  show(names, true);
}

function languageOf() {
  const known = ["en", "es", "id", "ar"];
  return navigator.languages.map((one) => one.split("-")[0].replace(/^in$/, "id")).find((one) => known.includes(one)) ?? "en";
}
