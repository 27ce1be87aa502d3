// <switchboard-leaderboard code="KIDS1"></switchboard-leaderboard> in any page that imports this module: the board in a
// frame that is as high as its content. Attributes: code, top, me, and key for a private board.

const home = new URL(import.meta.url).origin;

class Leaderboard extends HTMLElement {
  static observedAttributes = ["code", "top", "me", "key"];
  #frame = null;
  #hear = (event) => {
    const { data } = event;
    if (event.source !== this.#frame?.contentWindow || event.origin !== home || data?.switchboard !== "leaderboard") return;
    this.#frame.style.blockSize = `${Math.min(20_000, Math.max(0, Math.ceil(Number(data.height) || 0)))}px`;
  };

  connectedCallback() {
    addEventListener("message", this.#hear);
    this.#draw();
  }

  disconnectedCallback() {
    removeEventListener("message", this.#hear);
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#draw();
  }

  #draw() {
    const code = this.getAttribute("code");
    if (!code) return this.replaceChildren();
    const address = new URL(`/leaderboard/${encodeURIComponent(code)}`, home);
    address.searchParams.set("embed", "1");
    for (const name of ["top", "me", "key"]) if (this.getAttribute(name)) address.searchParams.set(name, this.getAttribute(name));
    if (this.#frame?.src === address.href) return;
    this.#frame = document.createElement("iframe");
    Object.assign(this.#frame, { src: address.href, title: this.getAttribute("label") || `Leaderboard ${code}`, loading: "lazy" });
    Object.assign(this.#frame.style, { inlineSize: "100%", blockSize: "30rem", border: "0", display: "block" });
    this.replaceChildren(this.#frame);
  }
}

if (!customElements.get("switchboard-leaderboard")) customElements.define("switchboard-leaderboard", Leaderboard);
export { Leaderboard };
