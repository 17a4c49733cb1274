// The visible part of a large image in its own pixels: square tiles over the smaller picture.

import { el } from "./dom.js";

export const TILE = 512;
const ASKED_AT_ONCE = 3; // the browser has six lines to us; decisions must never wait for tiles
const LEAST_KEPT = 64;
const AGAIN_MS = 5000;
const ENLARGED = 1.2; // a level may be enlarged by so much before the next finer one is asked for

/** Give the level (halvings of the original) that fills the screen; 0 is the original itself. */
export function levelFor(scale, dpr, width, height) {
  const coarsest = Math.max(0, Math.ceil(Math.log2(Math.max(width, height) / TILE)));
  return Math.min(coarsest, Math.max(0, Math.floor(Math.log2(ENLARGED / (scale * dpr)))));
}

/** Give the tiles of a level that show a part [x1, y1, x2, y2] of the image, nearest to its middle first. */
export function tilesOf([x1, y1, x2, y2], level) {
  const side = TILE * 2 ** level;
  const found = [];
  for (let y = Math.floor(y1 / side); y * side < y2; y += 1) {
    for (let x = Math.floor(x1 / side); x * side < x2; x += 1) found.push([x, y]);
  }
  const away = ([x, y]) => Math.hypot((x + 0.5) * side - (x1 + x2) / 2, (y + 0.5) * side - (y1 + y2) / 2);
  return found.sort((a, b) => away(a) - away(b));
}

/** Give the address of a tile from the address of the item's picture. */
export function tileUrl(picture, level, [x, y]) {
  const url = new URL(picture);
  url.pathname = url.pathname.replace(/\/files\/item\/(\d+)$/, `/files/tile/$1/${level}/${x}_${y}`);
  url.searchParams.delete("w");
  return url.href;
}

/** The tiles over one picture; loads what is wanted, keeps some of what was. */
export class Tiles {
  constructor() {
    this.node = el("div", { class: "tiles", "aria-hidden": "true" });
    this.onfail = () => {};
    this.failing = false;
    this.clear();
  }

  /** Forget the picture: what is under way is broken off. */
  clear() {
    for (const { node, ready } of this.held?.values() ?? []) if (!ready) node.removeAttribute("src");
    this.held = new Map();
    this.wanted = [];
    this.node.replaceChildren();
    this.#tell();
  }

  /** Want the tiles that make this view sharp; none where the picture itself is sharp enough. */
  want(viewport, dpr, picture, naturalWidth) {
    const { width, height, scale } = viewport;
    const level = levelFor(scale, dpr, width, height);
    const enough = viewport.fitted || width / 2 ** level <= naturalWidth * 1.05;
    this.wanted = enough ? [] : tilesOf(viewport.visible(), level).map((at) => ({ level, at, url: tileUrl(picture, level, at) }));
    const names = new Set(this.wanted.map((t) => t.url));
    for (const [url, tile] of this.held) if (!names.has(url) && tile.asked && !tile.ready) this.#drop(url, tile);
    // What failed is asked for once more when one looks there again, if that was a while ago.
    for (const [url, tile] of this.held) if (names.has(url) && tile.failed && performance.now() - tile.failedAt > AGAIN_MS) this.#drop(url, tile);
    this.#next();
    this.#forget(names);
    this.#tell();
  }

  // Whether the coarse picture stands where a fine tile was wanted and did not come.
  #tell() {
    const now = this.wanted.some(({ url }) => this.held.get(url)?.failed);
    if (now === this.failing) return;
    this.failing = now;
    this.onfail();
  }

  #next() {
    let asked = [...this.held.values()].filter((t) => t.asked && !t.ready && !t.failed).length;
    for (const tile of this.wanted) {
      const held = this.held.get(tile.url);
      if (held?.ready) this.#touch(tile.url, held);
      if (held || asked >= ASKED_AT_ONCE) continue;
      asked += 1;
      this.#ask(tile);
    }
  }

  #ask({ level, at: [x, y], url }) {
    const factor = 2 ** level;
    const node = new Image();
    node.decoding = "async";
    node.draggable = false;
    const tile = { node, level, asked: true, ready: false, failed: false };
    this.held.set(url, tile);
    node.src = url;
    node.decode().then(
      () => {
        tile.ready = true;
        Object.assign(node.style, {
          left: `${x * TILE * factor}px`, top: `${y * TILE * factor}px`,
          width: `${node.naturalWidth * factor}px`, height: `${node.naturalHeight * factor}px`, zIndex: String(20 - level),
        });
      },
      () => Object.assign(tile, { failed: true, failedAt: performance.now() }),
    ).then(() => {
      if (this.held.get(url) !== tile) return;
      if (tile.ready) this.node.append(node);
      this.#next();
      this.#tell();
    });
  }

  #touch(url, tile) {
    this.held.delete(url);
    this.held.set(url, tile);
    if (!tile.node.isConnected) this.node.append(tile.node);
  }

  #drop(url, tile) {
    this.held.delete(url);
    tile.node.removeAttribute("src");
    tile.node.remove();
  }

  #forget(names) {
    const most = Math.max(LEAST_KEPT, names.size * 2);
    for (const [url, tile] of this.held) {
      if (this.held.size <= most) break;
      if (!names.has(url)) this.#drop(url, tile);
    }
  }
}
