// Whether one is here for new conversations: chosen in the menu of one's own sign, the same on every page.
import { $, $$, attribute } from "./dom.js";
import { call } from "./http.js";
import { toast } from "./toast.js";
import { t } from "./words.js";

let menu = null;

/** The menu has been opened: what is true now is shown in it. */
export async function opened(element) {
  if (menu !== element) {
    menu = element;
    menu.addEventListener("click", ({ target }) => {
      const choice = target.closest("button[data-availability]");
      if (choice) choose(choice.dataset.availability);
    });
  }
  await call("GET", address()).then(({ availability }) => show(availability)).catch(() => {}); // what is not known is not shown
}

const address = () => `/api/v1/workspaces/${menu.closest("[data-workspace]").dataset.workspace}/availability`;

function show(availability) {
  for (const choice of $$("button[data-availability]", menu)) attribute(choice, "aria-checked", String(choice.dataset.availability === availability));
  attribute($('[popovertarget="menu-account"] .avatar'), "data-presence", availability === "online" ? "on" : "away");
}

async function choose(availability) {
  try {
    show((await call("PUT", address(), { availability })).availability);
    toast(t(`available.${availability}`));
  } catch (problem) {
    toast(t("failed.available", { reason: problem.message }), { tone: "danger" });
  }
}
