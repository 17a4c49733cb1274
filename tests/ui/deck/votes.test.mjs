// Whose regions stand over a disputed image: what all share faint and once, what differs strong.

import assert from "node:assert/strict";
import { test } from "node:test";

import { LOOKING, rulingCommand } from "../../../core/ui/deck/static/ruling_model.js";
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
  assert.deepEqual(shown.map((r) => r.labelled), [false, true, true]);
  assert.ok(shown[1].width > 2);
  assert.equal(shown[2].dash, "9 5");
});

test("one party alone shows all of its own, none faint", () => {
  assert.deepEqual(regionsShown(layers, "M").map((r) => [r.region.note, r.faint, r.corner]), [["· M 94\u00a0%", false, 2]]);
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
