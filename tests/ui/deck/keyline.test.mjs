// Keys that wait while the page is made anew, run by node --test.

import assert from "node:assert/strict";
import { test } from "node:test";

const at = (name) => new URL(`../../../core/ui/deck/static/${name}.js`, import.meta.url).href;
const { KeyLine } = await import(at("keyline"));

/** A page whose clock and busyness the test sets; `seen` are the keys that reached it. */
function desk() {
  const place = { clock: 0, busy: false, seen: [], coming: [] };
  place.line = new KeyLine({
    busy: () => place.busy,
    give: (event, note) => {
      note(event);
      place.press(event);
    },
    now: () => place.clock,
    later: (f, ms) => place.coming.push([place.clock + ms, f]),
  });
  place.press = (event) => {
    if (place.line.takes(event)) return false;
    place.seen.push(event.key);
    place.line.settle();
    return true;
  };
  place.run = (ms) => {
    for (const end = place.clock + ms; place.clock < end; place.clock += 10) {
      for (const [, f] of place.coming.filter(([when]) => when <= place.clock)) f();
      place.coming = place.coming.filter(([when]) => when > place.clock);
    }
  };
  return place;
}
const key = (name, more = {}) => ({ key: name, ...more });

test("a press while nothing is under way goes through at once", () => {
  const place = desk();
  assert.equal(place.press(key("n")), true);
  assert.deepEqual(place.seen, ["n"]);
});

test("presses while the page is busy wait, and come in their order, each after the one before was answered", () => {
  const place = desk();
  place.busy = true;
  for (const name of ["n", "n", "Delete", "s"]) assert.equal(place.press(key(name)), false);
  place.run(500);
  assert.deepEqual(place.seen, []);
  place.busy = false;
  place.run(50);
  assert.deepEqual(place.seen, ["n"]);
  place.run(2000);
  assert.deepEqual(place.seen, ["n", "n", "Delete", "s"]);
});

test("what is pressed while others wait comes after them, though the page is free again", () => {
  const place = desk();
  place.busy = true;
  place.press(key("n"));
  place.busy = false;
  place.press(key("Delete"));
  assert.deepEqual(place.seen, []);
  place.run(1000);
  assert.deepEqual(place.seen, ["n", "Delete"]);
});

test("a second press right after the first waits until the page has settled", () => {
  const place = desk();
  place.press(key("n"));
  assert.equal(place.press(key("n")), false);
  place.run(300);
  assert.deepEqual(place.seen, ["n"]);
  place.run(200);
  assert.deepEqual(place.seen, ["n", "n"]);
});

test("once the page was seen at work, its end is all that is waited for", () => {
  const place = desk();
  place.press(key("n"));
  place.busy = true;
  place.press(key("n"));
  place.run(100);
  place.busy = false;
  place.run(50);
  assert.deepEqual(place.seen, ["n", "n"]);
});

test("what is pressed once the page has settled goes through at once", () => {
  const place = desk();
  place.press(key("s"));
  place.line.settled();
  assert.equal(place.press(key("1")), true);
});

test("a key held down does not run on after the page is free", () => {
  const place = desk();
  place.busy = true;
  place.press(key("n"));
  for (let i = 0; i < 30; i += 1) place.press(key("n", { repeat: true }));
  place.busy = false;
  place.run(3000);
  assert.deepEqual(place.seen, ["n"]);
});

test("combinations, Tab, F5 and the keys that do nothing alone never wait", () => {
  const place = desk();
  place.busy = true;
  for (const event of [key("c", { ctrlKey: true }), key("Tab"), key("F5"), key("F12"), key("Shift"), key("x", { altKey: true }), key("v", { metaKey: true })]) {
    assert.equal(place.line.takes(event), false);
  }
});

test("a page that never comes is not waited for longer than ten seconds a key", () => {
  const place = desk();
  place.busy = true;
  place.press(key("n"));
  place.run(9_000);
  assert.deepEqual(place.seen, []);
  place.run(2_000);
  assert.deepEqual(place.seen, ["n"]);
});

test("what waits is forgotten when the deck is left", () => {
  const place = desk();
  place.busy = true;
  place.press(key("s"));
  place.line.stop();
  place.busy = false;
  place.run(1000);
  assert.deepEqual(place.seen, []);
});
