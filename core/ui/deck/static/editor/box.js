// Boxes: dragged out, or set corner by corner. Pure.

import { exact, fit, handlesOf, vertexAt, withHandle } from "./geometry.js";
import { add, reshape } from "./model.js";
import { Tool } from "./tool.js";

/** The box tool. */
export class BoxTool extends Tool {
  corner = null; // the first corner, set by key
  at = null;

  down(at, { shift = false } = {}) {
    const { selected } = this;
    this.corner = null;
    const held = selected && !this.desk.fresh && !shift;
    const handles = held ? handlesOf(selected.box) : {};
    const names = Object.keys(handles);
    const handle = vertexAt(Object.values(handles), at, this.near);
    if (handle !== null) return this.grab("handle", at, { name: names[handle] });
    const [x1, y1, x2, y2] = selected?.box ?? [];
    if (held && at[0] > x1 && at[0] < x2 && at[1] > y1 && at[1] < y2) return this.grab("carry", at);
    return this.grab("draw", at);
  }

  move(at) {
    this.at = at;
    if (!this.drag || !this.goes(at)) return;
    const { kind, origin, name, from } = this.drag;
    if (kind === "carry") this.carry(at);
    if (kind === "handle") {
      // The handle keeps its distance from the pointer that it had when it was pressed.
      const start = handlesOf(origin.box)[name];
      const goal = [exact(start[0] + at[0] - from[0]), exact(start[1] + at[1] - from[1])];
      this.tug(reshape, origin.id, { box: withHandle(origin.box, name, goal) });
    }
  }

  up(at) {
    const { drag } = this;
    if (drag && drag.kind === "draw") {
      if (this.goes(at)) this.#draw(drag.from, at);
      else this.pick(this.under(at)?.id ?? null);
    } else if (drag && !drag.far) this.#deeper(at);
    super.up();
  }

  // A click into the selected box takes the smaller one that lies in it, if there is one.
  #deeper(at) {
    const found = this.under(at);
    if (found && found.id !== this.selected?.id) this.pick(found.id);
  }

  hover(at) {
    this.at = at;
  }

  /** Set a corner by key: the first, then the one across. */
  set(at) {
    this.at = at;
    if (this.corner === null) {
      this.corner = at;
      return this.desk.say("cornerSet", { x: at[0], y: at[1] });
    }
    const from = this.corner;
    this.corner = null;
    return this.#draw(from, at);
  }

  #draw([x1, y1], [x2, y2]) {
    const box = [x1, y1, x2, y2].map(exact);
    if (!this.desk.model.apply(add, { box })) this.desk.refused(fit("box", { box }, this.state.rules.size) !== null);
    else this.desk.drawn();
  }

  ghost() {
    if (this.drag?.kind === "draw" && this.drag.far) return { box: [...this.drag.from, ...this.at] };
    return this.corner && this.at ? { box: [...this.corner, ...this.at] } : null;
  }

  cancel() {
    const busy = this.corner !== null;
    this.corner = null;
    return super.cancel() || busy;
  }

  back() {
    return this.cancel();
  }
}
