// The messages on the page. Whatever people wrote is text here, never markup.
const LINK = /\bhttps?:\/\/[^\s<>"']+[^\s<>"'.,:;!?)\]}]/g;
const make = (name, given = {}, ...inside) => { const one = Object.assign(document.createElement(name), given); one.append(...inside); return one; };
const svg = (name) => { const one = document.createElementNS("http://www.w3.org/2000/svg", "svg"), use = document.createElementNS(one.namespaceURI, "use"); use.setAttribute("href", `#i-${name}`); one.setAttribute("aria-hidden", "true"); one.append(use); return one; };
const lang = document.documentElement.lang, hour = new Intl.DateTimeFormat(lang, { timeStyle: "short" }), day = new Intl.DateTimeFormat(lang, { dateStyle: "medium" });
const bytes = (unit, count) => new Intl.NumberFormat(lang, { style: "unit", unit, maximumFractionDigits: 1 }).format(count);
const drawn = new Map();

/** Now and then something becomes true by time alone. */
export const clock = (tick) => setInterval(tick, 5_000);

export function draw(list, items, { t, config, seenUpTo, retry, fetchFile }) {
  const wanted = [], greeting = { id: "greeting", direction: "out", body: config.greeting, sender: {}, attachments: [] };
  let last = "";
  for (const item of [greeting, ...items]) {
    const date = item.created_at ? day.format(new Date(item.created_at)) : last;
    if (date !== last) wanted.push(kept(`day ${date}`, "", () => make("li", { className: "day" }, date === day.format(new Date()) ? t.today : date)));
    last = date;
    const own = item.direction === "in", status = !own ? "" : !item.id ? item.status : seenUpTo && item.id <= seenUpTo ? "read" : item.status;
    const state = [item.id, status, item.reason, item.body, ...(item.attachments ?? []).map((file) => file.state)].join();
    const quoted = item.reply_to && items.find(({ id }) => id === item.reply_to);
    wanted.push(kept(item.client_id ?? item.id, state, () => message(item, own, status, { t, retry, fetchFile, quoted })));
  }
  const keys = new Set(wanted);
  for (const child of [...list.children]) if (!keys.has(child)) child.remove();
  wanted.forEach((one, place) => { if (list.children[place] !== one) list.insertBefore(one, list.children[place] ?? null); });
}

function kept(key, state, build) {
  const known = drawn.get(key);
  if (known?.state === state) return known.one;
  const one = build();
  drawn.set(key, { state, one });
  return one;
}

function message(item, own, status, { t, retry, fetchFile, quoted }) {
  const one = make("li", { className: "message" }), meta = make("p", { className: "meta" });
  if (own) one.dataset.own = "";
  one.dataset.status = status;
  one.append(make("span", { className: "sr" }, own ? t.you : item.sender?.name || t.team));
  if (quoted) one.append(make("p", { className: "quoted", dir: "auto" }, quoted.body || quoted.attachments?.[0]?.name || t.file));
  if (item.body) { const bubble = make("p", { className: "bubble", dir: "auto" }); linked(bubble, item.body); one.append(bubble); }
  for (const file of item.attachments ?? []) one.append(attachment(file, t, fetchFile));
  for (const name of item.attachments ? [] : item.names ?? []) one.append(make("p", { className: "bubble file" }, svg("file"), make("bdi", {}, name)));
  const name = !own && item.sender?.name;
  if (name) meta.append(make("bdi", {}, name), " ·");
  if (item.created_at) meta.append(make("time", { dateTime: item.created_at }, hour.format(new Date(item.created_at))));
  if (own && status === "failed") {
    meta.dataset.bad = "";
    meta.append(svg("failed"), item.reason || t.failed, make("button", { type: "button", textContent: t.retry, onclick: () => retry(item) }));
  } else if (own) meta.append(svg(status), make("span", { className: status === "received" ? "sr" : "" }, t[status] ?? ""));
  if (item.created_at) one.append(meta);
  return one;
}

function linked(bubble, words) {
  let from = 0;
  for (const { 0: href, index } of words.matchAll(LINK)) {
    bubble.append(words.slice(from, index), make("a", { href, textContent: href, target: "_blank", rel: "noopener noreferrer nofollow" }));
    from = index + href.length;
  }
  bubble.append(words.slice(from));
}

/** A picture opens whole in a tab of its own. One that cannot be had is offered as any other file. */
function attachment(file, t, fetchFile) {
  if (file.kind !== "image" || !file.url) return download(file, t, fetchFile);
  const picture = make("img", { alt: file.name || t.file }), box = make("p", { className: "bubble" }, picture);
  fetchFile(file.url).then((href) => {
    picture.src = href;
    box.replaceChildren(make("a", { href, target: "_blank" }, picture));
  }, () => box.replaceWith(download(file, t, fetchFile)));
  return box;
}

function download(file, t, fetchFile) {
  const link = make("a", { href: "#", textContent: file.name || t.file });
  link.onclick = async (event) => {
    event.preventDefault();
    const href = await fetchFile(file.url).catch(() => null);
    if (href) make("a", { href, download: file.name }).click();
  };
  return make("p", { className: "bubble file" }, svg("file"), make("span", {}, link, make("span", { className: "size" }, about(file))));
}

/** "PDF · 480 kB", as one's language says it. */
function about({ name, size }) {
  const kind = /\.(\w{1,5})$/.exec(name)?.[1].toUpperCase();
  return [kind, size && (size < 1e6 ? bytes("kilobyte", Math.ceil(size / 1e3)) : bytes("megabyte", size / 1e6))].filter(Boolean).join(" · ");
}
