// Who is here: colleagues in the workspace and at the conversation on screen, and how this reader is there themselves.
// To follow a presence topic is to be there (docs/live.md); where sockets are blocked the same is posted.
import { call } from "../ui/js/http.js";

const IDLE = 10_000; // ms without a hand on the page, or with the page out of sight
const SETTLE = 300; // ms a conversation is on screen before anybody is told
const TOUCH = 20_000; // ms between two words without a socket; one is good for 60 s
const tab = crypto.randomUUID();

/** One place, its people kept true by events. */
class Place {
  people = new Map();
  #live; #line = null; #closed = false; #touched = 0; #address; #own; #changed;

  constructor({ live, slug, scope, own, changed }) {
    [this.#live, this.#own, this.#changed, this.scope] = [live, own, changed, scope];
    this.#address = `/api/v1/workspaces/${slug}/presence/`;
    const topic = `presence.${scope === "workspace" ? `workspace.${slug}` : scope}`;
    this.load().catch(() => 0).then((after) => { // from the beginning where nobody answered: told anew, or loaded
      if (this.#closed) return;
      this.#line = live.subscribe(topic, {
        after,
        event: (frame) => this.#hear(frame),
        subscribed: () => this.tell(),
        reload: async () => { this.#touch(); return this.load(); },
      });
    });
  }

  async load() {
    const { results, live } = await call("GET", `${this.#address}?scope=${encodeURIComponent(this.scope)}`);
    this.people = new Map(results.map((person) => [person.id, person]));
    this.#changed();
    return live.seq;
  }

  tell() {
    this.#line?.signal("presence", this.#own());
    this.#touch({ always: true });
  }

  close() {
    this.#closed = true;
    this.#line?.close();
  }

  #hear({ type, data }) {
    if (type === "presence.left") this.people.delete(data.id);
    else this.people.set(data.id, data);
    this.#changed();
  }

  #touch({ always = false } = {}) {
    if (!this.#live.polling || (!always && Date.now() - this.#touched < TOUCH)) return;
    this.#touched = Date.now();
    call("POST", this.#address, { scope: this.scope, tab, ...this.#own() }).catch(() => {}); // said again soon
  }
}

export class Presence extends EventTarget {
  #live; #slug; #everybody; #place = null; #timer = null; #idle; #state = "active"; #draft = false;

  constructor(live, slug) {
    super();
    [this.#live, this.#slug] = [live, slug];
    this.#everybody = this.#at("workspace", () => ({ state: this.#state }));
    for (const kind of ["pointermove", "pointerdown", "keydown", "wheel", "touchstart", "focus"]) addEventListener(kind, () => this.#awake(), { passive: true, capture: true });
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.#rest(); else this.#awake(); });
    this.#rest();
  }

  /** Colleagues by id, as they are in the workspace. */
  get everybody() {
    return this.#everybody.people;
  }

  /** Who else has this conversation on screen. */
  at(conversation) {
    return this.#place?.scope === `conversation.${conversation}` ? [...this.#place.people.values()] : [];
  }

  /** This reader looks at another conversation, or at none. */
  visit(conversation, draft) {
    clearTimeout(this.#timer);
    this.#place?.close();
    this.#place = null;
    this.#draft = draft;
    this.dispatchEvent(new Event("change"));
    if (!conversation) return;
    this.#timer = setTimeout(() => { this.#place = this.#at(`conversation.${conversation}`, () => ({ state: this.#state, draft: this.#draft })); }, SETTLE);
  }

  drafting(draft) {
    if (draft === this.#draft) return;
    this.#draft = draft;
    this.#place?.tell();
  }

  #at(scope, own) {
    return new Place({ live: this.#live, slug: this.#slug, scope, own, changed: () => this.dispatchEvent(new Event("change")) });
  }

  #awake() {
    if (document.hidden) return;
    this.#rest();
    this.#say("active");
  }

  #rest() {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#say("idle"), IDLE);
  }

  #say(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#everybody.tell();
    this.#place?.tell();
  }
}
