// Decisions on their way to the record. Nothing leaves this list before the server said
// "saved", "already-saved" or "refused"; it survives a reload in the tab's session storage.

import { isLasting, isObject, readObject, rowsOf } from "./storage.js";

export const BATCH = 8;
export const IDLE_MS = 600;
const MOST_SENT = 40;
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 30000;
const REVISIONS_KEPT = 300;

// A decision that can be sent: what else lies in the store is no work of anybody's.
function isEntry(row) {
  const sent = row?.submission;
  return isObject(sent) && typeof sent.uuid === "string" && Number.isSafeInteger(sent.item_id) && isObject(row.item ?? {});
}

function isRevision(pair) {
  return Array.isArray(pair) && pair.length === 2 && pair.every(Number.isSafeInteger);
}

/** Give the wait before the next attempt, doubling up to half a minute. */
export function retryAfter(failures) {
  return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.max(0, failures - 1));
}

/** The outbox of one person in one project and tab. */
export class Outbox {
  /**
   * @param send async (submissions, {keepalive}) => {kind, receipts?, message?}, never throws;
   *   kind is "ok", "signed-out", "forbidden", "refused" or "offline".
   * @param most how many decisions go in one request.
   */
  constructor({ key, storage, send, timers = globalThis, most = MOST_SENT }) {
    this.most = most;
    this.key = key;
    this.storage = storage;
    this.send = send;
    this.timers = timers;
    this.failures = 0;
    this.trouble = null;
    this.timer = null;
    this.lasting = true;
    this.listeners = new Set();
    const kept = this.#load();
    this.entries = kept.entries.map((e) => ({ ...e, flying: false }));
    this.saved = kept.saved;
    this.refused = kept.refused;
    this.revisions = new Map(kept.revisions);
    if (this.entries.length) this.#schedule(0);
  }

  get pending() {
    return this.entries.length;
  }

  /** Tell whether a reload now would lose what is not on the record yet. */
  get atRisk() {
    return this.pending > 0 && !this.lasting;
  }

  /** Call back with ("change") or ("receipt", receipt, entry); give a function that stops it. */
  listen(callback) {
    this.listeners.add(callback);
    return () => this.listeners.delete(callback);
  }

  /** List the items with something unacknowledged. */
  itemIds() {
    return [...new Set(this.entries.map((e) => e.submission.item_id))];
  }

  /** Take a decision in. */
  push(submission, item) {
    this.pushAll([[submission, item]]);
  }

  /** Take several decisions in at once: pairs of submission and item. */
  pushAll(pairs) {
    for (const [submission, item] of pairs) this.entries.push({ submission, item, tries: 0, flying: false });
    this.#keep();
    this.#schedule(this.#ready().length >= BATCH ? 0 : IDLE_MS);
  }

  /** Take a decision back that was never sent; false when the server may know it. */
  cancel(uuid) {
    const entry = this.entries.find((e) => e.submission.uuid === uuid);
    if (!entry || entry.tries > 0) return false;
    this.#drop(entry);
    this.#keep();
    return true;
  }

  /** Send what is ready now. */
  async flush({ keepalive = false } = {}) {
    this.timers.clearTimeout(this.timer);
    this.timer = null;
    const batch = this.#ready(keepalive).slice(0, this.most);
    if (!batch.length) return;
    const submissions = batch.map((entry) => this.#prepare(entry));
    this.#keep();
    const reply = await this.send(submissions, { keepalive });
    for (const entry of batch) entry.flying = false;
    this.#take(reply, batch);
  }

  /** Try again now: the network is back, or the person signed in again. */
  wake() {
    if (!this.entries.length) return;
    this.failures = 0;
    this.#schedule(0);
  }

  /** Forget a refused decision: the person has read why. */
  dismiss(uuid) {
    const found = this.refused.find((r) => r.submission.uuid === uuid) ?? null;
    this.refused = this.refused.filter((r) => r !== found);
    this.#keep();
    return found;
  }

  /** Note the revision of an item that came to us by another way. */
  noteRevision(itemId, revision) {
    this.revisions.delete(itemId);
    this.revisions.set(itemId, revision);
  }

  /** Count a decision that was recorded by another way than this outbox. */
  countSaved() {
    this.saved += 1;
    this.#keep();
  }

  // One decision per item at a time: the next one needs the revision the first one makes.
  #ready(flyingToo = false) {
    const seen = new Set();
    return this.entries.filter((entry) => {
      const id = entry.submission.item_id;
      if (seen.has(id)) return false;
      seen.add(id);
      return flyingToo || !entry.flying;
    });
  }

  #prepare(entry) {
    if (entry.tries === 0) {
      const known = this.revisions.get(entry.submission.item_id);
      if (known !== undefined) entry.submission = { ...entry.submission, base_revision: known };
    }
    entry.tries += 1;
    entry.flying = true;
    return entry.submission;
  }

  #take(reply, batch) {
    if (reply.kind === "ok") {
      this.failures = 0;
      this.trouble = null;
      for (const receipt of rowsOf(reply.receipts, isObject)) this.#settle(receipt);
      // A row the server passed over without a word is tried again, more and more slowly.
      const unanswered = batch.some((e) => this.entries.includes(e));
      if (unanswered) this.failures += 1;
      this.#keep();
      if (this.entries.length) this.#schedule(unanswered ? retryAfter(this.failures) : 0);
    } else if (reply.kind === "refused" && reply.error?.code === "LIMIT_EXCEEDED" && batch.length > 1) {
      // Together they were too much, large masks say: each goes on its own.
      this.most = Math.max(1, Math.floor(batch.length / 4));
      this.#keep();
      this.#schedule(0);
    } else if (reply.kind === "refused") {
      for (const entry of batch) {
        this.#settle({ uuid: entry.submission.uuid, status: "refused", ...reply.error });
      }
      this.#keep();
      if (this.entries.length) this.#schedule(0);
    } else {
      this.failures += 1;
      this.trouble = { kind: reply.kind, ...(reply.error ?? {}) };
      this.#keep();
      this.#schedule(retryAfter(this.failures));
    }
  }

  #settle(receipt) {
    const entry = this.entries.find((e) => e.submission.uuid === receipt.uuid);
    if (!entry) return;
    this.#drop(entry);
    if (receipt.status === "refused") this.#refuse(receipt, entry);
    else this.#accept(receipt, entry);
    for (const listener of this.listeners) listener("receipt", receipt, entry);
  }

  #accept(receipt, entry) {
    // "deck": only kept in hand, to be decided there.
    this.saved += { withdraw: -1, deck: 0 }[entry.submission.kind] ?? 1;
    this.saved = Math.max(0, this.saved);
    if (typeof receipt.revision === "number") {
      this.noteRevision(entry.submission.item_id, receipt.revision);
    }
  }

  #refuse(receipt, entry) {
    const { code = "", message = "", advice = "" } = receipt;
    const { submission, item } = entry;
    // What was to be taken back was never recorded, so there is nothing to withdraw.
    this.entries = this.entries.filter(
      (e) => !(e.submission.item_id === submission.item_id && e.submission.kind === "withdraw"),
    );
    this.refused.push({ submission, item, code, message, advice });
  }

  #drop(entry) {
    this.entries = this.entries.filter((e) => e !== entry);
  }

  #schedule(delay) {
    if (this.failures > 0) delay = Math.max(delay, retryAfter(this.failures));
    this.timers.clearTimeout(this.timer);
    this.timer = this.timers.setTimeout(() => this.flush(), delay);
  }

  #load() {
    const { entries, saved, refused, revisions } = readObject(this.storage, this.key);
    const told = (row) => ({ ...row, item: row.item ?? { item_id: row.submission.item_id, name: "" } });
    return {
      entries: rowsOf(entries, isEntry).map((row) => ({ ...told(row), tries: Number(row.tries) || 0 })),
      saved: Number.isSafeInteger(saved) && saved > 0 ? saved : 0,
      refused: rowsOf(refused, isEntry).map(told),
      revisions: rowsOf(revisions, isRevision),
    };
  }

  #keep() {
    const entries = this.entries.map(({ submission, item, tries }) => ({ submission, item, tries }));
    const revisions = [...this.revisions].slice(-REVISIONS_KEPT);
    const { saved, refused } = this;
    try {
      this.storage.setItem(this.key, JSON.stringify({ entries, saved, refused, revisions }));
      this.lasting = isLasting(this.storage);
    } catch {
      // Storage is full or forbidden: the decisions are still held here and sent from here.
      this.lasting = false;
    }
    for (const listener of this.listeners) listener("change");
  }
}
