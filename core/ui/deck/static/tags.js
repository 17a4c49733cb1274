// Who has a disputed region and what they call it: one tag a region, whatever the number of parties.
// Letters alone (Q W M) where all agree or there is no room; names with them where answers differ.

import { svg } from "./dom.js";
import { CHIP_PX, LABEL_PX, textOn, widthIn } from "./regions.js";

const SAME = 0.3; // from this overlap of their frames on, regions of two parties share a tag
const PAD_PX = 5;
const APART_PX = 2;
const DARK = "#20262E";
const MODEL = "M";

function overlap(a, b) {
  const area = ([x1, y1, x2, y2]) => Math.max(0, x2 - x1) * Math.max(0, y2 - y1);
  const both = area([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])]);
  return both / (area(a) + area(b) - both || 1);
}

/**
 * Gather the regions that not all voters share, one tag for those of several parties that lie on each
 * other: {box, said: [{label, marks: [{key, colour, sure}]}], differs}. Pure.
 */
export function tagsOf(layers, percent) {
  const tags = [];
  for (const layer of layers) {
    layer.answer.regions.forEach((region, i) => {
      if (layer.shared[i]) return;
      const [found] = tags.filter((t) => !t.keys.has(layer.key)).map((t) => [t, overlap(t.box, region.box)])
        .filter(([, share]) => share >= SAME).sort((a, b) => b[1] - a[1]);
      const tag = found?.[0] ?? { box: region.box, keys: new Set(), said: [] };
      if (!found) tags.push(tag);
      tag.keys.add(layer.key);
      let group = tag.said.find((s) => s.label === region.label);
      if (!group) tag.said.push(group = { label: region.label, marks: [] });
      group.marks.push({ key: layer.key, colour: layer.colour, sure: percent(region.confidence) });
    });
  }
  const voters = layers.filter((l) => l.key !== MODEL).map((l) => l.key);
  return tags.map(({ box, keys, said }) => ({ box, said, differs: said.length > 1 || voters.some((v) => !keys.has(v)) }));
}

/** Say a tag in words, for who points at it. Pure. */
export function tagWords({ said }) {
  return said.map(({ label, marks }) => `${label}: ${marks.map((m) => [m.key, m.sure].filter(Boolean).join(" ")).join(", ")}`).join(" ≠ ");
}

const crosses = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

// Around the region, above it first, inside the room.
function places([x1, y1, x2, y2], width, [w, h]) {
  const [above, below] = [y1 - CHIP_PX - APART_PX, y2 + APART_PX];
  const corners = [[x1, above], [x2 - width, above], [x1, below], [x2 - width, below], [x2 + APART_PX, y1], [x1 - width - APART_PX, y1]];
  const within = (value, most) => Math.max(0, Math.min(value, Math.max(0, most)));
  return corners.map(([x, y]) => [within(x, w - width), within(y, h - CHIP_PX)]).map(([x, y]) => [x, y, x + width, y + CHIP_PX]);
}

/**
 * Lay tags {frame, short, full, differs} of given widths in a room, in pixels: none over another one or over a
 * region where there is any room; with names only where that covers nothing. Gives {rect, wide} for each. Pure.
 */
export function layTags(tags, room) {
  const laid = [];
  const free = (rect, i, others) => !tags.some((t) => crosses(rect, t.frame)) && !others.some((o, j) => o && j !== i && crosses(rect, o.rect));
  for (const [i, tag] of tags.entries()) {
    const around = places(tag.frame, tag.short, room);
    const apart = around.find((r) => !laid.some((o) => crosses(r, o.rect)));
    laid.push({ rect: around.find((r) => free(r, i, laid)) ?? apart ?? around[0], wide: false });
  }
  for (const [i, tag] of tags.entries()) {
    const rect = tag.differs ? places(tag.frame, tag.full, room).find((r) => free(r, i, laid)) : null;
    if (rect) laid[i] = { rect, wide: true };
  }
  return laid;
}

function pieces({ said }, named) {
  return said.flatMap(({ label, marks }, n) => [
    ...(n ? [{ text: "≠", colour: DARK }] : []),
    ...(named ? [{ text: label, colour: DARK }] : []),
    ...marks.map((m) => ({ text: named && m.sure ? `${m.key} ${m.sure}` : m.key, colour: m.colour })),
  ]);
}

function drawn(name, parts) {
  const nodes = parts.map(({ text, colour }) => {
    const back = svg("rect", { height: CHIP_PX, fill: colour });
    const words = svg("text", { y: CHIP_PX / 2, "font-size": LABEL_PX, fill: textOn(colour), "dominant-baseline": "central", text });
    return { text, back, words };
  });
  return { node: svg("g", { class: name }, ...nodes.flatMap((p) => [p.back, p.words])), parts: nodes, width: 0 };
}

// The font is known once a tag is in the page.
function spread(line) {
  let x = 0;
  for (const { text, back, words } of line.parts) {
    const width = widthIn(text, words) + 2 * PAD_PX;
    back.setAttribute("x", x);
    back.setAttribute("width", width);
    words.setAttribute("x", x + PAD_PX);
    x += width;
  }
  line.width = x;
}

/** The tags over one image. */
export class Tags {
  constructor() {
    this.node = svg("g", { class: "tags" });
    this.tags = [];
  }

  /** Draw tags anew; `place` lays them. */
  draw(tags) {
    this.tags = tags.map((tag) => {
      const [short, full] = [drawn("short", pieces(tag, false)), drawn("full", pieces(tag, true))];
      const node = svg("g", { class: "tag" }, svg("title", { text: tagWords(tag) }), short.node, full.node);
      return { ...tag, short, full, node };
    });
    this.node.replaceChildren(...this.tags.map((t) => t.node));
    this.spread = false;
  }

  /** Lay them where the view has their regions; those of regions out of sight are hidden. */
  place(viewport) {
    if (!this.spread) for (const { short, full } of this.tags) [short, full].forEach(spread);
    this.spread = true;
    const [w, h] = viewport.room;
    const framed = this.tags.map((tag) => {
      const { box } = tag;
      return { tag, frame: [...viewport.toStage(box[0], box[1]), ...viewport.toStage(box[2], box[3])] };
    });
    const seen = framed.filter(({ frame }) => crosses(frame, [0, 0, w, h]));
    for (const { node } of this.tags) node.setAttribute("display", "none");
    const laid = layTags(seen.map(({ tag, frame }) => ({ frame, short: tag.short.width, full: tag.full.width, differs: tag.differs })), [w, h]);
    seen.forEach(({ tag: { node } }, i) => {
      const { rect, wide } = laid[i];
      node.removeAttribute("display");
      node.setAttribute("class", wide ? "tag wide" : "tag");
      node.setAttribute("transform", `translate(${rect[0]} ${rect[1]})`);
    });
  }
}
