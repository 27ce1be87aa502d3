// What a site pastes: <script src="…/widget.js" data-channel="…" async></script>. Puts one frame into the corner of the
// page; everything else happens inside it, out of the page's reach. Between the two go three words: open, close, unread.
(() => {
  const tag = document.currentScript, { channel, identity = "", language = "", theme = "" } = tag.dataset;
  if (!channel || window.switchboard?.[channel]) return;
  const base = new URL(tag.src).origin, frame = document.createElement("iframe");
  const words = new URLSearchParams({ page: location.href, identity, theme });
  let open = false;
  frame.src = `${base}/widget/${encodeURIComponent(channel)}?lang=${encodeURIComponent(language || document.documentElement.lang || navigator.language)}#${words}`;
  frame.title = tag.dataset.title || "Chat";
  frame.allow = "autoplay";
  const put = (style) => { for (const [name, value] of Object.entries(style)) frame.style.setProperty(name, value, "important"); };
  const size = () => {
    const phone = innerWidth < 448 || innerHeight < 420, side = getComputedStyle(document.documentElement).direction === "rtl" ? "left" : "right";
    put({ inset: "auto", [side]: "0", bottom: "0", width: open ? (phone ? "100%" : "448px") : "92px", height: open ? (phone ? "100%" : "min(712px, 100%)") : "92px" });
  };
  // Of the frame's own colours: where the two differ, browsers put an opaque sheet behind it.
  put({ position: "fixed", "z-index": "2147483000", border: "0", "color-scheme": ["light", "dark"].includes(theme) ? theme : "light dark", background: "transparent", margin: "0", padding: "0", "max-width": "none", "max-height": "none", opacity: "1", display: "block", visibility: "visible" });
  const tell = (type) => frame.contentWindow?.postMessage({ switchboard: channel, type }, base);
  const hear = {};
  addEventListener("message", ({ data, origin, source }) => {
    if (source !== frame.contentWindow || origin !== base || data?.switchboard !== channel) return;
    if (data.type === "open" || data.type === "close") { open = data.type === "open"; size(); }
    if (["open", "close", "unread"].includes(data.type)) hear[data.type]?.(Number(data.count) || 0);
  });
  addEventListener("resize", size);
  const begin = () => { document.body.append(frame); size(); };
  (window.switchboard ??= {})[channel] = { open: () => tell("open"), close: () => tell("close"), on: (type, call) => { hear[type] = call; } };
  if (document.body) begin(); else addEventListener("DOMContentLoaded", begin);
})();
