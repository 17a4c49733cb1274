// A page of the grid: its tiles, what is marked, where the focus is. Pure.

export const STEPS = [24, 36, 60, 100];
const PER_TILE_MS = 50;
const TWICE_MS = 350;
const SMALLEST = 84;
const TEN = 10;
const MOVES = {
  ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: (columns) => -columns, ArrowDown: (columns) => columns,
};

/** Give the next larger (by = 1) or smaller (by = -1) number of tiles on a page. */
export function stepped(count, by) {
  const at = STEPS.findIndex((step) => step >= count);
  const place = at < 0 ? STEPS.length - 1 : at;
  return STEPS[Math.max(0, Math.min(STEPS.length - 1, place + by))];
}

/** Give up to how many tiles wait, in tens: never less than lie on the page. */
export function upTo(waiting, tiles = 0) {
  return waiting === 0 && tiles === 0 ? 0 : Math.ceil(Math.max(waiting, tiles + 1) / TEN) * TEN;
}

/** Give the columns and the side of square tiles that fill a room best, pixels. */
export function arranged(tiles, width, height, gap) {
  let best = { columns: 1, side: 0 };
  for (let columns = 1; columns <= Math.max(1, tiles); columns += 1) {
    const rows = Math.ceil(tiles / columns);
    const across = (width - gap * (columns - 1)) / columns;
    const side = Math.floor(Math.min(across, (height - gap * (rows - 1)) / rows));
    if (side > best.side) best = { columns, side };
  }
  if (best.side >= SMALLEST) return { ...best, side: Math.min(best.side, 320) };
  // Too many to see at once: a size one can judge by, and the page scrolls.
  const columns = Math.max(1, Math.floor((width + gap) / (SMALLEST + gap)));
  return { columns, side: Math.floor((width - gap * (columns - 1)) / columns) };
}

/** The page in hand. Tiles are counted through all units; a mark is null, "" or a class. */
export class Page {
  constructor(data, kept = {}) {
    this.data = data;
    this.tiles = data.units.flatMap((unit) => unit.tiles.map((tile) => ({ unit, tile })));
    this.marks = new Map(kept.marks ?? []);
    this.refusals = new Map(kept.refusals ?? []);
    this.broken = new Set();
    this.focus = Math.min(kept.focus ?? 0, Math.max(0, this.tiles.length - 1));
    this.anchor = this.focus;
    this.others = kept.others ?? false;
    this.painted = null;
    this.asked = false;
    this.lastToggle = { at: -Infinity, index: -1 };
  }

  get length() {
    return this.tiles.length;
  }

  /** Give what lets the page come back after a reload. */
  kept() {
    const { data, focus, others } = this;
    return { data, focus, others, marks: [...this.marks], refusals: [...this.refusals] };
  }

  /** Give a tile's mark: null, "" or the class it was given. */
  mark(index) {
    return this.marks.get(index) ?? null;
  }

  /** Give the label a tile would be saved with. */
  label(index) {
    return this.marks.get(index) || this.tiles[index].tile.label;
  }

  /** Set or take off the mark of a tile. */
  setMark(index, mark) {
    if (mark === null) this.marks.delete(index);
    else this.marks.set(index, mark);
  }

  /** Mark or unmark; the second half of a double click does nothing. Give whether it did something. */
  toggle(index, now) {
    const twice = this.lastToggle.index === index && now - this.lastToggle.at < TWICE_MS;
    this.lastToggle = { at: now, index };
    if (twice) return false;
    this.setMark(index, this.marks.has(index) ? null : "");
    this.focus = this.anchor = index;
    return true;
  }

  /** Mark everything between the anchor and a tile; give the tiles. */
  range(index) {
    const [from, to] = [Math.min(this.anchor, index), Math.max(this.anchor, index)];
    const touched = [];
    for (let i = from; i <= to; i += 1) {
      if (!this.marks.has(i)) this.setMark(i, "");
      touched.push(i);
    }
    this.focus = index;
    return touched;
  }

  /** Mark all tiles, or none where all are marked; give the tiles that changed. */
  toggleAll() {
    const all = this.marks.size === this.length;
    const changed = [];
    for (let i = 0; i < this.length; i += 1) {
      if (all) this.setMark(i, null);
      else if (!this.marks.has(i)) this.setMark(i, "");
      else continue;
      changed.push(i);
    }
    return changed;
  }

  /**
   * Give a class to what is marked without one; where nothing is, to the tile in focus.
   * A tile given the class it was shown as is right after all. Give the tiles that changed.
   */
  assign(name) {
    const open = [...this.marks].filter(([, mark]) => mark === "").map(([index]) => index);
    const meant = open.length ? open : this.length ? [this.focus] : [];
    for (const index of meant) this.setMark(index, name === this.tiles[index].tile.label ? null : name);
    return meant;
  }

  /** Move the focus by an arrow, Home or End; give whether it moved. */
  move(key, columns) {
    const to = key === "Home" ? 0 : key === "End" ? this.length - 1 : this.focus + (MOVES[key]?.(columns) ?? 0);
    if (to < 0 || to >= this.length || to === this.focus) return false;
    this.focus = this.anchor = to;
    return true;
  }

  /** Count what confirming would do: tiles confirmed and given another class; items for the deck and left out. */
  counts() {
    const found = { confirmed: 0, changed: 0, marked: 0, broken: 0 };
    for (const { unit, indices } of this.#numbered()) {
      if (this.refusals.has(unit.item_id)) continue;
      const marks = indices.map((i) => this.mark(i));
      const changed = marks.filter(Boolean).length;
      if (indices.some((i, at) => this.broken.has(i) && marks[at] === null)) found.broken += 1;
      else if (marks.includes("")) found.marked += 1;
      else {
        found.changed += changed;
        found.confirmed += indices.length - changed;
      }
    }
    return found;
  }

  /** Tell whether the page is confirmed so soon that nobody can have looked; asked once. */
  tooSoon(now) {
    if (this.asked || this.painted === null) return false;
    this.asked = now - this.painted < PER_TILE_MS * this.length;
    return this.asked;
  }

  /** Give the units that can be decided: no refused one nobody touched since, no picture unseen and unmarked. */
  decidable() {
    return this.#numbered().filter(({ unit, indices }) => !this.refusals.has(unit.item_id)
      && indices.every((i) => !this.broken.has(i) || this.marks.has(i)));
  }

  /** Make the submissions of the page; `spent` is the whole page's time, shared by its tiles. */
  submissions(newUuid, spent) {
    const share = spent.active_seconds / Math.max(1, this.length);
    return this.decidable().map(({ unit, indices }) => {
      const marks = {};
      for (const i of indices) if (this.marks.has(i)) marks[this.tiles[i].tile.index] = this.mark(i);
      const kind = Object.values(marks).includes("") ? "deck" : "vote";
      return {
        uuid: newUuid(), item_id: unit.item_id, page: unit.page ?? this.data.page, seq: unit.seq, shown: unit.shown ?? this.data.class,
        token: unit.token, kind, marks, others: this.others, base_revision: unit.revision, tiles: this.length,
        schema_version: this.data.schema_version, guideline_version: this.data.guideline_version,
        active_seconds: Math.round(share * indices.length * 1000) / 1000, started_at: spent.started_at,
      };
    });
  }

  /** Give the page made of some of its units only, marks and all. */
  only(itemIds, refusals = []) {
    const wanted = new Set(itemIds);
    const units = this.data.units.filter((unit) => wanted.has(unit.item_id));
    const marks = [];
    let place = 0;
    for (const { unit, indices } of this.#numbered()) {
      if (!wanted.has(unit.item_id)) continue;
      for (const i of indices) {
        if (this.marks.has(i)) marks.push([place, this.mark(i)]);
        place += 1;
      }
    }
    return new Page({ ...this.data, units }, { marks, refusals, others: this.others });
  }

  /** List the units with the places of their tiles. */
  #numbered() {
    let place = 0;
    return this.data.units.map((unit) => ({ unit, indices: unit.tiles.map(() => place++) }));
  }
}

/** Make the submission that takes one back. */
export function withdrawal(submission, newUuid) {
  return {
    ...submission, uuid: newUuid(), kind: "withdraw", marks: {}, base_revision: submission.base_revision + 1,
    active_seconds: 0, started_at: 0,
  };
}
