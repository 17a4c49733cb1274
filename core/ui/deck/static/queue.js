// Asking for items before they are needed, keeping their leases, giving back what is left over.

import { ask } from "./net.js";

const WINDOW = 14;
const LOW = 8;

/** The side of the deck that talks to the queue. */
export class Supply {
  constructor(urls, held, outbox) {
    this.urls = urls;
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

  /** Fetch more items; give {kind, reason} where kind is that of the reply. */
  refill() {
    this.asking ??= this.#fetch(WINDOW - Math.min(this.held.ahead, LOW)).finally(() => {
      this.asking = null;
    });
    return this.asking;
  }

  async #fetch(count) {
    const known = [...this.held.ids, ...this.outbox.itemIds()];
    const reply = await ask(`${this.urls.queue}?count=${count}&exclude=${known.join(",")}`);
    if (reply.kind !== "ok") return { kind: reply.kind, error: reply.error };
    const pending = new Set(this.outbox.itemIds());
    const fresh = reply.body.items.filter((item) => !pending.has(item.item_id));
    const added = this.held.add(fresh);
    this.dry = added === 0;
    this.waiting = reply.body.waiting;
    this.doneToday = reply.body.done_today;
    return { kind: "ok", reason: reply.body.empty_reason };
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
