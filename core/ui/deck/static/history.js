// What was decided in this tab, for undo and redo.

import { isObject, rowsOf } from "./storage.js";

const KEPT = 50;

// What lies in the tab's store may be anything; only what can be put back on the screen is kept.
function isDecision(row) {
  const { item, submission } = row ?? {};
  return isObject(item) && Number.isSafeInteger(item.item_id) && typeof item.image === "string"
    && isObject(submission) && typeof submission.uuid === "string" && typeof submission.kind === "string";
}

/** Two stacks of {item, submission}; a new decision forgets what was undone. */
export class Decisions {
  constructor(saved = {}) {
    this.done = rowsOf(saved.done, isDecision);
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
