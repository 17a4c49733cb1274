// What is being edited, with undo and redo. States are values: every command gives a new one, or
// the same one where it changes nothing. Pure.

import { HIDDEN, VISIBLE, exact, fit, moved, stretched } from "./geometry.js";
import { MOST_REGIONS, readRegions, writeRegion } from "./read.js";

const REMEMBERED = 500;
const DUPLICATE_PX = 10;
const NONE = { selected: null, vertex: null };

/** Give the first state of an image: {size, shape, count, questions} and the regions it has. */
export function begin(rules, sent, label) {
  const { regions, dropped, over } = readRegions(sent, rules);
  const numbered = regions.map((region, i) => ({ ...region, id: i + 1 }));
  return { state: { rules, label, regions: numbered, serial: numbered.length + 1, ...NONE }, dropped, over };
}

/** Give a region by its number, or null. */
export function regionOf(state, id) {
  return state.regions.find((r) => r.id === id) ?? null;
}

/** Give the selected region, or null. */
export function selectedOf(state) {
  return state.selected === null ? null : regionOf(state, state.selected);
}

function fitted(state, geometry) {
  const { shape, size, count } = state.rules;
  return fit(shape, geometry, size, { count });
}

function changed(state, id, change) {
  return { ...state, regions: state.regions.map((r) => (r.id === id ? { ...r, confidence: null, ...change } : r)) };
}

// --- commands: (state, …) → state -------------------------------------------------------------

/** Add a region of the class in force and select it. */
export function add(state, geometry, more = {}) {
  const { rules, regions, serial, label } = state;
  const kept = regions.length < MOST_REGIONS ? fitted(state, geometry) : null;
  if (!kept) return state;
  const region = { id: serial, label, shape: rules.shape, attributes: {}, confidence: null, ...more, ...kept };
  return { ...state, regions: [...regions, region], serial: serial + 1, selected: serial, vertex: null };
}

/** Give a region another geometry; what is none of this image changes nothing. */
export function reshape(state, id, geometry) {
  const region = regionOf(state, id);
  const kept = region && fitted(state, geometry);
  if (!kept || same(region, kept)) return state;
  return changed(state, id, kept);
}

function same(region, kept) {
  return Object.entries(kept).every(([name, value]) => JSON.stringify(region[name]) === JSON.stringify(value));
}

/** Move a region by image pixels, as far as the image goes. */
export function move(state, id, by) {
  const region = regionOf(state, id);
  return region ? reshape(state, id, moved(region, by, state.rules.size)) : state;
}

/** Move the right and lower edge of a region; a mask has none. */
export function stretch(state, id, by) {
  const region = regionOf(state, id);
  return region && region.shape !== "mask" ? reshape(state, id, stretched(region, by, state.rules.size)) : state;
}

/** Put a corner, or a keypoint, at a place. A keypoint that was not there is there then. */
export function moveVertex(state, id, index, [x, y], v = null) {
  const region = regionOf(state, id);
  const old = region?.points?.[index];
  if (!old) return state;
  const tail = old.length === 3 ? [v ?? (old[2] || VISIBLE)] : [];
  const points = region.points.with(index, [exact(x), exact(y), ...tail]);
  return reshape(state, id, { points });
}

/** Put a new corner after another one and take hold of it. */
export function insertVertex(state, id, after, [x, y]) {
  const region = regionOf(state, id);
  if (region?.shape !== "polygon") return state;
  const next = reshape(state, id, { points: region.points.toSpliced(after + 1, 0, [exact(x), exact(y)]) });
  return next === state ? state : { ...next, vertex: after + 1 };
}

/** Take a corner away while three are left. */
export function deleteVertex(state, id, index) {
  const region = regionOf(state, id);
  if (region?.shape !== "polygon" || region.points.length <= 3) return state;
  const next = reshape(state, id, { points: region.points.toSpliced(index, 1) });
  return next === state ? state : { ...next, vertex: Math.min(index, region.points.length - 2) };
}

/** Say whether a keypoint is seen (2), hidden (1) or not there (0); without any, the region goes. */
export function setVisibility(state, id, index, v) {
  const region = regionOf(state, id);
  const point = region?.points?.[index];
  if (region?.shape !== "keypoints" || !point || (!point[2] && v)) return state;
  const points = region.points.with(index, v ? [point[0], point[1], v] : [0, 0, 0]);
  return points.some((p) => p[2]) ? reshape(state, id, { points }) : remove(state, id);
}

/** Give the other of "visible" and "hidden". */
export function otherVisibility(v) {
  return v === VISIBLE ? HIDDEN : VISIBLE;
}

/** Give a region another class, or set the class of the next one. */
export function relabel(state, id, label) {
  const next = { ...state, label };
  if (id === null || regionOf(state, id)?.label === label) return state.label === label ? state : next;
  return changed(next, id, { label });
}

/** Answer a question about a region; null takes the answer away. */
export function answer(state, id, key, value) {
  const region = regionOf(state, id);
  if (!region || (region.attributes[key] ?? null) === value) return state;
  const { [key]: _before, ...rest } = region.attributes;
  return changed(state, id, { attributes: value === null ? rest : { ...rest, [key]: value } });
}

/** Take a region away and select the one after it, else the last. */
export function remove(state, id) {
  const place = state.regions.findIndex((r) => r.id === id);
  if (place < 0) return state;
  const regions = state.regions.toSpliced(place, 1);
  const next = regions[Math.min(place, regions.length - 1)]?.id ?? null;
  return { ...state, regions, selected: state.selected === id ? next : state.selected, vertex: null };
}

/** Put a copy of a region beside it, inside the image. */
export function duplicate(state, id) {
  const region = regionOf(state, id);
  if (!region) return state;
  const [width, height] = state.rules.size;
  const dx = region.box[2] + DUPLICATE_PX <= width ? DUPLICATE_PX : -DUPLICATE_PX;
  const dy = region.box[3] + DUPLICATE_PX <= height ? DUPLICATE_PX : -DUPLICATE_PX;
  const { label, attributes } = region;
  return add(state, moved(region, [dx, dy], state.rules.size), { label, attributes });
}

/** Select a region, or none. */
export function select(state, id, vertex = null) {
  const there = id === null || regionOf(state, id);
  if (!there || (state.selected === id && state.vertex === vertex)) return state;
  return { ...state, selected: id, vertex };
}

/** Select the next region, or the one before; after the last comes the first. */
export function step(state, by) {
  const { regions, selected } = state;
  if (!regions.length) return state;
  const place = regions.findIndex((r) => r.id === selected);
  const to = place < 0 ? (by > 0 ? 0 : regions.length - 1) : (place + by + regions.length) % regions.length;
  return select(state, regions[to].id);
}

/** Take hold of the next corner or keypoint of the selected region. */
export function stepVertex(state, by) {
  const points = selectedOf(state)?.points;
  if (!points) return state;
  const from = state.vertex ?? (by > 0 ? -1 : 0);
  return select(state, state.selected, (from + by + points.length) % points.length);
}

// --- the past ---------------------------------------------------------------------------------

/** A state with its past and future. Listeners hear (state, before) after every change. */
export class Model {
  constructor(state) {
    this.state = state;
    this.past = [];
    this.future = [];
    this.token = null;
    this.listeners = new Set();
  }

  /** Call back on every change. */
  listen(fn) {
    this.listeners.add(fn);
  }

  /** Do a command as a step of its own; gives whether anything changed. */
  apply(command, ...args) {
    return this.during(null, command, ...args);
  }

  /** Do a command; steps with the same token one after the other are undone together. */
  during(token, command, ...args) {
    const next = command(this.state, ...args);
    if (next === this.state) return false;
    const goesOn = token !== null && token === this.token;
    if (next.regions !== this.state.regions) {
      if (!goesOn) this.past = [...this.past.slice(1 - REMEMBERED), this.state];
      this.future = [];
      this.token = token;
    }
    this.#become(next);
    return true;
  }

  /** End what goes on under a token. */
  settle() {
    this.token = null;
  }

  undo() {
    return this.#back(this.past, this.future);
  }

  redo() {
    return this.#back(this.future, this.past);
  }

  #back(from, to) {
    const state = from.pop();
    if (!state) return false;
    to.push(this.state);
    this.token = null;
    this.#become(state);
    return true;
  }

  #become(state) {
    const before = this.state;
    this.state = state;
    for (const fn of this.listeners) fn(state, before);
  }

  /** Give the regions in the contract's form. */
  regions() {
    return this.state.regions.map(writeRegion);
  }
}
