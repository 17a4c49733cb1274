// Bringing one picture to the screen: waiting for it, telling why it does not come, trying again.

import { retryAfter } from "./outbox.js";

/** The picture that is wanted now; another one takes its place. */
export class Arrival {
  /**
   * @param images gives {ready, done} of an item, and why one failed: see Images.
   * @param told {loading(item), ready(item, image, late), away(item, signedOut, faulty), broken(item)};
   *   `late` says that it came only after the connection had been away.
   */
  constructor(images, told, timers = globalThis) {
    this.images = images;
    this.told = told;
    this.timers = timers;
    this.wanted = null;
    this.timer = null;
  }

  /** Bring the picture of an item; at once where it is there. */
  bring(item) {
    this.stop();
    const wanted = { item, failures: 0 };
    this.wanted = wanted;
    const image = this.images.get(item);
    if (image.ready) return this.#ready(wanted, image);
    this.told.loading(item);
    return this.#wait(wanted, image);
  }

  /** Try again now where a picture is missing: the connection is back. */
  wake() {
    if (this.timer === null) return undefined;
    this.timers.clearTimeout(this.timer);
    this.timer = null;
    return this.#wait(this.wanted, this.images.get(this.wanted.item));
  }

  /** Want no picture any more. */
  stop() {
    this.timers.clearTimeout(this.timer);
    this.timer = null;
    this.wanted = null;
  }

  #ready(wanted, image) {
    this.wanted = null;
    this.told.ready(wanted.item, image, wanted.failures > 0);
  }

  async #wait(wanted, image) {
    const ready = await image.done;
    if (this.wanted !== wanted) return undefined;
    if (ready) return this.#ready(wanted, image);
    const why = await this.images.whyNot(wanted.item);
    if (this.wanted !== wanted) return undefined;
    if (why === "broken") return this.told.broken(wanted.item);
    wanted.failures += 1;
    if (why === "none" && wanted.failures === 1) return this.#wait(wanted, this.images.get(wanted.item));
    this.told.away(wanted.item, why === "signed-out", why === "faulty");
    this.timer = this.timers.setTimeout(() => this.wake(), retryAfter(wanted.failures));
    return undefined;
  }
}
