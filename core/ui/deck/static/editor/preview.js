// The mask under the brush, pixel for pixel, while it is painted: only what changed is drawn.

import { el } from "../dom.js";

const MOST_PIXELS = 6_000_000; // beyond this every second, third … pixel is drawn
const ALPHA = 115;

function rgb(colour) {
  return [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
}

/** A canvas over the part of the image that is on the stage. */
export class Preview {
  constructor() {
    this.node = el("canvas", { class: "brushing", "aria-hidden": "true", hidden: true });
    this.part = null;
  }

  /** Begin with a mask as it is; shows the part of the image that is seen. */
  begin(mask, colour, [x1, y1, x2, y2]) {
    this.part = [Math.floor(x1), Math.floor(y1), Math.ceil(x2), Math.ceil(y2)];
    const [w, h] = [this.part[2] - this.part[0], this.part[3] - this.part[1]];
    this.every = Math.max(1, Math.ceil(Math.sqrt((w * h) / MOST_PIXELS)));
    this.colour = rgb(colour);
    this.node.width = Math.max(1, Math.ceil(w / this.every));
    this.node.height = Math.max(1, Math.ceil(h / this.every));
    this.pen = this.node.getContext("2d");
    this.node.hidden = false;
    this.draw(mask, this.part);
  }

  /** Draw a part of the mask anew, [x1, y1, x2, y2] in image pixels. */
  draw(mask, [x1, y1, x2, y2]) {
    const { every, part, node } = this;
    const cell = (value, start) => Math.floor((value - start) / every);
    const [left, top] = [Math.max(0, cell(x1, part[0])), Math.max(0, cell(y1, part[1]))];
    const [right, low] = [Math.min(node.width, cell(x2 - 1, part[0]) + 1), Math.min(node.height, cell(y2 - 1, part[1]) + 1)];
    if (right <= left || low <= top) return;
    const patch = this.pen.createImageData(right - left, low - top);
    for (let x = left; x < right; x += 1) {
      for (let y = top; y < low; y += 1) {
        if (!mask.has(part[0] + x * every, part[1] + y * every)) continue;
        const at = ((y - top) * (right - left) + x - left) * 4;
        [patch.data[at], patch.data[at + 1], patch.data[at + 2]] = this.colour;
        patch.data[at + 3] = ALPHA;
      }
    }
    this.pen.putImageData(patch, left, top);
  }

  /** Follow the view. */
  place(viewport) {
    if (!this.part) return;
    const [x, y] = viewport.toStage(this.part[0], this.part[1]);
    this.node.style.transform = `translate(${x}px, ${y}px) scale(${viewport.scale * this.every})`;
  }

  end() {
    this.part = null;
    this.node.hidden = true;
  }
}
