// The guideline beside the image: read while judging, open until it is closed.

import { el } from "./dom.js";
import { guidelineParts } from "./sheets.js";
import { browserStorage } from "./storage.js";

const KEPT = "tiebreak.guideline.open";

/** A column of the deck that takes nothing from the keys. `moved()` hears that it came or went. */
export class Guide {
  constructor(texts, guideline, examples, { storage = browserStorage(), moved = () => {} } = {}) {
    this.storage = storage;
    this.moved = moved;
    this.node = el("aside", { class: "guide", "aria-label": texts.guideline, hidden: true },
      el("div", { class: "row" }, el("h2", { text: texts.guideline }),
        el("button", { class: "plain", text: "×", title: texts.closeGuideline, "aria-label": texts.closeGuideline, onclick: () => this.show(false) })),
      el("div", { class: "guidetext", tabindex: "0", role: "group", "aria-label": texts.guideline }, ...guidelineParts(texts, guideline, examples)));
    this.show(this.#kept());
  }

  get isOpen() {
    return !this.node.hidden;
  }

  /** Open or close it, and remember that. */
  show(open) {
    const had = this.node.contains?.(this.node.getRootNode?.().activeElement ?? null);
    this.node.hidden = !open;
    this.#keep(open);
    this.moved(open, Boolean(had));
  }

  /** Close it where it is open, else open it. */
  toggle() {
    this.show(!this.isOpen);
  }

  #kept() {
    try {
      return this.storage.getItem(KEPT) === "yes";
    } catch {
      return false;
    }
  }

  #keep(open) {
    try {
      if (open) this.storage.setItem(KEPT, "yes");
      else this.storage.removeItem(KEPT);
    } catch {
      // Then it is closed again after a reload.
    }
  }
}
