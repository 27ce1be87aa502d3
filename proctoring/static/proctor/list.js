// All exams that one supervises, with running numbers: an event marks its exam, whose counts are asked for at once, and
// once a second at most.
import { $, attribute, text } from "../ui/js/dom.js";
import { tellConnection } from "../ui/js/connection.js";
import { keepFresh, renew, signIn } from "../ui/js/session.js";
import { moment } from "../ui/js/time.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { Live } from "../live/live.js";
import { proctorApi } from "./api.js";
import { entryWord } from "./wording.js";

const state = JSON.parse($("#proctor-state").textContent);
const live = new Live({ renew, signIn });
const BETWEEN = 1_000; // ms
const COUNTS = ["active", "disconnected", "paused", "submitted"];

for (const { exam: slug, live: topic } of state.exams) {
  const line = $(`[data-exam="${CSS.escape(slug)}"]`), api = proctorApi(state.workspace.slug, slug);
  let due = null, askedAt = -Infinity;
  const load = async () => {
    [due, askedAt] = [null, performance.now()];
    const fresh = await api.exam();
    for (const name of COUNTS) text($(`[data-count="${name}"]`, line), String(fresh.counts[name]));
    return fresh.live.seq;
  };
  const soon = () => { due ??= setTimeout(() => load().catch(() => {}), Math.max(0, askedAt + BETWEEN - performance.now())); };
  live.subscribe(topic.topic, {
    after: topic.seq,
    event: ({ type, data }) => {
      if (type.startsWith("session.")) soon();
      const told = what(type, data);
      if (told) {
        text($('[data-part="latest"]', line), t("said.latest", { name: data.student_name, what: told }));
        attribute(line, "data-news", "");
      }
    },
    reload: load,
    refused: () => toast(t("list.refused"), { tone: "danger" }),
  });
}

const states = new Map(); // of sessions heard of: a count that changed is no news, a state is
function what(type, data) {
  if (type === "violation.logged") return data.merged_into || data.severity === "info" ? "" : entryWord(data);
  if (type !== "session.started" && type !== "session.updated") return "";
  const before = states.get(data.id);
  states.set(data.id, data.status);
  const isNews = type === "session.started" || (before ? before !== data.status : data.status !== "active");
  return isNews ? t(`state.${data.status}`) : "";
}

tellConnection(live);
live.start();
const end = moment(state.me.expires_at);
if (end) keepFresh(end, () => live.renewed());
