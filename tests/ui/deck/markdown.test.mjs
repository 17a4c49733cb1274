// The guideline's little Markdown, run by node --test.

import assert from "node:assert/strict";
import { test } from "node:test";

const at = (name) => new URL(`../../../core/ui/deck/static/${name}.js`, import.meta.url).href;
const { blocks, inline } = await import(at("markdown"));

const plain = (text) => [{ kind: "text", text }];

test("headings, paragraphs and lists become blocks", () => {
  assert.deepEqual(blocks("# Leaves\n\nLook at it\nwhole.\n## Not sure\n- skip\n- flag,\n  then go on\n\n- ask"), [
    { kind: "h1", parts: plain("Leaves") },
    { kind: "p", parts: plain("Look at it\nwhole.") },
    { kind: "h2", parts: plain("Not sure") },
    { kind: "ul", items: [plain("skip"), plain("flag,\nthen go on"), plain("ask")] },
  ]);
  assert.deepEqual(blocks("\r\n  \r\n"), []);
});

test("bold, italic and code are told apart within a line", () => {
  assert.deepEqual(inline("the **whole shape**, *not* `a*b`"), [
    { kind: "text", text: "the " }, { kind: "strong", parts: plain("whole shape") },
    { kind: "text", text: ", " }, { kind: "em", parts: plain("not") },
    { kind: "text", text: " " }, { kind: "code", text: "a*b" },
  ]);
});

test("all else stays text", () => {
  for (const line of ["2 * 3 * 4", "** open", "*", "<b onclick=x>hi</b>", "![x](https://e.example/p.png)", "[a](javascript:b)", "snake_case_name", "`open"]) {
    assert.deepEqual(inline(line), plain(line), line);
  }
  for (const line of ["### Third", "#tag", "1. first", "| a | b |", "-5 degrees", "> said", "---"]) {
    assert.deepEqual(blocks(line), [{ kind: "p", parts: plain(line) }], line);
  }
});

test("no text is lost, and a long hostile one is read at once", () => {
  const said = (parts) => parts.map((p) => p.text ?? said(p.parts)).join("");
  assert.equal(said(inline("***both*** and **a `c` b**")), "*both* and a c b");
  const before = performance.now();
  inline("**a ".repeat(20_000));
  blocks("*".repeat(50_000));
  assert.ok(performance.now() - before < 1000);
});

test("a fenced block is a list of its lines, as they are written", () => {
  const text = "Light\n```rules\nbrightness between 40 and 220\n\n- tint at *most* 3\n```\nAfter";
  assert.deepEqual(blocks(text), [
    { kind: "p", parts: [{ kind: "text", text: "Light" }] },
    {
      kind: "ul",
      items: [
        [{ kind: "code", text: "brightness between 40 and 220" }],
        [{ kind: "code", text: "- tint at *most* 3" }],
      ],
    },
    { kind: "p", parts: [{ kind: "text", text: "After" }] },
  ]);
  assert.equal(blocks("~~~rules\nnobody closes me").length, 1);
});
