// What the editor draws over the image: the regions, the handles of the selected one, what is
// half drawn, the crosshair. Only what changed is made anew.

import { svg } from "../dom.js";
import { drawRegion, placeRegions } from "../regions.js";
import { handlesOf } from "./geometry.js";
import { selectedOf } from "./model.js";
import { Preview } from "./preview.js";

const HANDLE_PX = 9;
const MOST_LABELS = 40; // beyond these only the selected region has its label in the image
const MOST_HANDLES = 400;

function handle(x, y, { round = false, strong = false } = {}) {
  const size = HANDLE_PX + (strong ? 4 : 0);
  const name = `handle${strong ? " strong" : ""}`;
  if (round) return svg("circle", { class: name, cx: x, cy: y, r: size / 2 });
  return svg("rect", { class: name, x: x - size / 2, y: y - size / 2, width: size, height: size, rx: 2 });
}

// A line that is seen on light and on dark: white dashes on a dark line.
function sketch(tag, place, more = "") {
  return [svg(tag, { ...place, class: `sketch under${more}` }), svg(tag, { ...place, class: `sketch${more}` })];
}

/** The drawing over one image. look: {colourOf(label), skeleton, size}. */
export class Drawing {
  constructor(stage, look) {
    this.stage = stage;
    this.look = look;
    this.drawn = new Map(); // region's number → {region, as, node}
    this.shapes = svg("g", { class: "shapes" });
    this.marks = svg("g", { class: "marks" });
    this.node = svg("g", { class: "editing" }, this.shapes, this.marks);
    this.preview = new Preview();
    stage.layer.append(this.node);
    stage.node.insertBefore(this.preview.node, stage.layer);
  }

  /** Draw the regions of a state; those that did not change keep their elements. */
  update(state, painting) {
    const many = state.regions.length > MOST_LABELS;
    const alive = new Set();
    for (const region of state.regions) {
      alive.add(region.id);
      const chosen = region.id === state.selected;
      this.#shape(region, chosen, chosen || !many, region.id === painting);
    }
    for (const [id, { node }] of this.drawn) {
      if (alive.has(id)) continue;
      node.remove();
      this.drawn.delete(id);
    }
    const top = this.drawn.get(state.selected)?.node;
    if (top && this.shapes.lastChild !== top) this.shapes.append(top);
  }

  #shape(region, chosen, labelled, hidden) {
    const as = `${chosen} ${labelled} ${hidden}`;
    const before = this.drawn.get(region.id);
    if (before?.region === region && before.as === as) return;
    const { colourOf, skeleton, size } = this.look;
    const note = region.confidence === null ? "" : `${Math.round(region.confidence * 100)} %`;
    const node = drawRegion({ ...region, note }, {
      colour: colourOf(region.label), skeleton, size, labelled, width: chosen ? 3 : 1.75,
    });
    node.classList.toggle("chosen", chosen);
    node.classList.toggle("painted", hidden);
    if (before) before.node.replaceWith(node);
    else this.shapes.append(node);
    this.drawn.set(region.id, { region, as, node });
  }

  /** Place everything where the view has the image, with handles, what is half drawn and the crosshair. */
  place(state, viewport, { ghost, crosshair }) {
    placeRegions(this.shapes, viewport);
    this.preview.place(viewport);
    const to = ([x, y]) => viewport.toStage(x, y);
    this.marks.replaceChildren(
      ...(crosshair ? this.#crosshair(to(crosshair), viewport.room) : []),
      ...this.#handles(state, to, viewport.room),
      ...(ghost ? this.#ghost(ghost, to, viewport.scale) : []));
  }

  #handles(state, to, [w, h]) {
    const region = selectedOf(state);
    if (!region || region.shape === "mask") return [];
    if (region.shape === "box") return Object.values(handlesOf(region.box)).map((p) => handle(...to(p)));
    const seen = region.points.map((p, i) => [p, i]).filter(([p]) => p[2] !== 0)
      .map(([p, i]) => [to(p), i]).filter(([[x, y]]) => x >= 0 && y >= 0 && x <= w && y <= h);
    if (region.shape === "keypoints") {
      return seen.map(([[x, y], i]) => svg("circle", { class: `halo${i === state.vertex ? " strong" : ""}`, cx: x, cy: y, r: i === state.vertex ? 11 : 8 }));
    }
    const shown = seen.length > MOST_HANDLES ? seen.filter(([, i]) => i === state.vertex) : seen;
    return shown.map(([[x, y], i]) => handle(x, y, { round: true, strong: i === state.vertex }));
  }

  #ghost({ box, ring, at, closing, circle, radius, erasing, from }, to, scale) {
    if (box) {
      const [[x1, y1], [x2, y2]] = [to(box.slice(0, 2)), to(box.slice(2))];
      return sketch("rect", { x: Math.min(x1, x2), y: Math.min(y1, y2), width: Math.abs(x2 - x1), height: Math.abs(y2 - y1) });
    }
    if (ring) {
      const line = [...ring, ...(at ? [at] : [])].map((p) => to(p).join(",")).join(" ");
      return [...sketch("polyline", { points: line }), ...ring.map((p, i) => handle(...to(p), { round: true, strong: i === 0 && closing }))];
    }
    if (circle) {
      const [cx, cy] = to(circle);
      return [svg("circle", { class: "brush under", cx, cy, r: radius * scale }), svg("circle", { class: `brush${erasing ? " erasing" : ""}`, cx, cy, r: radius * scale })];
    }
    const [x2, y2] = to(at);
    return from.map(to).flatMap(([x1, y1]) => sketch("line", { x1, y1, x2, y2 }));
  }

  #crosshair([x, y], [w, h]) {
    return [{ x1: x, y1: 0, x2: x, y2: h }, { x1: 0, y1: y, x2: w, y2: y }].flatMap((line) => sketch("line", line, " cross"));
  }

  /** Show the regions, or let the bare image be looked at. */
  show(visible) {
    this.node.classList.toggle("offsight", !visible);
  }

  destroy() {
    this.node.remove();
    this.preview.node.remove();
  }
}
