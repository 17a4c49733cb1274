// The items held on this side, in the order they come, and the one on the screen.

/** A window onto the queue. Every item is in it once. */
export class Held {
  constructor() {
    this.items = [];
    this.at = 0;
  }

  get current() {
    return this.items[this.at] ?? null;
  }

  get ids() {
    return this.items.map((item) => item.item_id);
  }

  /** Count the items after the current one. */
  get ahead() {
    return Math.max(0, this.items.length - this.at - 1);
  }

  /** Let go of everything: another queue is wanted. */
  clear() {
    this.items = [];
    this.at = 0;
  }

  /** Append what the server gave, leaving out what is held already. */
  add(items) {
    const known = new Set(this.ids);
    const fresh = items.filter((item) => !known.has(item.item_id));
    this.items.push(...fresh);
    return fresh.length;
  }

  /** Put an item on the screen now; the others keep their order behind it. */
  putFirst(item) {
    this.remove(item.item_id);
    this.items.splice(this.at, 0, item);
  }

  /** Take an item out; the next one moves up, or the last before it where none is behind. */
  remove(itemId) {
    const place = this.ids.indexOf(itemId);
    if (place < 0) return;
    this.items.splice(place, 1);
    if (place < this.at) this.at -= 1;
    this.at = Math.max(0, Math.min(this.at, this.items.length - 1));
  }

  /** Move by so many items; give whether that was possible. */
  step(by) {
    const to = this.at + by;
    if (to < 0 || to >= this.items.length) return false;
    this.at = to;
    return true;
  }

  /** List the items to load beforehand, nearest first: the coming ones, then the one before. */
  upcoming(count) {
    const behind = this.items.slice(this.at, this.at + count);
    return this.at > 0 ? [...behind, this.items[this.at - 1]] : behind;
  }
}
