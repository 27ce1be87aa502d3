// What a site pastes: <script src="…/widget.js" data-channel="…" async></script>. Draws the button into the corner of the
// page, out of reach of its styles, and behind it a frame in which everything else happens. The button takes a press from the
// beginning; the frame is fetched once it is drawn. Between page and frame go four words: open, close, identify, unread.
(() => {
  const tag = document.currentScript, { channel, language = "", theme = "", title = "Chat", accent } = tag.dataset;
  if (!channel || window.switchboard?.[channel]) return;
  const SHEET = `
    :host { all: initial !important; position: fixed !important; inset: auto 0 0 !important; block-size: 0 !important; z-index: 2147483000 !important; color-scheme: light dark !important; }
    :host([data-theme="light"]) { color-scheme: light !important; } :host([data-theme="dark"]) { color-scheme: dark !important; } :host([data-refused]) { display: none !important; }
    iframe { position: fixed; inset-block-end: 0; inset-inline-end: 0; inline-size: min(448px, 100%); block-size: min(712px, 100%); border: 0; background: transparent; visibility: hidden; pointer-events: none; color-scheme: inherit; }
    :host([data-open]) iframe { visibility: visible; pointer-events: auto; }
    button { position: fixed; inset-block-end: 20px; inset-inline-end: 20px; inline-size: 52px; block-size: 52px; margin: 0; padding: 0; border: 0; border-radius: 50%; display: grid; place-items: center; background: var(--accent, light-dark(oklch(0.505 0.195 264), oklch(0.56 0.185 264))); color: #fff; box-shadow: 0 10px 30px -6px rgb(0 0 0 / .35), 0 0 0 1px light-dark(oklch(0.86 0.008 264), oklch(0.36 0.012 264)); cursor: pointer; }
    button:focus-visible { outline: 0; box-shadow: 0 0 0 2px light-dark(#fff, oklch(0.2 0.009 264)), 0 0 0 4px light-dark(oklch(0.55 0.2 264), oklch(0.72 0.14 264)); }
    svg { inline-size: 24px; block-size: 24px; fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round; }
    button[aria-busy="true"] svg { animation: pulse .7s infinite alternate; } @keyframes pulse { to { opacity: .25; } }
    span { position: absolute; inset-block-start: -4px; inset-inline-end: -4px; min-inline-size: 20px; box-sizing: border-box; padding: 0 5px; border-radius: 10px; background: #c62828; color: #fff; font: 12px/20px system-ui, sans-serif; text-align: center; } span:empty { display: none; }
    @media (width < 448px) or (height < 420px) { iframe { inline-size: 100%; block-size: 100%; } :host([data-open]) button[aria-busy="false"] { display: none; } }
    @media (prefers-reduced-motion: reduce) { svg { animation: none !important; } }
    @media print { :host { display: none !important; } }`;
  const LINES = "M4.5 4h11A1.5 1.5 0 0 1 17 5.5v7a1.5 1.5 0 0 1-1.5 1.5H9l-3.5 3v-3h-1A1.5 1.5 0 0 1 3 12.5v-7A1.5 1.5 0 0 1 4.5 4zM7 9h.01M10 9h.01M13 9h.01";
  const SETTLED_AFTER = 3_000; // ms from the frame's being there until one that has not spoken is taken for refused
  const base = new URL(tag.src).origin, hear = {};
  const make = (name, space = "http://www.w3.org/1999/xhtml") => document.createElementNS(space, name);
  const host = make("div"), root = host.attachShadow({ mode: "open" }), frame = make("iframe"), button = make("button"), badge = make("span");
  let open = false, speaks = false, count = 0, identity = tag.dataset.identity ?? "", introduced = identity;

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(SHEET);
  root.adoptedStyleSheets = [sheet];
  if (theme) host.dataset.theme = theme;
  if (accent) host.style.setProperty("--accent", accent);
  frame.title = title;
  frame.allow = "autoplay";
  const icon = make("svg", "http://www.w3.org/2000/svg"), path = make("path", icon.namespaceURI);
  icon.setAttribute("viewBox", "0 0 20 20");
  icon.setAttribute("aria-hidden", "true");
  path.setAttribute("d", LINES);
  icon.append(path);
  button.type = "button";
  button.id = "launcher";
  button.setAttribute("aria-label", title);
  badge.setAttribute("aria-hidden", "true");
  button.append(icon, badge);
  root.append(button);

  const tell = (type, more) => { if (speaks) frame.contentWindow?.postMessage({ switchboard: channel, type, ...more }, base); };
  const introduce = () => {
    if (!speaks || introduced === identity) return;
    introduced = identity;
    tell("identify", { identity });
  };
  const draw = () => {
    host.toggleAttribute("data-open", open);
    button.setAttribute("aria-expanded", open);
    button.setAttribute("aria-busy", open && !speaks);
    badge.textContent = open || !count ? "" : count > 9 ? "9+" : count;
  };
  const fetchFrame = () => {
    if (frame.src) return;
    introduced = identity;
    const words = new URLSearchParams({ page: location.href, identity, theme });
    frame.src = `${base}/widget/${encodeURIComponent(channel)}?lang=${encodeURIComponent(language || document.documentElement.lang || navigator.language)}#${words}`;
    frame.addEventListener("load", () => setTimeout(() => host.toggleAttribute("data-refused", !speaks), SETTLED_AFTER));
    root.prepend(frame);
  };
  /** Wanted by a press, by the page, or by what happened in the frame, which knows of it already. */
  const turn = (wanted, isKnown = false) => {
    if (open === wanted) return;
    const wasInside = Boolean(root.activeElement);
    open = wanted;
    fetchFrame();
    draw();
    if (!isKnown) tell(open ? "open" : "close");
    if (open) frame.focus();
    else if (wasInside) button.focus({ preventScroll: true });
    hear[open ? "open" : "close"]?.(count);
  };
  button.addEventListener("click", () => turn(!open));
  root.addEventListener("keydown", ({ key }) => { if (key === "Escape") turn(false); });
  addEventListener("message", ({ data, origin, source }) => {
    if (!frame.contentWindow || source !== frame.contentWindow || origin !== base || data?.switchboard !== channel) return;
    if (data.type === "open" || data.type === "close") turn(data.type === "open", true);
    if (data.type !== "unread") return;
    const before = count, isFirst = !speaks;
    speaks = true;
    count = Number(data.count) || 0;
    button.setAttribute("aria-label", String(data.label || title));
    if (data.accent) host.style.setProperty("--accent", String(data.accent));
    host.removeAttribute("data-refused");
    if (isFirst && open) tell("open");
    if (isFirst) introduce();
    draw();
    if (count !== before) hear.unread?.(count);
  });
  const begin = () => {
    host.dir = getComputedStyle(document.documentElement).direction;
    draw();
    document.body.append(host);
    (window.requestIdleCallback ?? setTimeout)(fetchFrame, { timeout: 500 });
  };
  (window.switchboard ??= {})[channel] = { open: () => turn(true), close: () => turn(false), identify: (word) => { identity = String(word ?? ""); introduce(); }, on: (type, call) => { hear[type] = call; } };
  if (document.body) begin(); else addEventListener("DOMContentLoaded", begin);
})();
