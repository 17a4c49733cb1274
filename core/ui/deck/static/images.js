// Images loaded and decoded before they are wanted, at the size they are shown.

import { isObject } from "./storage.js";

const STEPS = [400, 800, 1600];
const PATIENCE_MS = 20000;
const LATER = new Set([408, 425, 429]);

// What stands in the way of a picture's address: "none", "broken" where our own route says so (with
// its sentence), else "faulty" (the server has a fault), "offline" or "signed-out", which pass. The
// browser does not say it of an <img>.
async function obstacle(url) {
  try {
    const reply = await fetch(url, { credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE_MS) });
    if (reply.ok) return { why: (reply.headers.get("Content-Type") ?? "").startsWith("image/") && (await reply.blob()).size ? "none" : "offline" };
    if (reply.status === 401) return { why: "signed-out" };
    if (reply.status >= 500) return { why: reply.status === 500 ? "faulty" : "offline" };
    if (LATER.has(reply.status)) return { why: "offline" };
    const body = await reply.json().catch(() => null); // a proxy's page is nothing that we said
    if (!isObject(body) || typeof body.error?.code !== "string") return { why: "offline" };
    return { why: "broken", said: typeof body.error.message === "string" ? body.error.message : "" };
  } catch {
    return { why: "offline" };
  }
}

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
    this.refusals = new Map();
  }

  /** Give the node of an item and a promise of whether it can be shown. */
  get(item) {
    let held = this.nodes.get(item.item_id);
    if (!held || held.failed) held = this.#load(this.#url(item), item);
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

  /**
   * Tell why an item's picture did not come: "broken", "faulty", "offline" or "signed-out"; "none"
   * where it comes by now. Bytes that come whole and cannot be drawn, twice, are broken too.
   */
  async whyNot(item) {
    const held = this.nodes.get(item.item_id);
    const { why, said = "" } = await obstacle(this.#url(item));
    this.refusals.set(item.item_id, said);
    if (why !== "none") return why;
    return held && !(await held.again()) ? "broken" : "none";
  }

  /** Give the server's own sentence about a picture it refused last, or nothing. */
  sentence(item) {
    return this.refusals.get(item.item_id) ?? "";
  }

  #url(item) {
    return `${this.base}${item.image}&w=${this.width}`;
  }

  #load(url, item) {
    const node = new Image();
    node.alt = item.name;
    node.decoding = "sync";
    node.draggable = false;
    node.src = url;
    const held = { node, ready: false, failed: false, again: () => this.#load(url, item).done };
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
