// What this browser keeps for the reader. A browser that keeps nothing is no error.

export function recall(key, store = "localStorage") {
  try { return JSON.parse(globalThis[store].getItem(key)); } catch { return null; }
}

/** null forgets. */
export function remember(key, value, store = "localStorage") {
  try {
    if (value === null) globalThis[store].removeItem(key);
    else globalThis[store].setItem(key, JSON.stringify(value));
  } catch { /* full, or not allowed */ }
}
