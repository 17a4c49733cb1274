// The editor within a session: opened on the item on the screen, its work kept as a draft, saved
// as a vote, and brought back when the server refuses it.

import { cap, el } from "../dom.js";
import { finished, put, shownRegions } from "../flow.js";
import { capText } from "../keymap.js";
import { classSearch } from "../search.js";
import { open } from "../sheets.js";
import { Editor } from "./editor.js";

const KEEPING_MS = 5000; // a draft is kept on the way to the canvas

/** Show every key of the editor. */
function keySheet(title, keys, hint) {
  const rows = keys.flatMap(([names, text]) => [el("dt", {}, ...names.split(" ").filter((k) => k !== "–").map((k) => cap(k))), el("dd", { text })]);
  const sheet = el("dialog", { class: "sheet", "aria-label": title }, el("h2", { text: title }),
    el("dl", { class: "keys" }, ...rows), el("p", { class: "muted small", text: hint }));
  sheet.addEventListener("close", () => sheet.remove());
  return sheet;
}

/** What a session needs of the editor. */
export class Editing {
  constructor(session) {
    this.session = session;
    this.saved = new Map(); // item's number → the item, as long as its vote may be refused
    this.item = null;
    const { view, config, texts } = session;
    this.panel = el("aside", { class: "rail editpanel", hidden: true });
    view.body.append(this.panel);
    this.editor = new Editor({
      stage: view.stage, panelNode: this.panel, texts: { ...texts.editing, stageBefore: texts.stage },
      config: {
        shape: config.shape, classes: config.questions[0].classes, regionQuestions: config.regionQuestions,
        skeleton: config.skeleton, canvasKeys: config.keymap.canvas,
      },
      onchange: (regions) => this.#keep(regions), onsave: (regions) => this.#save(regions), onleave: (regions) => this.#leave(regions),
      oncanvas: () => this.#canvas(),
      onhelp: () => this.help(), oninfo: () => session.info(),
      onsearch: (classes, onpick) => open(session.root, classSearch(texts, classes, onpick)),
    });
  }

  get isOpen() {
    return this.editor.isOpen;
  }

  /** Open the editor on the item on the screen. */
  open(item, sentence = "") {
    const { answers, view } = this.session;
    this.item = item;
    this.panel.hidden = false;
    view.rail.node.hidden = true;
    this.editor.open(item, answers.get(item.item_id)?.regions ?? shownRegions(item).regions, sentence);
  }

  /** Show the editor's keys. */
  help() {
    const { root, texts, config } = this.session;
    const canvas = capText(this.editor.canvasKey);
    const keys = config.editKeys.map(([names, text]) => [names.replace("{canvas}", canvas), text]);
    open(root, keySheet(texts.help, keys, texts.closeHint));
  }

  /** Take a key press while regions are edited; tells whether it was taken. */
  key(event) {
    return this.editor.key(event);
  }

  /** Another item came on the screen: what was drawn on this one is kept. */
  follow(item) {
    if (this.isOpen && item?.item_id !== this.item.item_id) this.#close(this.editor.regions());
  }

  #answer(regions) {
    return { ...this.session.answerOf(this.item), regions };
  }

  #keep(regions) {
    this.session.clocks.active();
    this.session.drafts.keep(this.item, this.#answer(regions));
  }

  // The regions become the item's draft, as the server has it or soon will.
  #close(regions) {
    const { session, item } = this;
    const answer = session.answerOf(item);
    if (this.editor.model.past.length || item.draft) item.draft = { ...finished(answer), regions };
    if (answer.regions !== null) put(answer, "", "regions", regions);
    this.editor.close();
    session.view.rail.node.hidden = false;
  }

  #leave(regions) {
    this.#close(regions);
    this.session.drafts.flush();
    this.session.show();
  }

  #save(regions) {
    const { session, item } = this;
    this.#close(regions);
    this.saved.set(item.item_id, item);
    const answer = session.answerOf(item);
    put(answer, "", "regions", regions);
    session.answered(item, answer);
    session.outbox.flush();
  }

  async #canvas() {
    const { session, item } = this;
    session.openingUntil = performance.now() + KEEPING_MS;
    this.#close(this.editor.regions());
    await session.drafts.flush(); // the canvas opens on the draft
    session.canvas(item);
  }

  /** Hear what became of a vote: a refused one comes back on the screen with the server's sentence. */
  heard(receipt, { submission }) {
    const item = this.saved.get(submission.item_id);
    if (!item || submission.kind !== "vote") return;
    this.saved.delete(submission.item_id);
    if (receipt.status !== "refused" || this.isOpen) return;
    this.#bringBack({ ...item, draft: submission.answer }, receipt);
  }

  async #bringBack(item, { uuid, message = "", advice = "" }) {
    const { session } = this;
    session.answers.delete(item.item_id);
    session.held.putFirst(item);
    session.show();
    await session.images.get(item).done;
    if (session.held.current !== item || !session.seen || this.isOpen) return;
    session.outbox.dismiss(uuid);
    this.open(item, [message, advice].filter(Boolean).join(" "));
  }

  destroy() {
    this.editor.close();
  }
}
