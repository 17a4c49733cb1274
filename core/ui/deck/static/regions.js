// Regions of every shape as SVG in the image's own pixels. Lines, points and labels keep their
// size on the screen whatever the zoom: lines do so by themselves, labels when they are placed.

import { svg } from "./dom.js";
import { maskPath } from "./rle.js";

export { decodeRle, encodeRle } from "./rle.js";

// Labels grow with the page's root size, as all text does on a large screen; node has no page.
const ROOT = globalThis.getComputedStyle ? parseFloat(getComputedStyle(document.documentElement).fontSize) / 16 : 1;
/** Size of a label's letters and height of what they stand on, pixels of the screen. */
export const LABEL_PX = 12 * ROOT;
export const CHIP_PX = 18 * ROOT;
const CHIP_GAP_PX = 3;
const CHIP_PAD_PX = 5;
const VISIBLE = 2;
const chips = new WeakMap(); // chip → its region's box, its corner, its parts and width

/** Give the colour of text that is read on a colour. */
export function textOn(colour) {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#111" : "#fff";
}

// A line in the class's colour over a wider dark one, so that it is seen on any image.
function lined(tag, shape, { colour, dash = "", width = 2 }) {
  const line = { ...shape, fill: "none", "vector-effect": "non-scaling-stroke", "stroke-linejoin": "round" };
  return [
    svg(tag, { ...line, stroke: "#000", "stroke-opacity": 0.4, "stroke-width": width + 2 }),
    svg(tag, { ...line, stroke: colour, "stroke-width": width, "stroke-dasharray": dash }),
  ];
}

function boxParts({ box: [x1, y1, x2, y2] }, look) {
  return lined("rect", { x: x1, y: y1, width: Math.max(0, x2 - x1), height: Math.max(0, y2 - y1) }, look);
}

function polygonParts({ points }, look) {
  const ring = points.map(([x, y]) => `${x},${y}`).join(" ");
  const area = svg("polygon", { points: ring, fill: look.colour, "fill-opacity": 0.14, "fill-rule": "evenodd" });
  return [area, ...lined("polygon", { points: ring }, look)];
}

// A line of no length with round ends is a dot that no zoom enlarges.
function dot(x, y, colour, size) {
  return svg("path", {
    d: `M${x} ${y}h0`, stroke: colour, "stroke-width": size, "stroke-linecap": "round", "vector-effect": "non-scaling-stroke",
  });
}

function keypointParts({ points }, look) {
  const { skeleton = null, colour } = look;
  const there = (i) => points[i]?.[2] > 0;
  const edges = (skeleton?.edges ?? []).filter(([i, j]) => there(i) && there(j)).flatMap(([i, j]) =>
    lined("line", { x1: points[i][0], y1: points[i][1], x2: points[j][0], y2: points[j][1] }, look));
  const dots = points.flatMap(([x, y, v], i) => (there(i) ? [svg("g", { class: v === VISIBLE ? "point" : "point hidden" },
    svg("title", { text: skeleton?.points?.[i] ?? String(i + 1) }),
    dot(x, y, "#000", 11), dot(x, y, v === VISIBLE ? "#fff" : colour, 9), dot(x, y, v === VISIBLE ? colour : "#fff", v === VISIBLE ? 6 : 5))] : []));
  return [...edges, ...dots];
}

// Masks are read once: an outline may have thousands of steps.
const masks = new Map();
const MASKS_KEPT = 200;

function pathOf(rle, [width, height]) {
  const key = `${width} ${height} ${rle}`;
  if (!masks.has(key)) {
    if (masks.size >= MASKS_KEPT) masks.delete(masks.keys().next().value);
    masks.set(key, maskPath(rle, height, width));
  }
  return masks.get(key);
}

function maskParts({ rle }, look) {
  const d = pathOf(rle, look.size);
  return [
    svg("path", { d, fill: look.colour, "fill-opacity": 0.3, "fill-rule": "evenodd" }),
    ...lined("path", { d }, { ...look, width: 1.5 }),
  ];
}

const PARTS = { box: boxParts, polygon: polygonParts, keypoints: keypointParts, mask: maskParts };

function chip(text, region, { colour, corner = 0 }) {
  const width = text.length * LABEL_PX * 0.56 + 2 * CHIP_PAD_PX;
  const back = svg("rect", { width, height: CHIP_PX, rx: 3, fill: colour });
  const words = svg("text", { x: CHIP_PAD_PX, y: CHIP_PX / 2, "font-size": LABEL_PX, fill: textOn(colour), "dominant-baseline": "central", text });
  const node = svg("g", { class: "chip" }, back, words);
  chips.set(node, { box: region.box, corner, width, measured: false, back, words, text });
  return node;
}

const widths = new Map(); // font and text → pixels
const WIDTHS_KEPT = 2000;
let pen; // what measures text; null where nothing can

function widthOf(text, font) {
  const key = `${font} ${text}`;
  if (!widths.has(key)) {
    if (widths.size >= WIDTHS_KEPT) widths.clear();
    pen.font = font;
    widths.set(key, pen.measureText(text).width);
  }
  return widths.get(key);
}

/** Give the width of a label's text in the font of a node in the page; without one an estimate. */
export function widthIn(text, node) {
  const font = fontOf(node);
  return font ? widthOf(text, font) : text.length * LABEL_PX * 0.56;
}

function fontOf(node) {
  pen ??= globalThis.document?.createElement("canvas").getContext?.("2d") ?? null;
  const style = pen && globalThis.getComputedStyle?.(node);
  return style?.fontFamily ? `${style.fontWeight} ${LABEL_PX}px ${style.fontFamily}` : null;
}

// The font is known once a chip is in the page; until then its width is an estimate.
function measure(nodes) {
  const open = nodes.map((node) => chips.get(node)).filter((known) => !known.measured);
  if (!open.length) return;
  const font = fontOf(open[0].words);
  if (!font) return;
  for (const known of open) {
    known.width = widthOf(known.text, font) + 2 * CHIP_PAD_PX;
    known.measured = true;
    known.back.setAttribute("width", known.width);
  }
}

/**
 * Draw a region in image pixels, with its label; place it with `placeRegions`.
 * look: {colour, size: [width, height] of the image (masks need it), skeleton (keypoints need it),
 * dash, width, labelled, faint, corner (which corner has the label, 0 to 3)}.
 */
export function drawRegion(region, look) {
  const { label, note = "", shape = "box" } = region;
  const text = note ? `${label} ${note}` : label;
  const { labelled = true, faint = false } = look;
  return svg("g", { class: `region box${faint ? " faint" : ""}`, "data-shape": shape },
    svg("title", { text }),
    ...(PARTS[shape] ?? boxParts)(region, look),
    labelled ? chip(text, region, look) : null);
}

// Several parties' regions lie on each other: each party's labels have a corner of their own.
// A label stays with the part of its region that is on the stage.
function chipPlace({ box, corner, width }, viewport) {
  const [x1, y1] = viewport.toStage(box[0], box[1]);
  const [x2, y2] = viewport.toStage(box[2], box[3]);
  const [w, h] = viewport.room;
  if (x2 < 0 || y2 < 0 || x1 > w || y1 > h) return [x1, y1 - CHIP_PX];
  const left = corner % 2 === 0 ? x1 : x2 - width;
  const room = (low, value, high) => Math.max(low, Math.min(value, high));
  const above = y1 - CHIP_PX - CHIP_GAP_PX / 3;
  const top = corner % 4 < 2 ? (above >= 0 ? above : Math.max(y1, 0)) : Math.min(y2, h) - CHIP_PX;
  return [room(0, left, Math.max(0, w - width)), room(0, top, Math.max(0, h - CHIP_PX))];
}

/** Lay a group of drawn regions where the view has the image, labels readable and in sight. */
export function placeRegions(group, viewport) {
  const { scale, left, top } = viewport;
  group.setAttribute("transform", `translate(${left} ${top}) scale(${scale})`);
  const nodes = [...group.querySelectorAll(".chip")];
  measure(nodes);
  for (const node of nodes) {
    const [x, y] = chipPlace(chips.get(node), viewport);
    const [ix, iy] = viewport.toImage(x, y);
    node.setAttribute("transform", `translate(${ix} ${iy}) scale(${1 / scale})`);
  }
}
