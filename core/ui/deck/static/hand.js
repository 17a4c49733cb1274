// Wheel, mouse and fingers on the stage: zooming at the cursor, dragging the image about.

const WHEEL = 0.0016;
const PINCH = 0.01;
const LINE_PX = 20;
const CLICK_PX = 3; // a press that moves no farther is a click and leaves the image where it is
const CONTROLS = ".adjust, .zoombar, .badges, button, input, label, a";

/** The hand on one stage. `view()` gives the viewport or null; `moved()` is told before each move. */
export class Hand {
  constructor(node, view, moved) {
    Object.assign(this, { node, view, moved, panning: true, space: false, at: null, fingers: new Map(), touches: new Map(), drag: null });
    this.stops = [];
    const on = (target, name, handler, options) => {
      target.addEventListener(name, handler, options);
      this.stops.push(() => target.removeEventListener(name, handler, options));
    };
    on(node, "wheel", (e) => this.#wheel(e), { passive: false });
    on(node, "pointerdown", (e) => this.#down(e), { capture: true });
    on(node, "pointermove", (e) => this.#move(e), { capture: true });
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) on(node, name, (e) => this.#up(e), { capture: true });
    on(node, "pointerleave", () => (this.at = null));
    on(node, "mousedown", (e) => e.button === 1 && e.preventDefault());
    on(document, "keydown", (e) => e.key === " " && this.#hold(true), { capture: true });
    on(document, "keyup", (e) => e.key === " " && this.#hold(false), { capture: true });
    on(window, "blur", () => this.#hold(false));
    this.setPanning(true);
  }

  /** Let a plain drag move the image, or leave it to an editor. */
  setPanning(allowed) {
    this.panning = allowed;
    this.node.classList.toggle("grabbable", allowed || this.space);
  }

  /** Give where the cursor is on the stage, else the middle. */
  spot() {
    const [w, h] = this.view()?.room ?? [0, 0];
    return this.at ?? [w / 2, h / 2];
  }

  #hold(down) {
    this.space = down;
    this.setPanning(this.panning);
  }

  #point(event) {
    const box = this.node.getBoundingClientRect();
    return [event.clientX - box.left - this.node.clientLeft, event.clientY - box.top - this.node.clientTop];
  }

  #wheel(event) {
    const view = this.view();
    if (!view || event.target.closest?.(".adjust")) return;
    event.preventDefault();
    this.moved();
    const pixels = event.deltaY * (event.deltaMode === 0 ? 1 : LINE_PX);
    const [x, y] = this.#point(event);
    view.zoomAt(Math.exp(-Math.max(-400, Math.min(400, pixels)) * (event.ctrlKey ? PINCH : WHEEL)), x, y);
  }

  #down(event) {
    if (!this.view() || event.target.closest?.(CONTROLS)) return;
    if (event.pointerType === "touch" && !this.panning) return this.#touched(event);
    const ours = event.button === 1 || (event.button === 0 && (this.panning || this.space));
    if (!ours) return;
    if (!this.panning) event.stopPropagation();
    const at = this.#point(event);
    this.fingers.set(event.pointerId, at);
    this.drag = { from: at, last: at, far: event.button === 1 };
    this.node.setPointerCapture(event.pointerId);
  }

  // One finger draws; a second one makes both move the image, and what the first began is dropped.
  #touched(event) {
    this.touches.set(event.pointerId, this.#point(event));
    if (this.touches.size < 2) return;
    event.stopPropagation();
    this.node.dispatchEvent(new CustomEvent("twofingers"));
    for (const [id, at] of this.touches) {
      this.fingers.set(id, at);
      this.node.setPointerCapture(id);
    }
    this.drag = { from: this.#point(event), last: this.#point(event), far: true };
  }

  #move(event) {
    const at = this.#point(event);
    this.at = at;
    if (this.touches.has(event.pointerId)) this.touches.set(event.pointerId, at);
    const view = this.view();
    if (!view || !this.fingers.has(event.pointerId)) return;
    if (!this.panning) event.stopPropagation();
    if (this.fingers.size === 2) this.#pinch(view, event.pointerId, at);
    else this.#pan(view, at);
    this.fingers.set(event.pointerId, at);
  }

  #pan(view, at) {
    const { drag } = this;
    drag.far ||= Math.hypot(at[0] - drag.from[0], at[1] - drag.from[1]) > CLICK_PX;
    if (!drag.far) return;
    this.node.classList.add("grabbing");
    this.moved();
    view.panBy(at[0] - drag.last[0], at[1] - drag.last[1]);
    drag.last = at;
  }

  #pinch(view, id, at) {
    const other = [...this.fingers].find(([key]) => key !== id)[1];
    const before = this.fingers.get(id);
    const apart = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1;
    this.moved();
    view.panBy((at[0] - before[0]) / 2, (at[1] - before[1]) / 2);
    view.zoomAt(apart(at) / apart(before), (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
  }

  #up(event) {
    this.touches.delete(event.pointerId);
    if (!this.fingers.delete(event.pointerId)) return;
    if (!this.panning) event.stopPropagation();
    const rest = [...this.fingers.values()][0];
    this.drag = rest ? { from: rest, last: rest, far: true } : null;
    if (!rest) this.node.classList.remove("grabbing");
  }

  destroy() {
    for (const stop of this.stops) stop();
  }
}
