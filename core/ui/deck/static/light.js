// The light of a picture: brightness and contrast by CSS, gamma and one channel alone by an SVG filter.

import { svg } from "./dom.js";

const ID = "tb-light";
const ROWS = { R: "1 0 0 0 0 ", G: "0 1 0 0 0 ", B: "0 0 1 0 0 " };

/** A filter that lies beside the picture and is named by its style. */
export class Light {
  constructor() {
    this.filter = svg("filter", { id: ID, "color-interpolation-filters": "sRGB", x: 0, y: 0, width: "100%", height: "100%" });
    this.node = svg("svg", { class: "lightfilter", width: 0, height: 0, "aria-hidden": "true" }, this.filter);
  }

  /** Give the style that shows these values and this colour channel ("" for all). */
  style({ brightness, contrast, gamma }, channel = "") {
    const parts = [];
    if (channel in ROWS) parts.push(svg("feColorMatrix", { type: "matrix", values: `${ROWS[channel].repeat(3)}0 0 0 1 0` }));
    if (gamma !== 1) {
      const curve = { type: "gamma", exponent: 1 / gamma };
      parts.push(svg("feComponentTransfer", {}, svg("feFuncR", curve), svg("feFuncG", curve), svg("feFuncB", curve)));
    }
    this.filter.replaceChildren(...parts);
    const chain = [parts.length ? `url(#${ID})` : "", brightness === 1 ? "" : `brightness(${brightness})`, contrast === 1 ? "" : `contrast(${contrast})`];
    return chain.filter(Boolean).join(" ") || "none";
  }
}
