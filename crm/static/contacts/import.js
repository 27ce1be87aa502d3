// A file of contacts on its way in. The server knows where it stands: this shows it, live, and sends what is pressed.
import { $, $$, announce, attribute, clone, fields, show, text } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { tellConnection } from "../ui/js/connection.js";
import { keepFresh, renew, signIn } from "../ui/js/session.js";
import { moment } from "../ui/js/time.js";
import { t } from "../ui/js/words.js";
import { Live } from "../live/live.js";

const LOOK_AGAIN = 5_000; // ms: should the line be down
const state = JSON.parse($("#import-state").textContent);
const base = `/api/v1/workspaces/${state.workspace.slug}/contact-imports/`;
const AT_WORK = new Set(["checking", "running"]);
const STEPS = { uploaded: "map", checking: "check", checked: "check" };
let now = null; // the import as it was told last
let shown = ""; // the state whose problems are on the page

const part = (name) => $(`[data-part="${name}"]`);
const path = (rest = "") => `${base}${now.id}/${rest}`;

function complain(problem) {
  const wrong = problem?.data?.errors;
  const first = wrong && Object.values(wrong)[0];
  const sentence = typeof first === "string" ? first : Array.isArray(first) ? first[0] : first && Object.values(first)[0];
  text(part("error"), problem ? sentence || problem.message : "");
  show(part("error"), Boolean(problem));
}

async function attempt(work) {
  complain(null);
  try {
    return await work();
  } catch (problem) {
    complain(problem);
    return null;
  }
}

// --- what is shown ----------------------------------------------------------------------------------------------------

function draw(row) {
  now = { ...now, ...row };
  history.replaceState({}, "", `?${new URLSearchParams({ workspace: state.workspace.slug, import: now.id })}`);
  const step = STEPS[now.state] ?? "run";
  for (const item of $$("[data-step]")) attribute(item, "aria-current", item.dataset.step === step ? "step" : null);
  panel(step === "map" ? "map" : "progress");
  if (step !== "map") drawProgress();
}

function panel(name) {
  for (const one of $$("[data-panel]")) show(one, one.dataset.panel === name);
}

function drawProgress() {
  const busy = AT_WORK.has(now.state);
  const bar = part("progress");
  text(part("title"), t(`state.${now.state}`));
  if (shown !== now.state) announce(t(`state.${now.state}`));
  if (now.total_rows) Object.assign(bar, { max: now.total_rows, value: now.done_rows });
  else if (busy) bar.removeAttribute("value");
  else Object.assign(bar, { max: 1, value: 1 });
  for (const count of $$("[data-count]")) text(count, Number(now[count.dataset.count] ?? 0).toLocaleString());
  show($('[data-act="run"]'), now.state === "checked");
  show($('[data-act="map"]'), now.state === "checked" || now.state === "failed");
  show($('[data-act="cancel"]'), busy);
  show($('[data-panel="progress"] [data-act="remove"]'), !busy);
  part("problems-file").href = path("problems.csv");
  show(part("problems-file"), now.refused_rows > 0);
  if (now.state === "failed") complain({ message: now.error });
  if (!busy && shown !== now.state) problems();
  shown = now.state;
}

async function problems() {
  show(part("problems"), now.refused_rows > 0);
  if (!now.refused_rows) return;
  const found = await attempt(() => call("GET", path("problems/?limit=100")));
  if (!found) return;
  part("rows").replaceChildren(...found.results.reverse().map((problem) => {
    const row = clone("problem");
    for (const name of ["row", "column", "message"]) text(fields(row)[name], String(problem[name]));
    return row;
  }));
}

function drawColumns() {
  text(part("filename"), now.filename);
  $(`input[name="known"][value="${now.known}"]`).checked = true;
  part("columns").replaceChildren(...now.columns.map((name, place) => {
    const row = clone("column");
    const { name: title, cells, target } = fields(row);
    text(title, name);
    text(cells, (now.preview ?? []).map((line) => line[place]).filter(Boolean).join(" · "));
    const more = [...(now.fields ?? []).filter((one) => one.startsWith("attributes.")), `metadata.${name}`.slice(0, 69)];
    for (const one of more) {
      target.append(new Option(one.startsWith("metadata.") ? t("other-information", { name }) : one.replace("attributes.", ""), one));
    }
    target.value = now.mapping[name] ?? "";
    target.dataset.column = name;
    target.setAttribute("aria-label", name);
    return row;
  }));
}

// --- what people do ---------------------------------------------------------------------------------------------------

$('[data-panel="upload"]').addEventListener("submit", (event) => {
  event.preventDefault();
  complain(null);
  const form = event.target;
  const request = new XMLHttpRequest(); // fetch tells nothing of how much has gone
  const sent = part("sent");
  request.open("POST", base);
  request.setRequestHeader("X-CSRFToken", $('meta[name="csrf-token"]').content);
  request.responseType = "json";
  request.upload.addEventListener("progress", ({ loaded, total }) => Object.assign(sent, { max: total, value: loaded }));
  request.addEventListener("loadend", () => {
    show(sent, false);
    form.querySelector("button").disabled = false;
    if (request.status === 401) return signIn();
    if (request.status !== 201) return complain({ message: request.response?.detail ?? t("problem.network"), data: request.response ?? {} });
    now = request.response;
    drawColumns();
    return draw(now);
  });
  show(sent, true);
  form.querySelector("button").disabled = true;
  request.send(new FormData(form));
});

$('[data-panel="map"]').addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const mapping = Object.fromEntries($$("select[data-column]").filter((one) => one.value).map((one) => [one.dataset.column, one.value]));
    const known = $('input[name="known"]:checked').value;
    await call("PATCH", path(), { mapping, known });
    draw(await call("POST", path("check")));
  });
});

document.addEventListener("click", (event) => {
  const act = event.target.closest("button[data-act]")?.dataset.act;
  if (act === "run" || act === "cancel") attempt(async () => draw(await call("POST", path(act))));
  if (act === "map") attempt(async () => { now = await call("GET", path()); drawColumns(); complain(null); panel("map"); });
  if (act === "remove") attempt(async () => {
    if (!["completed", "cancelled"].includes(now.state)) await call("DELETE", path());
    location.assign(`?${new URLSearchParams({ workspace: state.workspace.slug })}`);
  });
});

// --- start ------------------------------------------------------------------------------------------------------------

async function look() {
  if (!now) return;
  const before = now.state;
  const found = await attempt(() => call("GET", path()));
  if (!found) return;
  now = found;
  if (before !== "uploaded" || !part("columns").children.length) drawColumns();
  draw(found);
}

if (state.import) {
  now = { id: state.import };
  attempt(async () => { now = await call("GET", path()); drawColumns(); draw(now); });
}
const live = new Live({ renew, signIn });
live.subscribe(`user.${state.me.id}`, {
  event: ({ type, data }) => { if (type === "import.updated" && data.id === now?.id) draw(data); },
  reload: look,
  refused: () => {},
});
setInterval(() => { if (!document.hidden && AT_WORK.has(now?.state)) look(); }, LOOK_AGAIN);
tellConnection(live);
live.start();
const end = moment(state.me.expires_at);
if (end) keepFresh(end, () => live.renewed());
