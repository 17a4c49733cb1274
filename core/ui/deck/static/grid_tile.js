// One tile on the screen: picture, confidence, and what is marked.

import { el, say, svg } from "./dom.js";

const percent = (value) => `${Math.round(value * 100)} %`;

/** Give the width step of pictures for tiles of so many CSS pixels. */
export function pictureWidth(side, dpr) {
  return side * dpr <= 230 ? 200 : side * dpr <= 460 ? 400 : 800;
}

/** A tile. `told(index, ok)` hears once whether its picture is there. */
export class TileView {
  constructor(page, index, { base, width, colours, texts, told }) {
    this.page = page;
    this.index = index;
    this.colours = colours;
    this.texts = texts;
    const { unit, tile } = page.tiles[index];
    this.image = el("img", { alt: "", decoding: "async", draggable: "false" });
    this.image.addEventListener("load", () => this.#settled(true, told), { once: true });
    this.image.addEventListener("error", () => this.#settled(false, told), { once: true });
    this.said = el("span", { class: "t-said" });
    this.note = el("span", { class: "t-note", hidden: true });
    const mixed = unit.tiles.length > 1 || tile.label !== page.data.class;
    this.node = el("div", {
      class: "tile waits", role: "option", tabindex: "-1", "data-index": index, id: `tb-tile-${index}`,
    }, this.image,
    tile.confidence === null ? null : el("span", { class: "t-sure", text: percent(tile.confidence) }),
    mixed ? this.#caption(tile) : null,
    unit.also.length ? el("span", { class: "t-also", text: unit.also.join(" · ") }) : null,
    svg("svg", { class: "t-cross", viewBox: "0 0 10 10", preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("line", { x1: 0, y1: 10, x2: 10, y2: 0 })),
    this.said, this.note);
    if (unit.tiles.length > 1) this.#group(unit, tile);
    this.image.src = `${base}${tile.image}&w=${width}`;
    this.draw();
  }

  /** Show the tile as it is marked now. */
  draw() {
    const { page, index, texts } = this;
    const { unit, tile } = page.tiles[index];
    const mark = page.mark(index);
    const refusal = page.refusals.get(unit.item_id) ?? "";
    this.node.classList.toggle("wrong", mark !== null);
    this.node.classList.toggle("given", Boolean(mark));
    this.node.classList.toggle("refused", Boolean(refusal));
    this.node.setAttribute("aria-selected", String(mark !== null));
    this.node.setAttribute("aria-label", this.words());
    this.said.textContent = mark === null ? "" : mark ? `→ ${mark}` : `✕ ${texts.wrong}`;
    this.said.style.setProperty("--mark", mark ? this.colours.get(mark) ?? "transparent" : "transparent");
    this.note.hidden = !refusal && !this.failed;
    this.note.textContent = refusal || (this.failed ? texts.noPicture : "");
    this.node.title = refusal || `${unit.name}${tile.confidence === null ? "" : `, ${percent(tile.confidence)}`}`;
  }

  /** Say the tile in words, as a screen reader reads it. */
  words() {
    const { page, index, texts } = this;
    const { unit, tile } = page.tiles[index];
    const mark = page.mark(index);
    const state = mark === null ? texts.sayUnmarked : mark ? say(texts.sayGiven, { name: mark }) : texts.sayWrong;
    const sure = tile.confidence === null ? "" : `, ${percent(tile.confidence)}`;
    const more = [page.refusals.get(unit.item_id), this.failed ? texts.noPicture : ""].filter(Boolean);
    return [`${unit.name}, ${tile.label}${sure}`, state, ...more].join(". ");
  }

  /** Make this the one tile that Tab reaches. */
  focusable(on) {
    this.node.tabIndex = on ? 0 : -1;
    this.node.classList.toggle("here", on);
  }

  #settled(ok, told) {
    this.node.classList.remove("waits");
    this.failed = !ok;
    if (!ok) {
      this.page.broken.add(this.index);
      this.node.classList.add("broken");
      this.draw();
    }
    told(this.index, ok);
  }

  #caption(tile) {
    return el("span", { class: "t-class" },
      el("i", { class: "swatch", style: { background: this.colours.get(tile.label) ?? "transparent" } }),
      el("span", { text: tile.label }));
  }

  // Boxes of one image are tied together: they make one vote.
  #group(unit, tile) {
    this.node.classList.add("tied");
    if (tile === unit.tiles[unit.tiles.length - 1]) this.node.classList.add("last");
  }
}
