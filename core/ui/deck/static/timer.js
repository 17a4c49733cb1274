// Active time on an item: pauses beyond the idle limit and hidden tabs do not count.

/** Counts the seconds a person spent on one item. Times are milliseconds from any one clock. */
export class ActiveTimer {
  constructor(idleSeconds, seconds = 0) {
    this.idleMs = idleSeconds * 1000;
    this.countedMs = seconds * 1000;
    this.last = null;
  }

  /** Start counting: the item is on the screen and the tab is visible. */
  resume(now) {
    if (this.last === null) this.last = now;
  }

  /** Count up to now because the person did something. */
  activity(now) {
    if (this.last === null) return;
    this.countedMs += this.#since(now);
    this.last = now;
  }

  /** Stop counting: another item, or the tab is hidden. */
  pause(now) {
    this.activity(now);
    this.last = null;
  }

  /** Give the seconds counted so far. */
  seconds(now) {
    const open = this.last === null ? 0 : this.#since(now);
    return Math.round(this.countedMs + open) / 1000;
  }

  // A gap longer than the limit was a break; a clock that jumped back counts nothing.
  #since(now) {
    const gap = now - this.last;
    return gap > this.idleMs || gap < 0 ? 0 : gap;
  }
}
