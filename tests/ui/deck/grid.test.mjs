// The grid's pure core, run by node --test: pages, marks, counts, submissions, keys, layout.

import assert from "node:assert/strict";
import { test } from "node:test";

const at = (name) => new URL(`../../../core/ui/deck/static/${name}.js`, import.meta.url).href;
const { Page, arranged, stepped, upTo, withdrawal } = await import(at("grid_model"));
const { gridCommand, isControls } = await import(at("grid_keys"));
const { Outbox } = await import(at("outbox"));

const unit = (id, labels = ["cat"]) => ({
  item_id: id, seq: id * 10, token: `t${id}`, revision: 0, also: [],
  tiles: labels.map((label, index) => ({ index, label, confidence: 0.5, image: `/i/${id}`, box: null })),
});
const page = (...units) => new Page({ page: "p", class: "cat", units, schema_version: 3, guideline_version: 2 });
const four = () => page(unit(1), unit(2), unit(3), unit(4));
let n = 0;
const uuid = () => `uuid-${(n += 1)}`;
const spent = { active_seconds: 8, started_at: 100 };

test("toggling marks, again unmarks, and a double click is one toggle", () => {
  const p = four();
  assert.ok(p.toggle(1, 0));
  assert.equal(p.mark(1), "");
  assert.ok(!p.toggle(1, 200), "the second half of a double click");
  assert.equal(p.mark(1), "");
  assert.ok(p.toggle(1, 900));
  assert.equal(p.mark(1), null);
  assert.ok(p.toggle(2, 950), "another tile at once is no double click");
});

test("a class goes to what is marked without one, else to the tile in focus", () => {
  const p = four();
  p.toggle(0, 0);
  p.toggle(1, 0);
  assert.deepEqual(p.assign("dog"), [0, 1]);
  p.toggle(3, 1000);
  assert.deepEqual(p.assign("owl"), [3]);
  assert.deepEqual([0, 1, 2, 3].map((i) => p.label(i)), ["dog", "dog", "cat", "owl"]);
  p.focus = 0;
  assert.deepEqual(p.assign("cat"), [0], "its own class takes the mark off");
  assert.equal(p.mark(0), null);
});

test("ranges, all and none", () => {
  const p = four();
  p.toggle(1, 0);
  assert.deepEqual(p.range(3), [1, 2, 3]);
  assert.equal(p.marks.size, 3);
  assert.deepEqual(p.toggleAll(), [0]);
  assert.deepEqual(p.toggleAll(), [0, 1, 2, 3]);
  assert.equal(p.marks.size, 0);
});

test("the counts are those of what is sent", () => {
  const p = four();
  p.toggle(0, 0);
  p.assign("dog");
  p.toggle(1, 0);
  p.broken.add(2);
  assert.deepEqual(p.counts(), { confirmed: 1, changed: 1, marked: 1, broken: 1 });
  const sent = p.submissions(uuid, spent);
  assert.deepEqual(sent.map((s) => [s.item_id, s.kind, s.marks]),
    [[1, "vote", { 0: "dog" }], [2, "deck", { 0: "" }], [4, "vote", {}]]);
  assert.deepEqual([sent[0].active_seconds, sent[0].schema_version, sent[0].tiles], [2, 3, 4]);
});

test("a broken picture that was marked can be decided, an unmarked one cannot", () => {
  const p = four();
  p.broken.add(0);
  assert.equal(p.submissions(uuid, spent).length, 3);
  p.toggle(0, 0);
  assert.equal(p.submissions(uuid, spent).length, 4);
});

test("an item with several boxes is one vote, and its time is that of its tiles", () => {
  const p = page(unit(1, ["cat", "dog", "cat"]), unit(2));
  p.toggle(1, 0);
  p.assign("owl");
  const [boxes, single] = p.submissions(uuid, spent);
  assert.deepEqual([boxes.marks, boxes.kind, boxes.active_seconds], [{ 1: "owl" }, "vote", 6]);
  assert.equal(single.active_seconds, 2);
  assert.deepEqual(p.counts(), { confirmed: 3, changed: 1, marked: 0, broken: 0 });
  p.toggle(0, 0);
  assert.equal(p.submissions(uuid, spent)[0].kind, "deck");
  assert.deepEqual(p.counts(), { confirmed: 1, changed: 0, marked: 1, broken: 0 }, "its other boxes wait as well");
});

test("refused tiles stay with their marks and their sentence", () => {
  const p = page(unit(1), unit(2, ["cat", "cat"]), unit(3));
  p.toggle(2, 0);
  const left = p.only([2, 3], [[2, "Others hold it."]]);
  assert.deepEqual(left.tiles.map((t) => t.unit.item_id), [2, 2, 3]);
  assert.deepEqual([...left.marks], [[1, ""]]);
  assert.equal(left.refusals.get(2), "Others hold it.");
});

test("a page comes back after a reload as it was left", () => {
  const p = four();
  p.toggle(2, 0);
  p.assign("dog");
  const kept = JSON.parse(JSON.stringify(p.kept()));
  const again = new Page(kept.data, kept);
  assert.deepEqual([again.label(2), again.focus, again.length], ["dog", 2, 4]);
});

test("confirming at once is asked about, once", () => {
  const p = four();
  assert.ok(!p.tooSoon(0), "nothing is painted yet: the button is shut anyway");
  p.painted = 1000;
  assert.ok(p.tooSoon(1100));
  assert.ok(!p.tooSoon(1101), "asked once");
  const late = four();
  late.painted = 1000;
  assert.ok(!late.tooSoon(1200));
});

test("the focus moves in rows and columns and stays on the page", () => {
  const p = page(...[1, 2, 3, 4, 5].map((i) => unit(i)));
  assert.ok(p.move("ArrowDown", 3));
  assert.equal(p.focus, 3);
  assert.ok(!p.move("ArrowDown", 3));
  assert.ok(p.move("Home", 3));
  assert.ok(!p.move("ArrowLeft", 3));
  assert.ok(p.move("End", 3));
  assert.equal(p.focus, 4);
});

test("taking back names the revision that was made", () => {
  const [sent] = four().submissions(uuid, spent);
  const back = withdrawal({ ...sent, base_revision: 2 }, uuid);
  assert.deepEqual([back.kind, back.base_revision, back.marks, back.token], ["withdraw", 3, {}, "t1"]);
  assert.notEqual(back.uuid, sent.uuid);
});

test("tiles fill the room, and never shrink below what can be judged", () => {
  for (const count of [1, 24, 36, 60, 100]) {
    for (const [w, h] of [[980, 520], [1620, 880], [3400, 1900], [400, 300]]) {
      const { columns, side } = arranged(count, w, h, 8);
      assert.ok(side >= 84 || columns === 1, `${count} in ${w}×${h}: ${side}`);
      assert.ok(columns * side + (columns - 1) * 8 <= w + 1, "never wider than the room");
    }
  }
  assert.deepEqual(arranged(60, 1620, 880, 8), { columns: 10, side: 140 });
});

test("tiles per page go up and down in four steps", () => {
  assert.deepEqual([24, 36, 60, 100].map((c) => stepped(c, 1)), [36, 60, 100, 100]);
  assert.deepEqual([24, 36, 60, 100].map((c) => stepped(c, -1)), [24, 24, 36, 60]);
  assert.equal(stepped(7, 0), 24);
});

test("what waits is said in tens, never fewer than lie on the page", () => {
  assert.deepEqual([[60, 52], [60, 60], [10, 4], [8, 0], [0, 4], [0, 0], [8, 34]].map(([w, t]) => upTo(w, t)), [60, 70, 10, 10, 10, 0, 40]);
});

test("each key means its command", () => {
  const name = (key, more = {}) => gridCommand({ key, code: "", ...more })?.name ?? null;
  const map = { " ": "toggle", x: "toggle", a: "all", Enter: "confirm", z: "undo", l: "link", i: "zoom", "+": "more",
    "-": "fewer", t: "others", "?": "help", "/": "search", 7: "digit", Escape: "classes", ArrowUp: "move" };
  for (const [key, wanted] of Object.entries(map)) assert.equal(name(key), wanted, key);
  for (const key of ["c", "r", "Tab", "Shift", "q"]) assert.equal(name(key), null, key);
  assert.equal(name("x", { repeat: true }), null);
  assert.equal(name("ArrowUp", { repeat: true }), "move");
  assert.equal(name("a", { ctrlKey: true }), null);
  assert.equal(name("ㅁ", { code: "KeyA" }), "all");
  assert.ok(isControls({ closest: () => ({}) }, { key: "Enter" }));
  assert.ok(!isControls({ closest: () => ({}) }, { key: "x" }));
});

test("a page of a hundred leaves in one request, and what waits for the deck is not counted as saved", async () => {
  const sent = [];
  const storage = { getItem: () => null, setItem() {} };
  const timers = { setTimeout: () => 1, clearTimeout() {} };
  const send = async (submissions) => {
    sent.push(submissions.length);
    return { kind: "ok", receipts: submissions.map((s) => ({ uuid: s.uuid, status: "saved", revision: 1 })) };
  };
  const outbox = new Outbox({ key: "k", storage, send, timers, most: 120 });
  const p = page(...Array.from({ length: 100 }, (_, i) => unit(i + 1)));
  p.toggle(0, 0);
  outbox.pushAll(p.submissions(uuid, spent).map((s) => [s, { item_id: s.item_id }]));
  await outbox.flush();
  assert.deepEqual(sent, [100]);
  assert.deepEqual([outbox.saved, outbox.pending], [99, 0]);
});
