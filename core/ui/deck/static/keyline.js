// Keys pressed while Streamlit makes the page anew wait here: its own shortcuts would lose them. What they are meant
// for is not there yet, and a second press of one button before the first was answered counts as one.

const TICK_MS = 20;
const SETTLE_MS = 400; // so long at most until a press shows in the state of the app
const PATIENCE_MS = 10_000;
const PASSING = /^(Shift|Control|Alt|Meta|AltGraph|CapsLock|Tab|F\d+)$/; // the browser's own, F5 before all

/** Holds key presses while the page is busy, and gives them on in their order, one at a time. */
export class KeyLine {
  /**
   * @param {object} page
   * @param {() => boolean} page.busy  whether a press would be lost or reach what is about to go
   * @param {(event: object) => void} page.give  presses a held key again
   * @param {() => number} [page.now]  milliseconds of any one clock
   * @param {(f: () => void, ms: number) => unknown} [page.later]
   */
  constructor({ busy, give, now = () => performance.now(), later = (f, ms) => setTimeout(f, ms) }) {
    Object.assign(this, { busy, give, now, later });
    this.held = [];
    this.giving = null;
    this.free = 0; // not before this moment
  }

  /** Take a press if it has to wait; the caller then keeps it from everybody else. */
  takes(event) {
    if (event === this.giving || event.ctrlKey || event.metaKey || event.altKey || PASSING.test(event.key)) return false;
    if (!this.held.length && !this.#waits()) return false;
    if (event.repeat) return true; // a key held down stops when the page does
    this.held.push(event);
    if (this.held.length === 1) this.#look(this.now() + PATIENCE_MS);
    return true;
  }

  /** Let the page settle: something was set going whose beginning cannot be seen yet. */
  settle() {
    this.free = this.now() + SETTLE_MS;
  }

  /** Hear that the page has settled. */
  settled() {
    this.free = 0;
  }

  /** Forget what is held. */
  stop() {
    this.held = [];
  }

  #waits() {
    if (!this.busy()) return this.now() < this.free;
    this.free = 0; // its beginning was seen: from here on its end counts
    return true;
  }

  #look(until) {
    if (!this.held.length) return;
    if (this.#waits() && this.now() < until) return void this.later(() => this.#look(until), TICK_MS);
    this.#press(this.held.shift());
    if (this.held.length) this.later(() => this.#look(this.now() + PATIENCE_MS), TICK_MS);
  }

  #press(event) {
    this.give(event, (again) => { this.giving = again; });
    this.giving = null;
  }
}

/** Press a key again, as if just now; `note` is told each event before it is sent. */
export function pressAgain(event, note) {
  const { key, code, keyCode, shiftKey } = event;
  for (const kind of ["keydown", "keyup"]) {
    const again = new KeyboardEvent(kind, { key, code, keyCode, which: keyCode, shiftKey, bubbles: true, cancelable: true, composed: true });
    note(again);
    (document.activeElement ?? document.body).dispatchEvent(again);
  }
}

/** Tell whether Streamlit is at work on the page. */
export function atWork() {
  const state = document.querySelector("[data-test-script-state]")?.dataset.testScriptState;
  return state !== undefined && state !== "notRunning";
}
