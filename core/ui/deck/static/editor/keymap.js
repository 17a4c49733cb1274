// What a key means while regions are edited. Pure: an event goes in, a command comes out.

import { namesOf } from "../keymap.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const ARROW_OF = { Left: "ArrowLeft", Right: "ArrowRight", Up: "ArrowUp", Down: "ArrowDown", Space: " " };
const CANVAS = "Shift+E";
const NAMED = {
  Escape: "escape", Delete: "delete", Backspace: "delete", Insert: "insert", "/": "classes", "[": "smaller", "]": "larger",
  "+": "zoomIn", "=": "zoomIn", "-": "zoomOut", "_": "zoomOut", ".": "fit", "?": "help", F1: "help", F2: "numbers",
};
const LETTERS = {
  s: "save", z: "undo", d: "duplicate", n: "next", p: "previous", a: "fresh", q: "question", h: "overlay", i: "info", t: "numbers", g: "fit",
};
const OF_SHAPE = { polygon: { i: "insert" }, keypoints: { v: "visibility", x: "absent" }, mask: { b: "brush", e: "eraser" } };
const WITH_CTRL = { z: "undo", y: "redo", d: "duplicate", s: "save" };

// The letter of the key cap also where a Korean, Cyrillic or Greek layout is in force.
function letterOf(event) {
  if (/^[a-z]$/i.test(event.key)) return event.key.toLowerCase();
  return /^Key([A-Z])$/.exec(event.code ?? "")?.[1].toLowerCase() ?? null;
}

function digitOf(event) {
  if (/^[0-9]$/.test(event.key)) return event.key;
  return event.shiftKey ? null : (/^(?:Digit|Numpad)([0-9])$/.exec(event.code ?? "")?.[1] ?? null);
}

function withCtrl(event) {
  if (event.key === "Enter") return { name: "save" };
  const name = WITH_CTRL[letterOf(event)];
  return name ? { name: name === "undo" && event.shiftKey ? "redo" : name } : null;
}

/** Name the command of a key for a shape, or null where the key is not the editor's; `canvas` is the canvas's key. */
export function editKey(event, shape, canvas = CANVAS) {
  if (event.isComposing) return null;
  return ownKey(event, shape) ?? (opensCanvas(event, canvas) ? { name: "canvas" } : null);
}

function opensCanvas(event, canvas) {
  return !event.ctrlKey && !event.metaKey && !event.altKey && namesOf(event).includes(canvas);
}

// As it comes from the keyboard, with Shift where the key's name says so.
function pressOf(key) {
  const bare = key.replace(/^Shift\+/, "");
  return { key: ARROW_OF[bare] ?? bare, code: "", shiftKey: bare !== key };
}

/** Give the key that opens the canvas from the editor: the person's, unless the editor has it itself. */
export function canvasKeyOf(keys, shape) {
  return keys.find((key) => ownKey(pressOf(key), shape) === null) ?? CANVAS;
}

function ownKey(event, shape) {
  const { ctrlKey, metaKey, altKey, shiftKey } = event;
  const ctrl = Boolean(ctrlKey || metaKey);
  if (event.key in ARROWS) return { name: "arrow", by: ARROWS[event.key], shift: shiftKey, ctrl, alt: altKey };
  if (event.repeat && !["[", "]", "+", "-", "=", "Tab"].includes(event.key)) return { name: "repeat" };
  if (ctrl) return withCtrl(event);
  if (altKey) return null;
  if (event.key === "Enter") return { name: "set", back: shiftKey };
  if (event.key === " ") return { name: "space" };
  if (event.key === "Tab") return { name: shiftKey ? "previous" : "next" };
  if (event.key in NAMED) return { name: NAMED[event.key] };
  const digit = digitOf(event);
  if (digit !== null) return { name: "digit", digit };
  const letter = letterOf(event);
  if (shiftKey) return letter === "z" ? { name: "redo" } : null;
  const name = OF_SHAPE[shape]?.[letter] ?? LETTERS[letter];
  return name ? { name } : null;
}
