// Rulings on their way to the record: each is sent until the server has answered, whatever is on
// the screen by then. The same identifier every time: sent twice, it counts once.

import { retryAfter } from "./outbox.js";

/** Sends rulings. `send(entry)` never throws; see net.js for the kinds of its replies. */
export class RulingPost {
  /** @param told {answered(entry, reply), waiting(entry)} */
  constructor(send, told, timers = globalThis) {
    this.send = send;
    this.told = told;
    this.timers = timers;
    this.pending = new Set();
  }

  /** Send a ruling: {ruling, …} is given back with what came of it. */
  async post(entry) {
    const sent = { entry, failures: 0, timer: null };
    this.pending.add(sent);
    await this.#attempt(sent);
  }

  /** Tell whether something has not been answered yet. */
  get atRisk() {
    return this.pending.size > 0;
  }

  /** Try again now: the connection is back. */
  wake() {
    for (const sent of this.pending) if (sent.timer !== null) this.#attempt(sent);
  }

  async #attempt(sent) {
    this.timers.clearTimeout(sent.timer);
    sent.timer = null;
    const reply = await this.send(sent.entry);
    if (reply.kind !== "offline" || reply.error) {
      this.pending.delete(sent);
      return this.told.answered(sent.entry, reply);
    }
    sent.failures += 1;
    sent.timer = this.timers.setTimeout(() => this.#attempt(sent), retryAfter(sent.failures));
    return this.told.waiting(sent.entry);
  }

  /** Give up trying; what was not answered is still kept as a draft. */
  stop() {
    for (const sent of this.pending) this.timers.clearTimeout(sent.timer);
    this.pending.clear();
  }
}
