// What assessments have found out about the person on screen, and how their subscription stands: asked for when somebody
// opens that part of the pane, and kept true from then on.
import { $, attribute, fields, show, text } from "../ui/js/dom.js";
import { call } from "../ui/js/http.js";
import { remember } from "../ui/js/memory.js";
import { moment, onDay } from "../ui/js/time.js";
import { toast } from "../ui/js/toast.js";
import { t } from "../ui/js/words.js";
import { facts } from "./person.js";

const TONES = { active: "success", trialing: "accent", past_due: "warning", unpaid: "danger" };
const OPEN = "inbox.account"; // whether it was left open

export class Account {
  #slug; #of = null; #profile = null; #billing = null; #told = 0;
  #place = $('[data-part="account"]');
  #parts = fields($('[data-part="account"]'));

  constructor(slug) {
    this.#slug = slug;
    remember(OPEN, this.#place.open);
    this.#place.addEventListener("toggle", () => { remember(OPEN, this.#place.open); if (!this.#profile) this.load().catch(({ message }) => toast(message, { tone: "danger" })); });
  }

  /** The person on screen; null for nobody. */
  of(contact) {
    [this.#of, this.#profile, this.#billing] = [contact, null, null];
    this.#render();
  }

  async load() {
    const contact = this.#of, base = `/api/v1/workspaces/${this.#slug}/contacts/${contact}/`;
    if (!contact || !this.#place.open) return;
    const told = this.#told;
    const [profile, { billing }] = await Promise.all([call("GET", `${base}profile`), call("GET", `${base}billing`)]);
    if (contact !== this.#of) return;
    if (told !== this.#told) return this.load(); // older than what came meanwhile
    [this.#profile, this.#billing] = [profile, billing];
    this.#render();
  }

  hear(type, data) {
    this.#told += 1;
    if (!this.#profile) return;
    if (type === "profile.updated") this.#profile = data.profile;
    else if (type === "billing.updated") this.#billing = data.billing;
    this.#render();
  }

  #render() {
    const { journey_phase: journey, relationship, burnout_score: score, burnout_band: band, pressure_zones: zones = [] } = this.#profile ?? {};
    const { status, price_id: plan, quantity, period_end: end, trial_ends_at: trial, cancels_at: last, payment_failed_at: failed } = this.#billing ?? {};
    const at = (time) => time && onDay(moment(time));
    const known = [
      ["journey", journey],
      ["relationship", relationship],
      ["burnout", [score ?? "", band && t(`band.${band}`)].filter((one) => one !== "").join(" · ")],
      ["pressure", zones.join(", ")],
      ["plan", plan && (quantity > 1 ? `${plan} × ${quantity}` : plan)],
      ["renews", !last && at(end)],
      ["trial", at(trial)],
      ["ends", at(last)],
      ["failed", at(failed)],
    ].filter(([, value]) => value);
    facts(this.#parts.facts, known.map(([name, value]) => [t(`account.${name}`), value]));
    show(this.#parts.none, this.#profile && !known.length && !status);
    show(this.#parts.status, status);
    if (status) text(this.#parts.status, t(`subscription.${status}`));
    attribute(this.#parts.status, "data-tone", TONES[status]);
  }
}
