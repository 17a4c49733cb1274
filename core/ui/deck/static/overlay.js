// Boxes over an image, as SVG in the image's own pixels.

import { svg } from "./dom.js";

const LABEL_PX = 12;

/** Give the factor from image pixels to screen pixels where the whole image is shown. */
export function fitScale(width, height, room) {
  return Math.min(room.width / width, room.height / height) || 1;
}

function textOn(colour) {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#111" : "#fff";
}

// Several parties' boxes lie on each other: each party's labels have a corner of their own.
function chipPlace([x1, y1, x2, y2], corner, width, height, imageWidth) {
  const wanted = corner % 2 === 0 ? x1 : x2 - width;
  const above = y1 - height >= 0 ? y1 - height : y1;
  return [Math.max(0, Math.min(wanted, imageWidth - width)), corner % 4 < 2 ? above : y2 - height];
}

/** Draw one box with its label; sizes are given in screen pixels and divided by the scale. */
export function drawBox({ label, box, note = "" }, { colour, dash = "", scale, imageWidth, width = 2, labelled = true, faint = false, corner = 0 }) {
  const [x1, y1, x2, y2] = box;
  const text = note ? `${label} ${note}` : label;
  const size = LABEL_PX / scale;
  const chipWidth = (text.length * LABEL_PX * 0.6 + 10) / scale;
  const chipHeight = (LABEL_PX + 6) / scale;
  const [left, top] = chipPlace(box, corner, chipWidth, chipHeight, imageWidth);
  const edge = { x: x1, y: y1, width: Math.max(0, x2 - x1), height: Math.max(0, y2 - y1), fill: "none" };
  const line = { ...edge, "vector-effect": "non-scaling-stroke" };
  const parts = [
    svg("title", { text }),
    svg("rect", { ...line, stroke: "#000", "stroke-opacity": 0.4, "stroke-width": width + 2 }),
    svg("rect", { ...line, stroke: colour, "stroke-width": width, "stroke-dasharray": dash }),
  ];
  if (labelled) {
    parts.push(
      svg("rect", { x: left, y: top, width: chipWidth, height: chipHeight, rx: 3 / scale, fill: colour }),
      svg("text", {
        x: left + 5 / scale, y: top + chipHeight / 2, "font-size": size, fill: textOn(colour),
        "dominant-baseline": "central", text,
      }),
    );
  }
  return svg("g", { class: faint ? "box faint" : "box" }, ...parts);
}

/** Make an empty overlay that lies exactly on an image shown whole. */
export function makeOverlay(width, height) {
  return svg("svg", {
    class: "overlay", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "xMidYMid meet",
    "aria-hidden": "true",
  });
}
