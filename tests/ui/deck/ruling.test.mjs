// A lead's ruling in the making: what keys mean, what is missing, what is sent and kept.

import assert from "node:assert/strict";
import { test } from "node:test";

import { say } from "../../../core/ui/deck/static/dom.js";
import { keysOf } from "../../../core/ui/deck/static/ruling_help.js";
import {
  choose, closed, confirm, decision, inHand, keptOf, lacks, Look, LOOK_MS, LOOKING, opened, rowsOf, rulingCommand, sentOf, shelfOf, shelve, startRuling, take, takeEdited, templateOf, undo, withTemplate,
} from "../../../core/ui/deck/static/ruling_model.js";
import { RulingPost } from "../../../core/ui/deck/static/ruling_post.js";

const classes = (...names) => names.map((name, i) => ({ name, colour: "#000000", key: String(i + 1) }));
const species = { key: "label", title: "Species", several: false, classes: classes("oak", "elm", "ash") };
const state = { key: "state", title: "State", several: false, classes: classes("fresh", "dry") };
const tags = { key: "tags", title: "Tags", several: true, classes: classes("food", "plant") };
const box = { label: "oak", box: [1, 2, 3, 4] };
const layers = [
  { key: "Q", name: "Reviewer 1", answer: { choices: { label: "oak" }, regions: [box] } },
  { key: "M", name: "Model", answer: { choices: { label: "elm" }, regions: [{ ...box, confidence: 0.4 }] } },
];
const reasons = [{ key: "G", text: "Guideline settles it" }, { key: "V", text: "Clearly visible" }];
const dispute = (more = {}) => ({ item_id: 7, newest_seq: 40, decision_seen: 3, votes_seen: 2, asked: [species], draws: false, layers, reasons, ...more });
const begin = (about = dispute(), kept = null) => startRuling(about, kept, () => "uuid-new");
const press = (key, more = {}) => ({ key, code: /^[a-z]$/.test(key) ? `Key${key.toUpperCase()}` : "", ...more });

test("keys of digits, parties, reasons and rulings are told apart", () => {
  const meant = (key, more) => rulingCommand(press(key, more), dispute())?.name;
  assert.deepEqual(["2", "q", "m", "g", "d", "x", "e", "s", "/", "Enter", "ArrowLeft"].map((k) => meant(k)),
    ["digit", "take", "take", "reason", "rule", "rule", "edit", "say", "search", "confirm", "previous"]);
  for (const more of [{ repeat: true }, { ctrlKey: true }, { metaKey: true }, { altKey: true }, { isComposing: true }]) assert.equal(meant("d", more), undefined);
  for (const other of ["c", "r", "Tab", "Shift", "F5", "й"]) assert.equal(meant(other), undefined);
  assert.equal(meant("в", { code: "KeyD" }), "rule"); // the key cap of a Cyrillic layout
});

test("digits answer one question after the other, then the first again", () => {
  const about = dispute({ asked: [species, state] });
  const ruling = begin(about);
  assert.equal(inHand(about, ruling), species);
  choose(ruling, species, "ash");
  assert.equal(inHand(about, ruling), state);
  choose(ruling, state, "dry");
  assert.equal(inHand(about, ruling), species);
  assert.deepEqual(sentOf(about, { ...ruling, reason: "x" }, "decide").answer.choices, { label: "ash", state: "dry" });
  assert.ok(undo(ruling));
  assert.equal(inHand(about, ruling), state);
});

test("a ruling says what it lacks; only deciding needs an answer", () => {
  const about = dispute();
  const ruling = begin(about);
  assert.equal(lacks(about, ruling), "both");
  assert.equal(lacks(about, ruling, "discard"), "reason");
  for (const blank of [" ", "\u200b", "\n\t"]) assert.equal(lacks(about, { ...ruling, reason: blank }, "discard"), "reason");
  ruling.reason = "half a leaf";
  assert.equal(lacks(about, ruling), "answer");
  assert.equal(lacks(about, ruling, "discard"), "");
  choose(ruling, species, "elm");
  assert.equal(lacks(about, ruling), "");
});

test("where regions are drawn, deciding needs them, if only none", () => {
  const about = dispute({ draws: true });
  const ruling = begin(about);
  ruling.reason = "x";
  choose(ruling, species, "oak");
  assert.equal(lacks(about, ruling), "answer");
  take(ruling, { key: "Q", answer: { choices: { label: "oak" }, regions: [] } });
  assert.equal(lacks(about, ruling), "");
});

test("several classes are marked, confirmed, and changed at once after that", () => {
  const about = dispute({ asked: [tags] });
  const ruling = begin(about);
  choose(ruling, tags, "plant");
  choose(ruling, tags, "food");
  assert.equal(lacks(about, { ...ruling, reason: "x" }), "answer");
  confirm(ruling, tags);
  assert.deepEqual(ruling.answer.multi, { tags: ["food", "plant"] });
  choose(ruling, tags, "plant");
  assert.deepEqual(ruling.answer.multi, { tags: ["food"] });
  const none = begin(about);
  confirm(none, tags);
  assert.equal(lacks(about, { ...none, reason: "x" }), "");
  assert.equal(decision({ noneOfThem: "none of them", boxes: "Boxes: {n}" }, say, about, none), "none of them");
});

test("an answer is taken whole, without the model's confidence", () => {
  const about = dispute({ draws: true });
  const ruling = begin(about);
  take(ruling, layers[1]);
  assert.equal(ruling.source, "M");
  const { answer, uuid, votes_seen, newest_seq, decision_seen } = sentOf(about, { ...ruling, reason: "x" }, "decide");
  assert.deepEqual(answer, { choices: { label: "elm" }, regions: [box] });
  assert.deepEqual([uuid, votes_seen, newest_seq, decision_seen], ["uuid-new", 2, 40, 3]);
  assert.equal(sentOf(about, ruling, "discard").answer, null);
  assert.equal(decision({ noneOfThem: "none", boxes: "Boxes: {n}" }, say, about, ruling), "elm · Boxes: 1");
});

test("what the parties said comes first among more classes than keys", () => {
  const many = { ...species, classes: classes(...Array.from({ length: 40 }, (_, i) => `kind ${i}`)).map((c) => ({ ...c, key: "" })) };
  const said = [{ ...layers[0], answer: { choices: { label: "kind 33" }, regions: [] } }, { ...layers[1], answer: { choices: { label: "kind 8" }, regions: [] } }];
  const rows = rowsOf(dispute({ asked: [many], layers: said }), many);
  assert.deepEqual(rows.slice(0, 2).map((r) => [r.digit, r.name]), [["1", "kind 33"], ["2", "kind 8"]]);
});

test("a reload and the canvas give the ruling back, another item or another shape does not", () => {
  const ruling = begin();
  choose(ruling, species, "elm");
  ruling.reason = "half a leaf";
  const kept = JSON.parse(JSON.stringify(keptOf(ruling)));
  const again = startRuling(dispute(), kept, () => "other");
  assert.deepEqual([again.uuid, again.reason, again.answer.choices], ["other", "half a leaf", { label: "elm" }]);
  const sent = JSON.parse(JSON.stringify(keptOf({ ...ruling, sent: true })));
  assert.equal(startRuling(dispute(), sent, () => "other").uuid, "uuid-new"); // it may be on the record already
  assert.equal(startRuling(dispute({ item_id: 8 }), kept, () => "other").reason, "");
  const renamed = dispute({ asked: [{ ...species, classes: classes("oak", "wych elm") }] });
  assert.deepEqual(startRuling(renamed, kept, () => "other").answer.choices, {});
  takeEdited(again, { nonce: "n1", answer: { choices: { label: "oak" }, regions: [box] } });
  assert.deepEqual([again.source, again.edited, again.answer.regions], ["", "n1", [box]]);
});

test("what lies in the tab's store may be anything", () => {
  for (const poison of [null, [], 3, {}, { item_id: 7 }, { item_id: 7, uuid: 5 }, { item_id: 7, uuid: "u", reason: 4, answer: [] }, { item_id: 7, uuid: "u", answer: { choices: [], multi: { label: 3 }, regions: "x" } }]) {
    const ruling = begin(dispute(), poison);
    assert.equal(typeof ruling.reason, "string");
    assert.equal(lacks(dispute(), ruling), "both");
  }
});

test("a draft is kept for each item, the oldest go first", () => {
  let shelf = {};
  for (let item = 100; item > 50; item -= 1) shelf = shelve(shelf, { item_id: item, reason: `r${item}` });
  assert.equal(Object.keys(shelf).length, 40);
  assert.equal(shelf[shelfOf(51)].reason, "r51");
  assert.equal(shelf[shelfOf(100)], undefined);
  shelf = shelve(shelf, { item_id: 60, reason: "anew" });
  assert.deepEqual([Object.keys(shelf).length, shelf[shelfOf(60)].reason], [40, "anew"]);
});

test("a ruling is sent until it is answered, whatever else is sent meanwhile", async () => {
  const replies = { a: [{ kind: "offline" }, { kind: "offline" }, { kind: "ok" }], b: [{ kind: "refused", error: { code: "X" } }], c: [{ kind: "offline", error: { code: "STORAGE" } }] };
  const told = [];
  const timers = { waiting: [], setTimeout: (f) => timers.waiting.push(f), clearTimeout() {} };
  const post = new RulingPost(async (name) => replies[name].shift(), {
    answered: (name, reply) => told.push([name, reply.kind]), waiting: (name) => told.push([name, "waiting"]),
  }, timers);
  await post.post("a");
  await post.post("b");
  await post.post("c");
  assert.deepEqual(told, [["a", "waiting"], ["b", "refused"], ["c", "offline"]]);
  assert.ok(post.atRisk);
  await timers.waiting.shift()();
  assert.deepEqual(told.at(-1), ["a", "waiting"]);
  post.wake();
  await new Promise((done) => setTimeout(done));
  assert.deepEqual(told.at(-1), ["a", "ok"]);
  assert.ok(!post.atRisk);
});

test("own words follow a template after a separator, and stay when another is chosen", () => {
  const [guideline, visible] = reasons.map((r) => r.text);
  assert.equal(opened(reasons, guideline), "Guideline settles it: ");
  for (const other of ["", "lobed", "Guideline settles it: no"]) assert.equal(opened(reasons, other), other);
  assert.equal(closed(reasons, "Guideline settles it: "), guideline);
  assert.equal(closed(reasons, "Guideline settles it: nope"), "Guideline settles it: nope");
  assert.equal(closed(reasons, "lobed: "), "lobed: ");
  assert.equal(templateOf(reasons, "Guideline settles it: nope"), guideline);
  assert.equal(templateOf(reasons, "Guideline settles its"), "");
  assert.equal(withTemplate(reasons, "Guideline settles it: nope", visible), "Clearly visible: nope");
  assert.equal(withTemplate(reasons, "Guideline settles it: ", visible), visible);
  assert.equal(withTemplate(reasons, "nope", visible), "Clearly visible: nope");
  assert.equal(sentOf(dispute(), { ...begin(), reason: "Clearly visible: " }, "discard").reason, visible);
});

test("the help names every key that means something, those of parties and reasons by name", () => {
  const texts = { keys: { titles: {}, answering: [[["1"], ""]], drawing: [[["E"], ""]], parties: [[["P"], ""]], reasoning: [[["S"], ""]], ruling: [], looking: [[["L"], ""], [["A"], ""]] } };
  const listed = (about) => keysOf({ ...about, texts }).flatMap(([, rows]) => rows).flatMap(([names]) => names);
  assert.deepEqual(listed(dispute()), ["Q", "M", "1", "G", "V", "S", "L", "A"]);
  assert.ok(listed(dispute({ draws: true })).includes("P"));
  assert.equal(rulingCommand(press("?", { code: "Slash", shiftKey: true }), dispute()).name, "help");
  assert.ok(LOOKING.includes("help"));
});

test("a ruling pressed too soon begins the look anew, so that the next key does not rule instead", () => {
  const look = new Look();
  assert.ok(look.tooSoon(5000)); // no picture yet
  look.came(5100);
  look.came(5400); // drawn again
  assert.ok(look.tooSoon(5100 + LOOK_MS - 1));
  assert.ok(look.tooSoon(5100 + LOOK_MS + 60)); // D was refused, X follows in the same breath
  assert.ok(!look.tooSoon(5100 + 2 * LOOK_MS + 60));
  look.anew(9000); // somebody voted meanwhile
  assert.ok(look.tooSoon(9001));
});
