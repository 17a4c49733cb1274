// One person at the deck: what each command does.

import { say } from "./dom.js";
import { classOfDigit, finished, inWords, isAnswered, isComplete, markedOf, openQuestion, put, retiredIn, shownRegions, stepBack, stepForth, suggested, toggle } from "./flow.js";
import { Editing } from "./editor/editing.js";
import { Feedback, feedbackOf } from "./feedback.js";
import { keyIn } from "./keymap.js";
import { newUuid } from "./net.js";
import { Screen } from "./screen.js";
import { classSearch } from "./search.js";
import { tabStorage } from "./storage.js";
import { flagSheet, guidelineSheet, helpSheet, open, reasonSheet } from "./sheets.js";

const FLAG_LENGTH = 1800;
const DOUBLE_CLICK_MS = 400;
const OPENING_MS = 500; // until Streamlit is seen to make the canvas
const VIEWING = ["zoomIn", "zoomOut", "toggleFit", "adjust", "opacity", "panLeft", "panRight", "panUp", "panDown"];

/** The deck at work. `run(command, detail)` is what keys and buttons call. */
export class Session extends Screen {
  /** Do what a key or a button asks for. */
  run(command, detail = {}) {
    this.clocks.active();
    if (command !== "undo" && this.isSecondClick(detail.event)) return undefined;
    const free = {
      undo: () => this.undo(), redo: () => this.redo(), help: () => this.help(), info: () => this.info(),
      wake: () => this.wake(), dismiss: () => this.outbox.dismiss(detail.submission.uuid),
      reopenRefused: () => this.reopenRefused(detail), close: () => this.view.guide.show(false), queue: () => this.turnTo(detail.queue),
      leave: () => this.view.node.focus({ preventScroll: true }),
      grid: () => this.config.urls.grid && window.location.assign(this.config.urls.grid),
    };
    if (command in free) return free[command]();
    // While a message stands in place of the item, no key may act on what nobody sees.
    const item = this.view.state.hidden ? this.held.current : null;
    return item ? this.onItem(item, command, detail) : undefined;
  }

  onItem(item, command, detail) {
    const { stage } = this.view;
    if (VIEWING.includes(command)) return stage.commands[command]();
    const looking = {
      next: () => this.step(1), previous: () => this.step(-1), link: () => this.copyLink(item),
      overlay: () => this.view.announce(stage.commands.overlay() ? this.texts.overlayOff : this.texts.overlayOn),
      channel: () => this.view.announce(stage.commands.channel() || this.texts.oneChannel),
      retry: () => this.show(), thread: () => this.thread(item),
    };
    if (command in looking) return looking[command]();
    if (!item.can_vote) return this.view.announce(item.notice);
    const deciding = {
      skip: () => this.decide("skip", { reason: "unsure" }),
      reasons: () => this.askReason(), flag: () => this.askFlag(),
    };
    if (command in deciding) return deciding[command]();
    if (!this.seen) return this.view.announce(this.texts.stillLoading);
    const answering = {
      accept: () => this.accept(item), confirm: () => this.confirm(item), digit: () => this.digit(item, detail.digit),
      pick: () => this.pick(item, detail.name), nothing: () => this.nothing(item), search: () => this.search(item),
      edit: () => this.edit(item), canvas: () => this.canvas(item), reopen: () => this.reopen(item, detail.key),
    };
    return answering[command]?.();
  }

  // The second click of a double click would fall on the item that came up under the mouse.
  isSecondClick(event) {
    return event?.detail >= 1 && performance.now() - (this.leftAt ?? -Infinity) < DOUBLE_CLICK_MS;
  }

  accept(item) {
    const answer = this.answerOf(item);
    if (this.config.boxes && answer.regions === null) return this.acceptRegions(item, answer);
    const question = this.question(answer);
    const said = question ? suggested(item, question) : null;
    if (said === null) return this.view.announce(this.texts.noPrelabelHere);
    const [gone] = retiredIn(question, said);
    if (gone !== undefined) return this.view.announce(say(this.texts.retired, { name: gone }));
    put(answer, question.several ? "multi" : "choices", question.key, said);
    return this.answered(item, answer);
  }

  acceptRegions(item, answer) {
    const shown = shownRegions(item);
    if (shown.source === "none") return this.view.announce(this.withKeys(this.texts.noBoxes));
    const gone = shown.regions.flatMap((r) => retiredIn(this.config.questions[0], r.label))[0];
    if (gone !== undefined) return this.view.announce(say(this.texts.retired, { name: gone }));
    put(answer, "", "regions", shown.regions);
    return this.answered(item, answer);
  }

  /** Confirm the classes marked, none of them too; where one class is asked, accept. */
  confirm(item) {
    const answer = this.answerOf(item);
    const question = this.question(answer);
    if (!question?.several || isAnswered(question, answer)) return this.accept(item);
    put(answer, "multi", question.key, markedOf(question, answer));
    return this.answered(item, answer);
  }

  digit(item, digit) {
    const answer = this.answerOf(item);
    const question = this.question(answer);
    if (!question) return digit === "0" ? this.nothing(item) : this.view.announce(this.withKeys(this.texts.editHint));
    const name = classOfDigit(this.offers(item, question), digit);
    if (name === null) {
      if (this.config.boxes && digit === "0") return this.nothing(item);
      return this.view.announce(say(this.texts.noClass, { digit }));
    }
    return this.pick(item, name);
  }

  /** Tell whether a digit means something now. */
  wants(digit) {
    const item = this.held.current;
    const question = item && this.question(this.answerOf(item));
    return this.config.boxes || (question && classOfDigit(this.offers(item, question), digit) !== null);
  }

  pick(item, name) {
    const answer = this.answerOf(item);
    const question = this.question(answer);
    if (!question) return undefined;
    if (question.several) return this.mark(item, answer, question, name);
    put(answer, "choices", question.key, name);
    return this.answered(item, answer);
  }

  mark(item, answer, question, name) {
    // A set confirmed before is opened again by changing it.
    if (isAnswered(question, answer)) put(answer, "multi", question.key, undefined);
    toggle(question, answer, name);
    this.changed(item, answer);
    const now = markedOf(question, answer);
    this.view.announce(say(now.includes(name) ? this.texts.marked : this.texts.unmarked, { name, n: now.length }));
  }

  nothing(item) {
    if (!this.config.boxes) return;
    const answer = this.answerOf(item);
    put(answer, "", "regions", []);
    this.answered(item, answer);
  }

  reopen(item, key) {
    const answer = this.answerOf(item);
    const part = key in answer.multi ? "multi" : "choices";
    put(answer, part, key, undefined);
    this.changed(item, answer);
  }

  thread(item) {
    this.view.turnTo(item);
    this.view.about.write();
  }

  search(item) {
    const question = this.question(this.answerOf(item));
    if (!question) return;
    const options = {
      title: question.title, top: this.likely(item, question).map(([name]) => name), recent: this.recent.of(question.key),
      marked: question.several ? () => markedOf(question, this.answerOf(item)) : null,
    };
    const still = (name) => this.held.current?.item_id === item.item_id && this.pick(item, name);
    this.sheet = open(this.root, classSearch(this.texts, question.classes, still, options));
  }

  // An answer changed but is not given yet: show it and keep it.
  changed(item, answer) {
    this.redraw(item);
    this.drafts.keep(item, answer);
  }

  answered(item, answer) {
    if (isComplete(answer, this.config.asked, this.config.boxes)) {
      this.decide("vote", { answer: finished(answer) });
      return;
    }
    this.changed(item, answer);
    const question = openQuestion(this.config.asked, answer);
    this.view.announce(question ? say(this.texts.nowAsk, { question: question.title }) : this.withKeys(this.texts.acceptOrEdit));
  }

  // Names the keys the person has, not those of the preset.
  withKeys(text) {
    const { keymap } = this.config;
    const { acceptBoxes, edit, nothingHere } = this.texts;
    return say(text, { accept: keyIn(keymap, "accept", acceptBoxes), edit: keyIn(keymap, "edit", edit), nothing: keyIn(keymap, "choose0", nothingHere) });
  }

  decide(kind, { answer = null, reason = "" }) {
    const item = this.held.current;
    const submission = {
      uuid: newUuid(), item_id: item.item_id, kind, answer, reason, base_revision: item.revision,
      prelabel_seq: item.prelabel?.seq ?? null, prelabel_shown: item.prelabel !== null,
      schema_version: this.config.schemaVersion, guideline_version: this.config.guidelineVersion,
      ...this.clocks.spent(item.item_id),
    };
    this.decisions.did({ item, submission, withdrawal: null });
    if (kind === "vote") this.recent.note(answer);
    this.outbox.push(submission, { item_id: item.item_id, name: item.name });
    this.leave(item, this.summary(kind, answer));
  }

  /** Note a decision that Python has recorded already: boxes from the canvas. */
  recorded(outcome) {
    const { submission, revision, name } = outcome;
    const item = this.held.items.find((i) => i.item_id === submission.item_id) ?? outcome.item;
    this.outbox.noteRevision(submission.item_id, revision);
    this.outbox.countSaved();
    this.decisions.did({ item, submission, withdrawal: null });
    this.leave(item ?? { item_id: submission.item_id, name }, this.summary("vote", submission.answer));
  }

  /** Take over what the canvas kept as a draft. */
  drafted(itemId, draft) {
    const item = this.held.items.find((i) => i.item_id === itemId);
    if (item) item.draft = draft;
    this.show();
  }

  undo() {
    const current = this.held.current;
    const answer = current && this.answers.get(current.item_id);
    if (answer && stepBack(answer)) {
      this.changed(current, answer);
      return this.view.announce(this.texts.stepBack);
    }
    const last = this.decisions.undo();
    if (!last) return this.view.announce(this.texts.nothingToUndo);
    last.withdrawal = this.outbox.cancel(last.submission.uuid) ? null : this.withdraw(last);
    this.keepHistory();
    const item = { ...last.item, takenBack: this.summary(last.submission.kind, last.submission.answer) };
    this.answers.delete(item.item_id);
    this.held.putFirst(item);
    this.show(say(this.texts.undone, { name: item.name }));
    return undefined;
  }

  redo() {
    const current = this.held.current;
    const answer = current && this.answers.get(current.item_id);
    if (answer?.undone.length) return this.redoStep(current, answer);
    const again = this.decisions.redo();
    if (!again) return this.view.announce(this.texts.nothingToRedo);
    const stands = again.withdrawal !== null && this.outbox.cancel(again.withdrawal);
    if (!stands) {
      again.submission = { ...again.submission, uuid: newUuid() };
      this.outbox.push(again.submission, { item_id: again.item.item_id, name: again.item.name });
    }
    again.withdrawal = null;
    this.decisions.redid(again);
    this.leave(again.item, this.summary(again.submission.kind, again.submission.answer));
    return undefined;
  }

  redoStep(item, answer) {
    stepForth(answer);
    if (isComplete(answer, this.config.asked, this.config.boxes)) return this.answered(item, answer);
    this.changed(item, answer);
    return this.view.announce(this.texts.stepForth);
  }

  withdraw({ item, submission }) {
    const uuid = newUuid();
    this.outbox.push({
      uuid, item_id: item.item_id, kind: "withdraw", answer: null, reason: "",
      base_revision: submission.base_revision + 1, prelabel_seq: null, prelabel_shown: false,
      active_seconds: 0, started_at: 0,
    }, { item_id: item.item_id, name: item.name });
    return uuid;
  }

  summary(kind, answer) {
    if (kind !== "vote") return kind === "skip" ? this.texts.skipped : this.texts.flagged;
    return inWords(answer, this.texts.none, this.config.asked) || say(this.texts.boxes, { n: answer.regions.length });
  }

  leave(item, summary) {
    this.clocks.stop();
    this.clocks.forget(item.item_id);
    this.drafts.drop();
    this.answers.delete(item.item_id);
    this.held.remove(item.item_id);
    this.draftNote = "";
    this.leftAt = performance.now();
    this.keepSoon();
    this.show(say(this.texts.decided, { name: item.name, label: summary }));
  }

  // Writing down what can be undone waits until the next image is painted.
  keepSoon() {
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => this.keepHistory(), 60);
  }

  keepHistory() {
    clearTimeout(this.keeping);
    const done = this.decisions.done.slice(-20);
    try {
      tabStorage().setItem(this.historyKey, JSON.stringify({ done }));
    } catch {
      // Undo then works until the next reload only.
    }
  }

  heard(what, receipt, entry) {
    if (what === "receipt" && receipt.status === "refused") {
      this.decisions.forget(receipt.uuid);
      if (entry.submission.kind === "vote") this.drafts.post(entry.submission);
      if (entry.submission.kind === "withdraw") {
        this.held.remove(entry.submission.item_id);
        this.show();
      }
    }
    if (what === "receipt") {
      this.drawing?.heard(receipt, entry);
      this.tell(feedbackOf(receipt, entry, this.texts));
    }
    this.status();
  }

  /** Show the word on an onboarding answer, where there is one. */
  tell(told) {
    if (!told) return;
    if (!this.feedback) {
      this.feedback = new Feedback();
      this.view.refused.before(this.feedback.node);
    }
    this.feedback.show(told);
  }

  /** Bring a refused decision's item back with the answer the person gave. */
  async reopenRefused(row) {
    const opened = await this.fetchItem(row.submission.item_id, row.submission.answer);
    if (opened) this.outbox.dismiss(row.submission.uuid);
  }

  destroy() {
    this.drawing?.destroy();
    this.feedback?.destroy();
    super.destroy();
  }

  wake() {
    this.outbox.wake();
    this.arrival.wake();
    if (!this.held.current) this.more();
  }

  step(by) {
    if (this.held.step(by)) return this.show();
    if (by > 0 && this.supply.asking) return this.view.announce(this.texts.loading);
    return this.view.announce(by > 0 ? this.texts.lastOne : this.texts.firstOne);
  }

  /** Draw and correct the regions in place. */
  edit(item) {
    if (!this.config.boxes) return;
    this.drawing ??= new Editing(this);
    this.drawing.open(item);
  }

  /** Open the drawing canvas in the deck's place. */
  canvas(item) {
    if (!this.config.boxes) return;
    this.openingUntil = performance.now() + OPENING_MS;
    this.trigger("edit", {
      item_id: item.item_id, room: this.view.room(), nonce: newUuid(), ...this.clocks.spent(item.item_id),
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
    if (this.drawing?.isOpen) return this.drawing.help();
    this.sheet = open(this.root, helpSheet(this.texts, this.config));
  }

  info() {
    if (this.view.state.hidden) return this.view.guide.toggle();
    this.sheet = open(this.root, guidelineSheet(this.texts, this.config.guideline, this.config.guidelineExamples ?? []));
  }

  async copyLink(item) {
    const link = new URL(this.config.urls.item.replace("__ITEM__", item.item_id), location.href).href;
    try {
      await navigator.clipboard.writeText(link);
      this.view.announce(this.texts.copied);
      this.note(this.texts.copied);
    } catch {
      // No clipboard on plain http: show the address to copy by hand.
      this.note(link);
    }
  }
}
