// Whose a key press is: somebody's who types, a focused control's, or the deck's.

const TEXT_FIELDS = "input:not([type=range],[type=checkbox],[type=radio],[type=button]),textarea,select,[contenteditable]:not([contenteditable=false])";
const CONTROLS = "button,a[href],summary,[role=button],[role=tab],[role=menuitem],[role=option],input";
const MOVING = "input[type=range],[role=slider]";
const ARROWS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"]);

/** Tell whether somebody is typing text at the place the event comes from. */
export function isTyping(origin) {
  return Boolean(origin?.closest?.(TEXT_FIELDS));
}

/** Tell whether a key belongs to the control that has the focus: Enter, Space, a slider's arrows. */
export function isPressing(origin, event) {
  if (event.key === "Enter" || event.key === " ") return Boolean(origin?.closest?.(CONTROLS));
  return ARROWS.has(event.key) && Boolean(origin?.closest?.(MOVING));
}
