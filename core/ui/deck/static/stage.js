// The image, its boxes, and what stands in their place while there is none.

import { el } from "./dom.js";
import { drawBox, fitScale, makeOverlay } from "./overlay.js";

/** The place where one item is shown as large as it fits. */
export class Stage {
  constructor(texts) {
    this.texts = texts;
    this.picture = el("div", { class: "picture" });
    this.node = el("div", { class: "stage", role: "img" }, this.picture);
    this.shown = null;
    this.hidden = false;
    this.observer = new ResizeObserver(() => this.redraw());
    this.observer.observe(this.node);
  }

  /** Show a decoded image and its boxes. */
  show(item, image, boxes) {
    this.shown = { item, boxes };
    this.picture.replaceChildren(image);
    this.node.setAttribute("aria-label", item.name);
    this.node.dataset.item = item.item_id;
    this.redraw();
  }

  /** Say that the image is on its way. */
  loading(item) {
    this.shown = null;
    this.node.dataset.item = item.item_id;
    this.picture.replaceChildren(el("div", { class: "skeleton", text: this.texts.loading }));
  }

  /** Say that the image cannot be shown. */
  broken(item, retry) {
    this.shown = null;
    this.picture.replaceChildren(
      el("div", { class: "notice" },
        el("strong", { text: this.texts.broken }),
        el("p", { text: this.texts.brokenAdvice }),
        el("button", { class: "plain", text: this.texts.tryAgain, onclick: retry })),
    );
  }

  /** Show or hide the boxes; give whether they are hidden now. */
  toggle() {
    this.hidden = !this.hidden;
    this.redraw();
    return this.hidden;
  }

  redraw() {
    this.picture.querySelector(".overlay")?.remove();
    if (!this.shown || this.hidden || !this.shown.boxes.length) return;
    const { item, boxes } = this.shown;
    const scale = fitScale(item.width, item.height, this.picture.getBoundingClientRect());
    const overlay = makeOverlay(item.width, item.height);
    for (const { region, ...look } of boxes) {
      overlay.append(drawBox(region, { scale, imageWidth: item.width, ...look }));
    }
    this.picture.append(overlay);
  }

  destroy() {
    this.observer.disconnect();
  }
}
