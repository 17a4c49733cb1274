// Whose regions stand over a disputed image: what all share faint and once, what differs strong.

import assert from "node:assert/strict";
import { test } from "node:test";

import { LOOKING, rulingCommand } from "../../../core/ui/deck/static/ruling_model.js";
import { layTags, tagsOf, tagWords } from "../../../core/ui/deck/static/tags.js";
import { believed, nextParty, percent, regionsShown } from "../../../core/ui/deck/static/votes_model.js";

const box = (label, x) => ({ label, box: [x, 0, x + 9, 9] });
const party = (key, colour, regions, shared) => ({ key, colour, dash: key === "W" ? "9 5" : "", shared, answer: { choices: {}, regions } });
const layers = [
  party("Q", "#0072B2", [box("red", 0), box("red", 50)], [true, false]),
  party("W", "#E69F00", [box("red", 1), box("white", 50)], [true, false]),
  party("M", "#D55E00", [{ ...box("red", 1), confidence: 0.94 }], [true]),
];

test("what every voter has is drawn once and faint, what differs in each party's own look", () => {
  const shown = regionsShown(layers, null);
  assert.deepEqual(shown.map((r) => [r.region.label, r.colour, r.faint]), [
    ["red", "#8B95A3", true], ["red", "#0072B2", false], ["white", "#E69F00", false],
  ]);
  assert.deepEqual(shown.map((r) => r.labelled), [false, false, false]);
  assert.ok(shown[1].width > 2);
  assert.equal(shown[2].dash, "9 5");
});

test("one party alone shows all of its own, none faint", () => {
  assert.deepEqual(regionsShown(layers, "M").map((r) => [r.region.note, r.faint, r.corner]), [["· M 94\u00a0%", false, 2]]);
  assert.ok(regionsShown(layers, "M").every((r) => r.labelled));
  assert.equal(regionsShown(layers, "Q").length, 2);
});

test("parties take turns and all come again, either way", () => {
  const turns = [];
  for (let only = nextParty(layers, null); only !== null; only = nextParty(layers, only)) turns.push(only);
  assert.deepEqual(turns, ["Q", "W", "M"]);
  assert.equal(nextParty(layers, null, -1), "M");
  assert.equal(nextParty(layers, "gone"), "Q");
  assert.equal(nextParty([], null), null);
});

test("what a model believes is said with shares; nothing is said of nothing", () => {
  assert.equal(believed([["oak", 0.846], ["elm", 0.1]]), "oak 85\u00a0% · elm 10\u00a0%");
  assert.equal(believed(undefined), "");
  assert.equal(percent(null), "");
  assert.equal(percent(0), "0\u00a0%");
});

test("keys that only look are told from those that rule", () => {
  const dispute = { layers, reasons: [{ key: "G", text: "" }] };
  const meant = (key, more = {}) => rulingCommand({ key, code: `Key${key.toUpperCase()}`, ...more }, dispute)?.name;
  assert.deepEqual(["l", "p", "f", "a"].map((k) => meant(k)), ["alike", "party", "filter", "autopsy"]);
  assert.equal(meant("P", { shiftKey: true }), "partyBack");
  for (const name of ["alike", "party", "partyBack", "filter", "autopsy"]) assert.ok(LOOKING.includes(name));
  assert.ok(!LOOKING.includes("rule"));
});

test("regions of several parties that lie on each other have one tag, whatever they are called", () => {
  const apart = [
    party("Q", "#0072B2", [box("red", 0), box("red", 50)], [false, false]),
    party("W", "#E69F00", [box("red", 1), box("white", 51)], [false, false]),
    party("M", "#D55E00", [{ ...box("red", 1), confidence: 0.94 }, box("red", 90)], [false, false]),
  ];
  const tags = tagsOf(apart, percent);
  assert.deepEqual(tags.map((t) => [tagWords(t), t.differs]), [
    ["red: Q, W, M 94\u00a0%", false], ["red: Q ≠ white: W", true], ["red: M", true],
  ]);
  assert.deepEqual(tagsOf(layers, percent).map(tagWords), ["red: Q ≠ white: W"]); // what all share has none
});

test("nineteen tags on five small spots lie over no region and over none of each other", () => {
  const frames = [[330, 310, 390, 350], [420, 265, 460, 290], [500, 300, 540, 345], [385, 420, 425, 450], [430, 460, 480, 500]];
  const tags = frames.map((frame, i) => ({ frame, short: 72, full: 150, differs: i % 2 === 0 }));
  const laid = layTags(tags, [720, 620]);
  const crosses = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
  for (const [i, one] of laid.entries()) {
    assert.ok(!frames.some((f) => crosses(one.rect, f)), `tag ${i} covers a region`);
    assert.ok(!laid.some((other, j) => j !== i && crosses(one.rect, other.rect)), `tag ${i} covers a tag`);
    assert.ok(!one.wide || tags[i].differs);
  }
  assert.ok(laid.some((one) => one.wide));
});

test("where there is no room a tag has letters alone, inside the stage", () => {
  const [one] = layTags([{ frame: [0, 0, 100, 60], short: 40, full: 150, differs: true }], [100, 60]);
  assert.equal(one.wide, false);
  assert.ok(one.rect[0] >= 0 && one.rect[1] >= 0 && one.rect[2] <= 100 && one.rect[3] <= 60);
});
