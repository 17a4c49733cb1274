// What a key press means in the grid. Pure: an event goes in, a command comes out.

const NAMED = {
  " ": "toggle", Enter: "confirm", Backspace: "undo", "?": "help", F1: "help", "/": "search", "+": "more",
  "=": "more", "-": "fewer", "_": "fewer", Escape: "classes",
};
const MOVES = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"]);
const LETTERS = { x: "toggle", a: "all", z: "undo", l: "link", i: "zoom", t: "others" };
const OWN_KEYS = "button,a[href],summary,input,select";

/** Name the command of a key press, or null where the key is not ours. */
export function gridCommand(event) {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return null;
  if (MOVES.has(event.key)) return { name: "move", key: event.key, extend: event.shiftKey };
  if (event.repeat) return null;
  if (event.key in NAMED) return { name: NAMED[event.key] };
  const digit = /^[0-9]$/.test(event.key) ? event.key
    : event.shiftKey ? null : /^(?:Digit|Numpad)([0-9])$/.exec(event.code ?? "")?.[1];
  if (digit) return { name: "digit", digit };
  const letter = /^[a-z]$/i.test(event.key) ? event.key.toLowerCase() : /^Key([A-Z])$/.exec(event.code ?? "")?.[1]?.toLowerCase();
  return letter && !event.shiftKey && letter in LETTERS ? { name: LETTERS[letter] } : null;
}

/** Tell whether a key belongs to the button or switch that has the focus. */
export function isControls(origin, event) {
  return (event.key === "Enter" || event.key === " ") && Boolean(origin?.closest?.(OWN_KEYS));
}
