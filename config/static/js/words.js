// The page's words. The server has put them, translated, into <template data-words>; {name} in them is filled here.

const words = new Map();
for (const template of document.querySelectorAll("template[data-words]"))
  for (const word of template.content.querySelectorAll("[data-word]")) words.set(word.dataset.word, word.textContent.trim());

// First strong isolate and its end: a name in another script must not turn the sentence around. Letters and signs that
// everybody can copy and search stay as they are where nothing can turn.
const isolate = (value) => (document.dir === "rtl" || /[^\0-\u058f]/.test(value) ? `\u2068${value}\u2069` : value);

export const has = (key) => words.has(key);

/** Of one thing `key.1` is said, where there is such a word. */
export function t(key, values) {
  const word = (values?.n === 1 && words.get(`${key}.1`)) || (words.get(key) ?? key);
  return values ? word.replace(/\{(\w+)\}/g, (_, name) => isolate(values[name] ?? "")) : word;
}
