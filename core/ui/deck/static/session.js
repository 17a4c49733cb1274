// One person at the deck: what each command does.

import { say } from "./dom.js";
import { classOfDigit, finished, isComplete, openQuestion, shownRegions, startAnswer, suggested } from "./flow.js";
import { Held } from "./held.js";
import { Decisions } from "./history.js";
import { Images, widthStep } from "./images.js";
import { ask, newUuid } from "./net.js";
import { Supply } from "./queue.js";
import { flagSheet, guidelineSheet, helpSheet, open, reasonSheet } from "./sheets.js";
import { ActiveTimer } from "./timer.js";
import { View } from "./view.js";

const PREFETCH = 10;
const DRAFT_AFTER_MS = 800;
const FLAG_LENGTH = 1800;

function sentence(error) {
  return [error?.message, error?.advice].filter(Boolean).join(" ");
}

function readDecisions(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "{}");
  } catch {
    return {};
  }
}

/** The deck at work. `run(command, detail)` is what keys and buttons call. */
export class Session {
  constructor(root, config, outbox, trigger) {
    this.root = root;
    this.config = config;
    this.texts = config.texts;
    this.trigger = trigger;
    this.outbox = outbox;
    this.held = new Held();
    this.supply = new Supply(config.urls, this.held, outbox);
    this.images = new Images(config.urls.base);
    this.historyKey = `${outbox.key}.history`;
    this.decisions = new Decisions(readDecisions(this.historyKey));
    this.answers = new Map();
    this.timers = new Map();
    this.onScreen = null;
    this.draftNote = "";
    this.view = new View(root, config, (command, detail) => this.run(command, detail));
    const room = this.view.stage.node.getBoundingClientRect();
    this.images.width = widthStep(room.width * (globalThis.devicePixelRatio ?? 1));
    this.stopListening = outbox.listen((what, receipt, entry) => this.#heard(what, receipt, entry));
    this.#status();
  }

  /** Begin: the item of the permalink first, then the queue. */
  async begin(firstId) {
    this.#show();
    if (firstId === null || !(await this.#fetchItem(firstId))) return this.held.current ?? this.#more();
    return this.#refillQuietly();
  }

  // Open one item by its number and put it on the screen; false where that cannot be.
  async #fetchItem(itemId, answer = null) {
    if (this.outbox.itemIds().includes(itemId)) return false;
    const reply = await ask(`${this.config.urls.open}/${itemId}`);
    if (reply.kind === "refused" || reply.kind === "forbidden") {
      const go = { text: this.texts.toQueue, run: () => this.#more() };
      this.view.message({ title: this.texts.noSuchItem, text: sentence(reply.error), button: go });
      return true;
    }
    if (reply.kind !== "ok") return false;
    this.held.putFirst(answer ? { ...reply.body.item, draft: answer } : reply.body.item);
    this.answers.delete(itemId);
    this.#show();
    return true;
  }

  /** Do what a key or a button asks for. */
  run(command, detail = {}) {
    this.active();
    const item = this.held.current;
    const free = {
      undo: () => this.undo(), redo: () => this.redo(), help: () => this.help(),
      info: () => open(this.root, guidelineSheet(this.texts, this.config.guideline)),
      wake: () => this.wake(), dismiss: () => this.outbox.dismiss(detail.submission.uuid),
      reopenRefused: () => this.reopenRefused(detail), close: () => {},
    };
    if (command in free) return free[command]();
    if (!item) return undefined;
    const onItem = {
      next: () => this.step(1), previous: () => this.step(-1), link: () => this.copyLink(item),
      overlay: () => this.view.announce(this.view.stage.toggle() ? this.texts.overlayOff : this.texts.overlayOn),
      retry: () => this.#show(),
    };
    if (command in onItem) return onItem[command]();
    if (!item.can_vote) return this.view.announce(item.notice);
    const deciding = {
      skip: () => this.decide("skip", { reason: "unsure" }),
      reasons: () => this.askReason(), flag: () => this.askFlag(),
    };
    if (command in deciding) return deciding[command]();
    if (!this.seen) return this.view.announce(this.texts.stillLoading);
    const answering = {
      accept: () => this.accept(item), digit: () => this.digit(item, detail.digit),
      pick: () => this.pick(item, detail.name), nothing: () => this.nothing(item),
      edit: () => this.edit(item), reopen: () => this.reopen(item, detail.key),
    };
    return answering[command]?.();
  }

  /** Tell whether the current image has really been on the screen. */
  get seen() {
    return this.onScreen !== null && this.onScreen === this.held.current?.item_id;
  }

  // --- answering ------------------------------------------------------------------------------

  answerOf(item) {
    if (!this.answers.has(item.item_id)) this.answers.set(item.item_id, startAnswer(item));
    return this.answers.get(item.item_id);
  }

  accept(item) {
    const answer = this.answerOf(item);
    if (this.config.boxes && answer.regions === null) {
      const shown = shownRegions(item);
      if (shown.source === "none") return this.view.announce(this.texts.noBoxes);
      answer.regions = shown.regions;
      return this.#answered(item, answer);
    }
    const question = this.#question(answer);
    const name = suggested(item, question);
    if (name === null) return this.view.announce(this.texts.noPrelabelHere);
    return this.pick(item, name);
  }

  digit(item, digit) {
    const answer = this.answerOf(item);
    const question = this.#question(answer);
    if (!question) return digit === "0" ? this.nothing(item) : this.view.announce(this.texts.editHint);
    const name = classOfDigit(question, digit);
    if (name === null) {
      if (this.config.boxes && digit === "0") return this.nothing(item);
      return this.view.announce(say(this.texts.noClass, { digit }));
    }
    return this.pick(item, name);
  }

  pick(item, name) {
    const answer = this.answerOf(item);
    const question = this.#question(answer);
    if (!question) return;
    answer.choices[question.key] = name;
    answer.touched = true;
    this.#answered(item, answer);
  }

  nothing(item) {
    if (!this.config.boxes) return;
    const answer = this.answerOf(item);
    answer.regions = [];
    this.#answered(item, answer);
  }

  reopen(item, key) {
    delete this.answerOf(item).choices[key];
    this.#redraw(item);
  }

  // The open question; where all are answered (a draft, say), the last one may be answered anew.
  #question(answer) {
    const asked = this.config.asked;
    return openQuestion(asked, answer.choices) ?? asked[asked.length - 1] ?? null;
  }

  #answered(item, answer) {
    if (isComplete(answer, this.config.asked, this.config.boxes)) {
      this.decide("vote", { answer: finished(answer) });
      return;
    }
    this.#redraw(item);
    this.#keepDraft(item, answer);
    const question = openQuestion(this.config.asked, answer.choices);
    this.view.announce(question ? say(this.texts.nowAsk, { question: question.title }) : this.texts.acceptOrEdit);
  }

  // --- deciding -------------------------------------------------------------------------------

  decide(kind, { answer = null, reason = "" }) {
    const item = this.held.current;
    const timer = this.timers.get(item.item_id);
    const submission = {
      uuid: newUuid(), item_id: item.item_id, kind, answer, reason, base_revision: item.revision,
      prelabel_seq: item.prelabel?.seq ?? null, prelabel_shown: item.prelabel !== null,
      active_seconds: timer?.timer.seconds(performance.now()) ?? 0, started_at: timer?.startedAt ?? 0,
    };
    this.decisions.did({ item, submission, withdrawal: null });
    this.outbox.push(submission, { item_id: item.item_id, name: item.name });
    this.#leave(item, this.#summary(kind, answer));
  }

  /** Note a decision that Python has recorded already: boxes from the canvas. */
  recorded(outcome) {
    const { submission, revision, name } = outcome;
    const item = this.held.items.find((i) => i.item_id === submission.item_id) ?? outcome.item;
    this.outbox.noteRevision(submission.item_id, revision);
    this.outbox.countSaved();
    this.decisions.did({ item, submission, withdrawal: null });
    this.#leave(item ?? { item_id: submission.item_id, name }, this.#summary("vote", submission.answer));
  }

  /** Take over what the canvas kept as a draft. */
  drafted(itemId, draft) {
    const item = this.held.items.find((i) => i.item_id === itemId);
    if (item) item.draft = draft;
    this.#show();
  }

  undo() {
    const current = this.held.current;
    const answer = current && this.answers.get(current.item_id);
    if (answer?.touched && Object.keys(answer.choices).length) {
      delete answer.choices[Object.keys(answer.choices).pop()];
      return this.#redraw(current);
    }
    const last = this.decisions.undo();
    if (!last) return this.view.announce(this.texts.nothingToUndo);
    last.withdrawal = this.outbox.cancel(last.submission.uuid) ? null : this.#withdraw(last);
    this.#keepHistory();
    const item = { ...last.item, takenBack: this.#summary(last.submission.kind, last.submission.answer) };
    this.answers.delete(item.item_id);
    this.held.putFirst(item);
    this.#show(say(this.texts.undone, { name: item.name }));
    return undefined;
  }

  redo() {
    const again = this.decisions.redo();
    if (!again) return this.view.announce(this.texts.nothingToRedo);
    const stands = again.withdrawal !== null && this.outbox.cancel(again.withdrawal);
    if (!stands) {
      again.submission = { ...again.submission, uuid: newUuid() };
      this.outbox.push(again.submission, { item_id: again.item.item_id, name: again.item.name });
    }
    again.withdrawal = null;
    this.decisions.redid(again);
    this.#leave(again.item, this.#summary(again.submission.kind, again.submission.answer));
    return undefined;
  }

  #withdraw({ item, submission }) {
    const uuid = newUuid();
    this.outbox.push({
      uuid, item_id: item.item_id, kind: "withdraw", answer: null, reason: "",
      base_revision: submission.base_revision + 1, prelabel_seq: null, prelabel_shown: false,
      active_seconds: 0, started_at: 0,
    }, { item_id: item.item_id, name: item.name });
    return uuid;
  }

  #summary(kind, answer) {
    if (kind !== "vote") return kind === "skip" ? this.texts.skipped : this.texts.flagged;
    const chosen = Object.values(answer.choices);
    return chosen.length ? chosen.join(", ") : say(this.texts.boxes, { n: answer.regions.length });
  }

  #leave(item, summary) {
    this.#pauseTimer();
    this.timers.delete(item.item_id);
    this.answers.delete(item.item_id);
    this.held.remove(item.item_id);
    this.draftNote = "";
    clearTimeout(this.draftTimer);
    this.#keepHistory();
    this.#show(say(this.texts.decided, { name: item.name, label: summary }));
  }

  #keepHistory() {
    const done = this.decisions.done.slice(-20);
    try {
      sessionStorage.setItem(this.historyKey, JSON.stringify({ done }));
    } catch {
      // Undo then works until the next reload only.
    }
  }

  // --- what came of it ------------------------------------------------------------------------

  #heard(what, receipt, entry) {
    if (what === "receipt" && receipt.status === "refused") {
      this.decisions.forget(receipt.uuid);
      if (entry.submission.kind === "vote") this.#postDraft(entry.submission);
      if (entry.submission.kind === "withdraw") {
        this.held.remove(entry.submission.item_id);
        this.#show();
      }
    }
    this.#status();
  }

  #status() {
    const { saved, pending, trouble } = this.outbox;
    this.view.status({ saved, pending, draft: this.draftNote });
    this.view.refusals(this.outbox.refused);
    if (!trouble) return this.view.problem(null);
    if (trouble.kind === "signed-out") {
      return this.view.problem(this.texts.signedOut, { href: this.config.urls.signIn, text: this.texts.signIn });
    }
    if (trouble.kind === "forbidden") {
      return this.view.problem(`${sentence(trouble)} ${this.texts.kept}`);
    }
    return this.view.problem(say(this.texts.reconnecting, { pending }));
  }

  /** Bring a refused decision's item back with the answer the person gave. */
  async reopenRefused(row) {
    const opened = await this.#fetchItem(row.submission.item_id, row.submission.answer);
    if (opened) this.outbox.dismiss(row.submission.uuid);
  }

  wake() {
    this.outbox.wake();
    if (!this.held.current) this.#more();
  }

  // --- moving ---------------------------------------------------------------------------------

  step(by) {
    if (this.held.step(by)) return this.#show();
    if (by > 0 && this.supply.asking) return this.view.announce(this.texts.loading);
    return this.view.announce(by > 0 ? this.texts.lastOne : this.texts.firstOne);
  }

  edit(item) {
    if (!this.config.boxes) return;
    const timer = this.timers.get(item.item_id);
    this.trigger("edit", {
      item_id: item.item_id, room: this.view.room(), nonce: newUuid(),
      active_seconds: timer?.timer.seconds(performance.now()) ?? 0, started_at: timer?.startedAt ?? 0,
    });
    this.view.announce(this.texts.openingCanvas);
  }

  askReason() {
    const sheet = reasonSheet(this.texts, this.config.skipReasons, (reason) => {
      sheet.close();
      this.decide("skip", { reason });
    });
    sheet.reasons = this.config.skipReasons;
    this.sheet = open(this.root, sheet);
  }

  askFlag() {
    this.sheet = open(this.root, flagSheet(this.texts, this.config.flagReasons, FLAG_LENGTH,
      (reason) => this.decide("flag", { reason })));
  }

  help() {
    this.sheet = open(this.root, helpSheet(this.texts, this.config.keys));
  }

  async copyLink(item) {
    const link = new URL(this.config.urls.item.replace("__ITEM__", item.item_id), location.href).href;
    try {
      await navigator.clipboard.writeText(link);
      this.view.announce(this.texts.copied);
      this.#note(this.texts.copied);
    } catch {
      // No clipboard on plain http: show the address to copy by hand.
      this.#note(link);
    }
  }

  #note(text) {
    this.draftNote = text;
    this.#status();
  }

  // --- showing --------------------------------------------------------------------------------

  #show(said = "") {
    this.#pauseTimer();
    const item = this.held.current;
    if (!item) {
      this.onScreen = null;
      this.view.announce(said);
      if (this.begun) this.#more();
      else this.view.message({ title: this.texts.loading });
      return;
    }
    this.begun = true;
    this.#redraw(item);
    this.#place(item);
    this.images.prepare(this.held.upcoming(PREFETCH));
    this.view.announce([said, this.#describe(item)].filter(Boolean).join(" "));
    if (this.supply.low) this.#refillQuietly();
  }

  #place(item) {
    const image = this.images.get(item);
    const still = () => this.held.current?.item_id === item.item_id;
    const put = () => {
      this.view.image(item, image.node, this.answerOf(item));
      this.onScreen = item.item_id;
      this.#startTimer(item);
    };
    if (image.ready) return put();
    this.onScreen = null;
    this.view.stage.loading(item);
    return image.done.then((ready) => {
      if (!still()) return;
      if (ready) put();
      else this.view.stage.broken(item, () => this.run("retry"));
    });
  }

  #redraw(item) {
    this.view.item(item, this.answerOf(item), this.#position());
    if (this.seen) this.view.image(item, this.images.get(item).node, this.answerOf(item));
  }

  #position() {
    const { waiting } = this.supply;
    return waiting === null ? "" : say(this.texts.waiting, { n: (waiting + this.held.items.length).toLocaleString() });
  }

  #describe(item) {
    const question = this.config.asked[0];
    const label = question ? suggested(item, question) : null;
    if (this.config.boxes) return say(this.texts.nextBoxes, { name: item.name, n: shownRegions(item).regions.length });
    if (!label) return say(this.texts.nextPlain, { name: item.name });
    const sure = item.prelabel.confidence;
    return say(this.texts.nextItem, { name: item.name, label, sure: sure === null ? "" : `${Math.round(sure * 100)} %` });
  }

  #refillQuietly() {
    this.supply.refill().then((reply) => {
      if (reply.kind === "ok" && this.held.current) {
        this.images.prepare(this.held.upcoming(PREFETCH));
        this.view.count.textContent = this.#position();
      }
    });
  }

  // Nothing is on the screen: fetch, or say why there is nothing.
  async #more() {
    this.view.message({ title: this.texts.loading });
    await this.outbox.flush();
    const reply = await this.supply.refill();
    if (this.held.current) return this.#show();
    const again = { text: this.texts.lookAgain, run: () => this.#more() };
    if (reply.kind === "ok") {
      const text = reply.reason || (this.outbox.pending ? say(this.texts.emptyPending, { pending: this.outbox.pending }) : this.texts.empty);
      this.view.message({ title: this.texts.nothingLeft, text, button: again });
    } else if (reply.kind === "signed-out") {
      this.view.message({ title: this.texts.signedOut, text: this.texts.kept, button: { text: this.texts.signIn, run: () => window.location.assign(this.config.urls.signIn) } });
    } else if (reply.kind === "offline") {
      this.view.message({ title: say(this.texts.reconnecting, { pending: this.outbox.pending }), button: again });
      setTimeout(() => this.held.current || this.gone || this.#more(), 5000);
    } else {
      this.view.message({ title: this.texts.refusedPage, text: sentence(reply.error), button: again });
    }
    this.view.announce(reply.reason ?? "");
    return undefined;
  }

  // --- drafts and time ------------------------------------------------------------------------

  #keepDraft(item, answer) {
    clearTimeout(this.draftTimer);
    this.unsentDraft = { item_id: item.item_id, answer: finished(answer), base_revision: item.revision };
    this.draftTimer = setTimeout(() => this.#postDraft(this.unsentDraft), DRAFT_AFTER_MS);
  }

  async #postDraft(draft, keepalive = false) {
    if (!draft) return;
    this.unsentDraft = null;
    const { item_id, answer, base_revision } = draft;
    const reply = await ask(this.config.urls.draft, { body: { item_id, answer, base_revision }, keepalive });
    if (reply.kind === "ok" && this.held.current?.item_id === item_id) {
      const time = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
      this.#note(say(this.texts.draftSaved, { time }));
    } else if (reply.kind !== "ok" && this.held.current?.item_id === item_id) {
      this.#note(this.texts.draftUnsaved);
    }
  }

  #startTimer(item) {
    if (!this.timers.has(item.item_id)) {
      this.timers.set(item.item_id, { timer: new ActiveTimer(this.config.idleSeconds), startedAt: Date.now() / 1000 });
    }
    this.running = this.timers.get(item.item_id).timer;
    if (!document.hidden) this.running.resume(performance.now());
  }

  #pauseTimer() {
    this.running?.pause(performance.now());
    this.running = null;
  }

  /** Note that the person did something. */
  active() {
    this.lastActive = performance.now();
    this.running?.activity(performance.now());
  }

  /** The tab was hidden or shown. */
  visible(now) {
    if (now) this.running?.resume(performance.now());
    else {
      this.running?.pause(performance.now());
      this.outbox.flush();
    }
  }

  /** Keep the leases while somebody is at work. */
  keepLeases() {
    const idle = performance.now() - (this.lastActive ?? 0) > this.config.leaseSeconds * 1000;
    if (!document.hidden && !idle) this.supply.renew();
  }

  /** The page goes away: send what can be sent, give back what can be given back. */
  parting() {
    this.#pauseTimer();
    this.#postDraft(this.unsentDraft, true);
    this.outbox.flush({ keepalive: true });
    this.supply.release();
  }

  destroy() {
    this.gone = true;
    this.parting();
    this.stopListening();
    clearTimeout(this.draftTimer);
    this.view.destroy();
  }
}
