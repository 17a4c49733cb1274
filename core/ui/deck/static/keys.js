// What a key press means. Pure: an event goes in, the name of a command comes out.

const LETTERS = {
  a: "accept", x: "reasons", e: "edit", f: "flag", h: "overlay",
  l: "link", i: "info", z: "undo",
};
const NAMED = {
  Enter: "accept", " ": "skip", Backspace: "undo", ArrowLeft: "previous", ArrowRight: "next",
  Escape: "close", "?": "help", F1: "help",
};
const TEXT_FIELDS = "input,textarea,select,[contenteditable]:not([contenteditable=false])";
const CONTROLS = "button,a[href],summary,[role=button],[role=tab],[role=menuitem],[role=option]";

// The letter of the key cap also where a Korean, Cyrillic or Greek layout is in force.
function letterOf(event) {
  if (/^[a-z]$/i.test(event.key)) return event.key.toLowerCase();
  const cap = /^Key([A-Z])$/.exec(event.code ?? "");
  return cap ? cap[1].toLowerCase() : null;
}

function digitOf(event) {
  if (/^[0-9]$/.test(event.key)) return event.key;
  const cap = /^(?:Digit|Numpad)([0-9])$/.exec(event.code ?? "");
  return cap && !event.shiftKey ? cap[1] : null;
}

/** Name the command of a key press, or null where the key is not ours. */
export function commandFor(event) {
  if (event.repeat || event.isComposing) return null;
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (event.key in NAMED && !(event.shiftKey && event.key === "Backspace")) return { name: NAMED[event.key] };
  const digit = digitOf(event);
  if (digit !== null) return { name: "digit", digit };
  const letter = letterOf(event);
  if (letter === "z") return { name: event.shiftKey ? "redo" : "undo" };
  return letter && !event.shiftKey && letter in LETTERS ? { name: LETTERS[letter] } : null;
}

/** Tell whether somebody is typing text at the place the event comes from. */
export function isTyping(origin) {
  return Boolean(origin?.closest?.(TEXT_FIELDS));
}

/** Tell whether Enter and Space belong to the control that has the focus. */
export function isPressing(origin, event) {
  return (event.key === "Enter" || event.key === " ") && Boolean(origin?.closest?.(CONTROLS));
}
