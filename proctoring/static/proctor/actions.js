// What a tutor does to one student, to the chosen or to all: one dialog, one answer for each, acknowledged in the stream.
import { $, show, text } from "../ui/js/dom.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { seconds } from "./wording.js";

const ASKS = { // what the dialog asks for; all but messages may give a reason
  message: ["body", "urgent"], announcement: ["body", "urgent"], note: ["body"], irregularity: ["body", "severity"],
  pause: ["reason"], resume: ["reason"], terminate: ["reason"], extra_time: ["minutes", "reason"], attention: ["reason"], end_device: ["reason"],
};
const PARTS = ["body", "minutes", "severity", "reason", "urgent"];

export class Actions {
  #api;
  #now = null;
  #part = (name) => $(`[data-act-part="${name}"]`);

  constructor(api) {
    this.#api = api;
    document.forms.act.addEventListener("submit", (event) => { event.preventDefault(); this.#do(); });
    document.forms.act.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); this.#do(); }
    });
  }

  /** `whom`: { sessions: [ids], name } or { all: true }; `device`: { id, word } of one session's. */
  ask(type, whom) {
    this.#now = { type, whom, client_id: crypto.randomUUID() };
    const form = document.forms.act;
    form.reset();
    for (const name of PARTS) show(this.#part(name), ASKS[type].includes(name));
    show(this.#part("error"), false);
    text(this.#part("title"), t(`command.${type}`));
    text(this.#part("whom"), whom.device ? t("act.device", { device: whom.device.word }) : whom.all ? t("act.all") : whom.sessions.length === 1 ? t("act.one", { name: whom.name }) : t("act.many", { n: whom.sessions.length }));
    text(this.#part("hint"), type === "note" || type === "irregularity" ? t("act.private") : t("act.shown"));
    const go = this.#part("go");
    text(go, ASKS[type].includes("body") ? t("act.send") : t(`command.${type}`));
    go.dataset.kind = type === "terminate" || type === "end_device" ? "danger" : "primary";
    $("#dialog-act").showModal();
    (ASKS[type].includes("body") ? form.elements.body : ASKS[type].includes("minutes") ? form.elements.minutes : form.elements.reason).focus();
  }

  async #do() {
    const { type, whom, client_id } = this.#now;
    const { body, minutes, reason, urgent, severity } = document.forms.act.elements;
    const has = (name) => ASKS[type].includes(name);
    if (has("body") && !body.value.trim()) return this.#refuse(t("write-first"));
    const go = this.#part("go");
    if (go.getAttribute("aria-busy") === "true") return null;
    go.setAttribute("aria-busy", "true");
    try {
      if (type === "irregularity") await this.#api.note(whom.sessions[0], { client_id, severity: severity.value, comment: body.value });
      else {
        const order = { client_id, type, body: has("body") ? body.value : "", reason: has("reason") ? reason.value : "", seconds: has("minutes") ? minutes.value * 60 : 0, urgent: has("urgent") && urgent.checked, device: whom.device?.id ?? null };
        this.#told(type, await this.#api.command(order, whom));
      }
      $("#dialog-act").close();
    } catch (problem) {
      this.#refuse(t("failed", { reason: problem.message }));
    } finally {
      go.removeAttribute("aria-busy");
    }
    return null;
  }

  #refuse(words) {
    text(this.#part("error"), words);
    show(this.#part("error"), true);
  }

  #told(type, { results }) {
    const what = t(`command.${type}`), refused = results.filter(({ status }) => status === "refused");
    if (!refused.length) return toast(t("act.done", { what }));
    const words = t("act.some", { what, n: results.length - refused.length, m: refused.length, reason: refused[0].message });
    return toast(words, { tone: "danger" });
  }

  async allow(session, device) {
    try {
      await this.#api.allow(session, device);
      toast(t("device.allowed"));
    } catch (problem) {
      toast(t("failed", { reason: problem.message }), { tone: "danger" });
    }
  }

  async compensate(session) {
    try {
      const answer = session ? await this.#api.compensate(session) : await this.#api.compensateAll();
      const given = session ? answer.given_back_seconds : answer.results.reduce((sum, one) => sum + one.given_back_seconds, 0);
      toast(given ? t("gave-back", { span: seconds(given * 1000) }) : t("gave-back-none"));
    } catch (problem) {
      toast(t("failed", { reason: problem.message }), { tone: "danger" });
    }
  }
}
