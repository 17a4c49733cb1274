// Masks and regions, run by node --test. The counts were written by pycocotools.

import assert from "node:assert/strict";
import { test } from "node:test";

const at = (name) => new URL(`../../../core/ui/deck/static/${name}.js`, import.meta.url).href;

// Enough of a document for what dom.js makes.
class Node {
  constructor(tag) {
    Object.assign(this, { tag, attributes: {}, children: [], textContent: "" });
  }
  setAttribute(name, value) {
    this.attributes[name] = value;
  }
  append(...nodes) {
    this.children.push(...nodes);
  }
  querySelectorAll() {
    return this.children.flatMap((c) => [...(c.attributes.class === "chip" ? [c] : []), ...c.querySelectorAll()]);
  }
  all(tag) {
    return this.children.flatMap((c) => [...(c.tag === tag ? [c] : []), ...c.all(tag)]);
  }
}
globalThis.document = { createElementNS: (_space, tag) => new Node(tag), createElement: (tag) => new Node(tag) };

const { readRuns, writeRuns, maskRings, maskPath } = await import(at("rle"));
const { decodeRle, encodeRle, drawRegion, placeRegions } = await import(at("regions"));
const { Viewport } = await import(at("viewport"));

const MASKS = [
  [6, 8, "=3300000;", "000000000011110000111100001111000000000000000000"],
  [3, 4, "<", "000000000000"],
  [3, 4, "0<", "111111111111"],
  [9, 7, "22100O010O001020N1O00111OM51K00O00010O", "001100001001011101100100110101001101011011110110100010101010011"],
];
const ELLIPSE = "hZ1i0j2:G8I6J6K4K6L2M4L4M2N2M4M2N2N2N2O0O2N2O0O2O000O2O00000000000000000001N10001N101N2N101N2N2N2N3L3N2N3L4L3N4J5L5J6J7H9FeY2";

test("counts of pycocotools are read pixel for pixel and written character for character", () => {
  for (const [height, width, counts, pixels] of MASKS) {
    const mask = decodeRle(counts, height, width);
    assert.equal([...mask].join(""), pixels);
    assert.equal(encodeRle(mask, height, width), counts);
  }
  const ellipse = decodeRle(ELLIPSE, 120, 90);
  assert.equal(ellipse.reduce((a, b) => a + b), 4689);
  assert.equal(ellipse[60 * 90 + 40], 1);
  assert.equal(encodeRle(ellipse, 120, 90), ELLIPSE);
  assert.equal(writeRuns(readRuns(ELLIPSE)), ELLIPSE);
});

test("runs beyond 2^20 pixels, as large images have them, survive", () => {
  const runs = [12_345_678, 48_000_000 - 12_345_678 - 5, 5, 3, 70_000];
  assert.deepEqual(readRuns(writeRuns(runs)), runs);
});

test("counts that are none are refused, and too long ones end with the image", () => {
  for (const bad of ["\u0001", "é", "0o", "zzz"]) assert.throws(() => readRuns(bad), RangeError);
  assert.equal(decodeRle(writeRuns([0, 1000]), 3, 4).length, 12);
});

test("a mask's rings hold its pixels and go round them once", () => {
  for (const [height, width, counts, pixels] of MASKS) {
    let area = 0;
    let around = 0;
    for (const ring of maskRings(counts, height, width)) {
      ring.forEach(([x, y], i) => {
        const [nx, ny] = ring[(i + 1) % ring.length];
        area += (x * ny - nx * y) / 2;
        around += Math.abs(nx - x) + Math.abs(ny - y);
      });
    }
    assert.equal(area, [...pixels].filter((p) => p === "1").length);
    const on = (x, y) => x >= 0 && y >= 0 && x < width && y < height && pixels[y * width + x] === "1";
    let edges = 0;
    for (let y = 0; y <= height; y += 1) for (let x = 0; x <= width; x += 1) edges += (on(x, y) !== on(x - 1, y)) + (on(x, y) !== on(x, y - 1));
    assert.equal(around, edges);
  }
});

test("a mask's path has a step only where its outline turns", () => {
  assert.equal(maskPath(MASKS[0][2], 6, 8), "M2 1H6V4H2z");
  assert.equal(maskPath(MASKS[1][2], 3, 4), "");
});

const look = { colour: "#2f6fde", size: [8, 6], skeleton: { points: ["nose", "tail", "ear"], edges: [[0, 1], [1, 2]] } };

test("every shape is drawn, with its label", () => {
  const shapes = [
    [{ shape: "box" }, "rect"],
    [{ shape: "polygon", points: [[0, 0], [4, 0], [4, 5]] }, "polygon"],
    [{ shape: "keypoints", points: [[1, 1, 2], [4, 2, 1], [0, 0, 0]] }, "line"],
    [{ shape: "mask", rle: MASKS[0][2] }, "path"],
  ];
  for (const [more, tag] of shapes) {
    const node = drawRegion({ label: "cat", note: "90 %", box: [0, 0, 4, 5], ...more }, look);
    assert.ok(node.all(tag).length >= 2, more.shape ?? tag);
    assert.equal(node.all("text")[0].textContent, "cat 90 %");
    assert.equal(node.attributes["data-shape"], more.shape);
  }
});

test("a point that is not there is not drawn, nor is an edge to it", () => {
  const node = drawRegion({ label: "cat", shape: "keypoints", box: [1, 1, 4, 2], points: [[1, 1, 2], [4, 2, 1], [0, 0, 0]] }, look);
  assert.equal(node.all("line").length, 2); // one edge: dark line and coloured line
  assert.deepEqual(node.all("title").map((t) => t.textContent), ["cat", "nose", "tail"]);
});

test("a label keeps its size and stays with the part of its box that is in sight", () => {
  const view = new Viewport(8, 6);
  view.setRoom(800, 600);
  const group = new Node("g");
  group.append(drawRegion({ label: "cat", box: [2, 2, 6, 5] }, look));
  const where = () => {
    placeRegions(group, view);
    const [, x, y, scale] = /translate\((\S+) (\S+)\) scale\((\S+)\)/.exec(group.querySelectorAll()[0].attributes.transform).map(Number);
    return { at: view.toStage(x, y), scale };
  };
  const whole = where();
  assert.equal(whole.scale * view.scale, 1);
  assert.deepEqual(whole.at.map(Math.round), [200, 181]);
  view.panBy(-300, -250);
  assert.deepEqual(where().at.map(Math.round), [0, 0]);
});

test("a label is as wide as its words where they can be measured, and about so where not", () => {
  const { createElement } = document;
  const view = new Viewport(8, 6);
  view.setRoom(800, 600);
  const chipOf = () => {
    const group = new Node("g");
    group.append(drawRegion({ label: "Platelets", note: "97 %", box: [2, 2, 6, 5] }, look));
    placeRegions(group, view);
    return group.querySelectorAll()[0].all("rect")[0].attributes.width;
  };
  const guessed = chipOf();
  assert.ok(guessed > 60 && guessed < 120, String(guessed));
  const fonts = [];
  document.createElement = () => ({ getContext: () => ({ set font(name) { fonts.push(name); }, measureText: (text) => ({ width: text.length * 5 }) }) });
  globalThis.getComputedStyle = () => ({ fontFamily: "Some Sans", fontWeight: "600" });
  try {
    assert.equal(chipOf(), 14 * 5 + 10);
    assert.equal(chipOf(), 14 * 5 + 10);
    assert.deepEqual(fonts, ["600 12px Some Sans"], "measured once");
  } finally {
    document.createElement = createElement;
    delete globalThis.getComputedStyle;
  }
});
