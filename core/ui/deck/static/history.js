// What was decided in this tab, for undo and redo.

const KEPT = 50;

/** Two stacks of {item, submission}; a new decision forgets what was undone. */
export class Decisions {
  constructor(saved = {}) {
    this.done = saved.done ?? [];
    this.undone = [];
  }

  /** Remember a decision. */
  did(decision) {
    this.done.push(decision);
    this.done.splice(0, this.done.length - KEPT);
    this.undone = [];
  }

  /** Give back the last decision to undo, or null. */
  undo() {
    const last = this.done.pop() ?? null;
    if (last) this.undone.push(last);
    return last;
  }

  /** Give back the last decision undone, or null; the caller decides it again. */
  redo() {
    return this.undone.pop() ?? null;
  }

  /** Remember a decision made again, keeping what else was undone. */
  redid(decision) {
    this.done.push(decision);
  }

  /** Forget a decision the server refused: there is nothing to take back. */
  forget(uuid) {
    this.done = this.done.filter((d) => d.submission.uuid !== uuid);
  }
}
