// What the four tools share: picking regions, and dragging what is selected about. Pure.

import { contains, moved } from "./geometry.js";
import { move, regionOf, reshape, select, selectedOf } from "./model.js";

const REACH_PX = 8; // how near on the screen is "on it", CSS pixels
const CLICK_PX = 3; // a press that moves no farther is a click

/**
 * One tool. desk: {model, scale() (CSS pixels an image pixel has), fresh (whether the next press
 * draws whatever lies below; a tool that has begun something takes it back), say(name, values)}. Points are image pixels.
 */
export class Tool {
  constructor(desk) {
    this.desk = desk;
    this.drag = null;
    this.serial = 0;
  }

  get state() {
    return this.desk.model.state;
  }

  get selected() {
    return selectedOf(this.state);
  }

  /** Give how many image pixels the reach of the pointer is. */
  get near() {
    return REACH_PX / this.desk.scale();
  }

  /** Give the region under a point: the smallest where several lie on each other. */
  under(at) {
    const { regions, rules } = this.state;
    const found = regions.filter((r) => contains(r, at, rules.size, this.near));
    const area = ({ box: [x1, y1, x2, y2] }) => (x2 - x1) * (y2 - y1);
    return found.reduce((best, r) => (best === null || area(r) < area(best) ? r : best), null);
  }

  pick(id, vertex = null) {
    this.desk.model.apply(select, id, vertex);
  }

  /** Begin a drag; every change until it ends is undone as one. */
  grab(kind, at, more = {}) {
    this.serial += 1;
    this.drag = { kind, from: at, far: false, token: `drag ${this.serial}`, origin: this.selected, ...more };
  }

  /** Tell whether the drag has gone farther than a hand shakes. */
  goes(at) {
    const { drag } = this;
    drag.far ||= Math.hypot(at[0] - drag.from[0], at[1] - drag.from[1]) * this.desk.scale() > CLICK_PX;
    return drag.far;
  }

  /** Do a command as part of the drag. */
  tug(command, ...args) {
    this.desk.model.during(this.drag.token, command, ...args);
  }

  /** Carry the grabbed region to where the pointer is. */
  carry(at) {
    const { origin, from } = this.drag;
    if (regionOf(this.state, origin.id)) {
      this.tug(reshape, origin.id, moved(origin, [at[0] - from[0], at[1] - from[1]], this.state.rules.size));
    }
  }

  /** Move the selected region by key. */
  nudge(by) {
    const { selected } = this;
    return selected !== null && this.desk.model.during(`nudge ${selected.id}`, move, selected.id, by);
  }

  /** What is half drawn, for the eye; null where nothing is. */
  ghost() {
    return null;
  }

  /** Look where the pointer or the crosshair is. */
  hover() {}

  /** Break off what is half drawn; tells whether there was anything. */
  cancel() {
    const busy = this.drag !== null;
    this.drag = null;
    return busy;
  }

  /** Let go of what the pointer is about to draw or drags; what was set before stays. */
  drop() {
    this.desk.model.settle();
    this.drag = null;
  }

  /** Take back the last step of what is half drawn; tells whether there was one. */
  back() {
    return false;
  }

  up() {
    this.desk.model.settle();
    this.drag = null;
  }
}
