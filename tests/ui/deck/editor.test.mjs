// The editor's pure core, run by node --test: states and commands, tools, masks, keys, reading.

import assert from "node:assert/strict";
import { test } from "node:test";

const at = (name) => new URL(`../../../core/ui/deck/static/${name}.js`, import.meta.url).href;
const model = await import(at("editor/model"));
const { MOST_REGIONS, readRegions, writeRegion } = await import(at("editor/read"));
const { contains, fit, maskExtent } = await import(at("editor/geometry"));
const { Mask } = await import(at("editor/mask"));
const { canvasKeyOf, editKey } = await import(at("editor/keymap"));
const { gridStep, stepped } = await import(at("editor/crosshair"));
const { BoxTool } = await import(at("editor/box"));
const { PolygonTool } = await import(at("editor/polygon"));
const { KeypointsTool } = await import(at("editor/keypoints"));
const { BrushTool } = await import(at("editor/brush"));
const { decodeRle, encodeRle } = await import(at("rle"));
const { Viewport } = await import(at("viewport"));
const { Model } = model;

const SIZE = [320, 200];
const QUESTIONS = [{ key: "occluded", classes: [{ name: "yes" }, { name: "no" }] }];

// A small seeded generator (mulberry32): the same run every time.
function seeded(seed) {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const rulesOf = (shape, size = SIZE) => ({ shape, size, count: 4, questions: QUESTIONS });
const begun = (shape, sent = []) => model.begin(rulesOf(shape), sent, "cat").state;

function deskOf(state, scale = 1) {
  const said = [];
  const desk = { model: new Model(state), edges: [[0, 1]], scale: () => scale, fresh: false, said,
    say: (name) => void said.push(name), drawn: () => void said.push("drawn"), refused: (ok) => void said.push(ok ? "full" : "tooSmall"), pointName: String };
  return desk;
}

function randomGeometry(shape, random) {
  // Also outside of the image, upside down and flat.
  const [x, y] = [() => random() * 400 - 40, () => random() * 280 - 40];
  if (shape === "box") return { box: [x(), y(), x(), y()] };
  if (shape === "polygon") return { points: Array.from({ length: 3 + Math.floor(random() * 6) }, () => [x(), y()]) };
  if (shape === "keypoints") return { points: Array.from({ length: 4 }, () => [x(), y(), Math.floor(random() * 3)]) };
  const mask = new Mask(...SIZE);
  mask.stroke([x(), y()], [x(), y()], 1 + random() * 20, 1);
  return { rle: mask.write() };
}

function inOrder(region) {
  const [x1, y1, x2, y2] = region.box;
  assert.ok(region.box.every(Number.isFinite), JSON.stringify(region));
  assert.ok(x1 >= 0 && y1 >= 0 && x2 <= SIZE[0] && y2 <= SIZE[1], JSON.stringify(region.box));
  if (region.shape !== "keypoints") assert.ok(x2 > x1 && y2 > y1, JSON.stringify(region.box));
  const again = fit(region.shape, region, SIZE, { least: 0, count: 4 });
  assert.ok(again, "what is kept may be kept again");
  assert.deepEqual(again.box, region.box, "the box is the tight one");
}

function randomCommand(shape, random, state) {
  const id = state.regions.length ? state.regions[Math.floor(random() * state.regions.length)].id : 99;
  const place = () => [random() * 400 - 40, random() * 280 - 40];
  const by = () => [random() * 80 - 40, random() * 80 - 40];
  const index = Math.floor(random() * 8);
  const commands = [
    [model.add, randomGeometry(shape, random)], [model.add, randomGeometry(shape, random)],
    [model.move, id, by()], [model.stretch, id, by()], [model.reshape, id, randomGeometry(shape, random)],
    [model.moveVertex, id, index, place()], [model.insertVertex, id, index, place()], [model.deleteVertex, id, index],
    [model.setVisibility, id, index, Math.floor(random() * 3)], [model.relabel, id, random() < 0.5 ? "cat" : "dog"],
    [model.answer, id, "occluded", random() < 0.3 ? null : "yes"], [model.remove, id], [model.duplicate, id],
    [model.select, id], [model.step, random() < 0.5 ? 1 : -1], [model.stepVertex, 1],
    [model.move, id, [NaN, 3]], [model.moveVertex, id, index, [Infinity, NaN]],
  ];
  return commands[Math.floor(random() * commands.length)];
}

for (const shape of ["box", "polygon", "keypoints", "mask"]) {
  test(`whatever is done to a ${shape}, it stays in the image and has an area`, () => {
    const random = seeded(7);
    for (let run = 0; run < 12; run += 1) {
      const history = new Model(begun(shape));
      for (let i = 0; i < 150; i += 1) {
        const before = history.state;
        const frozen = JSON.stringify(before.regions);
        history.apply(...randomCommand(shape, random, before));
        assert.equal(JSON.stringify(before.regions), frozen, "a state is never changed in place");
        history.state.regions.forEach((r, n) => before.regions[n] !== r && inOrder(r));
        const { selected, regions } = history.state;
        assert.ok(selected === null || regions.some((r) => r.id === selected));
        assert.equal(new Set(regions.map((r) => r.id)).size, regions.length);
      }
      const last = JSON.stringify(history.regions());
      let steps = 0;
      while (history.undo()) steps += 1;
      assert.deepEqual(history.regions(), [], "everything can be undone");
      while (history.redo()) steps -= 1;
      assert.equal(steps, 0);
      assert.equal(JSON.stringify(history.regions()), last, "and done again");
    }
  });

  test(`a ${shape} that goes out and comes in again is the same`, () => {
    const random = seeded(11);
    for (let n = 0; n < 60; n += 1) {
      const state = model.add(begun(shape), randomGeometry(shape, random));
      if (!state.regions.length) continue;
      const sent = state.regions.map(writeRegion);
      const { regions, dropped } = readRegions(JSON.parse(JSON.stringify(sent)), rulesOf(shape));
      assert.equal(dropped, 0);
      assert.deepEqual(regions.map(writeRegion), sent);
    }
  });
}

test("what a person touches loses the model's confidence, the rest keeps it and every digit", () => {
  const sent = [{ label: "cat", box: [1.23456789, 2, 30, 40], confidence: 0.87 }, { label: "cat", box: [50, 60, 70, 80], confidence: 0.5 }];
  const history = new Model(begun("box", sent));
  assert.deepEqual(history.regions(), sent);
  history.apply(model.relabel, 2, "dog");
  assert.deepEqual(history.regions(), [sent[0], { label: "dog", box: [50, 60, 70, 80] }]);
  history.undo();
  assert.deepEqual(history.regions(), sent);
});

test("malformed regions are counted and left out, the rest is taken", () => {
  const good = { label: "cat", box: [1, 2, 30, 40] };
  const bad = [null, 5, "x", {}, { label: "", box: [1, 2, 3, 4] }, { label: "cat" }, { label: "cat", box: [NaN, 0, 5, 5] }, { label: "cat", box: [5, 5, 5, 9] },
    { label: "cat", box: [-50, -50, -2, -2] }, { label: "cat", box: [1, 2, 3] }, { label: "cat", shape: "star", points: [] },
    { label: "cat", shape: "polygon", points: [[1, 2], [3, 4], [9, 1]] }, { label: "cat", box: ["1", 2, 3, 4] }, { label: "cat", box: [0, 0, Infinity, 9] }];
  const { regions, dropped } = readRegions([good, ...bad, { ...good, box: [-5, 0, 20, 900], confidence: 7, attributes: { occluded: "yes", forged: "x", other: 4 } }], rulesOf("box"));
  assert.equal(dropped, bad.length);
  assert.deepEqual(regions[1].box, [0, 0, 20, 200]);
  assert.equal(regions[1].confidence, null);
  assert.deepEqual(regions[1].attributes, { occluded: "yes" });
  for (const nothing of [null, undefined, "x", {}, 4]) assert.deepEqual(readRegions(nothing, rulesOf("box")), { regions: [], dropped: 0, over: 0 });
});

test("malformed polygons, keypoints and masks are left out too", () => {
  const cases = {
    polygon: [{ points: [[0, 0], [5, 5]] }, { points: [[0, 0], [5, 5], [9, 9]] }, { points: [[0, 0], [5, NaN], [9, 1]] }, { points: "x" }, { points: [[0, 0, 1], [5, 5, 1], [9, 1, 1]] }],
    keypoints: [{ points: [] }, { points: Array(4).fill([0, 0, 0]) }, { points: Array(4).fill([1, 1, 5]) }, { points: Array(3).fill([1, 1, 2]) }],
    mask: [{ rle: "" }, { rle: "\u0001" }, { rle: "zzz" }, { rle: "0<" }, { rle: 5 }, { rle: encodeRle(new Uint8Array(64000), 200, 320) }],
  };
  for (const [shape, rows] of Object.entries(cases)) {
    const sent = rows.map((row) => ({ label: "cat", shape, box: [0, 0, 1, 1], ...row }));
    assert.deepEqual(readRegions(sent, rulesOf(shape)), { regions: [], dropped: rows.length, over: 0 }, shape);
  }
});

test("an image takes at most so many regions", () => {
  const sent = Array.from({ length: MOST_REGIONS + 5 }, () => ({ label: "cat", box: [1, 2, 30, 40] }));
  const { state, dropped, over } = model.begin(rulesOf("box"), sent, "cat");
  assert.deepEqual([dropped, over], [0, 5]);
  assert.equal(model.add(state, { box: [1, 1, 9, 9] }), state);
  assert.equal(model.duplicate(state, 1), state);
});

test("one drag is one step back; nudges of one region are too", () => {
  const history = new Model(begun("box", [{ label: "cat", box: [10, 10, 50, 50] }]));
  for (let n = 0; n < 9; n += 1) history.during("drag 1", model.move, 1, [3, 0]);
  history.settle();
  history.during("nudge 1", model.move, 1, [1, 0]);
  history.during("nudge 1", model.move, 1, [1, 0]);
  assert.deepEqual(history.regions()[0].box, [39, 10, 79, 50]);
  history.undo();
  assert.deepEqual(history.regions()[0].box, [37, 10, 77, 50]);
  history.undo();
  assert.deepEqual(history.regions()[0].box, [10, 10, 50, 50]);
  assert.equal(history.undo(), false);
});

test("a duplicate lies beside its original, inside the image", () => {
  const state = begun("box", [{ label: "cat", box: [10, 10, 50, 50], attributes: { occluded: "no" } }, { label: "cat", box: [280, 150, 320, 200] }]);
  assert.deepEqual(model.duplicate(state, 1).regions.at(-1).box, [20, 20, 60, 60]);
  assert.deepEqual(model.duplicate(state, 1).regions.at(-1).attributes, { occluded: "no" });
  assert.deepEqual(model.duplicate(state, 2).regions.at(-1).box, [270, 140, 310, 190]);
});

// --- masks ------------------------------------------------------------------------------------

test("a stroke covers exactly the pixels whose centres the brush passes", () => {
  const random = seeded(3);
  for (let n = 0; n < 40; n += 1) {
    const mask = new Mask(40, 30);
    const place = () => [random() * 60 - 10, random() * 50 - 10];
    const [from, to, radius] = [place(), place(), 1 + random() * 8];
    mask.stroke(from, to, radius, 1);
    for (let x = 0; x < 40; x += 1) {
      for (let y = 0; y < 30; y += 1) {
        const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
        const t = Math.min(1, Math.max(0, ((x + 0.5 - from[0]) * dx + (y + 0.5 - from[1]) * dy) / (dx * dx + dy * dy || 1)));
        const away = Math.hypot(x + 0.5 - from[0] - t * dx, y + 0.5 - from[1] - t * dy);
        if (Math.abs(away - radius) > 1e-6) assert.equal(mask.has(x, y), away < radius, `${x} ${y}`);
      }
    }
  }
});

test("masks are read and written as COCO has them, and their extent is right", () => {
  const random = seeded(5);
  for (let n = 0; n < 30; n += 1) {
    const mask = new Mask(37, 23);
    for (let k = 0; k < 3; k += 1) mask.stroke([random() * 37, random() * 23], [random() * 37, random() * 23], 1 + random() * 6, k === 1 ? 0 : 1);
    const rle = mask.write();
    if (!rle) continue;
    const rows = decodeRle(rle, 23, 37);
    assert.equal(encodeRle(rows, 23, 37), rle);
    assert.deepEqual(Mask.read(rle, 37, 23).pixels, mask.pixels);
    const { box, pixels } = maskExtent(rle, [37, 23]);
    assert.equal(pixels, rows.reduce((a, b) => a + b));
    const on = [...rows.keys()].filter((p) => rows[p]).map((p) => [p % 37, Math.floor(p / 37)]);
    assert.deepEqual(box, [Math.min(...on.map((p) => p[0])), Math.min(...on.map((p) => p[1])), Math.max(...on.map((p) => p[0])) + 1, Math.max(...on.map((p) => p[1])) + 1]);
    for (const [x, y] of on.slice(0, 20)) assert.ok(contains({ shape: "mask", rle, box }, [x + 0.5, y + 0.5], [37, 23]));
  }
  assert.equal(new Mask(5, 5).write(), "");
});

test("a mask moves pixel by pixel and never wraps round", () => {
  const mask = new Mask(...SIZE);
  mask.stroke([300, 20], [310, 30], 9, 1);
  const state = model.add(begun("mask"), { rle: mask.write() });
  const far = model.move(state, 1, [500, -500]).regions[0];
  assert.equal(far.box[2], 320);
  assert.equal(far.box[1], 0);
  assert.equal(maskExtent(far.rle, SIZE).pixels, maskExtent(mask.write(), SIZE).pixels);
  const there = model.move(model.move(state, 1, [-7, 5]), 1, [7, -5]).regions[0];
  assert.equal(there.rle, mask.write());
});

// --- tools ------------------------------------------------------------------------------------

function drag(tool, from, to, more = {}) {
  tool.down(from, more);
  for (let t = 1; t <= 4; t += 1) tool.move([from[0] + ((to[0] - from[0]) * t) / 4, from[1] + ((to[1] - from[1]) * t) / 4]);
  tool.up(to);
}

test("any zoom, any pixel ratio: what the pointer draws is where it was, to half a pixel", () => {
  const random = seeded(19);
  for (let n = 0; n < 200; n += 1) {
    const [w, h] = [50 + Math.floor(random() * 4000), 50 + Math.floor(random() * 4000)];
    const view = new Viewport(w, h);
    view.setRoom(300 + random() * 1600, 200 + random() * 1000);
    view.zoomAt(0.5 + random() * 12, random() * 800, random() * 600);
    view.panBy(random() * 300 - 150, random() * 300 - 150);
    const desk = deskOf(model.begin(rulesOf("box", [w, h]), [], "cat").state, view.scale);
    const dpr = [1, 1.25, 2, 3][n % 4];
    // A pointer stands on device pixels.
    const onDevice = (p) => view.toStage(...p).map((v) => Math.round(v * dpr) / dpr);
    const [x1, y1, x2, y2] = [random() * 0.45 * w, random() * 0.45 * h, w * (0.5 + random() * 0.5), h * (0.5 + random() * 0.5)];
    const tool = new BoxTool(desk);
    const [a, b] = [onDevice([x1, y1]), onDevice([x2, y2])];
    drag(tool, view.toImage(...a), view.toImage(...b));
    const [region] = desk.model.regions();
    const reach = Math.max(0.5, 0.5 / (view.scale * dpr)) + 0.001; // a coarse zoom has coarse pixels
    [x1, y1, x2, y2].forEach((v, i) => assert.ok(Math.abs(region.box[i] - v) <= reach, `${region.box[i]} ${v} ${view.scale}`));
  }
});

test("boxes: drag draws, click selects the smallest, handles resize, the inside moves", () => {
  const desk = deskOf(begun("box"));
  const tool = new BoxTool(desk);
  drag(tool, [10, 10], [110, 90]);
  assert.deepEqual(desk.model.state.regions[0].box, [10, 10, 110, 90]);
  drag(tool, [110, 90], [150, 60]);
  assert.deepEqual(desk.model.state.regions[0].box, [10, 10, 150, 60], "the corner follows");
  drag(tool, [50, 30], [60, 35]);
  assert.deepEqual(desk.model.state.regions[0].box, [20, 15, 160, 65]);
  drag(tool, [40, 25], [60, 45], { shift: true });
  assert.equal(desk.model.state.regions.length, 2, "with Shift a box is drawn inside another");
  desk.model.apply(model.select, null);
  drag(tool, [50, 35], [51, 35]);
  assert.equal(desk.model.state.selected, 2);
  drag(tool, [300, 180], [302, 181]);
  assert.equal(desk.model.state.selected, null);
  drag(tool, [300, 180], [300, 190]);
  assert.deepEqual(desk.said.at(-1), "tooSmall");
  drag(tool, [100, 150], [900, 900]);
  assert.deepEqual(desk.model.state.regions.at(-1).box, [100, 150, 320, 200], "cut to the image");
});

test("boxes by key: two corners", () => {
  const desk = deskOf(begun("box"));
  const tool = new BoxTool(desk);
  tool.set([40, 50]);
  assert.ok(tool.corner);
  tool.set([20, 10]);
  assert.deepEqual(desk.model.state.regions[0].box, [20, 10, 40, 50]);
  tool.set([1, 1]);
  assert.ok(tool.cancel());
  assert.equal(desk.model.state.regions.length, 1);
});

test("polygons: clicks, closing, dragging a corner, putting one into an edge, moving", () => {
  const desk = deskOf(begun("polygon"));
  const tool = new PolygonTool(desk);
  const click = (p) => (tool.down(p), tool.up(p));
  for (const p of [[20, 20], [120, 20], [120, 100], [120.2, 100], [20, 100]]) click(p);
  assert.equal(tool.ring.length, 4, "a double click is one corner");
  click([22, 22]);
  const ring = () => desk.model.state.regions[0].points;
  assert.deepEqual(ring(), [[20, 20], [120, 20], [120, 100], [20, 100]]);
  drag(tool, [121, 101], [151, 111]);
  assert.deepEqual(ring()[2], [150, 110]);
  drag(tool, [70, 21], [70, 5]);
  assert.equal(ring().length, 5);
  assert.deepEqual(ring()[1], [70, 4]);
  assert.equal(desk.model.state.vertex, 1);
  desk.model.apply(model.deleteVertex, 1, 1);
  drag(tool, [70, 60], [75, 70]);
  assert.deepEqual(ring()[0], [25, 30]);
  click([250, 150]);
  assert.equal(tool.ring.length, 1, "beside it a new one begins");
  tool.close();
  assert.equal(desk.said.at(-1), "cornersNeeded");
  assert.ok(tool.back());
  assert.equal(tool.ring.length, 0);
});

test("polygons by key: setting the same corner again closes", () => {
  const desk = deskOf(begun("polygon"));
  const tool = new PolygonTool(desk);
  for (const p of [[20, 20], [22, 20], [22, 23], [22, 23]]) tool.set(p, { byKey: true });
  assert.deepEqual(desk.model.state.regions[0].points, [[20, 20], [22, 20], [22, 23]]);
});

test("keypoints: in order, hidden, not there, dragged, taken away", () => {
  const desk = deskOf(begun("keypoints"));
  const tool = new KeypointsTool(desk);
  const points = () => desk.model.state.regions[0].points;
  tool.set([10, 10]);
  assert.ok(tool.placing);
  tool.toggle();
  tool.set([30, 30]);
  tool.absent();
  assert.equal(desk.model.state.vertex, 3);
  tool.set([50, 60]);
  assert.deepEqual(points(), [[10, 10, 2], [30, 30, 1], [0, 0, 0], [50, 60, 2]]);
  assert.equal(tool.placing, false);
  assert.deepEqual(desk.model.state.regions[0].box, [10, 10, 50, 60]);
  drag(tool, [31, 31], [41, 51]);
  assert.deepEqual(points()[1], [40, 50, 1]);
  tool.toggle();
  assert.deepEqual(points()[1], [40, 50, 2]);
  desk.model.apply(model.select, 1, 2);
  tool.set([70, 80]);
  assert.deepEqual(points()[2], [70, 80, 2], "a point that was left out can be placed later");
  tool.set([200, 100]);
  assert.equal(desk.model.state.regions.length, 2);
  desk.model.undo();
  for (const i of [0, 1, 2, 3]) desk.model.apply(model.setVisibility, 1, i, 0);
  assert.equal(desk.model.state.regions.length, 0, "without any point it is gone");
});

test("keypoints: what is placed after a new set was begun belongs to that one set", () => {
  const desk = deskOf(begun("keypoints", [{ label: "cat", shape: "keypoints", box: [5, 5, 9, 9], points: [[5, 5, 2], [9, 9, 2], [0, 0, 0], [0, 0, 0]] }]));
  const tool = new KeypointsTool(desk);
  desk.fresh = true;
  for (const p of [[10, 10], [30, 30], [50, 60], [70, 80]]) (tool.down(p), tool.up(p));
  assert.deepEqual(desk.model.state.regions.map((r) => r.points.filter((p) => p[2]).length), [2, 4]);
  assert.deepEqual(desk.model.state.regions[1].points, [[10, 10, 2], [30, 30, 2], [50, 60, 2], [70, 80, 2]]);
  desk.fresh = true;
  desk.model.apply(model.select, null);
  for (const p of [[100, 100], [110, 110]]) tool.set(p, { byKey: true });
  assert.equal(desk.model.state.regions.length, 3);
  assert.equal(desk.model.state.vertex, 2, "the third point is next");
});

test("masks: one region an object, the eraser takes away, an empty one goes", () => {
  const desk = deskOf(begun("mask"));
  const tool = new BrushTool(desk);
  tool.setRadius(10);
  drag(tool, [50, 50], [90, 50]);
  drag(tool, [90, 50], [90, 90]);
  assert.equal(desk.model.state.regions.length, 1, "painting goes on with what is selected");
  const before = maskExtent(desk.model.state.regions[0].rle, SIZE).pixels;
  desk.fresh = true;
  drag(tool, [200, 100], [210, 100]);
  desk.fresh = false;
  assert.equal(desk.model.state.regions.length, 2);
  desk.model.apply(model.select, 1);
  tool.erasing = true;
  drag(tool, [90, 80], [90, 100]);
  assert.ok(maskExtent(desk.model.state.regions[0].rle, SIZE).pixels < before);
  tool.setRadius(400);
  drag(tool, [90, 80], [91, 80]);
  assert.deepEqual(desk.model.state.regions.map((r) => r.id), [2]);
  desk.model.apply(model.select, null);
  tool.down([5, 5]);
  assert.equal(desk.said.at(-1), "nothingToErase");
});

test("painting on a large photograph is fluid", () => {
  const desk = deskOf(model.begin(rulesOf("mask", [1600, 1200]), [], "cat").state);
  const tool = new BrushTool(desk);
  tool.setRadius(60);
  tool.down([100, 100]);
  const start = performance.now();
  for (let n = 0; n < 300; n += 1) tool.move([100 + n * 4, 300 + 200 * Math.sin(n / 20)]);
  const each = (performance.now() - start) / 300;
  const end = performance.now();
  tool.up();
  assert.ok(each < 4, `${each} ms a move`);
  assert.ok(performance.now() - end < 250, "writing the run lengths");
});

// --- keys -------------------------------------------------------------------------------------

test("every key of the editor means its command", () => {
  const name = (key, shape = "box", more = {}) => editKey({ key, code: "", ...more }, shape)?.name ?? null;
  const map = { s: "save", z: "undo", d: "duplicate", n: "next", p: "previous", a: "fresh", q: "question", Delete: "delete", Backspace: "delete",
    Escape: "escape", Enter: "set", " ": "space", Tab: "next", "/": "classes", "+": "zoomIn", "-": "zoomOut", "[": "smaller", "]": "larger", "?": "help" };
  for (const [key, wanted] of Object.entries(map)) assert.equal(name(key), wanted, key);
  assert.equal(name("Tab", "box", { shiftKey: true }), "previous");
  assert.equal(name("Enter", "box", { ctrlKey: true }), "save");
  assert.equal(name("z", "box", { ctrlKey: true }), "undo");
  assert.equal(name("Z", "box", { shiftKey: true }), "redo");
  assert.equal(name("Z", "box", { shiftKey: true, ctrlKey: true }), "redo");
  assert.equal(name("d", "box", { ctrlKey: true }), "duplicate");
  assert.equal(name("E", "mask", { shiftKey: true }), "canvas");
  assert.equal(name("e", "mask"), "eraser");
  assert.equal(name("v"), null);
  assert.equal(name("v", "keypoints"), "visibility");
  assert.equal(name("c"), null);
  assert.equal(name("r", "box", { ctrlKey: true }), null);
  assert.equal(name("s", "box", { repeat: true }), "repeat", "a key held down saves once");
  assert.deepEqual(editKey({ key: "ArrowLeft", shiftKey: true }, "box").by, [-1, 0]);
  assert.equal(editKey({ key: "End", code: "Numpad1" }, "box").digit, "1");
});

test("the key of the canvas is the person's own, unless the editor has it", () => {
  const press = (key, more, canvas) => editKey({ key, code: "", ...more }, "box", canvas)?.name ?? null;
  assert.equal(canvasKeyOf(["Shift+E"], "mask"), "Shift+E");
  assert.equal(canvasKeyOf(["Shift+R", "K"], "box"), "Shift+R");
  assert.equal(canvasKeyOf(["D", "K"], "box"), "K", "D duplicates");
  for (const taken of [["D"], ["Left"], ["Shift+Z"], ["Space"], []]) assert.equal(canvasKeyOf(taken, "box"), "Shift+E", String(taken));
  assert.equal(canvasKeyOf(["V"], "keypoints"), "Shift+E");
  assert.equal(canvasKeyOf(["V"], "box"), "V");
  assert.equal(press("R", { shiftKey: true }, "Shift+R"), "canvas");
  assert.equal(press("E", { shiftKey: true }, "Shift+R"), null);
  assert.equal(press("k", {}, "K"), "canvas");
  assert.equal(press("k", { ctrlKey: true }, "K"), null);
  assert.equal(press("k", { repeat: true }, "K"), "repeat");
});

test("the crosshair goes by pixels, by tens and along the grid, and stays in the image", () => {
  const seen = [0, 0, 640, 400];
  assert.equal(gridStep(seen), 100);
  assert.equal(gridStep([0, 0, 3, 2]), 1);
  const go = (from, by, more = {}) => stepped(from, { by, ...more }, seen, [640, 400]);
  assert.deepEqual(go([10, 10], [1, 0]), [11, 10]);
  assert.deepEqual(go([10, 10], [0, -1], { shift: true }), [10, 0]);
  assert.deepEqual(go([10, 10], [1, 0], { ctrl: true }), [100, 10]);
  assert.deepEqual(go([100, 10], [-1, 0], { ctrl: true }), [0, 10]);
  assert.deepEqual(go([640, 400], [1, 1], { shift: true }), [640, 400]);
});

// --- drafts -----------------------------------------------------------------------------------

test("a draft is sent while work goes on without a pause, and that of another item is not dropped", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const sent = [];
  t.mock.method(globalThis, "fetch", async (_url, { body }) => {
    sent.push(JSON.parse(body));
    return { ok: true, status: 200, json: async () => ({}), headers: new Map() };
  });
  const { Drafts } = await import(at("drafts"));
  const drafts = new Drafts("/draft", () => {});
  const answer = (n) => ({ choices: {}, regions: Array(n).fill({ label: "cat", box: [0, 0, 1, 1] }) });
  for (let n = 1; n <= 12; n += 1) {
    drafts.keep({ item_id: 1, revision: 0 }, answer(n));
    t.mock.timers.tick(100);
  }
  assert.deepEqual(sent.map((d) => d.answer.regions.length), [8]);
  drafts.keep({ item_id: 2, revision: 0 }, answer(1));
  assert.deepEqual(sent.map((d) => [d.item_id, d.answer.regions.length]).at(-1), [1, 12]);
  t.mock.timers.tick(900);
  assert.deepEqual(sent.at(-1).item_id, 2);
});

test("what storage spoilt is not drawn; a set of one keypoint is", async () => {
  const { drawable } = await import(at("editor/read"));
  const one = { label: "cat", shape: "keypoints", box: [5, 5, 5, 5], points: [[5, 5, 2], [0, 0, 0], [0, 0, 0], [0, 0, 0]] };
  const bad = [null, 3, {}, { label: "cat", box: [NaN, 1, 2, 3] }, { label: "cat", shape: "mask", box: [0, 0, 5, 5], rle: "\u0001" }, { label: "cat", shape: "star", box: [0, 0, 5, 5] },
    { label: "cat", shape: "polygon", box: [0, 0, 5, 5] }];
  assert.deepEqual(drawable([one, ...bad], rulesOf("keypoints")), [one]);
  assert.deepEqual(drawable(undefined, rulesOf("box")), []);
});

test("a draft's untouched boxes have the model's confidence again, touched ones have none", async () => {
  const { finished, shownRegions } = await import(at("flow"));
  const said = [{ label: "cat", box: [1.234, 2, 30, 40], confidence: 0.87 }, { label: "cat", box: [50, 60, 70, 80], confidence: 0.5 },
    { label: "cat", shape: "polygon", box: [0, 0, 9, 9], points: [[0, 0], [9, 0], [9, 9]], attributes: { occluded: "no" }, confidence: 0.4 }, { label: "dog", box: [5, 5, 6, 6] }];
  const history = new Model(begun("box", said.filter((r) => !r.shape)));
  history.apply(model.move, 2, [3, 0]);
  const kept = finished({ choices: {}, regions: [...history.regions(), said[2]] }).regions;
  assert.ok(kept.every((r) => !("confidence" in r)));
  const item = { prelabel: { answer: { regions: said } }, draft: { choices: {}, regions: [...kept, null, { label: "cat", attributes: null }] } };
  const { source, regions } = shownRegions(item);
  assert.equal(source, "draft");
  assert.deepEqual(regions.map((r) => r?.confidence), [0.87, undefined, undefined, 0.4, undefined, undefined]);
  assert.equal(shownRegions(item).regions[0], regions[0], "the same values as long as nothing changes");
  assert.deepEqual(item.draft.regions.slice(0, 4), kept, "the draft itself stays as it was kept");
  assert.equal(shownRegions({ ...item, prelabel: null }).regions, item.draft.regions);
});
