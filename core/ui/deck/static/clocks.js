// One active-time clock per item; at most one of them runs.

import { ActiveTimer } from "./timer.js";

/** The clocks of the items held. */
export class Clocks {
  constructor(idleSeconds) {
    this.idleSeconds = idleSeconds;
    this.clocks = new Map();
    this.running = null;
    this.lastActive = 0;
  }

  /** Start or go on counting: this item is on the screen now. */
  start(itemId) {
    if (!this.clocks.has(itemId)) {
      this.clocks.set(itemId, { timer: new ActiveTimer(this.idleSeconds), startedAt: Date.now() / 1000 });
    }
    this.running = this.clocks.get(itemId).timer;
    if (!document.hidden) this.running.resume(performance.now());
  }

  /** Stop counting: the item leaves the screen. */
  stop() {
    this.running?.pause(performance.now());
    this.running = null;
  }

  /** Note that the person did something. */
  active() {
    this.lastActive = performance.now();
    this.running?.activity(this.lastActive);
  }

  /** The tab was shown or hidden. */
  visible(now) {
    if (now) this.running?.resume(performance.now());
    else this.running?.pause(performance.now());
  }

  /** Tell whether nothing was done for so many seconds. */
  isIdle(seconds) {
    return performance.now() - this.lastActive > seconds * 1000;
  }

  /** Give the time spent on an item, as a submission carries it. */
  spent(itemId) {
    const clock = this.clocks.get(itemId);
    return {
      active_seconds: clock?.timer.seconds(performance.now()) ?? 0,
      started_at: clock?.startedAt ?? 0,
    };
  }

  /** Forget an item that was decided; if it comes back it is counted anew. */
  forget(itemId) {
    this.clocks.delete(itemId);
  }
}
