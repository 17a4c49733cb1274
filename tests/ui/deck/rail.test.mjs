// The column beside the image: which action is the strong one, the order of counts, the keys named.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const at = (name) => new URL(`../../../core/ui/deck/static/${name}.js`, import.meta.url).href;

class Node {
  constructor(tag) { Object.assign(this, { tag, children: [], attributes: {}, own: "", style: { setProperty() {} }, classList: { add() {} } }); }
  set textContent(text) { this.own = text; this.children = []; }
  get textContent() { return this.own + this.children.map((c) => c.textContent ?? c).join(""); }
  get firstElementChild() { return this.children[0]; }
  append(...nodes) { this.children.push(...nodes); }
  replaceChildren(...nodes) { this.own = ""; this.children = nodes; }
  setAttribute(name, value) { this.attributes[name] = value; }
  addEventListener() {}
  all(tag) { return [...(this.tag === tag ? [this] : []), ...this.children.flatMap((c) => c.all?.(tag) ?? [])]; }
}
Object.defineProperty(globalThis, "document", { value: { createElement: (tag) => new Node(tag) }, configurable: true });

const { Rail, boxList } = await import(at("rail"));
const { keyIn } = await import(at("keymap"));

const source = readFileSync(new URL("../../../core/ui/deck/texts.py", import.meta.url), "utf8");
const texts = new Proxy({ boxes: "Boxes: {n}", boxSource: { none: "press {edit} to draw", prelabel: "Pre-label" } }, { get: (known, name) => known[name] ?? String(name) });
const question = { key: "label", title: "Label", several: false, classes: ["RBC", "WBC", "Platelets"].map((name) => ({ name, colour: "#112233", key: "" })) };
const item = (prelabel) => ({ item_id: 1, can_vote: true, prelabel, metadata: {} });
const region = (label) => ({ label, box: [1, 2, 3, 4] });

function railOf(boxes, keymap = { accept: ["A"], edit: ["E"] }) {
  return new Rail({ texts, boxes, keymap, questions: [question], asked: boxes ? [] : [question] }, () => {}, { node: new Node("div") });
}

// The actions as they stand: name, then what marks them.
function actions(boxes, prelabel, regions = null) {
  const rail = railOf(boxes);
  rail.show(item(prelabel), { choices: {}, multi: {}, marked: {}, regions }, boxes ? null : question, []);
  return rail.actions.children.map((b) => [b.children[0].textContent, ...(/strong/.test(b.attributes.class) ? ["strong"] : []), ...("disabled" in b.attributes ? ["disabled"] : [])].join(" "));
}

test("the strong action is one that can be taken", () => {
  const boxed = { answer: { regions: [region("WBC")] }, confidence: 0.5, margin: null };
  assert.deepEqual(actions(true, boxed).slice(0, 2), ["acceptBoxes strong", "edit"]);
  assert.deepEqual(actions(true, null).slice(0, 2), ["edit strong", "acceptBoxes disabled"]);
  const classed = { answer: { choices: { label: "WBC" } }, confidence: 0.5, margin: null, model: "m", source: "s" };
  assert.equal(actions(false, classed)[0], "accept strong");
  assert.equal(actions(false, null)[0], "accept disabled");
  assert.ok(!actions(false, null).some((a) => a.includes("strong")));
});

test("classes are counted in the order of the schema, others after them", () => {
  const list = boxList(texts, question, { source: "prelabel", regions: ["old", "Platelets", "RBC", "Platelets", "old"].map(region) });
  assert.deepEqual(list.all("li").map((li) => li.textContent), ["RBC1", "Platelets2", "old2"]);
});

test("sentences name the person's own keys, and the button where a command has none", () => {
  assert.deepEqual([keyIn({ edit: ["D"] }, "edit", "Edit"), keyIn({ edit: ["Shift+Left"] }, "edit", "Edit"), keyIn({}, "edit", "Edit")], ["D", "Shift+←", "“Edit”"]);
  const rail = railOf(true, { edit: ["D"] });
  rail.show(item(null), { choices: {}, multi: {}, marked: {}, regions: null }, null, []);
  assert.ok(rail.main.textContent.includes("press D to draw"));
  for (const name of ["acceptOrEdit", "editHint", "noBoxes"]) {
    const [, sentence] = new RegExp(`"${name}": _\\(\\s*"([^"]*)"`).exec(source);
    assert.match(sentence, /\{edit\}/, name);
  }
});
