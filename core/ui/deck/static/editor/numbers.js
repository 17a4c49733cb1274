// The selected region in numbers, image pixels: typing them is the way to be exact.

import { el, say } from "../dom.js";
import { selectedOf } from "./model.js";
import { maskExtent } from "./geometry.js";

function shown(value) {
  return String(Math.round(value * 100) / 100);
}

/** The table of numbers. `onset({box} | {vertex, at})` hears what was typed. */
export class Numbers {
  constructor(texts, onset) {
    Object.assign(this, { texts, onset, kind: "" });
    this.title = el("div", { class: "eyebrow" });
    this.fields = el("div", { class: "numberfields" });
    this.note = el("div", { class: "muted small num" });
    this.node = el("div", { class: "numbers" }, this.title, this.fields, this.note);
  }

  /** Go to the first field; false where there is none. */
  focus() {
    const field = this.fields.querySelector("input");
    field?.focus();
    field?.select();
    return Boolean(field);
  }

  /** Show the selected region's numbers. */
  update(state) {
    const region = selectedOf(state);
    this.node.hidden = region === null;
    this.state = state;
    if (region) this.#show(region, state);
  }

  #show(region, { vertex, rules }) {
    const { texts } = this;
    const held = region.points && vertex !== null && region.points[vertex][2] !== 0;
    const values = region.shape === "box" ? region.box : held ? region.points[vertex].slice(0, 2) : [];
    const names = region.shape === "box" ? ["x1", "y1", "x2", "y2"] : held ? ["x", "y"] : [];
    this.title.textContent = held ? say(texts.vertexOf, { n: vertex + 1, all: region.points.length }) : texts.numbersTitle;
    this.#make(names, rules.size);
    const active = this.node.getRootNode().activeElement;
    [...this.fields.querySelectorAll("input")].forEach((field, i) => {
      if (field !== active) field.value = shown(values[i]);
    });
    this.note.textContent = values.length ? "" : this.#summary(region, rules.size);
  }

  #summary(region, size) {
    const [x1, y1, x2, y2] = region.box.map(shown);
    const place = `x ${x1} – ${x2} · y ${y1} – ${y2}`;
    if (region.shape !== "mask") return say(this.texts.cornerHint, { place });
    if (this.measured?.rle !== region.rle) this.measured = { rle: region.rle, pixels: maskExtent(region.rle, size)?.pixels ?? 0 };
    return `${place} · ${this.measured.pixels.toLocaleString()} px`;
  }

  #make(names, size) {
    const kind = names.join();
    if (kind === this.kind) return;
    this.kind = kind;
    this.fields.replaceChildren(...names.map((name, i) => el("label", {}, el("span", { class: "muted small", text: name }),
      el("input", { type: "number", step: "any", min: 0, max: size[i % 2], "aria-label": name, onchange: () => this.#typed(), onkeydown: (e) => this.#key(e) }))));
  }

  #key(event) {
    if (event.key === "Enter") this.#typed();
  }

  #typed() {
    const fields = [...this.fields.querySelectorAll("input")];
    const values = fields.map((f) => (f.value.trim() === "" ? NaN : Number(f.value)));
    const { state } = this;
    const region = selectedOf(state);
    if (!region) return;
    if (values.every(Number.isFinite)) this.#send(region, values, state.vertex);
    else fields.forEach((f, i) => (f.value = shown(region.shape === "box" ? region.box[i] : region.points[state.vertex][i])));
  }

  // A number that was only shown rounded stays what it was.
  #send(region, values, vertex) {
    const before = region.shape === "box" ? region.box : region.points[vertex];
    const kept = values.map((v, i) => (shown(before[i]) === shown(v) ? before[i] : v));
    this.onset(region.shape === "box" ? { box: kept } : { vertex, at: kept });
  }
}
