// Keypoints: the skeleton's points one after the other. The point in hand is the state's vertex;
// while it is not there, the next press places it. Pure.

import { HIDDEN, VISIBLE, exact, vertexAt } from "./geometry.js";
import { add, moveVertex, otherVisibility, select, setVisibility } from "./model.js";
import { Tool } from "./tool.js";

/** The keypoint tool. */
export class KeypointsTool extends Tool {
  hidden = false; // whether the next point is placed as hidden
  at = null;

  get count() {
    return this.state.rules.count;
  }

  /** Give the place in the skeleton of the point the next press sets. */
  get next() {
    const { selected, state } = this;
    if (!selected || this.desk.fresh || state.vertex === null || selected.points[state.vertex][2]) return 0;
    return state.vertex;
  }

  /** Tell whether a set of points is being placed. */
  get placing() {
    return this.next > 0 || (this.selected !== null && this.state.vertex === 0 && this.selected.points[0][2] === 0);
  }

  down(at, { shift = false } = {}) {
    const order = [this.selected, ...this.state.regions].filter(Boolean);
    const held = this.desk.fresh || shift ? undefined : order.find((r) => vertexAt(r.points, at, this.near) !== null);
    // While points are placed, those of others do not catch the pointer.
    if (held && (!this.placing || held === this.selected)) {
      const vertex = vertexAt(held.points, at, this.near);
      this.pick(held.id, vertex);
      return this.grab("vertex", at, { vertex });
    }
    return this.set(at);
  }

  move(at) {
    this.at = at;
    if (!this.drag || !this.goes(at)) return;
    const { origin, vertex, from } = this.drag;
    const [x, y] = origin.points[vertex];
    this.tug(moveVertex, origin.id, vertex, [x + at[0] - from[0], y + at[1] - from[1]]);
  }

  hover(at) {
    this.at = at;
  }

  /** Place the point in hand and go on to the next that is not there. */
  set(at) {
    const v = this.hidden ? HIDDEN : VISIBLE;
    const { model } = this.desk;
    const place = at.map(exact);
    if (this.placing) {
      const { vertex } = this.state;
      if (model.apply(moveVertex, this.selected.id, vertex, place, v)) this.#goOn(vertex);
    } else {
      const points = Array.from({ length: this.count }, (_, i) => (i ? [0, 0, 0] : [...place, v]));
      if (!model.apply(add, { points })) return this.desk.refused(true);
      this.desk.fresh = false; // the set is begun: what comes next belongs to it
      this.#goOn(0);
    }
    this.hidden = false;
    return undefined;
  }

  #goOn(vertex) {
    const { points, id } = this.selected;
    const next = points.findIndex((p, i) => i > vertex && p[2] === 0);
    this.desk.model.apply(select, id, next < 0 ? null : next);
    if (next < 0) this.desk.drawn();
    else this.desk.say("nowPoint", { name: this.desk.pointName(next) });
  }

  /** Make the point in hand hidden or visible; the one to come where none is in hand. */
  toggle() {
    const { selected, state } = this;
    const point = selected?.points[state.vertex];
    if (!point?.[2]) {
      this.hidden = !this.hidden;
      return this.desk.say(this.hidden ? "nextHidden" : "nextVisible");
    }
    const v = otherVisibility(point[2]);
    this.desk.model.apply(setVisibility, selected.id, state.vertex, v);
    return this.desk.say(v === VISIBLE ? "pointVisible" : "pointHidden", { name: this.desk.pointName(state.vertex) });
  }

  /** Say that the point in hand is not there, and go on. */
  absent() {
    const { selected, state } = this;
    if (!selected || state.vertex === null) return this.desk.say("noPointInHand");
    const { vertex } = state;
    if (selected.points[vertex][2]) return this.desk.model.apply(setVisibility, selected.id, vertex, 0);
    return this.#goOn(vertex);
  }

  ghost() {
    const { selected, placing, at } = this;
    return placing && at ? { from: this.#joined(selected.points), at } : null;
  }

  // The points already there that the skeleton joins to the one in hand.
  #joined(points) {
    const { vertex } = this.state;
    return (this.desk.edges ?? []).flatMap(([i, j]) => (i === vertex ? [points[j]] : j === vertex ? [points[i]] : [])).filter((p) => p[2]);
  }

  cancel() {
    const { placing } = this;
    if (placing) this.pick(this.selected.id, null);
    return super.cancel() || placing;
  }
}
