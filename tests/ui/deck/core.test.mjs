// The deck's pure core, run by node --test: keys, time, outbox, window, answers.

import assert from "node:assert/strict";
import { test } from "node:test";

const at = (name) => new URL(`../../../core/ui/deck/static/${name}.js`, import.meta.url).href;
const { isPressing, isTyping } = await import(at("keys"));
const { ariaKey, capOf, commandFor, readKeymap } = await import(at("keymap"));
const { ActiveTimer } = await import(at("timer"));
const { Outbox, BATCH, IDLE_MS, retryAfter } = await import(at("outbox"));
const { Held } = await import(at("held"));
const { Decisions } = await import(at("history"));
const flow = await import(at("flow"));
const { widthStep } = await import(at("images"));
const { indexOf, ranked } = await import(at("search"));
const { Recent, workOfOthers } = await import(at("recent"));
const { addressOf, cleanQueue, isFiltered, queueWords } = await import(at("bar"));

const KEYS = {
  ...Object.fromEntries([..."1234567890"].map((d) => [`choose${d}`, [d]])), accept: ["A"], confirm: ["Enter"], skip: ["Space"],
  reasons: ["X"], flag: ["F"], undo: ["Z", "Backspace"], redo: ["Shift+Z"], previous: ["Left"], next: ["Right"], overlay: ["H"],
  link: ["L"], edit: ["E"], canvas: ["Shift+E"], help: ["?", "F1"], info: ["I"], zoomIn: ["+", "="], zoomOut: ["-"], search: ["/"],
  actual: ["Shift+0"], panLeft: ["Shift+Left"],
};
const LEFT = { choose1: ["Q", "1"], choose2: ["W", "2"], accept: ["Space"], skip: ["X"], previous: ["Shift+G", "Left"], thread: ["ä"] };
const standard = readKeymap(KEYS);
const press = (value, more = {}, map = standard) => commandFor({ key: value, code: "", ...more }, map);
const key = (value, more = {}) => press(value, more)?.name ?? null;

test("each key of the map means its command", () => {
  const map = { a: "accept", Enter: "confirm", x: "reasons", " ": "skip", f: "flag", z: "undo", Backspace: "undo",
    ArrowLeft: "previous", ArrowRight: "next", h: "overlay", l: "link", e: "edit", "?": "help", F1: "help", i: "info" };
  for (const [value, name] of Object.entries(map)) assert.equal(key(value), name, value);
  assert.equal(key("Z", { shiftKey: true }), "redo");
  assert.equal(key("E", { shiftKey: true }), "canvas");
  assert.equal(key("Escape"), "close");
  assert.deepEqual(press("0", { code: "Digit0" }), { name: "digit", digit: "0" });
  assert.equal(key(")", { code: "Digit0", shiftKey: true }), "actual");
  assert.equal(key("+", { code: "Equal", shiftKey: true }), "zoomIn");
  assert.equal(key("/", { code: "Slash" }), "search");
  assert.equal(key("?", { code: "Slash", shiftKey: true }), "help");
  assert.equal(key("ArrowLeft", { shiftKey: true }), "panLeft");
  assert.equal(key("Backspace", { shiftKey: true }), null);
});

test("a person's own keys stand in place of the preset's, and on the caps", () => {
  const left = readKeymap(LEFT);
  assert.deepEqual(press("q", {}, left), { name: "digit", digit: "1" });
  assert.deepEqual(press("1", { code: "Digit1" }, left), { name: "digit", digit: "1" });
  assert.equal(press(" ", {}, left).name, "accept");
  assert.equal(press("G", { shiftKey: true }, left).name, "previous");
  assert.equal(press("g", {}, left), null);
  assert.equal(press("ä", { code: "Quote" }, left).name, "thread");
  assert.equal(press("a", {}, left), null);
  assert.deepEqual([capOf(LEFT, "choose1"), capOf(LEFT, "previous"), capOf(KEYS, "next"), capOf(LEFT, "help")], ["Q", "⇧G", "→", ""]);
  assert.deepEqual([ariaKey("Shift+Left"), ariaKey("A")], ["Shift+ArrowLeft", "A"]);
});

test("the key caps work under a Korean layout and on the number pad", () => {
  assert.equal(key("ㅁ", { code: "KeyA" }), "accept");
  assert.equal(press("End", { code: "Numpad1" }).digit, "1");
  assert.equal(press("&", { code: "Digit1" }).digit, "1"); // French, unshifted
  assert.equal(press("1", { code: "Digit1", shiftKey: true }).digit, "1"); // French, shifted
});

test("what is not meant for us is left alone", () => {
  for (const more of [{ repeat: true }, { isComposing: true }, { ctrlKey: true }, { metaKey: true }, { altKey: true }]) {
    assert.equal(key("a", more), null);
  }
  for (const value of ["c", "r", "C", "R", "Tab", "Shift", "."]) assert.equal(key(value), null, value);
  const within = (selector) => ({ closest: (asked) => (asked.includes(selector) ? {} : null) });
  assert.ok(isTyping(within("textarea")));
  assert.ok(isPressing(within("button"), { key: "Enter" }));
  assert.ok(!isPressing(within("button"), { key: "a" }));
  assert.ok(isPressing(within("[role=slider]"), { key: "ArrowLeft" }));
  assert.ok(!isPressing(within("button"), { key: "ArrowLeft" }));
});

test("pauses and hidden tabs are not active time", () => {
  const timer = new ActiveTimer(60);
  timer.resume(0);
  timer.activity(10_000);
  timer.activity(200_000); // a break of 190 s
  timer.activity(205_000);
  timer.pause(206_000); // hidden
  timer.resume(500_000);
  assert.equal(timer.seconds(502_000), 18);
  assert.equal(timer.seconds(900_000), 16); // away since 500 s
});

test("a clock that jumps back counts nothing", () => {
  const timer = new ActiveTimer(60);
  timer.resume(5000);
  timer.activity(1000);
  assert.equal(timer.seconds(2000), 1);
});

class Storage {
  constructor() { this.map = new Map(); }
  getItem(name) { return this.map.get(name) ?? null; }
  setItem(name, value) { this.map.set(name, value); }
}

class Timers {
  constructor() { this.next = null; }
  setTimeout(run, delay) { this.next = { run, delay }; return this.next; }
  clearTimeout(timer) { if (timer === this.next) this.next = null; }
  async fire() { const { run } = this.next; this.next = null; await run(); }
}

const vote = (uuid, itemId = Number(uuid.slice(1)), kind = "vote") =>
  ({ uuid, item_id: itemId, kind, base_revision: 0, answer: { choices: {}, regions: [] } });

function office(reply, storage = new Storage()) {
  const timers = new Timers();
  const sent = [];
  const send = async (rows, how) => {
    sent.push({ rows: rows.map((r) => ({ ...r })), how });
    return reply(rows);
  };
  return { outbox: new Outbox({ key: "k", storage, send, timers }), timers, sent, storage };
}

const saved = (rows) => ({ kind: "ok", receipts: rows.map((r) => ({ uuid: r.uuid, item_id: r.item_id, status: "saved", revision: r.base_revision + 1 })) });

test("decisions go in one batch after a quiet moment, at once when there are eight", async () => {
  const { outbox, timers, sent } = office(saved);
  for (let n = 1; n < BATCH; n += 1) outbox.push(vote(`u${n}`), {});
  assert.equal(timers.next.delay, IDLE_MS);
  outbox.push(vote("u8"), {});
  assert.equal(timers.next.delay, 0);
  await timers.fire();
  assert.equal(sent.length, 1);
  assert.equal(sent[0].rows.length, 8);
  assert.deepEqual([outbox.saved, outbox.pending], [8, 0]);
});

test("nothing counts as saved before the server said so, and a reload sends it again", async () => {
  const storage = new Storage();
  const first = office(async () => ({ kind: "offline" }), storage);
  first.outbox.push(vote("u1"), {});
  await first.timers.fire();
  assert.deepEqual([first.outbox.saved, first.outbox.pending, first.outbox.trouble.kind], [0, 1, "offline"]);
  const again = office((rows) => ({ kind: "ok", receipts: rows.map((r) => ({ uuid: r.uuid, status: "already-saved", revision: 1 })) }), storage);
  assert.equal(again.outbox.pending, 1);
  await again.timers.fire();
  assert.equal(again.sent[0].rows[0].uuid, "u1");
  assert.deepEqual([again.outbox.saved, again.outbox.pending], [1, 0]);
});

test("attempts slow down to half a minute and start afresh when the network is back", async () => {
  assert.deepEqual([1, 2, 3, 6, 60].map(retryAfter), [1000, 2000, 4000, 30000, 30000]);
  const { outbox, timers } = office(async () => ({ kind: "offline" }));
  outbox.push(vote("u1"), {});
  await timers.fire();
  assert.equal(timers.next.delay, 1000);
  await timers.fire();
  assert.equal(timers.next.delay, 2000);
  outbox.push(vote("u2"), {});
  assert.equal(timers.next.delay, 2000);
  outbox.wake();
  assert.equal(timers.next.delay, 0);
});

test("signed out keeps everything and says so", async () => {
  const { outbox, timers } = office(async () => ({ kind: "signed-out" }));
  outbox.push(vote("u1"), {});
  await timers.fire();
  assert.equal(outbox.trouble.kind, "signed-out");
  assert.equal(outbox.pending, 1);
});

test("a refused decision comes back with its sentence and counts as neither saved nor pending", async () => {
  const { outbox, timers } = office((rows) => ({ kind: "ok", receipts: rows.map((r) => ({ uuid: r.uuid, status: "refused", code: "LEASE_LOST", message: "Gone.", advice: "Next." })) }));
  outbox.push(vote("u1"), { name: "a.jpg" });
  outbox.push(vote("u2", 1, "withdraw"), {});
  await timers.fire();
  assert.deepEqual([outbox.saved, outbox.pending], [0, 0]);
  assert.deepEqual(outbox.refused.map((r) => [r.item.name, r.message, r.advice]), [["a.jpg", "Gone.", "Next."]]);
  assert.equal(outbox.dismiss("u1").code, "LEASE_LOST");
  assert.equal(outbox.refused.length, 0);
});

test("undo after sending waits for the receipt and takes back that revision", async () => {
  const { outbox, timers, sent } = office(saved);
  outbox.push(vote("u5"), {});
  outbox.push(vote("w5", 5, "withdraw"), {});
  await timers.fire();
  assert.deepEqual(sent[0].rows.map((r) => r.kind), ["vote"]);
  await timers.fire();
  assert.deepEqual(sent[1].rows.map((r) => [r.kind, r.base_revision]), [["withdraw", 1]]);
  assert.equal(outbox.saved, 0);
  outbox.push(vote("v5", 5), {});
  await timers.fire();
  assert.equal(sent[2].rows[0].base_revision, 2);
});

test("a decision that never left can be taken back without a trace; one in flight cannot", async () => {
  let answer;
  const { outbox, timers, sent } = office(() => new Promise((resolve) => { answer = resolve; }));
  outbox.push(vote("u1"), {});
  assert.ok(outbox.cancel("u1"));
  outbox.push(vote("u2"), {});
  const flight = timers.fire();
  assert.ok(!outbox.cancel("u2"));
  answer(saved(sent[0].rows));
  await flight;
  assert.deepEqual(sent.map((s) => s.rows.map((r) => r.uuid)), [["u2"]]);
});

test("what is in flight is sent again when the page goes away", async () => {
  const { outbox, timers, sent } = office((rows) => (sent.length === 1 ? new Promise(() => {}) : saved(rows)));
  outbox.push(vote("u1"), {});
  timers.fire();
  await outbox.flush({ keepalive: true });
  assert.deepEqual(sent.map((s) => s.how.keepalive), [false, true]);
  assert.equal(sent[1].rows[0].uuid, "u1");
});

test("a row without a receipt stays pending", async () => {
  const { outbox, timers } = office(async () => ({ kind: "ok", receipts: [] }));
  outbox.push(vote("u1"), {});
  await timers.fire();
  assert.equal(outbox.pending, 1);
  assert.ok(timers.next.delay >= 1000);
});

test("storage that is full or forbidden loses nothing held here", async () => {
  const broken = { getItem: () => "{not json", setItem: () => { throw new Error("quota"); } };
  const { outbox, timers } = office(saved, broken);
  outbox.push(vote("u1"), {});
  await timers.fire();
  assert.equal(outbox.saved, 1);
});

const item = (id, more = {}) => ({ item_id: id, draft: null, mine: null, prelabel: null, ...more });

test("the window holds every item once and moves on when one leaves", () => {
  const held = new Held();
  held.add([item(1), item(2), item(3)]);
  assert.equal(held.add([item(2), item(4)]), 1);
  held.step(1);
  held.remove(2);
  assert.equal(held.current.item_id, 3);
  held.putFirst(item(9));
  assert.deepEqual([held.current.item_id, held.ids], [9, [1, 9, 3, 4]]);
  assert.deepEqual(held.upcoming(2).map((i) => i.item_id), [9, 3, 1]);
  held.step(2);
  held.remove(4);
  assert.equal(held.current.item_id, 3);
  assert.ok(!held.step(1));
});

test("undo and redo walk the same decisions; a new one forgets what was undone", () => {
  const decisions = new Decisions();
  for (const uuid of ["a", "b"]) decisions.did({ submission: { uuid } });
  const last = decisions.undo();
  assert.equal(last.submission.uuid, "b");
  assert.equal(decisions.redo(), last);
  decisions.redid(last);
  decisions.undo();
  decisions.did({ submission: { uuid: "c" } });
  assert.equal(decisions.redo(), null);
  decisions.forget("c");
  assert.equal(decisions.undo().submission.uuid, "a");
});

const questions = [
  { key: "label", classes: [{ name: "cat", key: "1" }, { name: "dog", key: "2" }] },
  { key: "quality", classes: [{ name: "sharp", key: "1" }] },
];

test("questions are asked in order and digits answer the open one", () => {
  const answer = flow.startAnswer(item(1, { draft: { choices: { label: "dog" }, regions: [] } }));
  assert.equal(flow.openQuestion(questions, answer).key, "quality");
  const rows = flow.offered(questions[0]);
  assert.equal(flow.classOfDigit(rows, "2"), "dog");
  assert.equal(flow.classOfDigit(rows, "9"), null);
  assert.ok(!flow.isComplete(answer, questions, false));
  flow.put(answer, "choices", "quality", "sharp");
  assert.ok(flow.isComplete(answer, questions, false));
  assert.ok(!flow.isComplete(answer, questions, true));
});

const tags = { key: "tags", several: true, classes: ["wet", "torn", "ill"].map((name) => ({ name })) };

test("several classes are marked one by one, confirmed as a set, and taken back step by step", () => {
  const asked = [questions[0], tags];
  const answer = flow.startAnswer(item(1));
  flow.put(answer, "choices", "label", "cat");
  assert.equal(flow.openQuestion(asked, answer).key, "tags");
  for (const name of ["ill", "wet", "torn", "wet"]) flow.toggle(tags, answer, name);
  assert.deepEqual(flow.markedOf(tags, answer), ["torn", "ill"]); // in schema order
  assert.ok(!flow.isComplete(answer, asked, false));
  flow.put(answer, "multi", "tags", flow.markedOf(tags, answer));
  assert.ok(flow.isComplete(answer, asked, false));
  assert.deepEqual(flow.finished(answer), { choices: { label: "cat" }, regions: [], multi: { tags: ["torn", "ill"] } });
  flow.stepBack(answer);
  assert.equal(flow.openQuestion(asked, answer).key, "tags");
  flow.stepBack(answer);
  assert.deepEqual(flow.markedOf(tags, answer), ["wet", "torn", "ill"]);
  flow.stepForth(answer);
  assert.deepEqual(flow.markedOf(tags, answer), ["torn", "ill"]);
  for (let n = 0; n < 5; n += 1) flow.stepBack(answer);
  assert.deepEqual(answer.choices, {});
  assert.ok(!flow.stepBack(answer));
});

test("none of them is an answer; a draft's set is shown but asked again", () => {
  const answer = flow.startAnswer(item(1));
  flow.put(answer, "multi", "tags", flow.markedOf(tags, answer));
  assert.ok(flow.isComplete(answer, [tags], false));
  assert.deepEqual(flow.finished(answer).multi, { tags: [] });
  assert.equal(flow.inWords(flow.finished(answer), "none"), "none");
  const again = flow.startAnswer(item(1, { draft: { choices: {}, multi: { tags: ["torn"] }, regions: [] } }));
  assert.deepEqual(flow.markedOf(tags, again), ["torn"]);
  assert.equal(flow.openQuestion([tags], again), tags);
});

const thousand = { key: "species", classes: Array.from({ length: 1000 }, (_, n) => ({ name: `species ${n}`, colour: "#123456", key: n < 10 ? "1234567890"[n] : "" })) };

test("of many classes the likeliest have 1 to 5 and the latest 6 to 0", () => {
  const top = [700, 3, 999].map((n) => [`species ${n}`, 0.3]);
  const rows = flow.offered(thousand, [...top, ["gone", 0.1]], ["species 3", "species 500", "species 41"]);
  assert.deepEqual(rows.map((r) => [r.digit, r.name, r.why]).slice(0, 3), [["1", "species 700", "likely"], ["2", "species 3", "likely"], ["3", "species 999", "likely"]]);
  assert.deepEqual(["6", "7"].map((d) => flow.classOfDigit(rows, d)), ["species 500", "species 41"]);
  assert.equal(rows.length, 5); // what the model says leaves no room for the schema's own keys
  assert.equal(new Set(rows.map((r) => r.name)).size, rows.length);
  assert.deepEqual(flow.offered(thousand).map((r) => r.name), thousand.classes.slice(0, 10).map((c) => c.name));
});

test("what the model says of a retired class is told apart", () => {
  assert.deepEqual(flow.retiredIn(questions[0], "cow"), ["cow"]);
  assert.deepEqual(flow.retiredIn(tags, ["wet", "old"]), ["old"]);
  assert.deepEqual(flow.retiredIn(questions[0], null), []);
});

const named = (...names) => names.map((name) => ({ name, colour: "#000000" }));

test("a class is found by its beginning, a word, initials or scattered letters, best first", () => {
  const index = indexOf(named("marsh warbler", "Maple", "red maple", "sugar-maple", "camp le", "Ahorn, großer", "Érable"));
  const found = (asked) => ranked(index, asked).classes.map((c) => c.name);
  assert.deepEqual(found("maple"), ["Maple", "red maple", "sugar-maple"]);
  assert.deepEqual(found("ma").slice(0, 2), ["marsh warbler", "Maple"]);
  assert.deepEqual(found("rm"), ["red maple"].concat(found("rm").slice(1)));
  assert.deepEqual(found("erable"), ["Érable"]);
  assert.equal(found("mrshw")[0], "marsh warbler");
  assert.deepEqual(found("xyz"), []);
  assert.equal(ranked(index, "").count, 7);
});

test("among equals the model's likeliest come first, then the latest, then schema order", () => {
  const index = indexOf(named("oak a", "oak b", "oak c", "oak d"), ["oak d"], ["oak c", "oak d"]);
  assert.deepEqual(ranked(index, "oak").classes.map((c) => c.name), ["oak d", "oak c", "oak a", "oak b"]);
  assert.equal(ranked(index, "oak a").classes[0].name, "oak a");
});

test("a keystroke over a thousand classes takes less than 5 ms", () => {
  const index = indexOf(thousand.classes);
  const took = ["s", "sp", "spe 9", "s99", "cies 12", "zz"].flatMap((asked) => Array.from({ length: 20 }, () => {
    const since = performance.now();
    ranked(index, asked);
    return performance.now() - since;
  })).sort((a, b) => a - b);
  assert.ok(took[Math.floor(took.length / 2)] < 5, `${took[60]}`);
});

test("a queue stands in the address as it is wanted, and nothing else does", () => {
  const queue = { order: "random", class: "oak & elm", list: "", other: "x" };
  assert.deepEqual(cleanQueue(queue), { order: "random", class: "oak & elm" });
  const href = addressOf("http://h/lab/review?project=p&item=4&slice=site:a", queue);
  assert.equal(href, "http://h/lab/review?project=p&order=random&class=oak+%26+elm");
  assert.ok(isFiltered(queue));
  assert.ok(!isFiltered({ order: "random" }));
  assert.equal(queueWords({ queues: { unsure: "Unsure" }, filters: { queue: "Only: {value}", class: "As {value}" } }, { queue: "unsure", class: "oak" }), "Only: Unsure · As oak");
});

test("classes used lately are remembered per question, newest first, also without storage", () => {
  const storage = new Storage();
  const recent = new Recent(storage, "r");
  recent.note({ choices: { label: "cat" }, multi: { tags: ["wet", "ill"] } });
  recent.note({ choices: { label: "dog" } });
  assert.deepEqual(new Recent(storage, "r").of("label"), ["dog", "cat"]);
  assert.deepEqual(recent.of("tags"), ["wet", "ill"]);
  const broken = new Recent({ getItem: () => "[3", setItem: () => { throw new Error("quota"); } }, "r");
  broken.note({ choices: { label: "cat" } });
  assert.deepEqual(broken.of("label"), ["cat"]);
});

test("decisions another person left in this tab are counted and stay theirs", () => {
  const entries = { entries: [{}, {}] };
  const kept = { "tiebreak.outbox.7.leaves": entries, "tiebreak.outbox.8.leaves": { entries: [{}] }, "tiebreak.outbox.8.other": entries,
    "tiebreak.outbox.8.leaves.history": entries, "tiebreak.outbox.9.leaves": "no JSON" };
  const names = Object.keys(kept);
  const storage = { length: names.length, key: (n) => names[n], getItem: (name) => (typeof kept[name] === "string" ? kept[name] : JSON.stringify(kept[name])) };
  assert.equal(workOfOthers(storage, "tiebreak.outbox.7.leaves"), 1);
  assert.equal(workOfOthers(storage, "tiebreak.outbox.8.leaves"), 2);
});

test("boxes shown are the draft's, then one's own, then the model's, and sent without its confidence", () => {
  const said = (label) => ({ choices: {}, regions: [{ label, box: [0, 0, 1, 1], confidence: 0.5 }] });
  const all = item(1, { draft: said("d"), mine: said("m"), prelabel: { answer: said("p") } });
  assert.equal(flow.shownRegions(all).source, "draft");
  assert.equal(flow.shownRegions({ ...all, draft: null }).source, "mine");
  assert.equal(flow.shownRegions({ ...all, draft: null, mine: null }).source, "prelabel");
  assert.equal(flow.shownRegions(item(2)).source, "none");
  assert.deepEqual(flow.finished(said("p")).regions, [{ label: "p", box: [0, 0, 1, 1] }]);
  const shape = { label: "p", box: [0, 0, 2, 2], shape: "polygon", points: [[0, 0], [2, 0], [0, 2]], attributes: { hidden: "no" } };
  assert.deepEqual(flow.finished({ choices: {}, regions: [{ ...shape, confidence: 0.9, id: 3 }] }).regions, [shape]);
});

test("images are asked for in the few widths the server makes", () => {
  assert.deepEqual([100, 401, 900, 5000].map(widthStep), [400, 800, 1600, 1600]);
});
