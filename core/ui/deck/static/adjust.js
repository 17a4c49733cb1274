// How a person sees images in this tab: light, overlay, sharpness. Kept per tab; pure but for the store.

import { say } from "./dom.js";
import { tabStorage } from "./storage.js";

const KEY = "tiebreak.view";
const NEUTRAL = { brightness: 1, contrast: 1, gamma: 1, opacity: 1, sharp: true, keepZoom: false };
const OPACITIES = [1, 0.6, 0.3];

/** The sliders: name, least, most, step. */
export const SLIDERS = [
  ["brightness", 0.2, 3, 0.05],
  ["contrast", 0.2, 3, 0.05],
  ["gamma", 0.2, 3, 0.05],
  ["opacity", 0.1, 1, 0.05],
];

function read(storage) {
  try {
    return checked(JSON.parse(storage.getItem(KEY) ?? "{}"));
  } catch {
    return {};
  }
}

// What lies in the tab's store may have been put there by anybody.
function checked(found) {
  const good = {};
  for (const [name, least, most] of SLIDERS) {
    if (Number.isFinite(found?.[name])) good[name] = Math.min(most, Math.max(least, found[name]));
  }
  for (const name of ["sharp", "keepZoom"]) if (typeof found?.[name] === "boolean") good[name] = found[name];
  return good;
}

/** Say a slider's value as a person reads it. */
export function shownValue(name, value) {
  return name === "gamma" ? value.toFixed(2) : `${Math.round(value * 100)} %`;
}

/** The settings of the view; `listen` to hear of changes. */
export class Adjustment {
  constructor(storage = tabStorage()) {
    this.storage = storage;
    this.values = { ...NEUTRAL, ...read(storage) };
    this.listeners = new Set();
  }

  /** Set one value by its name. */
  set(name, value) {
    this.values = { ...this.values, ...checked({ [name]: value }) };
    this.#keep();
  }

  /** Go back to the picture as it is; how zoom behaves stays as the person set it. */
  reset() {
    this.values = { ...NEUTRAL, keepZoom: this.values.keepZoom };
    this.#keep();
  }

  /** Go to the next of a few opacities of the overlay. */
  nextOpacity() {
    this.set("opacity", OPACITIES.find((o) => o < this.values.opacity - 0.01) ?? OPACITIES[0]);
    return this.values.opacity;
  }

  /** Tell whether the picture's light is as in the file. */
  get neutral() {
    return ["brightness", "contrast", "gamma"].every((name) => this.values[name] === 1);
  }

  /** Say what is not as in the file: nobody may forget that a picture is altered. */
  notes(texts, { overlaid = true } = {}) {
    return ["brightness", "contrast", "gamma", ...(overlaid ? ["opacity"] : [])]
      .filter((name) => this.values[name] !== 1)
      .map((name) => say(texts.altered, { name: texts.sliders[name], value: shownValue(name, this.values[name]) }));
  }

  /** Call back on every change; give what stops that. */
  listen(fn) {
    this.listeners.add(fn);
    return () => this.listeners.delete(fn);
  }

  #keep() {
    try {
      this.storage?.setItem(KEY, JSON.stringify(this.values));
    } catch {
      // The settings then last until the next reload only.
    }
    for (const fn of [...this.listeners]) fn();
  }
}
