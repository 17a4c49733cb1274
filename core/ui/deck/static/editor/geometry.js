// Shapes in image pixels: what each may be, how it moves, what lies under a point. Pure.

import { readRuns, writeRuns } from "../rle.js";

/** The smallest side a person's box may have, and the smallest area of a polygon, image pixels. */
export const LEAST_PX = 1;
export const HIDDEN = 1;
export const VISIBLE = 2;
const ROUNDED = 1000; // what a person draws is kept to a thousandth of a pixel

function between(low, value, high) {
  return Math.min(Math.max(low, value), high);
}

/** Round to a thousandth of a pixel. */
export function exact(value) {
  return Math.round(value * ROUNDED) / ROUNDED;
}

/** Give the tight box over points, or null where there is none. */
export function boundsOf(points) {
  if (!points.length) return null;
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of points) {
    box[0] = Math.min(box[0], x);
    box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x);
    box[3] = Math.max(box[3], y);
  }
  return box;
}

/** Give the area inside a ring of corners (the shoelace formula). */
export function ringArea(ring) {
  let twice = 0;
  ring.forEach(([x, y], i) => {
    const [nx, ny] = ring[(i + 1) % ring.length];
    twice += x * ny - nx * y;
  });
  return Math.abs(twice) / 2;
}

/** Give a mask's tight box and its number of pixels; null where it is none of this image. */
export function maskExtent(rle, [width, height]) {
  const runs = readRuns(rle);
  let at = 0;
  let pixels = 0;
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < runs.length; i += 1) {
    const run = runs[i];
    if (!(run >= 0)) return null;
    if (i % 2 && run) {
      const last = at + run - 1;
      const [x1, x2] = [Math.floor(at / height), Math.floor(last / height)];
      const whole = x1 !== x2; // it goes on in the next column: both edges of the image are in it
      box[0] = Math.min(box[0], x1);
      box[2] = Math.max(box[2], x2 + 1);
      box[1] = Math.min(box[1], whole ? 0 : at % height);
      box[3] = Math.max(box[3], whole ? height : (last % height) + 1);
      pixels += run;
    }
    at += run;
  }
  return at === width * height && pixels ? { box, pixels } : null;
}

function fitBox({ box }, [width, height], least) {
  if (!Array.isArray(box) || box.length !== 4 || !box.every(Number.isFinite)) return null;
  const xs = [box[0], box[2]].map((x) => between(0, x, width)).sort((a, b) => a - b);
  const ys = [box[1], box[3]].map((y) => between(0, y, height)).sort((a, b) => a - b);
  if (!(xs[1] - xs[0] >= least && ys[1] - ys[0] >= least) || xs[1] === xs[0] || ys[1] === ys[0]) return null;
  return { box: [xs[0], ys[0], xs[1], ys[1]] };
}

function fitPolygon({ points }, [width, height], least) {
  if (!Array.isArray(points) || points.length < 3) return null;
  if (!points.every((p) => Array.isArray(p) && p.length === 2 && p.every(Number.isFinite))) return null;
  const ring = points.map(([x, y]) => [between(0, x, width), between(0, y, height)]);
  const area = ringArea(ring);
  return area > 0 && area >= least ? { points: ring, box: boundsOf(ring) } : null;
}

function fitKeypoints({ points }, [width, height], _least, count) {
  if (!Array.isArray(points) || points.length !== count) return null;
  if (!points.every((p) => Array.isArray(p) && p.length === 3 && p.every(Number.isFinite) && [0, 1, 2].includes(p[2]))) return null;
  const fitted = points.map(([x, y, v]) => (v ? [between(0, x, width), between(0, y, height), v] : [0, 0, 0]));
  const there = fitted.filter((p) => p[2]);
  return there.length ? { points: fitted, box: boundsOf(there) } : null;
}

function fitMask({ rle }, size) {
  if (typeof rle !== "string" || !rle) return null;
  try {
    const found = maskExtent(rle, size);
    return found && { rle, box: found.box };
  } catch {
    return null; // no run lengths at all
  }
}

const FITS = { box: fitBox, polygon: fitPolygon, keypoints: fitKeypoints, mask: fitMask };

/**
 * Give a geometry as it may be kept: inside the image, with its box; null where nothing is left.
 * `least`: the smallest side or area in pixels; 0 takes whatever has any area.
 */
export function fit(shape, geometry, size, { least = LEAST_PX, count = 0 } = {}) {
  return FITS[shape]?.(geometry, size, least, count) ?? null;
}

/** Give how far a region can go of what is asked, so that all of it stays in the image. */
export function room([x1, y1, x2, y2], [dx, dy], [width, height]) {
  return [between(-x1, dx, width - x2), between(-y1, dy, height - y2)];
}

function moveMask(rle, dx, dy, [width, height]) {
  // The box stays inside, so in column order everything moves by the same number of pixels.
  const runs = readRuns(rle);
  const shift = dx * height + dy;
  runs[0] += shift;
  if (runs.length % 2) runs[runs.length - 1] -= shift;
  else runs.push(-shift);
  if (runs.length % 2 && runs[runs.length - 1] === 0) runs.pop();
  return writeRuns(runs);
}

/** Give a region's geometry moved by image pixels, as far as the image goes. */
export function moved(region, by, size) {
  const [dx, dy] = room(region.box, region.shape === "mask" ? by.map(Math.round) : by, size);
  if (region.shape === "box") return { box: region.box.map((v, i) => exact(v + (i % 2 ? dy : dx))) };
  if (region.shape === "mask") return { rle: moveMask(region.rle, dx, dy, size) };
  return { points: region.points.map(([x, y, v]) => {
    if (v === undefined) return [exact(x + dx), exact(y + dy)];
    return v ? [exact(x + dx), exact(y + dy), v] : [0, 0, 0];
  }) };
}

/** Give a region's geometry with its right and lower edge moved; a mask has none. */
export function stretched(region, [dx, dy], [width, height]) {
  const [x1, y1, x2, y2] = region.box;
  const right = between(Math.min(x2, x1 + LEAST_PX), x2 + dx, width);
  const low = between(Math.min(y2, y1 + LEAST_PX), y2 + dy, height);
  if (region.shape === "box") return { box: [x1, y1, exact(right), exact(low)] };
  const scale = (start, end, goal) => (end > start ? (goal - start) / (end - start) : 1);
  const [sx, sy] = [scale(x1, x2, right), scale(y1, y2, low)];
  return { points: region.points.map(([x, y, v]) => {
    const place = [exact(x1 + (x - x1) * sx), exact(y1 + (y - y1) * sy)];
    if (v === undefined) return place;
    return v ? [...place, v] : [0, 0, 0];
  }) };
}

// --- what lies under a point ------------------------------------------------------------------

/** Give the distance of a point from a stretch, and the place on it that is nearest. */
export function fromStretch([px, py], [ax, ay], [bx, by]) {
  const length = (bx - ax) ** 2 + (by - ay) ** 2;
  const t = length ? between(0, ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / length, 1) : 0;
  const at = [ax + t * (bx - ax), ay + t * (by - ay)];
  return { distance: Math.hypot(px - at[0], py - at[1]), at };
}

function inRing([px, py], ring) {
  let inside = false;
  ring.forEach(([x, y], i) => {
    const [nx, ny] = ring[(i + 1) % ring.length];
    if (y > py !== ny > py && px < ((nx - x) * (py - y)) / (ny - y) + x) inside = !inside;
  });
  return inside;
}

function inMask([px, py], { rle }, [width, height]) {
  const [x, y] = [Math.floor(px), Math.floor(py)];
  if (x < 0 || y < 0 || x >= width || y >= height) return false;
  let at = 0;
  return readRuns(rle).findIndex((run) => (at += run) > x * height + y) % 2 === 1;
}

/** Tell whether a point is on a region, `near` pixels count as on it. */
export function contains(region, point, size, near = 0) {
  const [x1, y1, x2, y2] = region.box;
  const [x, y] = point;
  if (x < x1 - near || y < y1 - near || x > x2 + near || y > y2 + near) return false;
  if (region.shape === "polygon") return inRing(point, region.points) || edgeAt(region.points, point, near) !== null;
  if (region.shape === "mask") return inMask(point, region, size);
  if (region.shape === "keypoints") return vertexAt(region.points, point, near) !== null;
  return true;
}

/** Give which corner or keypoint is nearest to a point and within reach, or null. */
export function vertexAt(points, [px, py], near) {
  let best = null;
  let least = near;
  points.forEach(([x, y, v], i) => {
    const distance = Math.hypot(px - x, py - y);
    if (v !== 0 && distance <= least) [best, least] = [i, distance];
  });
  return best;
}

/** Give the edge of a ring that is within reach, as {after, at}, or null. */
export function edgeAt(ring, point, near) {
  let best = null;
  ring.forEach((corner, i) => {
    const { distance, at } = fromStretch(point, corner, ring[(i + 1) % ring.length]);
    if (distance <= (best?.distance ?? near)) best = { after: i, at, distance };
  });
  return best;
}

/** Give the names of the eight handles of a box with their places. */
export function handlesOf([x1, y1, x2, y2]) {
  const [mx, my] = [(x1 + x2) / 2, (y1 + y2) / 2];
  return { nw: [x1, y1], n: [mx, y1], ne: [x2, y1], e: [x2, my], se: [x2, y2], s: [mx, y2], sw: [x1, y2], w: [x1, my] };
}

/** Give the box after one of its handles went to a point. */
export function withHandle([x1, y1, x2, y2], name, [x, y]) {
  return [name.includes("w") ? x : x1, name.includes("n") ? y : y1, name.includes("e") ? x : x2, name.includes("s") ? y : y2];
}
