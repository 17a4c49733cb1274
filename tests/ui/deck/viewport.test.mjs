// Where an image lies on the stage, run by node --test.

import assert from "node:assert/strict";
import { test } from "node:test";

const at = (name) => new URL(`../../../core/ui/deck/static/${name}.js`, import.meta.url).href;
const { Viewport } = await import(at("viewport"));

// A small seeded source of chance: a failure can be made again.
function chance(seed) {
  let state = seed;
  return (low, high) => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return low + (state / 4294967296) * (high - low);
  };
}

function made(width = 4000, height = 3000, room = [1000, 800]) {
  const view = new Viewport(width, height);
  view.setRoom(...room);
  return view;
}

const near = (a, b, slack = 1e-6) => assert.ok(Math.abs(a - b) <= slack, `${a} is not ${b}`);

test("a new view shows the whole image in the middle", () => {
  const view = made();
  assert.equal(view.scale, 0.25);
  assert.deepEqual([view.left, view.top], [0, 25]);
  assert.deepEqual(view.visible(), [0, 0, 4000, 3000]);
  assert.ok(view.fitted);
});

test("a point goes to the stage and comes back exact, wherever the view is", () => {
  const random = chance(7);
  for (let round = 0; round < 2000; round += 1) {
    const view = made(random(8, 12000), random(8, 12000), [random(200, 3800), random(200, 2100)]);
    for (let step = 0; step < 4; step += 1) {
      view.zoomAt(random(0.3, 4), random(0, view.room[0]), random(0, view.room[1]));
      view.panBy(random(-900, 900), random(-900, 900));
    }
    const point = [random(0, view.width), random(0, view.height)];
    const back = view.toImage(...view.toStage(...point));
    near(back[0], point[0], 1e-7);
    near(back[1], point[1], 1e-7);
  }
});

test("zooming keeps the point under the cursor fixed", () => {
  const random = chance(11);
  for (let round = 0; round < 500; round += 1) {
    const view = made();
    const [x, y] = view.toStage(random(0, 4000), random(0, 3000));
    const under = view.toImage(x, y);
    for (const factor of [1.3, 2, 1.7, 0.8]) view.zoomAt(factor, x, y);
    const now = view.toImage(x, y);
    near(now[0], under[0]);
    near(now[1], under[1]);
  }
});

test("the scale stays between half of fit and forty", () => {
  const view = made();
  view.zoomAt(1e9, 500, 400);
  assert.equal(view.scale, 40);
  view.zoomAt(1e-9, 500, 400);
  assert.equal(view.scale, 0.125);
  for (const hostile of [NaN, 0, -2, Infinity]) view.zoomAt(hostile, 1, 1);
  assert.equal(view.scale, 0.125);
});

test("an image smaller than a fortieth of the stage is still shown whole", () => {
  const view = made(8, 8, [800, 800]);
  assert.equal(view.scale, 100);
  view.zoomAt(2, 0, 0);
  assert.equal(view.scale, 100);
});

test("the image cannot be lost off the stage", () => {
  const random = chance(3);
  for (let round = 0; round < 500; round += 1) {
    const view = made(random(50, 9000), random(50, 9000));
    view.zoomAt(random(0.2, 30), random(0, 1000), random(0, 800));
    view.panBy(random(-1e6, 1e6), random(-1e6, 1e6));
    const [x1, y1] = view.toStage(0, 0);
    const [x2, y2] = view.toStage(view.width, view.height);
    assert.ok(Math.min(x2, 1000) - Math.max(x1, 0) >= Math.min(250, (x2 - x1) / 2) - 1e-6);
    assert.ok(Math.min(y2, 800) - Math.max(y1, 0) >= Math.min(200, (y2 - y1) / 2) - 1e-6);
  }
});

test("100 % is one image pixel for one pixel of the screen, and back", () => {
  const view = made();
  view.toggleFit(2);
  assert.equal(view.scale, 0.5);
  assert.deepEqual(view.toImage(500, 400), [2000, 1500]);
  view.toggleFit(2);
  assert.ok(view.fitted);
  assert.equal(view.scale, 0.25);
});

test("a resize keeps fit at fit and else the middle in the middle", () => {
  const view = made();
  view.setRoom(500, 800);
  assert.equal(view.scale, 0.125);
  view.actual();
  view.panBy(-300, 100);
  const middle = view.toImage(250, 400);
  view.setRoom(900, 600);
  near(view.toImage(450, 300)[0], middle[0]);
  near(view.toImage(450, 300)[1], middle[1]);
  assert.equal(view.scale, 1);
});

test("a view can be remembered, and followed by the next image's", () => {
  const view = made();
  view.zoomAt(4, 100, 100);
  const marked = view.mark();
  const before = [view.scale, view.left, view.top];
  view.actual();
  view.restore(marked);
  assert.deepEqual([view.scale, view.left, view.top], before);
  const next = made(2000, 1500);
  next.follow(view);
  assert.equal(next.scale, view.scale);
  near(next.toImage(500, 400)[0] / 2000, view.toImage(500, 400)[0] / 4000);
  view.fit();
  next.follow(view);
  assert.ok(next.fitted);
});

test("listeners hear of every change until they stop", () => {
  const view = made();
  let heard = 0;
  const stop = view.listen(() => (heard += 1));
  view.zoomAt(2, 0, 0);
  view.panBy(1, 1);
  view.setRoom(700, 700);
  assert.equal(heard, 3);
  stop();
  view.fit();
  assert.equal(heard, 3);
});
