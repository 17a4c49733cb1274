// Regions from outside (a draft, a model, storage) into the editor and back out. Pure.

import { fit } from "./geometry.js";

/** The most regions one image may have in the editor. */
export const MOST_REGIONS = 2000;

function attributesOf(sent, questions) {
  const asked = new Set(questions.map((q) => q.key));
  const given = sent && typeof sent === "object" ? Object.entries(sent) : [];
  return Object.fromEntries(given.filter(([key, value]) => asked.has(key) && typeof value === "string"));
}

function readOne(sent, { shape, size, count, questions }) {
  if (!sent || typeof sent !== "object" || typeof sent.label !== "string" || !sent.label) return null;
  if ((sent.shape ?? "box") !== shape) return null;
  const geometry = fit(shape, sent, size, { least: 0, count });
  if (!geometry) return null;
  const sure = sent.confidence;
  return {
    label: sent.label, shape, ...geometry, attributes: attributesOf(sent.attributes, questions),
    confidence: Number.isFinite(sure) && sure >= 0 && sure <= 1 ? sure : null,
  };
}

/**
 * Take what can be taken of a list of regions in the contract's form; count what cannot, and what is
 * over the most.
 * rules: {shape, size: [width, height], count (points of the skeleton), questions (about a region)}.
 */
export function readRegions(sent, rules) {
  const rows = Array.isArray(sent) ? sent : [];
  const read = rows.map((row) => readOne(row, rules)).filter(Boolean);
  const regions = read.slice(0, MOST_REGIONS);
  return { regions, dropped: rows.length - read.length, over: read.length - regions.length };
}

const known = new WeakMap(); // regions looked at before, and whether they can be drawn

function canBeDrawn(region, { size, count }) {
  const { box, shape = "box" } = region;
  if (!Array.isArray(box) || box.length !== 4 || !box.every(Number.isFinite)) return false;
  return fit(shape, region, size, { least: 0, count }) !== null;
}

/** List the regions that can be drawn: what storage spoilt must not keep the image from being seen. */
export function drawable(regions, rules) {
  return (Array.isArray(regions) ? regions : []).filter((region) => {
    if (!region || typeof region !== "object") return false;
    if (!known.has(region)) known.set(region, canBeDrawn(region, rules));
    return known.get(region);
  });
}

/** Give a region in the contract's form. */
export function writeRegion({ label, shape, box, points, rle, attributes, confidence }) {
  return {
    label, box: [...box],
    ...(shape === "box" ? {} : { shape, ...(rle ? { rle } : { points: points.map((p) => [...p]) }) }),
    ...(Object.keys(attributes).length ? { attributes: { ...attributes } } : {}),
    ...(confidence === null ? {} : { confidence }),
  };
}
