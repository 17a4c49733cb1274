// The pointer over the stage while regions are edited: presses and moves in image pixels.

const SHAKE_PX = 6; // a finger that moves no farther may still be the first of two
const CONTROLS = ".adjust, .zoombar, .badges, button, input, label, a";

/** The pointer of one editor; wheel, middle button and Space-drag stay with the stage. */
export class Pointer {
  constructor(node, editor) {
    Object.assign(this, { node, editor, pressed: null, waiting: null, space: null });
    this.stops = [];
    const on = (target, name, handler, options) => {
      target.addEventListener(name, handler, options);
      this.stops.push(() => target.removeEventListener(name, handler, options));
    };
    on(node, "pointerdown", (e) => this.#down(e));
    on(node, "pointermove", (e) => this.#move(e));
    on(node, "pointerup", (e) => this.#up(e));
    on(node, "pointercancel", (e) => this.#broken(e));
    on(node, "twofingers", () => this.#drop());
    on(node, "dblclick", (e) => !e.target.closest?.(CONTROLS) && editor.doubled());
    on(node, "wheel", (e) => this.#wheel(e), { capture: true, passive: false });
    on(document, "pointerdown", () => (this.space = null), { capture: true });
    on(document, "keyup", (e) => e.key === " " && this.#letGo(), { capture: true });
  }

  /** Give the image point under an event. */
  at(event) {
    const { node } = this;
    const box = node.getBoundingClientRect();
    return this.editor.viewport.toImage(event.clientX - box.left - node.clientLeft, event.clientY - box.top - node.clientTop);
  }

  /** Space went down: do something when it is let go, unless the image is dragged meanwhile. */
  spaced(run) {
    this.space = run;
  }

  #letGo() {
    const run = this.space;
    this.space = null;
    run?.();
  }

  #down(event) {
    if (event.button !== 0 || !this.editor.viewport || event.target.closest?.(CONTROLS)) return;
    if (this.pressed !== null || this.waiting) return;
    this.node.focus({ preventScroll: true });
    this.node.setPointerCapture(event.pointerId);
    this.waiting = { id: event.pointerId, from: [event.clientX, event.clientY], at: this.at(event), more: { shift: event.shiftKey, ctrl: event.ctrlKey || event.metaKey } };
    if (event.pointerType !== "touch") this.#begin();
  }

  // What a finger does counts once it is known to be alone: it moved, or it was lifted.
  #begin() {
    const { id, at, more } = this.waiting;
    this.waiting = null;
    this.pressed = id;
    this.editor.pressed(at, more);
  }

  // Two fingers move the image: what the first one began is not drawn.
  #drop() {
    if (this.pressed !== null) this.editor.dropped();
    this.pressed = null;
    this.waiting = null;
  }

  #broken(event) {
    if (this.waiting?.id === event.pointerId) this.waiting = null;
    else this.#up(event);
  }

  #move(event) {
    if (!this.editor.viewport) return;
    if (this.waiting?.id === event.pointerId) {
      const [x, y] = this.waiting.from;
      if (Math.hypot(event.clientX - x, event.clientY - y) <= SHAKE_PX) return;
      this.#begin();
    }
    const mine = this.pressed === event.pointerId;
    // A brush must not cut corners: take every place the pointer was at since the last frame.
    const path = mine ? event.getCoalescedEvents?.() ?? [] : [];
    for (const step of path.length ? path : [event]) this.editor.pointed(this.at(step), mine);
  }

  #up(event) {
    if (this.waiting?.id === event.pointerId) this.#begin();
    if (this.pressed !== event.pointerId) return;
    this.pressed = null;
    this.editor.released(this.at(event));
  }

  // Alt and the wheel: the size of the brush.
  #wheel(event) {
    if (!event.altKey || !this.editor.tool.resize) return;
    event.preventDefault();
    event.stopPropagation();
    this.editor.run(event.deltaY < 0 ? "larger" : "smaller");
  }

  destroy() {
    for (const stop of this.stops) stop();
  }
}
