// What lies over an image: its regions, drawn in stage pixels where the view has them.

import { svg } from "./dom.js";
import { drawRegion, placeRegions } from "./regions.js";
import { Tags } from "./tags.js";

/** The regions over one image. */
export class Overlay {
  constructor() {
    this.group = svg("g");
    this.tags = new Tags();
    this.node = svg("svg", { class: "overlay", "aria-hidden": "true" }, this.group, this.tags.node);
  }

  /** Draw regions, each with its look, and tags of several parties' regions; place them. */
  draw(regions, viewport, size, tags = []) {
    const drawn = regions.map(({ region, ...look }) => drawRegion(region, { size, ...look }));
    const labels = drawn.flatMap((node) => [...node.querySelectorAll(".chip")]);
    this.group.replaceChildren(...drawn, ...labels); // no line runs through another region's label
    this.tags.draw(tags);
    this.place(viewport);
  }

  /** Draw nothing. */
  clear() {
    this.group.replaceChildren();
    this.tags.draw([]);
  }

  /** Follow the view. */
  place(viewport) {
    placeRegions(this.group, viewport);
    this.tags.place(viewport);
  }
}
