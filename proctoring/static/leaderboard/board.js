// What a page knows of a board: its first rows in order, the number of players, and where one stands oneself.
// Pure: events and snapshots go in, rows with exact ranks come out. The live line brings each event once.

/** Score down, then time up, then id: the order of the database. Times differ in how many digits they carry. */
export function before(a, b) {
  if (a.score !== b.score) return a.score > b.score;
  const [left, right] = [moment(a), moment(b)];
  return left === right ? a.id < b.id : left < right;
}

const moment = ({ submitted_at: at }) => at.slice(0, 19) + (at.slice(19).match(/^\.(\d+)/)?.[1] ?? "").padEnd(6, "0");

const name = (text) => text.trim().toLowerCase();

function place(rows, row) {
  let low = 0, high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (before(rows[middle], row)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Equals share a rank and the next counts all before it. `first` is the rank that the first row has, if it is not 1. */
function rank(rows) {
  rows.forEach((row, index) => { row.rank = index && rows[index - 1].score === row.score ? rows[index - 1].rank : index + 1; });
}

export class Board {
  rows = [];
  players = 0;
  near = null; // oneself and one's neighbours, where that is further down than the rows known
  nickname = "";
  #whole = true;
  #most;
  #seen = new Map(); // newest revision of each entry, so that an older snapshot or event changes nothing

  constructor(most) {
    this.#most = most;
  }

  /** A snapshot is the truth as of its number. */
  load({ results, players, next, me }) {
    this.rows = results.map((row) => ({ ...row }));
    this.players = players;
    this.#whole = !next;
    this.near = me ? { before: [...me.before], row: me.row, after: [...me.after] } : null;
    this.#seen = new Map(results.map((row) => [row.id, row.revision]));
  }

  /** Answers what is not known any more and has to be asked for: "rows", "me", or nothing. */
  hear(row) {
    if (row.deleted) return this.#gone(row.id);
    // The snapshot's number and its players are of one moment; its rows may be newer than both.
    if (row.revision === 0) this.players += 1;
    const known = this.#seen.get(row.id);
    if (known !== undefined && row.revision <= known) return null;
    this.#seen.set(row.id, row.revision);
    this.#take(row.id);
    const at = place(this.rows, row);
    if (at < this.rows.length || this.#whole) {
      this.rows.splice(at, 0, { ...row });
      this.#trim();
    }
    rank(this.rows);
    return this.#own(row);
  }

  get short() {
    return !this.#whole && this.rows.length < this.#most / 2;
  }

  /** One's own place: {row, before, after}, from the rows where one is among them. */
  get own() {
    if (!this.nickname) return null;
    const at = this.rows.findIndex((row) => name(row.nickname) === name(this.nickname));
    if (at < 0) return this.near;
    return { row: this.rows[at], before: this.rows.slice(Math.max(0, at - 2), at), after: this.rows.slice(at + 1, at + 3) };
  }

  #take(id) {
    const at = this.rows.findIndex((row) => row.id === id);
    if (at >= 0) this.rows.splice(at, 1);
  }

  #trim() {
    if (this.rows.length <= this.#most * 2) return;
    this.rows.length = this.#most;
    this.#whole = false;
  }

  #gone(id) {
    this.#seen.delete(id);
    this.#take(id);
    rank(this.rows);
    return "rows"; // whoever was counted is known to the server alone
  }

  #own(row) {
    if (!this.nickname) return null;
    if (name(row.nickname) === name(this.nickname)) return this.own?.row.id === row.id ? null : "me";
    const own = this.near;
    if (!own) return null;
    // A correction moved from where we do not know.
    if (row.revision > 0) return "me";
    if (!before(row, own.row)) {
      if (!own.after.length || before(row, own.after.at(-1))) own.after = [...own.after, row].sort((a, b) => (before(a, b) ? -1 : 1)).slice(0, 2);
      return null;
    }
    if (row.score > own.row.score) {
      own.row = { ...own.row, rank: own.row.rank + 1 };
      own.before = own.before.map((one) => (row.score > one.score ? { ...one, rank: one.rank + 1 } : one));
    }
    own.after = own.after.map((one) => (row.score > one.score ? { ...one, rank: one.rank + 1 } : one));
    if (own.before.length && before(own.before[0], row)) own.before = [...own.before, row].sort((a, b) => (before(a, b) ? -1 : 1)).slice(-2);
    return null;
  }
}
