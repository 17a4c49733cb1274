// The picture on the stage: a decoded image, finer tiles over it, its light, one channel alone.

import { el } from "./dom.js";
import { Light } from "./light.js";
import { Tiles } from "./tiles.js";

const COLOURS = ["R", "G", "B"];
const SHARP_FROM = 4; // screen pixels for one image pixel, from which on pixels are drawn as squares
const MOVING_MS = 160;
const TILES_MS = 70;

function fixed(viewport) {
  return `matrix(${viewport.scale},0,0,${viewport.scale},${viewport.left},${viewport.top})`;
}

/** Everything of an image but what lies over it. */
export class Picture {
  constructor() {
    this.node = el("div", { class: "picture", role: "img" });
    this.light = new Light();
    this.tiles = new Tiles();
    this.image = null;
    this.channel = "";
  }

  /** Put a decoded image on the stage; nothing is awaited. */
  show(item, image) {
    this.item = item;
    this.source = image;
    this.channel = "";
    this.tiles.clear();
    this.#put(image);
  }

  /** Show something else than an image. */
  instead(...nodes) {
    this.item = null;
    this.image = null;
    this.tiles.clear();
    clearTimeout(this.still);
    clearTimeout(this.later);
    this.node.replaceChildren(...nodes);
  }

  #put(image) {
    const size = { width: `${this.item.width}px`, height: `${this.item.height}px` };
    this.image = image;
    Object.assign(image.style, size, { transform: "" });
    Object.assign(this.tiles.node.style, size);
    this.node.replaceChildren(image, this.tiles.node);
  }

  /** Lie where the view says. */
  place(viewport, sharp) {
    if (!this.image) return;
    const dpr = globalThis.devicePixelRatio ?? 1;
    const squares = sharp && viewport.scale * dpr >= SHARP_FROM;
    for (const node of [this.image, this.tiles.node]) node.style.transform = fixed(viewport);
    this.image.classList.toggle("squares", squares && this.image.naturalWidth >= this.item.width);
    this.tiles.node.classList.toggle("squares", squares);
    clearTimeout(this.later);
    this.later = setTimeout(() => this.image && this.tiles.want(viewport, dpr, this.image.src, this.image.naturalWidth), TILES_MS);
  }

  /** Be drawn for motion for a moment: the picture is moved as it is instead of being drawn anew. */
  moving() {
    this.node.classList.add("moving");
    clearTimeout(this.still);
    this.still = setTimeout(() => this.node.classList.remove("moving"), MOVING_MS);
  }

  /** Show these values of light. */
  lit(values) {
    this.node.style.filter = this.light.style(values, this.item?.channels?.length ? "" : this.channel);
  }

  /** The channels this item has, by name. */
  get channels() {
    return this.item?.channels?.length ? this.item.channels : COLOURS;
  }

  /** Show the next channel alone, after the last all of them again; `done` when it is to be seen. */
  nextChannel(done) {
    const names = this.channels;
    this.channel = names[names.indexOf(this.channel) + 1] ?? "";
    if (!this.item.channels?.length) return done();
    const url = new URL(this.source.src);
    if (this.channel) url.searchParams.set("channel", this.channel);
    const wanted = url.href;
    const image = wanted === this.source.src ? this.source : new Image();
    if (image !== this.source) Object.assign(image, { alt: this.source.alt, decoding: "sync", draggable: false, src: wanted });
    const still = () => this.image && new URL(this.source.src).pathname === url.pathname && (url.searchParams.get("channel") ?? "") === this.channel;
    return image.decode().then(() => {
      if (!still()) return;
      this.tiles.clear();
      this.#put(image);
      done();
    }, () => {}); // the channel stays named, the picture of before stays: the server said why in its log
  }
}
