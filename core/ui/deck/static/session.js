// One person at the deck: what each command does.

import { say } from "./dom.js";
import { classOfDigit, finished, isComplete, openQuestion, shownRegions, suggested } from "./flow.js";
import { newUuid } from "./net.js";
import { Screen } from "./screen.js";
import { flagSheet, guidelineSheet, helpSheet, open, reasonSheet } from "./sheets.js";

const FLAG_LENGTH = 1800;

/** The deck at work. `run(command, detail)` is what keys and buttons call. */
export class Session extends Screen {
  /** Do what a key or a button asks for. */
  run(command, detail = {}) {
    this.clocks.active();
    // While a message stands in place of the item, no key may act on what nobody sees.
    const item = this.view.state.hidden ? this.held.current : null;
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
      retry: () => this.show(),
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

  accept(item) {
    const answer = this.answerOf(item);
    if (this.config.boxes && answer.regions === null) {
      const shown = shownRegions(item);
      if (shown.source === "none") return this.view.announce(this.texts.noBoxes);
      answer.regions = shown.regions;
      return this.answered(item, answer);
    }
    const question = this.question(answer);
    const name = suggested(item, question);
    if (name === null) return this.view.announce(this.texts.noPrelabelHere);
    return this.pick(item, name);
  }

  digit(item, digit) {
    const answer = this.answerOf(item);
    const question = this.question(answer);
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
    const question = this.question(answer);
    if (!question) return;
    answer.choices[question.key] = name;
    answer.touched = true;
    this.answered(item, answer);
  }

  nothing(item) {
    if (!this.config.boxes) return;
    const answer = this.answerOf(item);
    answer.regions = [];
    this.answered(item, answer);
  }

  reopen(item, key) {
    delete this.answerOf(item).choices[key];
    this.redraw(item);
  }

  // The open question; where all are answered (a draft, say), the last one may be answered anew.
  question(answer) {
    const asked = this.config.asked;
    return openQuestion(asked, answer.choices) ?? asked[asked.length - 1] ?? null;
  }

  answered(item, answer) {
    if (isComplete(answer, this.config.asked, this.config.boxes)) {
      this.decide("vote", { answer: finished(answer) });
      return;
    }
    this.redraw(item);
    this.drafts.keep(item, answer);
    const question = openQuestion(this.config.asked, answer.choices);
    this.view.announce(question ? say(this.texts.nowAsk, { question: question.title }) : this.texts.acceptOrEdit);
  }

  decide(kind, { answer = null, reason = "" }) {
    const item = this.held.current;
    const submission = {
      uuid: newUuid(), item_id: item.item_id, kind, answer, reason, base_revision: item.revision,
      prelabel_seq: item.prelabel?.seq ?? null, prelabel_shown: item.prelabel !== null,
      ...this.clocks.spent(item.item_id),
    };
    this.decisions.did({ item, submission, withdrawal: null });
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
    if (answer?.touched && Object.keys(answer.choices).length) {
      delete answer.choices[Object.keys(answer.choices).pop()];
      return this.redraw(current);
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
    const chosen = Object.values(answer.choices);
    return chosen.length ? chosen.join(", ") : say(this.texts.boxes, { n: answer.regions.length });
  }

  leave(item, summary) {
    this.clocks.stop();
    this.clocks.forget(item.item_id);
    this.drafts.drop();
    this.answers.delete(item.item_id);
    this.held.remove(item.item_id);
    this.draftNote = "";
    this.keepHistory();
    this.show(say(this.texts.decided, { name: item.name, label: summary }));
  }

  keepHistory() {
    const done = this.decisions.done.slice(-20);
    try {
      sessionStorage.setItem(this.historyKey, JSON.stringify({ done }));
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
    this.status();
  }

  /** Bring a refused decision's item back with the answer the person gave. */
  async reopenRefused(row) {
    const opened = await this.fetchItem(row.submission.item_id, row.submission.answer);
    if (opened) this.outbox.dismiss(row.submission.uuid);
  }

  wake() {
    this.outbox.wake();
    if (!this.held.current) this.more();
  }

  step(by) {
    if (this.held.step(by)) return this.show();
    if (by > 0 && this.supply.asking) return this.view.announce(this.texts.loading);
    return this.view.announce(by > 0 ? this.texts.lastOne : this.texts.firstOne);
  }

  edit(item) {
    if (!this.config.boxes) return;
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
    this.sheet = open(this.root, helpSheet(this.texts, this.config.keys));
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
