// Entry of the suspicious labels: the list, the image in hand with the evidence, and what a lead says of it.
// A route of ours records each answer before the row says so.

import { cap, el, say as fill } from "./dom.js";
import { commandFor, readKeymap } from "./keymap.js";
import { isPressing, isTyping } from "./keys.js";
import { ask, newUuid, onReach, speakFor } from "./net.js";
import { RulingPost } from "./ruling_post.js";
import { choose, inHand, keyOf, left, move, say, settle, shareOf, startList, unsay } from "./suspicious_model.js";

const lists = new WeakMap();
const THUMB = 200;
const LARGE = 1600;

/** The list of suspicious labels as one element. */
class Suspicious {
  constructor(root) {
    this.root = root;
    this.rows = el("ol", { class: "susrows" });
    this.pane = el("section", { class: "suspane" });
    this.told = el("div", { class: "offscreen", role: "status", "aria-live": "polite" });
    this.body = el("div", { class: "votes suspicious" }, this.rows, this.pane, this.told);
    root.append(this.body);
    const send = ({ sent, url, person }) => ask(url, { body: { answer: sent }, person });
    this.post = new RulingPost(send, { answered: (...all) => this.#answered(...all), waiting: () => this.#tell(this.data.texts.waiting) });
    this.stopReach = onReach(() => this.post.wake());
    this.press = (event) => this.#key(event);
    this.leave = (event) => this.post.atRisk && event.preventDefault();
    document.addEventListener("keydown", this.press, { capture: true });
    window.addEventListener("beforeunload", this.leave);
  }

  /** Take over what Python says now; what was said of issues that are still there is kept. */
  update(data) {
    speakFor(data.person);
    const same = this.data && this.data.revision === data.revision;
    this.data = data;
    this.keymap = readKeymap(data.keymap);
    this.rows.setAttribute("aria-label", data.texts.list);
    this.pane.setAttribute("aria-label", data.texts.pane);
    if (same) return;
    this.list = startList(data.issues, this.list?.said);
    this.#rows();
    this.#pane();
  }

  /** Leave the page. */
  destroy() {
    this.post.stop();
    this.stopReach();
    document.removeEventListener("keydown", this.press, { capture: true });
    window.removeEventListener("beforeunload", this.leave);
    this.body.remove();
  }

  #key(event) {
    const origin = event.composedPath()[0];
    if (!this.data || isTyping(origin) || document.querySelector("[role=dialog]")) return;
    const command = commandFor(event, this.keymap);
    if (!command || isPressing(origin, event) || !(command.name in this.#commands)) return;
    event.preventDefault();
    event.stopPropagation();
    this.#commands[command.name]();
  }

  get #commands() {
    return {
      next: () => this.#go(1),
      previous: () => this.#go(-1),
      back: () => this.#say("back"),
      right: () => this.#say("right"),
      undo: () => this.#undo(),
    };
  }

  #go(by) {
    move(this.list, by);
    this.#show(true);
  }

  #say(what) {
    if (!this.data.may) return this.#tell(this.data.texts.mayNot);
    const before = inHand(this.list);
    const entry = say(this.list, what, newUuid);
    if (!entry) return this.#tell(this.data.texts.saidAlready);
    this.#send(entry);
    this.#tell(fill(this.data.texts[what === "back" ? "toldBack" : "toldRight"], { file: before.file }));
    return this.#show(true);
  }

  #undo() {
    const entry = unsay(this.list, newUuid);
    if (!entry) return this.#tell(this.data.texts.noUndo);
    this.#send(entry);
    return this.#show();
  }

  #send(entry) {
    this.post.post({ ...entry, url: this.data.urls.answer, person: this.data.person });
  }

  #answered(entry, reply) {
    settle(this.list, entry, reply);
    if (reply.kind !== "ok") {
      const { message = "", advice = "" } = reply.error ?? {};
      this.refused = { key: entry.key, text: `${message} ${advice}`.trim() || this.data.texts.failed };
      this.#tell(`${entry.issue.file}: ${this.refused.text}`);
    } else if (this.refused?.key === entry.key) this.refused = null;
    this.#show();
  }

  #tell(text) {
    this.told.textContent = "";
    this.told.textContent = text;
  }

  #rows() {
    const { issues } = this.list;
    this.buttons = issues.map((issue, at) => this.#row(issue, at));
    this.rows.replaceChildren(...this.buttons.map((button) => el("li", {}, button)));
    this.#show();
  }

  #row(issue, at) {
    const src = this.data.urls.base + issue.image + `&w=${THUMB}`;
    const words = el("span", { class: "suswords" },
      el("b", { class: "clip", text: issue.file }),
      el("span", { class: "clip small", text: issue.change }),
      el("span", { class: "muted small susmark" }));
    const score = el("span", { class: "num small susscore", title: this.data.texts.score, text: issue.score.toFixed(2) });
    return el("button", { class: "susrow", type: "button", onclick: () => { choose(this.list, at); this.#show(); } },
      el("img", { src, alt: "", loading: "lazy", width: 48, height: 48 }), words, score);
  }

  #show(follow = false) {
    const { issues, at, said } = this.list;
    issues.forEach((issue, i) => {
      const button = this.buttons[i];
      const word = said[keyOf(issue)];
      button.setAttribute("aria-current", i === at ? "true" : "false");
      button.classList.toggle("done", Boolean(word));
      button.querySelector(".susmark").textContent = word ? this.#mark(word) : issue.kindName;
    });
    if (follow) {
      this.buttons[at]?.scrollIntoView({ block: "nearest" });
      if (this.rows.contains(this.root.activeElement ?? this.rows.getRootNode().activeElement)) this.buttons[at]?.focus({ preventScroll: true });
    }
    this.#pane();
  }

  #mark({ what, state, status }) {
    const { texts } = this.data;
    if (state === "sending") return texts.sending;
    if (status === "already-open") return texts.wasOpen;
    return what === "back" ? texts.sentBack : texts.calledRight;
  }

  #pane() {
    const issue = inHand(this.list);
    if (!issue) return this.pane.replaceChildren();
    const { texts, total } = this.data;
    const { issues } = this.list;
    const word = this.list.said[keyOf(issue)];
    const count = el("span", { class: "muted num", text: fill(texts.count, { i: this.list.at + 1, n: total, left: total - issues.length + left(this.list) }) });
    const refusal = this.refused?.key === keyOf(issue) ? el("div", { class: "refusal", role: "alert", text: this.refused.text }) : null;
    const parts = [
      el("div", { class: "top" }, el("a", { class: "itemname clip", href: issue.link, target: "_self", text: issue.file }), count, el("span", { class: "grow" }), el("span", { class: "chip all", text: issue.kindName })),
      this.#picture(issue),
      el("div", { class: "card" }, this.#labels(issue), el("p", { class: "suswhy", text: issue.reason }), this.#others(issue)),
      refusal,
      word ? el("div", { class: "card quiet", text: this.#mark(word) }) : null,
      this.#actions(issue, word),
    ];
    return this.pane.replaceChildren(...parts.filter(Boolean));
  }

  #picture(issue) {
    const image = el("img", { src: this.data.urls.base + issue.image + `&w=${LARGE}`, alt: fill(this.data.texts.alt, { file: issue.file, label: issue.label || this.data.texts.noLabel }) });
    const frame = el("div", { class: "susframe", style: { "--ratio": String(issue.size[0] / issue.size[1]) } }, image);
    if (issue.box) {
      const share = shareOf(issue.box, issue.size);
      const place = Object.fromEntries(Object.entries(share).map(([name, part]) => [name, `${part * 100}%`]));
      frame.append(el("div", { class: "susbox", style: place, "aria-hidden": "true" }));
    }
    return el("div", { class: "susstage" }, frame);
  }

  #labels(issue) {
    const { texts } = this.data;
    const pair = (name, value) => el("div", {}, el("dt", { class: "eyebrow", text: name }), el("dd", { text: value }));
    return el("dl", { class: "suslabels" },
      issue.question ? pair(texts.question, issue.question) : null,
      pair(texts.given, issue.label || texts.noLabel),
      issue.suggested ? pair(texts.says, issue.suggested) : null,
      pair(texts.score, issue.score.toFixed(2)));
  }

  #others(issue) {
    if (!issue.others.length) return null;
    const links = issue.others.map(({ file, link, image }) => el("a", { href: link, target: "_self", title: file },
      el("img", { src: `${this.data.urls.base}${image}&w=${THUMB}`, alt: file, loading: "lazy" })));
    return el("div", { class: "susothers" }, el("span", { class: "muted small", text: this.data.texts.others }), ...links);
  }

  #actions(issue, word) {
    const { texts, keymap, may } = this.data;
    const button = (name, text, strong, off) => el("button", { class: `action${strong ? " strong" : ""}`, type: "button", disabled: off, onclick: () => this.#commands[name]() },
      el("span", { text }), cap(keymap[name][0]));
    const undoable = word?.what === "right" && word.state === "saved";
    // Who may only look is not shown buttons that would refuse them.
    return el("div", { class: may ? "susactions" : "susactions looking" },
      may ? null : el("p", { class: "muted small whole", text: texts.mayNot }),
      may ? button("back", texts.back, true, Boolean(word)) : null,
      may ? (undoable ? button("undo", texts.undo, false, false) : button("right", texts.right, false, Boolean(word))) : null,
      button("previous", texts.previous, false, this.list.at === 0),
      button("next", texts.next, false, this.list.at === this.list.issues.length - 1));
  }
}

/** Mount the element, or give the mounted one what Python says now. */
export default function mount({ data, parentElement }) {
  let list = lists.get(parentElement);
  if (!list) {
    list = new Suspicious(parentElement);
    lists.set(parentElement, list);
  }
  list.update(data);
  return () => {
    lists.delete(parentElement);
    list.destroy();
  };
}
