// Polygons: corner by corner; corners dragged, put in and taken out. Pure.

import { contains, edgeAt, exact, fit, vertexAt } from "./geometry.js";
import { add, insertVertex, moveVertex } from "./model.js";
import { Tool } from "./tool.js";

/** The polygon tool. */
export class PolygonTool extends Tool {
  ring = [];
  at = null;

  down(at, { shift = false } = {}) {
    if (this.ring.length) return this.set(at);
    const { selected } = this;
    if (selected && !this.desk.fresh && !shift) {
      const vertex = vertexAt(selected.points, at, this.near);
      if (vertex !== null) return this.#hold(at, vertex);
      const edge = edgeAt(selected.points, at, this.near);
      if (edge) {
        this.desk.model.apply(insertVertex, selected.id, edge.after, edge.at);
        return this.#hold(at, edge.after + 1);
      }
      if (contains(selected, at, this.state.rules.size)) return this.grab("carry", at);
    }
    const below = this.desk.fresh || shift ? null : this.under(at);
    if (below) return this.pick(below.id);
    return this.set(at);
  }

  #hold(at, vertex) {
    this.pick(this.selected.id, vertex);
    this.grab("vertex", at, { vertex });
  }

  move(at) {
    this.at = at;
    if (!this.drag || !this.goes(at)) return;
    const { kind, origin, from, vertex } = this.drag;
    if (kind === "carry") return this.carry(at);
    const [x, y] = origin.points[vertex];
    return this.tug(moveVertex, origin.id, vertex, [x + at[0] - from[0], y + at[1] - from[1]]);
  }

  hover(at) {
    this.at = at;
  }

  /** Tell whether a point is on the first corner, which closes the ring. */
  closes(at, near = this.near) {
    return this.ring.length >= 3 && vertexAt([this.ring[0]], at, near) !== null;
  }

  /** Set the next corner, or close the ring on its first one; by key only the very same place counts. */
  set(at, { byKey = false } = {}) {
    this.at = at;
    const near = byKey ? 0 : this.near;
    if (!this.ring.length) this.pick(null);
    if (this.closes(at, near)) return this.close();
    const { size } = this.state.rules;
    const corner = at.map((v, i) => exact(Math.min(Math.max(v, 0), size[i])));
    const last = this.ring.at(-1);
    // The second press of a double click is not another corner; by key it closes the ring.
    if (last && Math.hypot(corner[0] - last[0], corner[1] - last[1]) <= near / 4) return byKey ? this.close() : undefined;
    this.ring.push(corner);
    return this.desk.say("cornersSet", { n: this.ring.length });
  }

  /** Close the ring; with fewer than three corners it goes on. */
  close() {
    const points = this.ring;
    if (points.length < 3) return this.desk.say("cornersNeeded");
    this.ring = [];
    if (!this.desk.model.apply(add, { points })) return this.desk.refused(fit("polygon", { points }, this.state.rules.size) !== null);
    return this.desk.drawn();
  }

  ghost() {
    return this.ring.length ? { ring: this.ring, at: this.at, closing: this.at !== null && this.closes(this.at) } : null;
  }

  cancel() {
    const busy = this.ring.length > 0;
    this.ring = [];
    return super.cancel() || busy;
  }

  back() {
    return this.ring.pop() !== undefined;
  }
}
