// Asking for items before they are needed, keeping their leases, giving back what is left over.

import { ask } from "./net.js";

const WINDOW = 14;
const LOW = 8;

/** The side of the deck that talks to the queue. */
export class Supply {
  constructor(urls, held, outbox, queue = {}) {
    this.urls = urls;
    this.queue = queue;
    this.held = held;
    this.outbox = outbox;
    this.asking = null;
    this.dry = false;
    this.waiting = null;
    this.doneToday = 0;
  }

  /** Tell whether so few items are left that more should be fetched. */
  get low() {
    return this.held.ahead < LOW && !this.dry;
  }

  /** Fetch more items; give {kind, reason, elsewhere, notice} where kind is that of the reply. */
  refill() {
    if (this.asking) return this.asking;
    const asking = this.#fetch(WINDOW - Math.min(this.held.ahead, LOW)).finally(() => {
      if (this.asking === asking) this.asking = null;
    });
    this.asking = asking;
    return asking;
  }

  /** Turn to another queue: what is held is given back first, or the server would send it again. */
  async turnTo(queue) {
    this.queue = queue;
    this.asking = null;
    this.dry = false;
    this.waiting = null;
    const ids = this.held.ids;
    this.held.clear();
    if (ids.length) await ask(this.urls.release, { body: { item_ids: ids } });
  }

  #address(count, known) {
    const asked = new URLSearchParams({ count, exclude: known.join(","), ...this.queue });
    return `${this.urls.queue}?${asked}`;
  }

  async #fetch(count) {
    const known = [...this.held.ids, ...this.outbox.itemIds()];
    const { queue } = this;
    const reply = await ask(this.#address(count, known));
    if (reply.kind !== "ok") return { kind: reply.kind, error: reply.error };
    if (!Array.isArray(reply.body.items)) return { kind: "offline" }; // an answer, but none of ours
    if (queue !== this.queue) return this.#late(reply.body.items);
    const pending = new Set(this.outbox.itemIds());
    const fresh = reply.body.items.filter((item) => !pending.has(item.item_id));
    const added = this.held.add(fresh);
    this.dry = added === 0;
    this.waiting = reply.body.waiting;
    this.doneToday = reply.body.done_today;
    const { empty_reason: reason, elsewhere = [], notice = "", list = null } = reply.body;
    return { kind: "ok", reason, elsewhere, notice, list };
  }

  // An answer to what nobody asks for any more: give back what is not held by now.
  #late(items) {
    const ids = items.map((i) => i.item_id).filter((id) => !this.held.ids.includes(id));
    if (ids.length) ask(this.urls.release, { body: { item_ids: ids } });
    return { kind: "late" };
  }

  /** Keep the leases of what is held. */
  renew() {
    if (this.held.items.length) ask(this.urls.renew, { body: { item_ids: this.held.ids } });
  }

  /** Give back what nobody looks at any more, so that others can have it at once. */
  release() {
    const current = this.held.current?.item_id;
    const idle = this.held.ids.filter((id) => id !== current);
    if (idle.length) ask(this.urls.release, { body: { item_ids: idle }, keepalive: true });
  }
}
