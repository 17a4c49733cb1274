// How a picture is lit and which tiles are wanted, run by node --test.

import assert from "node:assert/strict";
import { test } from "node:test";

const at = (name) => new URL(`../../../core/ui/deck/static/${name}.js`, import.meta.url).href;
const { Adjustment, shownValue } = await import(at("adjust"));
const { levelFor, tilesOf, tileUrl } = await import(at("tiles"));

function store(first = {}) {
  const kept = new Map(Object.entries(first));
  return { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v), kept };
}

const texts = { altered: "{name} {value}", sliders: { brightness: "Brightness", contrast: "Contrast", gamma: "Gamma", opacity: "Overlay" } };

test("what a person sets is kept for the tab, told, and said", () => {
  const tab = store();
  const first = new Adjustment(tab);
  assert.deepEqual([first.neutral, first.notes(texts)], [true, []]);
  let heard = 0;
  first.listen(() => (heard += 1));
  first.set("brightness", 1.2);
  first.set("gamma", 1.6);
  first.set("keepZoom", true);
  assert.equal(heard, 3);
  const again = new Adjustment(tab);
  assert.deepEqual(again.notes(texts), ["Brightness 120 %", "Gamma 1.60"]);
  assert.ok(!again.neutral);
  again.reset();
  assert.deepEqual([again.notes(texts), again.values.keepZoom], [[], true]);
});

test("values out of range and a tab's broken store are mended", () => {
  for (const broken of ["{", "null", "[]", '{"brightness":"x","contrast":99,"sharp":1,"other":2}']) {
    const found = new Adjustment(store({ "tiebreak.view": broken }));
    assert.ok(found.values.brightness === 1 && found.values.contrast <= 3 && found.values.sharp === true);
    assert.ok(!("other" in found.values));
  }
  const found = new Adjustment(store());
  found.set("brightness", NaN);
  found.set("opacity", -5);
  assert.deepEqual([found.values.brightness, found.values.opacity], [1, 0.1]);
  const full = { getItem: () => null, setItem: () => { throw new Error("full"); } };
  assert.doesNotThrow(() => new Adjustment(full).set("gamma", 2));
});

test("the overlay's opacity goes round in a few steps", () => {
  const found = new Adjustment(store());
  assert.deepEqual([found.nextOpacity(), found.nextOpacity(), found.nextOpacity()], [0.6, 0.3, 1]);
  found.set("opacity", 0.8);
  assert.equal(found.nextOpacity(), 0.6);
  assert.equal(shownValue("opacity", 0.3), "30 %");
  assert.deepEqual(found.notes(texts), ["Overlay 60 %"]);
  assert.deepEqual(found.notes(texts, { overlaid: false }), [], "nothing is said of what is not there");
});

test("the level is the coarsest that fills the screen", () => {
  const level = (scale, dpr = 1) => levelFor(scale, dpr, 8000, 6000);
  assert.deepEqual([level(1), level(8), level(0.6), level(0.5), level(0.25), level(0.01)], [0, 0, 1, 1, 2, 4]);
  assert.equal(level(0.5, 2), 0);
  assert.equal(levelFor(0.001, 1, 300, 200), 0);
});

test("the tiles wanted cover the visible part, its middle first", () => {
  assert.deepEqual(tilesOf([0, 0, 512, 512], 0), [[0, 0]]);
  assert.deepEqual(tilesOf([500, 0, 513, 512], 0).sort(), [[0, 0], [1, 0]]);
  assert.deepEqual(tilesOf([0, 0, 8000, 6000], 4), [[0, 0]]);
  const many = tilesOf([1000, 1000, 3000, 2000], 0);
  assert.equal(many.length, 5 * 3);
  assert.deepEqual(many[0], [3, 2]);
});

test("a tile's address is the picture's, with its channel and without a width", () => {
  assert.equal(
    tileUrl("http://x/lab/files/item/5?v=ab&w=1600&channel=GFP", 2, [3, 4]),
    "http://x/lab/files/tile/5/2/3_4?v=ab&channel=GFP",
  );
});
