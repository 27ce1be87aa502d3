// What was announced in the exams of the page, newest first, and how far each announcement has come. What is told of one while
// the list is open is counted anew by the server: it knows all of them, the page only those it has heard of.
import { $, attribute, clone, fields, reconcile, show, text } from "../ui/js/dom.js";
import { paint } from "../ui/js/time.js";
import { t } from "../ui/js/words.js";

const FIRST = 50, LONGEST = 800; // ms between two questions: each waits twice as long as the one before, so that a hundred
// students who read the same are a few questions, and the first of them is seen at once
const part = (name) => $(`[data-told="${name}"]`);

export class Announcements {
  #exams;
  #dialog = $("#dialog-announcements");
  #loading = false;
  #again = false;
  #wait = FIRST;

  constructor(exams) {
    this.#exams = exams;
  }

  open() {
    this.#dialog.showModal();
    this.refresh();
  }

  command(command) {
    if (command.type === "announcement") this.refresh();
  }

  /** One question at a time, and after it one more when something was told meanwhile. */
  async refresh() {
    if (!this.#dialog.open) return;
    this.#again = this.#loading;
    if (this.#loading) return;
    this.#loading = true;
    try {
      const answers = await Promise.all([...this.#exams.all.keys()].map((slug) => this.#exams.api(slug).announcements()));
      this.#draw(together(answers.flatMap(({ results }) => results)), answers.some(({ next }) => next));
    } catch (problem) {
      text(part("failed-text"), t("failed", { reason: problem.message }));
      this.#show("failed");
    }
    await new Promise((done) => { setTimeout(done, this.#wait); });
    this.#loading = false;
    this.#wait = this.#again ? Math.min(LONGEST, this.#wait * 2) : FIRST;
    if (this.#again) this.refresh();
  }

  #show(state) {
    for (const name of ["loading", "failed", "none"]) show(part(name), name === state);
    show(part("place"), state === "list");
  }

  #draw(told, more) {
    this.#show(told.length ? "list" : "none");
    show(part("more"), more);
    reconcile(part("list"), told, { key: ({ batch }) => batch, make: () => clone("announcement"), fill });
  }
}

/** One action for several exams is one announcement. */
function together(found) {
  const batches = new Map();
  for (const one of found) {
    const known = batches.get(one.batch);
    if (!known) batches.set(one.batch, { ...one, reached: { ...one.reached } });
    else {
      known.students += one.students;
      for (const [state, n] of Object.entries(one.reached)) known.reached[state] += n;
    }
  }
  return [...batches.values()].sort((one, other) => (one.created_at < other.created_at ? 1 : -1));
}

function fill(row, { body, is_urgent: urgent, by, created_at: at, students, reached }) {
  const parts = fields(row), whom = students === 1 ? t("act.single") : t("act.many", { n: students });
  text(parts.body, body);
  show(parts.urgent, urgent);
  text(parts.by, by?.name ?? "");
  show(parts.by, by);
  paint(parts.at, at);
  attribute(parts.meter, "max", students);
  attribute(parts.meter, "value", reached.seen);
  text(parts.reached, t("batch", { what: whom, ...reached }));
}
