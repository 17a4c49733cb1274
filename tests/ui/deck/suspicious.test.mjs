// Going through suspicious labels: the pure part.

import assert from "node:assert/strict";
import { test } from "node:test";

import { choose, inHand, keyOf, left, move, say, settle, shareOf, startList, unsay } from "../../../core/ui/deck/static/suspicious_model.js";

let made = 0;
const uuid = () => `uuid-${(made += 1)}`;
const issue = (item, kind = "label", more = {}) => ({ item, kind, final_seq: 10 + item, question: "", box: null, file: `${item}.png`, why: "because", ...more });
const ok = { kind: "ok", body: { receipt: { status: "saved" } } };

test("moving stops at both ends, and only rows that are there can be chosen", () => {
  const list = startList([issue(1), issue(2), issue(3)]);
  move(list, -1);
  assert.equal(inHand(list).item, 1);
  move(list, 9);
  assert.equal(inHand(list).item, 3);
  choose(list, 7);
  assert.equal(inHand(list).item, 3);
});

test("an answer goes on to the next nobody has said anything of, and is sent once", () => {
  const list = startList([issue(1), issue(2), issue(3)]);
  choose(list, 1);
  const entry = say(list, "right", uuid);
  assert.deepEqual([entry.sent.do, entry.sent.item_id, entry.sent.kind, entry.sent.final_seq], ["right", 2, "label", 12]);
  assert.equal(inHand(list).item, 3);
  choose(list, 1);
  assert.equal(say(list, "back", uuid), null);
  assert.equal(left(list), 2);
});

test("the last open one is found before the one in hand too", () => {
  const list = startList([issue(1), issue(2)]);
  choose(list, 1);
  say(list, "right", uuid);
  assert.equal(inHand(list).item, 1);
});

test("sent back, an item is done in all its rows", () => {
  const list = startList([issue(1), issue(2), issue(1, "overlooked", { box: [0, 0, 1, 1] })]);
  const entry = say(list, "back", uuid);
  settle(list, entry, ok);
  assert.equal(left(list), 1);
  assert.equal(list.said[keyOf(list.issues[2])].state, "saved");
});

test("refused, it is asked anew", () => {
  const list = startList([issue(1), issue(2)]);
  const entry = say(list, "right", uuid);
  settle(list, entry, { kind: "forbidden", error: { message: "no" } });
  assert.equal(left(list), 2);
});

test("a send-back that is refused frees every row of its item", () => {
  const list = startList([issue(1), issue(1, "conflict")]);
  const entry = say(list, "back", uuid);
  settle(list, entry, { kind: "refused", error: { message: "no" } });
  assert.equal(left(list), 2);
});

test("only what was called right is taken back, and only once it is kept", () => {
  const list = startList([issue(1)]);
  const entry = say(list, "right", uuid);
  assert.equal(unsay(list, uuid), null);
  settle(list, entry, ok);
  const again = unsay(list, uuid);
  assert.equal(again.sent.do, "again");
  settle(list, again, ok);
  assert.equal(left(list), 1);
  const back = say(list, "back", uuid);
  settle(list, back, ok);
  assert.equal(unsay(list, uuid), null);
});

test("what was said is kept when the list comes anew, and the first open one is in hand", () => {
  const list = startList([issue(1), issue(2)]);
  settle(list, say(list, "right", uuid), ok);
  const anew = startList([issue(1), issue(2), issue(3)], list.said);
  assert.equal(inHand(anew).item, 2);
  assert.equal(left(anew), 2);
  assert.equal(inHand(startList([])), null);
});

test("a region's place is told in shares of the picture", () => {
  assert.deepEqual(shareOf([10, 20, 30, 60], [100, 200]), { left: 0.1, top: 0.1, width: 0.2, height: 0.2 });
});
