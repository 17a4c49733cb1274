// What is known beside the vote: names after an @, what was typed and not sent, lines of history.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readFileSync } from "node:fs";

const at = (name) => new URL(`../../../core/ui/deck/static/${name}.js`, import.meta.url).href;

// --- as little of a browser as the sections need ----------------------------------------------

class Node {
  constructor(tag) { Object.assign(this, { tag, children: [], attributes: {}, listeners: {}, style: { setProperty() {} }, parent: null, own: "" }); }
  set textContent(text) { this.own = text; this.children = []; }
  get textContent() { return this.own + this.children.map((c) => c.textContent).join(""); }
  get firstElementChild() { return this.children[0]; }
  append(...nodes) { this.children.push(...nodes); }
  replaceChildren(...nodes) { this.own = ""; this.children = nodes; }
  setAttribute(name, value) { this.attributes[name] = value; if (name === "open") this.open = true; if (name === "hidden") this.hidden = true; }
  removeAttribute(name) { delete this.attributes[name]; }
  addEventListener(name, run) { this.listeners[name] = run; }
  setSelectionRange(caret) { this.selectionStart = caret; }
  focus() { focused = this; }
  blur() { if (focused === this) focused = null; this.listeners.blur?.(); }
  all(tag) { return [...(this.tag === tag ? [this] : []), ...this.children.flatMap((c) => c.all(tag))]; }
}
class Kept {
  constructor() { this.map = new Map(); }
  getItem(name) { return this.map.get(name) ?? null; }
  setItem(name, value) { this.map.set(name, value); }
  removeItem(name) { this.map.delete(name); }
}
let focused = null;
const define = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
define("document", { createElement: (tag) => new Node(tag), documentElement: { lang: "en" } });
define("sessionStorage", new Kept());
define("localStorage", new Kept());

const { About, historyLine, likeness } = await import(at("about"));
const { ago, complete, matching, partAt, Unsent } = await import(at("talk"));

const source = readFileSync(new URL("../../../core/ui/deck/texts_about.py", import.meta.url), "utf8");
const kinds = Object.fromEntries(["imported", "vote", "settled", "prelabel"].map((k) => [k, new RegExp(`"${k}": _\\("(.*?)"\\)`).exec(source)[1]]));
const texts = new Proxy({ historyKinds: kinds, settledStates: { discarded: "discarded" }, threadKinds: { resolve: "{who} resolved" }, you: "You" },
  { get: (known, name) => known[name] ?? String(name) });
const people = [{ name: "anna", display_name: "Anna Lind" }, { name: "bo.lee", display_name: "Bo Lee" }, { name: "carl", display_name: "Carl Anders" }];
const urls = { base: "/lab", about: "/about", comment: "/comment", known: "/items?item=__ITEM__" };
const settle = () => new Promise((done) => { setTimeout(done, 5); });

// --- pure ---------------------------------------------------------------------------------------

test("the part of a name after an @ is found at the caret only", () => {
  assert.equal(partAt("hello @an", 9), "an");
  assert.equal(partAt("@", 1), "");
  assert.equal(partAt("hello @an and", 13), null);
  assert.equal(partAt("mail a@an", 9), null);
  assert.equal(partAt("(@Bo.l", 6), "bo.l");
});

test("people match by name or by any word of what others call them", () => {
  assert.deepEqual(matching(people, "an").map((p) => p.name), ["anna", "carl"]);
  assert.deepEqual(matching(people, "lee").map((p) => p.name), ["bo.lee"]);
  assert.equal(matching(people, "").length, 3);
});

test("a name takes the place of what was typed, in the middle too", () => {
  assert.deepEqual(complete("ask @an today", 7, "anna"), { text: "ask @anna today", caret: 10 });
  assert.deepEqual(complete("@", 1, "bo.lee"), { text: "@bo.lee ", caret: 8 });
});

test("time is told from now, never ahead of it", () => {
  assert.equal(ago(1000, 1000), "now");
  assert.equal(ago(1000, 1000 + 3 * 3600), "3 hours ago");
  assert.equal(ago(1000, 1000 + 86400), "yesterday");
  assert.equal(ago(5000, 1000), "now"); // a clock that runs ahead
});

test("history lines name the person, oneself as You, and what is in force", () => {
  assert.equal(historyLine(texts, { kind: "vote", who: "Reviewer 1", what: "cat", mine: false }, "now"), "Reviewer 1 said cat, now");
  assert.equal(historyLine(texts, { kind: "vote", who: "Ada", what: "cat", mine: true }, "now"), "You said cat, now");
  assert.equal(historyLine(texts, { kind: "settled", who: "discarded", what: "", mine: false }, "now"), "Label in force: discarded, now");
  assert.equal(likeness(0.934), "93 %");
  assert.equal(likeness(-0.2), "0 %");
});

test("what was typed is kept per person and item, with a UUID for each text", () => {
  const store = new Kept();
  const mine = new Unsent(store, 7);
  const first = mine.keep(1, "hello", undefined);
  assert.equal(mine.keep(1, "hello", undefined).uuid, first.uuid); // sent again: the same comment
  assert.notEqual(mine.keep(1, "hello!", undefined).uuid, first.uuid);
  assert.equal(new Unsent(store, 7).of(1).text, "hello!");
  assert.equal(new Unsent(store, 8).of(1).text, ""); // somebody else in the same tab
  assert.equal(mine.of(2).text, "");
  mine.drop(1);
  assert.equal(store.map.size, 0);
});

test("a broken store keeps nothing and breaks nothing", () => {
  const broken = { getItem() { throw new Error("no"); }, setItem() { throw new Error("full"); }, removeItem() { throw new Error("no"); } };
  assert.equal(new Unsent(broken, 1).keep(1, "hello", null).text, "hello");
  assert.equal(new Unsent({ getItem: () => "{oops" }, 1).of(1).text, "");
});

// --- the sections -------------------------------------------------------------------------------

function mounted(answer, open = ["history", "alike", "talk"]) {
  define("localStorage", new Kept());
  define("sessionStorage", new Kept());
  localStorage.setItem("tiebreak.about.open", JSON.stringify(open));
  const asked = [];
  define("fetch", async (url, options) => {
    asked.push({ url, body: options.body && JSON.parse(options.body), signal: options.signal });
    const found = await answer(url, asked.length);
    if (found === null) throw new TypeError("offline");
    return { ok: !found.error, status: found.error ? 422 : 200, json: async () => found };
  });
  const left = [];
  return { about: new About(texts, urls, (command) => left.push(command), 7), asked, left };
}

const known = {
  history: [{ kind: "imported", at: 1, who: "", mine: false, what: "" }, { kind: "vote", at: 2, who: "Reviewer 1", mine: false, what: "cat" }],
  neighbours: [{ item_id: 9, name: "<b>x</b>.png", image: "/files/item/9?v=1", label: "<i>cat</i>", similarity: 0.97 }],
  embedded: true, people,
  threads: [{ thread: 5, item_id: 1, resolved: false, may_resolve: true, comments: [{ seq: 5, kind: "comment", who: "Lead", mine: false, text: "<script>1</script>", at: 3 }] }],
};
const reached = () => new Promise((done) => { setTimeout(done, 300); });
const press = (box, key, more = {}) => box.listeners.keydown({ key, stopPropagation() {}, preventDefault() {}, ...more });

test("folded, nothing is asked; unfolded, it is asked once and drawn as text", async () => {
  const { about, asked } = mounted(async () => known, []);
  about.show({ item_id: 1 });
  await reached();
  assert.equal(asked.length, 0);
  const section = about.sections.history;
  section.open = true;
  section.listeners.toggle({ currentTarget: section });
  await settle();
  assert.deepEqual(asked.map((a) => a.url), ["/about/1"]);
  assert.match(about.node.textContent, /Reviewer 1 said cat/);
  assert.match(about.node.textContent, /<script>1<\/script>/);
  assert.equal(about.node.all("script").length + about.node.all("b").filter((b) => b.own === "x").length, 0);
  assert.equal(about.node.all("img")[0].attributes.src, "/lab/files/item/9?v=1&w=400");
});

test("items that fly by are not asked about, and a late answer for another item is dropped", async () => {
  let free;
  const { about, asked } = mounted((url) => (url === "/about/3" ? new Promise((done) => { free = done; }) : known));
  for (const item_id of [1, 2, 3]) about.show({ item_id });
  await reached();
  assert.deepEqual(asked.map((a) => a.url), ["/about/3"]);
  about.show({ item_id: 4 });
  assert.ok(asked[0].signal.aborted);
  free({ ...known, threads: [], history: [{ kind: "vote", at: 2, who: "Late", what: "dog" }] });
  await reached();
  assert.doesNotMatch(about.node.textContent, /Late/);
});

test("offline says so in a sentence and offers to try again", async () => {
  const { about } = mounted(async (_url, nth) => (nth === 1 ? null : known));
  about.show({ item_id: 1 });
  await reached();
  assert.match(about.trouble.textContent, /aboutOffline/);
  about.trouble.all("button")[0].listeners.click();
  await settle();
  assert.ok(about.trouble.hidden);
  assert.match(about.node.textContent, /Reviewer 1/);
});

test("Enter sends once, an unsent text stays with its item, Esc gives the keys back", async () => {
  let online = false;
  const { about, asked, left } = mounted(async (url) => {
    if (url !== "/comment") return known;
    return online ? { item_id: 1, threads: [] } : null;
  });
  about.show({ item_id: 1 });
  about.write();
  const { box } = about.talk;
  assert.equal(focused, box);
  const type = (text) => { box.value = text; box.selectionStart = text.length; box.listeners.input(); };
  type("why?");
  press(box, "Enter", { shiftKey: true });
  press(box, "Enter");
  await settle();
  assert.match(about.talk.note.textContent, /notSent/);
  about.show({ item_id: 2 });
  assert.equal(box.value, "");
  about.show({ item_id: 1 });
  assert.equal(box.value, "why?");
  online = true;
  press(box, "Enter");
  press(box, "Enter"); // a double press
  await settle();
  const sent = asked.filter((a) => a.url === "/comment");
  assert.equal(sent.length, 2);
  assert.equal(new Set(sent.map((s) => s.body.uuid)).size, 1);
  assert.deepEqual([sent[1].body.kind, sent[1].body.item_id, sent[1].body.thread, sent[1].body.text], ["comment", 1, null, "why?"]);
  assert.equal(box.value, "");
  press(box, "Escape");
  assert.deepEqual(left, ["leave"]);
});

test("a refused comment says why and is kept", async () => {
  const { about } = mounted(async (url) => (url === "/comment" ? { error: { code: "INPUT", message: "Too long.", advice: "Shorten it." } } : known));
  about.show({ item_id: 1 });
  const { box } = about.talk;
  box.value = "x";
  press(box, "Enter");
  await settle();
  assert.equal(about.talk.note.textContent, "Too long. Shorten it.");
  assert.equal(box.value, "x");
});

test("@ offers people; Enter picks one and sends nothing", async () => {
  const { about, asked } = mounted(async () => known);
  about.show({ item_id: 1 });
  await reached();
  const { box, names } = about.talk;
  box.value = "ask @";
  box.selectionStart = 5;
  box.listeners.input();
  assert.equal(names.children.length, 3);
  press(box, "ArrowDown");
  assert.equal(box.attributes["aria-activedescendant"], "tb-name-1");
  press(box, "Enter");
  assert.equal(box.value, "ask @bo.lee ");
  assert.ok(names.hidden);
  assert.equal(asked.filter((a) => a.url === "/comment").length, 0);
});

test("reply and resolve name their thread", async () => {
  const { about, asked } = mounted(async (url) => (url === "/comment" ? { item_id: 1, threads: known.threads } : known));
  about.show({ item_id: 1 });
  await reached();
  const [reply, resolve] = about.talk.list.all("button");
  reply.listeners.click();
  about.talk.box.value = "yes";
  press(about.talk.box, "Enter");
  await settle();
  about.talk.box.value = "and so"; // nobody chose: the newest open thread
  press(about.talk.box, "Enter");
  await settle();
  about.talk.to.all("button")[0].listeners.click();
  about.talk.box.value = "something else";
  press(about.talk.box, "Enter");
  await settle();
  resolve.listeners.click();
  await settle();
  const sent = asked.filter((a) => a.url === "/comment").map((a) => [a.body.kind, a.body.thread]);
  assert.deepEqual(sent, [["comment", 5], ["comment", 5], ["comment", null], ["resolve", 5]]);
});
