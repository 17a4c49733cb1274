// What a key press means. Pure: an event and a keymap go in, a command comes out.
// The keymap arrives from Python: {command: [key, …]}, keys as people write them ("Shift+Z", "Left").

const NAMES = {
  " ": "Space", ArrowLeft: "Left", ArrowRight: "Right", ArrowUp: "Up", ArrowDown: "Down",
};
const ARROWS = { Left: "←", Right: "→", Up: "↑", Down: "↓" };

/** Turn {command: [key, …]} into a Map from key to command. */
export function readKeymap(keymap) {
  const found = new Map();
  for (const [command, keys] of Object.entries(keymap)) for (const key of keys) found.set(key, command);
  return found;
}

// The letter of the key cap also where a Korean, Cyrillic or Greek layout is in force.
function letterOf({ key, code = "" }) {
  if (/^[a-z]$/i.test(key)) return key.toUpperCase();
  return /^Key([A-Z])$/.exec(code)?.[1] ?? null;
}

/** List what a press may be called, the likeliest first. */
export function namesOf(event) {
  const { key, code = "", shiftKey: shift } = event;
  const shifted = (name) => (shift ? `Shift+${name}` : name);
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(code)?.[1] ?? null;
  if (/^[0-9]$/.test(key)) return shift ? [key, `Shift+${key}`] : [key];
  const letter = letterOf(event);
  // A letter of another script may be in the map itself; its key cap is the second guess.
  if (letter) return key.length === 1 && key.toUpperCase() !== letter ? [key, shifted(letter)] : [shifted(letter)];
  if (code.startsWith("Numpad") && digit && !shift) return [digit];
  if (key.length === 1 && key !== " ") return digit ? [key, shifted(digit)] : [key];
  return [shifted(NAMES[key] ?? key)];
}

/** Name the command of a key press, or null where the key is not ours. */
export function commandFor(event, keymap) {
  if (event.repeat || event.isComposing) return null;
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (event.key === "Escape") return { name: "close" };
  const name = namesOf(event).map((n) => keymap.get(n)).find(Boolean);
  if (!name) return null;
  const digit = /^choose(\d)$/.exec(name)?.[1];
  return digit === undefined ? { name } : { name: "digit", digit };
}

/** Give what stands on the cap of a command: its first key, or nothing. */
export function capOf(keymap, command) {
  return capText(keymap[command]?.[0] ?? "");
}

/** Give a key as it stands on a cap: arrows as arrows, Shift as its sign. */
export function capText(key) {
  const bare = key.replace(/^Shift\+/, "");
  return (key === bare ? "" : "⇧") + (ARROWS[bare] ?? bare);
}

/** Name the key of a command within a sentence; a command without a key by its button. */
export function keyIn(keymap, command, button) {
  const [key] = keymap[command] ?? [];
  return key ? key.replace(/(^|\+)(Left|Right|Up|Down)$/, (_whole, before, name) => before + ARROWS[name]) : `“${button}”`;
}

/** Give a key in the form screen readers know. */
export function ariaKey(key) {
  return key.replace(/(^|\+)(Left|Right|Up|Down)$/, "$1Arrow$2");
}
