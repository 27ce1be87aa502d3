// What can be done here, for the palette: every module offers its own, and is asked anew each time the palette opens.
// A command: { title, run(), group, icon, keys, words (found by these too) }.

const offers = new Set(), lookups = new Set();

/** `commands()` answers what makes sense at this moment, or a promise of it. */
export const offer = (commands) => { offers.add(commands); };

/** `look(text, signal)` answers a promise of commands for what was typed, such as people of that name. */
export const lookup = (look) => { lookups.add(look); };

export const offered = async () => (await Promise.all([...offers].map((commands) => commands()))).flat();
export const lookedUp = (words, signal) => [...lookups].map((look) => look(words, signal));
