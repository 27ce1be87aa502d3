// Which other tutors look at the same exam, or at one of these.
import { attribute, text } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { letters } from "../ui/js/people.js";
import { t } from "../ui/js/words.js";

/** `exams`: of each its name and its workspace's. */
export function tellWatchers(live, exams, { me, place }) {
  const there = new Map(exams.map(({ slug }) => [slug, new Map()]));
  const draw = () => {
    const others = new Map([...there.values()].flatMap((each) => [...each]).filter(([id]) => id && id !== me));
    place.replaceChildren(...[...others.values()].map(sign));
  };
  for (const exam of exams) follow(live, exam, there.get(exam.slug), draw);
}

function follow(live, { slug, workspace }, there, draw) {
  const load = async () => {
    const answer = await call("GET", `/api/v1/workspaces/${workspace}/presence/?scope=exam.${slug}`);
    there.clear();
    for (const one of answer.results) there.set(one.id, one);
    draw();
    return answer.live?.seq ?? null;
  };
  live.subscribe(`presence.exam.${slug}`, {
    event: ({ type, data }) => {
      if (type === "presence.left") there.delete(data.id);
      else there.set(data.id, data);
      draw();
    },
    subscribed: () => { load().catch(() => {}); },
    reload: load,
    poll: false,
  });
}

function sign(one) {
  const mark = document.createElement("span");
  mark.className = "avatar";
  mark.setAttribute("role", "img");
  for (const [name, value] of [["data-size", "medium"], ["data-seed", String(one.id).slice(-1)], ["aria-label", t("watching", { name: one.name })], ["data-tip", t("watching", { name: one.name })]]) attribute(mark, name, value);
  text(mark, letters(one));
  return mark;
}
