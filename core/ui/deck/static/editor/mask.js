// A mask under the brush: one byte a pixel, column by column as its run lengths are. Pure.

import { readRuns, writeRuns } from "../rle.js";

// Where a disk covers the vertical line at x: [low, high], or null.
function diskOn(x, [cx, cy], radius) {
  const half = Math.sqrt(radius ** 2 - (x - cx) ** 2);
  return half >= 0 ? [cy - half, cy + half] : null;
}

// Where the band between two disks covers the line at x: the corners of a turned rectangle.
function bandOn(x, [ax, ay], [bx, by], radius) {
  const length = Math.hypot(bx - ax, by - ay);
  if (!length) return null;
  const [nx, ny] = [(-(by - ay) / length) * radius, ((bx - ax) / length) * radius];
  const corners = [[ax + nx, ay + ny], [bx + nx, by + ny], [bx - nx, by - ny], [ax - nx, ay - ny]];
  const crossed = [];
  corners.forEach(([x1, y1], i) => {
    const [x2, y2] = corners[(i + 1) % 4];
    if (x1 === x2) {
      if (x === x1) crossed.push(y1, y2);
    } else if ((x >= x1 && x <= x2) || (x >= x2 && x <= x1)) crossed.push(y1 + ((x - x1) / (x2 - x1)) * (y2 - y1));
  });
  return crossed.length ? [Math.min(...crossed), Math.max(...crossed)] : null;
}

/** Pixels of one mask that is being painted. */
export class Mask {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint8Array(width * height);
  }

  /** Read run lengths over the whole image. */
  static read(rle, width, height) {
    const mask = new Mask(width, height);
    let at = 0;
    readRuns(rle).forEach((run, i) => {
      if (i % 2) mask.pixels.fill(1, at, at + run);
      at += run;
    });
    return mask;
  }

  /** Write run lengths; empty text where no pixel is left. */
  write() {
    const runs = [];
    const { pixels } = this;
    let value = 0;
    for (let at = 0; at < pixels.length;) {
      const next = pixels.indexOf(1 - value, at);
      const end = next < 0 ? pixels.length : next;
      runs.push(end - at);
      value = 1 - value;
      at = end;
    }
    return runs.length > 1 ? writeRuns(runs) : "";
  }

  has(x, y) {
    return this.pixels[x * this.height + y] === 1;
  }

  /**
   * Draw the brush from one point to another: every pixel whose centre it covers gets the value.
   * Gives the part that may have changed, [x1, y1, x2, y2] in whole pixels, or null.
   */
  stroke(from, to, radius, value) {
    const { width, height } = this;
    const first = Math.max(0, Math.floor(Math.min(from[0], to[0]) - radius));
    const last = Math.min(width - 1, Math.ceil(Math.max(from[0], to[0]) + radius));
    let [top, low] = [height, 0];
    for (let x = first; x <= last; x += 1) {
      const parts = [diskOn(x + 0.5, from, radius), diskOn(x + 0.5, to, radius), bandOn(x + 0.5, from, to, radius)].filter(Boolean);
      if (!parts.length) continue;
      // The swept area is convex, so what it covers of a column is in one piece.
      const y1 = Math.max(0, Math.ceil(Math.min(...parts.map((p) => p[0])) - 0.5));
      const y2 = Math.min(height, Math.floor(Math.max(...parts.map((p) => p[1])) - 0.5) + 1);
      if (y1 >= y2) continue;
      this.pixels.fill(value, x * height + y1, x * height + y2);
      [top, low] = [Math.min(top, y1), Math.max(low, y2)];
    }
    return low > top ? [first, top, last + 1, low] : null;
  }
}
