// Masks: painted and erased with a round brush in image pixels, one region an object. Pure.

import { Mask } from "./mask.js";
import { add, remove, reshape } from "./model.js";
import { Tool } from "./tool.js";

const LEAST_RADIUS = 1; // a smaller one could miss every pixel's centre
const MOST_RADIUS = 600;
const SIZE_STEP = 1.25;
const FIRST_SHARE = 50; // the first brush is so many times smaller than the image

/** The brush. `painted(mask, part)` is told of every part that changes under it. */
export class BrushTool extends Tool {
  constructor(desk) {
    super(desk);
    const [width, height] = this.state.rules.size;
    this.radius = Math.max(2, Math.round(Math.min(width, height) / FIRST_SHARE));
    this.erasing = false;
    this.at = null;
    this.mask = null;
    this.painted = () => {};
  }

  /** Make the brush larger or smaller. */
  resize(by) {
    const wanted = by > 0 ? Math.max(this.radius + 1, this.radius * SIZE_STEP) : Math.min(this.radius - 1, this.radius / SIZE_STEP);
    this.setRadius(Math.round(wanted));
  }

  /** Give the brush a radius in image pixels. */
  setRadius(radius) {
    if (Number.isFinite(radius)) this.radius = Math.min(Math.max(radius, LEAST_RADIUS), MOST_RADIUS);
  }

  down(at, { shift = false, ctrl = false } = {}) {
    if (ctrl) return this.pick(this.under(at)?.id ?? null);
    const { size } = this.state.rules;
    const target = this.desk.fresh || shift ? null : this.selected;
    if (this.erasing && !target) return this.desk.say("nothingToErase");
    this.target = target?.id ?? null;
    this.mask = target ? Mask.read(target.rle, ...size) : new Mask(...size);
    this.grab("paint", at, { last: at });
    this.painted(this.mask, null);
    return this.#paint(at, at);
  }

  #paint(from, to) {
    this.at = to;
    const part = this.mask.stroke(from, to, this.radius, this.erasing ? 0 : 1);
    if (part) this.painted(this.mask, part);
  }

  move(at) {
    this.at = at;
    if (!this.drag) return;
    this.#paint(this.drag.last, at);
    this.drag.last = at;
  }

  hover(at) {
    this.at = at;
  }

  up() {
    if (this.mask) this.#keep(this.mask.write());
    this.mask = null;
    super.up();
  }

  #keep(rle) {
    const { model } = this.desk;
    const { target } = this;
    if (target === null) {
      if (!rle) return; // beside the image
      if (model.apply(add, { rle })) this.desk.drawn();
      else this.desk.refused(true);
    } else if (rle) model.apply(reshape, target, { rle });
    else if (model.apply(remove, target)) this.desk.say("erasedAll");
  }

  /** Set one dab by key. */
  set(at) {
    this.down(at);
    if (!this.mask) return;
    this.up();
    this.desk.say(this.erasing ? "dabErased" : "dabbed");
  }

  /** Give the selected mask's target while it is painted: the drawing leaves it to the brush. */
  get painting() {
    return this.mask ? this.target : undefined;
  }

  ghost() {
    return this.at ? { circle: this.at, radius: this.radius, erasing: this.erasing } : null;
  }

  drop() {
    this.mask = null;
    super.drop();
  }

  cancel() {
    this.mask = null;
    return super.cancel();
  }
}
