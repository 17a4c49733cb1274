// The popover with the settings of the view, on the stage.

import { SLIDERS, shownValue } from "./adjust.js";
import { el } from "./dom.js";

/** The popover of one stage. */
export class Sliders {
  constructor(texts, adjustment, onclose) {
    this.texts = texts;
    this.adjustment = adjustment;
    this.onclose = onclose;
    this.rows = new Map();
    this.node = el("div", { class: "adjust", role: "dialog", "aria-label": texts.adjust, hidden: true },
      ...SLIDERS.map((slider) => this.#slider(slider)),
      this.#toggle("sharp", texts.sharp), this.#toggle("keepZoom", texts.keepZoom),
      el("div", { class: "row end" },
        el("button", { class: "plain", text: texts.resetView, onclick: () => adjustment.reset() }),
        el("button", { class: "plain", text: texts.closeView, onclick: () => this.close() })));
    this.stop = adjustment.listen(() => this.#fill());
    this.key = (event) => event.key === "Escape" && this.#escape(event);
    this.#fill();
  }

  get open() {
    return !this.node.hidden;
  }

  /** Open with the first slider in focus, or close. */
  toggle() {
    if (this.open) return this.close();
    this.node.hidden = false;
    document.addEventListener("keydown", this.key, { capture: true }); // wherever the focus is by then
    this.rows.get("brightness").input.focus({ preventScroll: true });
    return undefined;
  }

  /** Close and give the focus back. */
  close() {
    if (!this.open) return;
    this.node.hidden = true;
    document.removeEventListener("keydown", this.key, { capture: true });
    this.onclose();
  }

  #escape(event) {
    event.preventDefault();
    event.stopPropagation();
    this.close();
  }

  #slider([name, least, most, step]) {
    const value = el("output", { class: "num" });
    const input = el("input", {
      type: "range", min: least, max: most, step, "aria-label": this.texts.sliders[name],
      oninput: () => this.adjustment.set(name, Number(input.value)),
      ondblclick: () => this.adjustment.set(name, 1),
    });
    this.rows.set(name, { input, value });
    return el("label", { class: "slider" }, el("span", { text: this.texts.sliders[name] }), value, input);
  }

  #toggle(name, text) {
    const input = el("input", { type: "checkbox", onchange: () => this.adjustment.set(name, input.checked) });
    this.rows.set(name, { input });
    return el("label", { class: "switch" }, input, el("span", { text }));
  }

  #fill() {
    for (const [name, { input, value }] of this.rows) {
      const now = this.adjustment.values[name];
      if (!value) input.checked = now;
      else {
        input.value = String(now);
        value.textContent = shownValue(name, now);
        input.setAttribute("aria-valuetext", value.textContent);
      }
    }
  }

  destroy() {
    this.stop();
    document.removeEventListener("keydown", this.key, { capture: true });
  }
}
