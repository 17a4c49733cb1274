// The word on an onboarding answer: told once, of the item it is about, and of no other receipt.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const at = (name) => new URL(`../../../core/ui/deck/static/${name}.js`, import.meta.url).href;

class Node {
  constructor() { this.textContent = ""; this.hidden = false; this.gone = false; }
  append() {}
  setAttribute() {}
  addEventListener() {}
  remove() { this.gone = true; }
}
Object.defineProperty(globalThis, "document", { value: { createElement: () => new Node() }, configurable: true });

const { Feedback, SHOWN_MS, feedbackOf } = await import(at("feedback"));
const source = readFileSync(new URL("../../../core/ui/deck/texts.py", import.meta.url), "utf8");
const texts = Object.fromEntries(["toldRight", "toldWrong"].map((key) => [key, source.match(new RegExp(`"${key}": _\\("([^"]*)"\\)`))[1]]));
const entry = { item: { name: "leaf 7" } };

test("an ordinary receipt tells nothing", () => {
  for (const receipt of [{ right: null, truth: "" }, {}, undefined, { status: "refused", right: "yes" }]) {
    assert.equal(feedbackOf(receipt, entry, texts), null);
  }
});

test("right and wrong are told with the item's name, wrong with the answer", () => {
  const right = feedbackOf({ right: true, truth: "Oak" }, entry, texts);
  const wrong = feedbackOf({ right: false, truth: "Oak <b>" }, entry, texts);
  assert.ok(right.right && right.text.includes("leaf 7"));
  assert.ok(!wrong.right && wrong.text.includes("leaf 7") && wrong.text.includes("Oak <b>"));
});

test("the card goes by itself, and a newer word keeps it longer", () => {
  const set = [];
  const timers = { setTimeout: (run, ms) => set.push({ run, ms }), clearTimeout: (id) => { if (id) set[id - 1].run = () => {}; } };
  const card = new Feedback(timers);
  card.show({ text: "first" });
  card.show({ text: "second" });
  assert.equal(card.node.textContent, "second");
  set[0].run();
  assert.equal(card.node.hidden, false);
  set[1].run();
  assert.equal(card.node.hidden, true);
  assert.equal(set[1].ms, SHOWN_MS);
  card.destroy();
  assert.ok(card.node.gone);
});
