// Half-answered items, kept on the server a moment after the last key.

import { finished } from "./flow.js";
import { ask } from "./net.js";

const AFTER_MS = 800;

/** Keeps the newest unfinished answer. `told(itemId, saved)` hears what became of it. */
export class Drafts {
  constructor(url, told) {
    this.url = url;
    this.told = told;
    this.unsent = null;
    this.timer = null;
  }

  /** Keep an answer soon: work that goes on without a pause is kept as it goes on. */
  keep(item, answer) {
    if (this.unsent && this.unsent.item_id !== item.item_id) this.flush();
    this.unsent = { item_id: item.item_id, answer: finished(answer), base_revision: item.revision };
    this.timer ??= setTimeout(() => this.flush(), AFTER_MS);
  }

  /** Forget what was not sent: the item was decided. */
  drop() {
    clearTimeout(this.timer);
    this.timer = null;
    this.unsent = null;
  }

  /** Send what is waiting now. */
  async flush({ keepalive = false } = {}) {
    const draft = this.unsent;
    this.drop();
    if (draft) await this.post(draft, keepalive);
  }

  /** Send a draft, also one made of a refused vote. */
  async post({ item_id, answer, base_revision }, keepalive = false) {
    const reply = await ask(this.url, { body: { item_id, answer, base_revision }, keepalive });
    this.told(item_id, reply.kind === "ok");
  }
}
