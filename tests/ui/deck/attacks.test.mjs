// What may lie in a tab's store or come back over the wire: nothing of it breaks the deck or loses work.

import assert from "node:assert/strict";
import { test } from "node:test";

const at = (name) => new URL(`../../../core/ui/deck/static/${name}.js`, import.meta.url).href;
const { Memory, isLasting, readObject, tabStorage } = await import(at("storage"));
const { Outbox } = await import(at("outbox"));
const { Decisions } = await import(at("history"));
const { Recent, workOfOthers } = await import(at("recent"));
const { Adjustment } = await import(at("adjust"));
const { ask } = await import(at("net"));

const KEY = "tiebreak.outbox.1.pets";
const GARBAGE = [
  "", "null", "5", '"text"', "[]", "{", "[[[[", '{"entries": 5}', '{"entries": [null, 5, {}, {"submission": null}]}',
  '{"entries": {"0": 1}}', '{"entries": [{"submission": {"uuid": "u", "item_id": "7"}}]}', '{"revisions": 5}',
  '{"revisions": [5, [1], ["a", 2], {"0": 1}]}', '{"saved": "many", "refused": {}}', '{"refused": [null, {"submission": 3}]}',
  '{"saved": -1e999}', '{"done": 5}', '{"done": [null, {"item": null}, {"item": {"item_id": 1}}]}', '{"__proto__": {"entries": [1]}}',
];
const still = { setTimeout: () => 1, clearTimeout: () => {} };
const sent = (uuid, item) => ({ uuid, item_id: item, kind: "vote", base_revision: 0 });
const filled = (text) => {
  const store = new Memory();
  for (const key of [KEY, `${KEY}.history`, `${KEY}.recent`, "tiebreak.view"]) store.setItem(key, text);
  return store;
};

test("a tampered store is read as nothing, and deciding goes on", async () => {
  for (const text of GARBAGE) {
    const store = filled(text);
    const outbox = new Outbox({ key: KEY, storage: store, timers: still, send: async (rows) => ({ kind: "ok", receipts: rows.map((r) => ({ uuid: r.uuid, status: "saved", revision: 1 })) }) });
    assert.equal(outbox.pending, 0, text);
    outbox.push(sent("good", 3), { item_id: 3, name: "x" });
    await outbox.flush();
    assert.deepEqual([outbox.pending, outbox.saved], [0, 1], text);
    assert.equal(new Decisions(readObject(store, `${KEY}.history`)).undo(), null, text);
    new Recent(store, `${KEY}.recent`).note({ choices: { label: "cat" }, multi: {} });
    assert.equal(new Adjustment(store).neutral, true, text);
    assert.equal(workOfOthers(store, "tiebreak.outbox.2.pets") >= 0, true, text);
  }
});

test("good rows beside spoilt ones are still sent", async () => {
  const store = new Memory();
  store.setItem(KEY, JSON.stringify({ entries: [null, { submission: sent("good", 3), tries: "x" }, { submission: 5 }] }));
  const seen = [];
  const outbox = new Outbox({ key: KEY, storage: store, timers: still, send: async (rows) => (seen.push(...rows), { kind: "offline" }) });
  assert.equal(outbox.pending, 1);
  await outbox.flush();
  assert.deepEqual(seen.map((r) => r.uuid), ["good"]);
});

test("receipts that are none settle nothing, and the decision is sent again", async () => {
  for (const receipts of [undefined, null, 5, "saved", {}, [null, 5], [{ uuid: "other", status: "saved" }]]) {
    let waits = 0;
    const timers = { setTimeout: () => ++waits, clearTimeout: () => {} };
    const outbox = new Outbox({ key: KEY, storage: new Memory(), timers, send: async () => ({ kind: "ok", receipts }) });
    outbox.push(sent("mine", 3), {});
    waits = 0;
    await outbox.flush();
    assert.deepEqual([outbox.pending, outbox.saved, waits], [1, 0, 1], JSON.stringify(receipts));
  }
});

test("what is too much together goes in smaller parts; what is too much alone is refused", async () => {
  const sizes = [];
  const send = async (rows) => {
    sizes.push(rows.length);
    const big = rows.some((r) => r.uuid === "huge");
    if (rows.length > 1 || big) return { kind: "refused", error: { code: "LIMIT_EXCEEDED", message: "Too much." } };
    return { kind: "ok", receipts: rows.map((r) => ({ uuid: r.uuid, status: "saved", revision: 1 })) };
  };
  const outbox = new Outbox({ key: KEY, storage: new Memory(), timers: still, send });
  outbox.pushAll(["a", "b", "huge", "c", "d"].map((uuid, i) => [sent(uuid, i + 1), {}]));
  for (let i = 0; i < 12; i += 1) await outbox.flush();
  assert.deepEqual([outbox.saved, outbox.pending, outbox.refused.map((r) => r.submission.uuid)], [4, 0, ["huge"]], sizes.join());
});

test("a store that is full, forbidden or absent keeps nothing, and says so", async () => {
  const full = { getItem: () => null, setItem: () => { throw new Error("QuotaExceededError"); }, length: 0, key: () => null };
  const forbidden = tabStorage({ get sessionStorage() { throw new Error("SecurityError"); } });
  for (const [i, storage] of [full, forbidden, tabStorage({ sessionStorage: null }), tabStorage({})].entries()) {
    const outbox = new Outbox({ key: `${KEY}.${i}`, storage, timers: still, send: async (rows) => ({ kind: "ok", receipts: rows.map((r) => ({ uuid: r.uuid, status: "saved", revision: 1 })) }) });
    outbox.push(sent("mine", 3), {});
    assert.equal(outbox.atRisk, true);
    await outbox.flush();
    assert.equal(outbox.atRisk, false);
    assert.equal(outbox.saved, 1);
  }
  assert.equal(isLasting(forbidden), false);
});

test("only our own words refuse a decision; anything else is a matter of the way there", async () => {
  const ours = JSON.stringify({ error: { code: "INPUT", message: "No.", advice: "" } });
  const answers = [
    [422, ours, "refused"], [401, ours, "signed-out"], [403, ours, "forbidden"], [503, ours, "offline"],
    [404, "<html>Not found</html>", "offline"], [400, "", "offline"], [413, "too large", "refused"], [405, "{}", "offline"],
    [404, '{"detail": "Not Found"}', "offline"], [404, '{"error": "x"}', "offline"], [404, "null", "offline"], [500, "<html>", "offline"],
    [401, "sign in", "signed-out"], [403, "<html>", "forbidden"], [200, "<html>", "offline"], [200, "5", "offline"], [200, "[]", "offline"],
    [200, "null", "offline"], [200, '{"receipts": []}', "ok"],
  ];
  const before = globalThis.fetch;
  try {
    for (const [status, text, kind] of answers) {
      globalThis.fetch = async () => new Response(text, { status });
      assert.equal((await ask("/x", { body: {} })).kind, kind, `${status} ${text}`);
    }
    for (const fault of [new TypeError("network"), new DOMException("late", "TimeoutError")]) {
      globalThis.fetch = async () => { throw fault; };
      assert.equal((await ask("/x")).kind, "offline");
    }
  } finally {
    globalThis.fetch = before;
  }
});
