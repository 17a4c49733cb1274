// A picture on its way to the screen: what is said while it does not come, and that it comes by itself.

import assert from "node:assert/strict";
import { test } from "node:test";

const at = (name) => new URL(`../../../core/ui/deck/static/${name}.js`, import.meta.url).href;
const { Arrival } = await import(at("arrival"));
const { Images } = await import(at("images"));
const { inWords } = await import(at("flow"));
const { filterWords } = await import(at("bar"));
const net = await import(at("net"));

class Clock {
  constructor() { this.waits = []; }
  setTimeout(run, ms) { this.waits.push({ run, ms }); return this.waits.length; }
  clearTimeout(id) { if (id) this.waits[id - 1].run = () => {}; }
}

// Pictures whose decoding and address answer as `answers` says, one after the other.
function scene(answers) {
  const told = [];
  const clock = new Clock();
  const images = {
    get: () => ({ ready: false, done: Promise.resolve(answers[0] === "ready") }),
    whyNot: async () => answers.shift(),
  };
  const say = (name) => (item, ...more) => told.push([name, ...more.filter((m) => typeof m === "boolean")].join(" "));
  const arrival = new Arrival(images, { loading: say("loading"), ready: say("ready"), away: say("away"), broken: say("broken") }, clock);
  return { arrival, told, clock };
}
const settle = () => new Promise((done) => { setTimeout(done, 2); });
const item = { item_id: 4, name: "a.png", image: "/files/item/4?v=1" };

test("offline is never called broken, and the picture comes by itself", async () => {
  const { arrival, told, clock } = scene(["offline", "offline", "ready"]);
  await arrival.bring(item);
  assert.deepEqual(told, ["loading", "away false false"]);
  clock.waits[0].run();
  await settle();
  assert.deepEqual(told.slice(2), ["away false false"]);
  assert.ok(clock.waits[1].ms > clock.waits[0].ms);
  clock.waits[1].run();
  await settle();
  assert.deepEqual(told.slice(3), ["ready true"]);
});

test("it comes as soon as the connection is back, and not twice", async () => {
  const { arrival, told } = scene(["offline", "ready"]);
  await arrival.bring(item);
  arrival.wake();
  arrival.wake();
  await settle();
  assert.deepEqual(told, ["loading", "away false false", "ready true"]);
});

test("only our own refusal calls an image broken, and then nothing is tried again", async () => {
  const { arrival, told, clock } = scene(["broken"]);
  await arrival.bring(item);
  assert.deepEqual(told, ["loading", "broken"]);
  assert.equal(clock.waits.length, 0);
});

test("who was signed out is told so", async () => {
  const { arrival, told } = scene(["signed-out"]);
  await arrival.bring(item);
  assert.deepEqual(told, ["loading", "away true false"]);
});

test("a server's own fault is not called a lost connection", async () => {
  const { arrival, told, clock } = scene(["faulty", "ready"]);
  await arrival.bring(item);
  assert.deepEqual(told, ["loading", "away false true"]);
  clock.waits[0].run();
  await settle();
  assert.deepEqual(told.slice(2), ["ready true"]);
});

test("another picture ends the wait for the one before", async () => {
  const { arrival, told, clock } = scene(["offline", "ready"]);
  await arrival.bring(item);
  arrival.stop();
  clock.waits[0].run();
  await settle();
  assert.deepEqual(told, ["loading", "away false false"]);
});

// --- why a picture does not come -----------------------------------------------------------------

function answering(status, body, type = "application/json") {
  globalThis.fetch = async () => new Response(body, { status, headers: { "Content-Type": type } });
}

test("the reply of the address tells what is the matter", async () => {
  const images = new Images("");
  const refusal = JSON.stringify({ error: { code: "BAD_IMAGE", message: "Gone." } });
  for (const [status, body, why] of [[422, refusal, "broken"], [404, refusal, "broken"], [404, "<h1>proxy</h1>", "offline"],
    [503, refusal, "offline"], [500, refusal, "faulty"], [429, refusal, "offline"], [401, refusal, "signed-out"]]) {
    answering(status, body);
    assert.equal(await images.whyNot(item), why, `${status} ${body}`);
    assert.equal(images.sentence(item), why === "broken" ? "Gone." : "");
  }
  globalThis.fetch = async () => { throw new TypeError("Failed to fetch"); };
  assert.equal(await images.whyNot(item), "offline");
});

test("bytes that come whole and cannot be drawn are broken", async () => {
  globalThis.Image = class { decode() { return Promise.reject(new Error("EncodingError")); } };
  const images = new Images("");
  assert.equal(await images.get(item).done, false);
  answering(200, "no image", "image/webp");
  assert.equal(await images.whyNot(item), "broken");
  globalThis.Image = class { decode() { return Promise.resolve(); } };
  assert.equal(await images.whyNot(item), "none");
});

test("an answered request of ours is heard, a failed one is not", async () => {
  let heard = 0;
  const stop = net.onReach(() => { heard += 1; });
  answering(200, "{}");
  await net.ask("/files/queue/x");
  answering(503, "{}");
  await net.ask("/files/queue/x");
  stop();
  answering(200, "{}");
  await net.ask("/files/queue/x");
  assert.equal(heard, 1);
});

// --- words ---------------------------------------------------------------------------------------

test("an answer is said in the order of the questions, not of the answers", () => {
  const asked = [{ key: "traits" }, { key: "label" }, { key: "state" }];
  const answer = { choices: { state: "dry", label: "oak" }, multi: { traits: ["rim", "hole"] } };
  assert.equal(inWords(answer, "none", asked), "rim + hole, oak, dry");
});

test("a list goes by the name the server gave it", () => {
  const texts = { filters: { list: "List {value}" }, queues: {} };
  assert.equal(filterWords(texts, "list", "3", { "list 3": "Rim or not" }), "List Rim or not");
  assert.equal(filterWords(texts, "list", "3"), "List 3");
});
