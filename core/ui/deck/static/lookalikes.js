// Settled cases like the one in dispute, side by side below the image; folded until somebody wants them.

import { cap, el, say } from "./dom.js";
import { browserStorage } from "./storage.js";
import { percent } from "./votes_model.js";

const OPEN = "tiebreak.dispute.alike";

/** The row of settled cases, and the button in the picture's corner that opens it. */
export class LookAlikes {
  constructor(texts) {
    this.texts = texts;
    this.storage = browserStorage();
    this.open = this.storage.getItem(OPEN) === "1";
    this.row = el("ul", { class: "cases", "aria-label": texts.alike });
    this.button = el("button", { class: "plain toalike", "aria-keyshortcuts": "L", onclick: () => this.toggle() });
  }

  /** Open or fold the row; it stays so for the disputes that follow. */
  toggle() {
    this.open = !this.open;
    try {
      this.storage.setItem(OPEN, this.open ? "1" : "0");
    } catch {
      // Then it is folded again after a reload.
    }
    this.show(this.data);
  }

  /** Show the cases {cases: [...] or null, base, known}; their images load only once they are wanted. */
  show(data) {
    this.data = data;
    const { cases } = data;
    const count = cases?.length ?? 0;
    this.button.setAttribute("aria-expanded", String(this.open));
    this.button.replaceChildren(el("span", { text: cases ? say(this.texts.alikeN, { n: count }) : this.texts.alike }), cap("L"));
    this.row.hidden = !this.open;
    if (!this.open) this.row.replaceChildren();
    else if (count) this.row.replaceChildren(...cases.map((found) => this.#case(found)));
    else this.row.replaceChildren(el("li", { class: "muted small none", text: cases ? this.texts.noneAlike : this.texts.alikeLater }));
  }

  #case(found) {
    const { texts } = this;
    const why = found.reason ? `“${found.reason}”` : texts.settledBy[found.state] ?? "";
    const words = say(texts.alikeOne, { label: found.label, name: found.name, share: percent(found.similarity) });
    return el("li", {}, el("a", {
      href: this.data.known.replace("__ITEM__", found.item_id), target: "_blank", rel: "noopener",
      "aria-label": [words, why].filter(Boolean).join(". "), title: [found.name, found.label, why].filter(Boolean).join("\n"),
    },
    el("img", { src: `${this.data.base}${found.image}&w=400`, alt: "", loading: "lazy", decoding: "async" }),
    el("span", { class: "label", text: found.label }),
    el("span", { class: "muted small why", text: [percent(found.similarity), why].filter(Boolean).join(" · ") })));
  }
}
