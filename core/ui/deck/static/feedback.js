// The word on an answer in onboarding, where the project gives one: right, or what it should be.

import { el, say } from "./dom.js";

export const SHOWN_MS = 8000;

/** Give what a receipt tells of an answer, or null where it tells nothing, as nearly all do. */
export function feedbackOf(receipt, entry, texts) {
  if (typeof receipt?.right !== "boolean") return null;
  const name = entry?.item?.name ?? "";
  const text = receipt.right ? texts.toldRight : texts.toldWrong;
  return { right: receipt.right, text: say(text, { name, truth: receipt.truth ?? "" }) };
}

/** A small card that tells it for a while, above the next item. */
export class Feedback {
  constructor(timers = globalThis) {
    this.timers = timers;
    this.timer = null;
    this.node = el("div", { class: "elsewise", role: "status", hidden: true });
  }

  show(told) {
    this.timers.clearTimeout(this.timer);
    this.node.textContent = told.text;
    this.node.hidden = false;
    this.timer = this.timers.setTimeout(() => { this.node.hidden = true; }, SHOWN_MS);
  }

  destroy() {
    this.timers.clearTimeout(this.timer);
    this.node.remove();
  }
}
