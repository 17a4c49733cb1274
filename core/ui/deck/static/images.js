// Images loaded and decoded before they are wanted, at the size they are shown.

const STEPS = [400, 800, 1600];

/** Give the smallest width step that fills so many device pixels. */
export function widthStep(pixels) {
  return STEPS.find((step) => step >= pixels) ?? STEPS[STEPS.length - 1];
}

/** A bounded set of decoded images, one <img> node per item. */
export class Images {
  constructor(base, most = 14) {
    this.base = base;
    this.most = most;
    this.nodes = new Map();
    this.width = 1600;
  }

  /** Give the node of an item and a promise of whether it can be shown. */
  get(item) {
    const url = `${this.base}${item.image}&w=${this.width}`;
    let held = this.nodes.get(item.item_id);
    if (!held || held.failed) held = this.#load(url, item);
    this.nodes.delete(item.item_id);
    this.nodes.set(item.item_id, held);
    return held;
  }

  /** Load the coming items and forget the oldest. */
  prepare(items) {
    for (const item of [...items].reverse()) this.get(item);
    for (const id of this.nodes.keys()) {
      if (this.nodes.size <= this.most) break;
      this.nodes.delete(id);
    }
  }

  #load(url, item) {
    const node = new Image();
    node.alt = item.name;
    node.decoding = "sync";
    node.draggable = false;
    node.src = url;
    const held = { node, ready: false, failed: false };
    held.done = node.decode().then(
      () => (held.ready = true),
      () => {
        held.failed = true;
        return false;
      },
    );
    return held;
  }
}
