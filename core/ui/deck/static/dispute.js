// Entry of the dispute: the image with everybody's answers, and the ruling beside it.
// The server's route records a ruling and answers; only then does Python bring the next dispute.

import { el, say } from "./dom.js";
import { classOfDigit, markedOf } from "./flow.js";
import { isPressing, isTyping } from "./keys.js";
import { LookAlikes } from "./lookalikes.js";
import { ask, newUuid, onReach, speakFor } from "./net.js";
import { RulingRail } from "./ruling.js";
import { choose, confirm, inHand, keptOf, lacks, Look, LOOKING, opened, rowsOf, rulingCommand, RULINGS, sentOf, shelfOf, shelve, startRuling, take, takeEdited, undo, withTemplate } from "./ruling_model.js";
import { rulingHelp } from "./ruling_help.js";
import { RulingPost } from "./ruling_post.js";
import { classSearch } from "./search.js";
import { open } from "./sheets.js";
import { readObject, tabStorage } from "./storage.js";
import { VotesView } from "./votes.js";

const disputes = new WeakMap();
const NEXT_MS = 8000; // how long Python may take to answer before the page is loaded anew

/** One dispute in one element: the votes, the ruling, its keys and its way to the record. */
class Dispute {
  constructor(root) {
    this.body = el("div", { class: "dispute" });
    root.append(this.body);
    this.root = root;
    this.told = "";
    this.busy = false;
    this.votes = new VotesView(this.body, () => this.look?.came(performance.now()));
    this.press = (event) => this.#key(event);
    document.addEventListener("keydown", this.press, { capture: true });
    const send = ({ ruling, url, person }) => ask(url, { body: { ruling }, person });
    this.post = new RulingPost(send, { answered: (...told) => this.#answered(...told), waiting: (entry) => this.#waiting(entry) });
    this.stopReach = onReach(() => this.post.wake());
    this.leave = (event) => this.post.atRisk && event.preventDefault();
    window.addEventListener("beforeunload", this.leave);
  }

  /** Take over what Python says now. */
  update(data, trigger) {
    const { dispute } = data;
    this.trigger = trigger;
    speakFor(dispute.person);
    const another = dispute.item_id !== this.dispute?.item_id;
    const changed = !another && (dispute.newest_seq !== this.dispute.newest_seq || dispute.decision_seen !== this.dispute.decision_seen);
    this.dispute = dispute;
    this.data = data;
    if (!this.rail) this.#furnish(dispute.texts);
    if (another) this.#begin();
    if (changed) this.#changed();
    if (dispute.edited && dispute.edited.nonce !== this.ruling.edited) {
      takeEdited(this.ruling, dispute.edited);
      this.#keep();
    }
    this.#show();
  }

  #furnish(texts) {
    this.rail = new RulingRail(texts, (name, key) => this.#run(name, key));
    this.body.append(this.rail.node);
  }

  get #place() {
    return `tiebreak.ruling.${this.dispute.person}.${this.dispute.slug}`;
  }

  #begin() {
    this.ruling = startRuling(this.dispute, readObject(tabStorage(), this.#place)[shelfOf(this.dispute.item_id)], newUuid);
    this.look = new Look();
    this.told = this.carried ?? "";
    this.carried = null;
    this.#free();
  }

  #changed() {
    Object.assign(this.ruling, { seen: this.dispute.newest_seq, decided: this.dispute.decision_seen });
    this.look.anew(performance.now());
    this.told = this.dispute.texts.changed;
    this.#free();
  }

  #keep() {
    try {
      tabStorage().setItem(this.#place, JSON.stringify(shelve(readObject(tabStorage(), this.#place), keptOf(this.ruling))));
    } catch {
      // Full or forbidden: the ruling is still in hand, it would only not survive a reload.
    }
  }

  #forget({ place, item_id }) {
    const shelf = readObject(tabStorage(), place);
    delete shelf[shelfOf(item_id)];
    tabStorage().setItem(place, JSON.stringify(shelf));
  }

  #show() {
    this.votes.update({ ...this.data, chosen: this.ruling.source });
    this.rail.show(this.dispute, this.ruling, { busy: this.busy, told: this.told });
    this.#showAlike();
  }

  // The picture's corner is there once the votes have been shown.
  #showAlike() {
    if (!this.alike) {
      this.alike = new LookAlikes(this.dispute.texts);
      this.votes.beside(this.alike.button, this.alike.row);
    }
    if (this.cases !== this.dispute.alike) this.alike.show(this.dispute.alike);
    this.cases = this.dispute.alike;
  }

  // --- keys ---------------------------------------------------------------------------------

  #key(event) {
    const origin = event.composedPath()[0];
    if (!this.dispute || isTyping(origin)) return this.#typing(event);
    if (document.querySelector("[role=dialog]") || this.root.querySelector("dialog[open]")) return undefined;
    const command = rulingCommand(event, this.dispute);
    if (!command || isPressing(origin, event)) return undefined;
    event.preventDefault();
    event.stopPropagation();
    return this.#run(command.name, command.key);
  }

  // What is typed into our own field is no key of Streamlit's, which sees only our element.
  #typing(event) {
    if (event.composedPath()[0] === this.rail?.field && !["Enter", "Escape", "Tab"].includes(event.key)) event.stopPropagation();
  }

  #run(name, key) {
    const leaving = ["previous", "next"].includes(name);
    if ((this.busy && !(leaving && this.post.atRisk)) || (!this.dispute.may && !LOOKING.includes(name))) return;
    const before = this.told;
    this.told = "";
    const done = this[`do_${name}`](key);
    if (done === false) this.told = before;
    else this.#keep();
    this.#show();
  }

  do_digit(digit) {
    const question = inHand(this.dispute, this.ruling);
    const name = question && classOfDigit(rowsOf(this.dispute, question), digit);
    return name ? choose(this.ruling, question, name) : false;
  }

  do_pick({ question, name }) {
    choose(this.ruling, question, name);
  }

  do_take(key) {
    take(this.ruling, this.dispute.layers.find((l) => l.key === key));
  }

  do_confirm(asked) {
    const question = asked?.key ? asked : inHand(this.dispute, this.ruling);
    return question?.several ? confirm(this.ruling, question) : false;
  }

  do_back() {
    return undo(this.ruling);
  }

  do_reason(key) {
    const { reasons } = this.dispute;
    this.ruling.reason = withTemplate(reasons, this.ruling.reason, reasons.find((r) => r.key === key).text);
  }

  do_typed(text) {
    this.ruling.reason = text;
  }

  do_words() {
    const before = this.ruling.reason;
    this.ruling.reason = opened(this.dispute.reasons, before);
    return before !== this.ruling.reason ? undefined : false;
  }

  do_help() {
    open(this.body, rulingHelp(this.dispute));
    return false;
  }

  do_say() {
    this.rail.field.focus();
    return false;
  }

  do_search(asked) {
    const question = asked?.key ? asked : inHand(this.dispute, this.ruling);
    if (!question) return false;
    const marked = question.several ? () => markedOf(question, this.ruling.answer) : null;
    const sheet = classSearch(this.dispute.texts, question.classes, (name) => this.#run("pick", { question, name }), {
      title: question.title, top: rowsOf(this.dispute, question).map((r) => r.name), marked,
    });
    this.body.append(sheet);
    sheet.showModal();
    return false;
  }

  do_edit() {
    if (!this.dispute.draws) return false;
    const { item_id, answer, edited } = keptOf(this.ruling);
    this.#keep();
    this.#wait();
    this.trigger("edit", { item_id, answer, edited, room: this.votes.room });
    return undefined;
  }

  do_alike() {
    this.alike.toggle();
    return false;
  }

  do_party() {
    if (this.dispute.draws) this.votes.turn(1);
    return false;
  }

  do_partyBack() {
    if (this.dispute.draws) this.votes.turn(-1);
    return false;
  }

  // The filters stand in the line above, which is Streamlit's.
  do_filter() {
    document.querySelector(".st-key-tb-filter button")?.click();
    return false;
  }

  do_autopsy() {
    this.rail.toggleAutopsy();
    return false;
  }

  do_previous() {
    this.#leave(-1);
  }

  do_next() {
    this.#leave(1);
  }

  // Keys pressed from here on would be meant for the dispute that is coming.
  #leave(by) {
    this.#wait();
    this.trigger("step", { item_id: this.dispute.item_id, by });
  }

  #wait() {
    this.busy = true;
    clearTimeout(this.patience);
    // A server that was started anew does not know this page: what was typed is kept, so begin afresh.
    this.patience = setTimeout(() => this.post.atRisk || location.reload(), NEXT_MS);
  }

  #free() {
    this.busy = false;
    clearTimeout(this.patience);
  }

  // --- ruling -------------------------------------------------------------------------------

  do_rule(key) {
    const { texts } = this.dispute;
    const kind = RULINGS[key];
    if (this.look.tooSoon(performance.now())) {
      this.told = texts.tooSoon;
      return undefined;
    }
    const lacking = lacks(this.dispute, this.ruling, kind);
    if (lacking) this.told = lacking === "answer" ? texts.noAnswer : texts.noReason;
    else this.#send(sentOf(this.dispute, this.ruling, kind));
    return undefined;
  }

  #send(ruling) {
    this.busy = true;
    this.ruling.sent = true;
    const { urls, person, item_id } = this.dispute;
    this.post.post({ ruling, url: urls.ruling, person, item_id, name: this.data.name, place: this.#place });
  }

  #answered(entry, reply) {
    const { texts } = this.dispute;
    const here = entry.ruling.uuid === this.ruling.uuid;
    const done = reply.kind === "ok";
    if (done) this.#forget(entry);
    const what = done ? texts.elsewhereDone : this.#refusal(reply);
    const elsewhere = done ? say(what, entry) : say(texts.elsewhere, { name: entry.name, what });
    if (here && done) return this.#recorded(entry);
    if (here) {
      Object.assign(this.ruling, { uuid: newUuid(), sent: false });
      this.#keep();
      this.#free();
    }
    this.told = here ? what : elsewhere;
    this.carried = elsewhere; // the page may show another dispute by the time it is read
    this.#show();
    // The votes may have changed, or the list: signed out, the page is left as it is.
    if (done || reply.kind === "refused") this.trigger("refused", { item_id: entry.item_id });
    return undefined;
  }

  #recorded(entry) {
    this.ruling = startRuling(this.dispute, null, newUuid); // its keys cannot rule a second time
    this.told = this.dispute.texts.decided;
    this.#wait();
    this.#show();
    this.trigger("settled", { item_id: entry.item_id });
  }

  #waiting(entry) {
    if (entry.ruling.uuid !== this.ruling.uuid) return;
    this.told = this.dispute.texts.offline;
    this.#keep();
    this.#show();
  }

  #refusal({ kind, error }) {
    const { texts } = this.dispute;
    if (kind === "signed-out") return error?.code === "OTHER_PERSON" ? texts.otherPerson : texts.signedOut;
    return [say(texts.refused, { why: error?.message || texts.refusedUnknown }), error?.advice].filter(Boolean).join(" ");
  }

  destroy() {
    this.#free();
    this.post.stop();
    window.removeEventListener("beforeunload", this.leave);
    this.stopReach();
    document.removeEventListener("keydown", this.press, { capture: true });
    this.votes.destroy();
    this.body.remove();
  }
}

export default function mount({ data, parentElement, setTriggerValue }) {
  let dispute = disputes.get(parentElement);
  if (!dispute) {
    dispute = new Dispute(parentElement);
    disputes.set(parentElement, dispute);
  }
  dispute.update(data, setTriggerValue);
  return () => {
    disputes.delete(parentElement);
    dispute.destroy();
  };
}
