// Talking about an item: threads, an answer that is kept until it is sent, names after an @.

import { el, say } from "./dom.js";
import { ask, newUuid } from "./net.js";
import { tabStorage } from "./storage.js";

const MOST_NAMES = 6;
const PART = /(?:^|[^\w@])@([a-z0-9._@-]*)$/i;
const STEPS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]];

/** Say how long ago something was, in the page's language. */
export function ago(at, now, language = "en") {
  const seconds = Math.min(0, at - now);
  const [unit, size] = STEPS.find(([, s]) => -seconds >= s) ?? ["second", 1];
  return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(Math.ceil(seconds / size), unit);
}

/** Give the part of a name being typed after an @ at the caret; null where none is. */
export function partAt(text, caret) {
  return PART.exec(text.slice(0, caret))?.[1].toLowerCase() ?? null;
}

/** List the people a typed part may mean: by name or by any word of what others call them. */
export function matching(people, part) {
  const fits = (p) => p.name.startsWith(part) || p.display_name.toLowerCase().split(/\s+/).some((w) => w.startsWith(part));
  return people.filter(fits).slice(0, MOST_NAMES);
}

/** Put a name in the place of the part typed; give the text and where the caret goes. */
export function complete(text, caret, name) {
  const part = partAt(text, caret) ?? "";
  const before = `${text.slice(0, caret - part.length)}${name} `;
  return { text: before + text.slice(caret).replace(/^ /, ""), caret: before.length };
}

/** What was typed and not sent yet, per person and item; survives a reload. */
export class Unsent {
  constructor(storage, person) {
    this.storage = storage;
    this.prefix = `tiebreak.unsent.${person}.`;
  }

  /** Give {text, thread, uuid} of an item; thread is undefined where nobody chose one, null for a new one. */
  of(itemId) {
    try {
      const kept = JSON.parse(this.storage.getItem(this.prefix + itemId) ?? "null");
      if (typeof kept?.text === "string") return { text: kept.text, thread: kept.thread, uuid: kept.uuid ?? newUuid() };
    } catch {
      // Full or forbidden storage: nothing is kept, nothing breaks.
    }
    return { text: "", thread: undefined, uuid: newUuid() };
  }

  /** Keep a text. Another text is another comment: it gets a UUID of its own. */
  keep(itemId, text, thread) {
    const before = this.of(itemId);
    const same = before.text === text && before.thread === thread;
    const kept = { text, thread, uuid: same ? before.uuid : newUuid() };
    try {
      if (text.trim() || thread !== undefined) this.storage.setItem(this.prefix + itemId, JSON.stringify(kept));
      else this.storage.removeItem(this.prefix + itemId);
    } catch {
      // As above.
    }
    return kept;
  }

  /** Forget what was sent. */
  drop(itemId) {
    this.keep(itemId, "", undefined);
  }
}

function lineOf(texts, comment, when) {
  const who = comment.mine ? texts.you : comment.who;
  if (comment.kind !== "comment") {
    return el("li", { class: "line small muted", text: say(texts.threadKinds[comment.kind], { who, when }) });
  }
  return el("li", { class: "line" },
    el("div", { class: "small" }, el("b", { text: who }), el("span", { class: "muted", text: ` · ${when}` })),
    el("div", { class: "words", text: comment.text }));
}

/** The discussion of one item. `urls.comment` takes what is said; `leave()` gives the keys back. */
export class Talk {
  constructor(texts, urls, person, leave) {
    this.texts = texts;
    this.urls = urls;
    this.leave = leave;
    this.unsent = new Unsent(tabStorage(), person);
    this.people = [];
    this.threads = [];
    this.item = null;
    this.list = el("div", { class: "threads" });
    this.to = el("div", { class: "row small" });
    this.names = el("ul", { class: "names", role: "listbox", id: "tb-names", "aria-label": texts.people, hidden: true });
    this.box = el("textarea", {
      rows: 2, maxlength: 2000, "aria-label": texts.comment, placeholder: texts.comment,
      "aria-autocomplete": "list", "aria-controls": "tb-names",
      oninput: () => this.#typed(), onkeydown: (event) => this.#key(event), onblur: () => this.#offer([]),
    });
    this.note = el("div", { class: "small gone", role: "status" });
    this.node = el("div", { class: "talk" }, this.list, this.to,
      el("div", { class: "composer" }, this.box, this.names), this.note,
      el("div", { class: "muted small", text: texts.commentHint }));
  }

  /** Turn to an item; what was typed there before is there again. */
  turnTo(item) {
    this.item = item;
    this.show([], []);
    this.note.textContent = "";
    const kept = this.unsent.of(item.item_id);
    this.box.value = kept.text;
    this.#address(kept.thread);
  }

  /** Show threads and know who can be named. */
  show(threads, people = this.people) {
    this.threads = threads;
    this.people = people;
    this.list.replaceChildren(...threads.map((t) => this.#thread(t)));
    this.#address(this.thread);
    if (this.box.matches?.(":focus")) this.#inSight(); // the threads above it push it down
  }

  /** Put the caret where one writes. */
  focus() {
    this.box.focus();
    this.#inSight();
  }

  #inSight() {
    this.node.lastElementChild?.scrollIntoView?.({ block: "nearest" });
    this.box.scrollIntoView?.({ block: "nearest" });
  }

  #thread(thread) {
    const { texts } = this;
    const language = document.documentElement.lang || "en";
    const lines = thread.comments.map((c) => lineOf(texts, c, ago(c.at, Date.now() / 1000, language)));
    const close = thread.resolved ? ["reopen", texts.reopen] : ["resolve", texts.resolve];
    const head = say(thread.resolved ? texts.threadClosed : texts.threadOpen, { n: thread.comments.filter((c) => c.kind === "comment").length });
    return el("details", { class: "thread", open: !thread.resolved }, el("summary", { class: "small", text: head }),
      el("ul", {}, ...lines),
      el("div", { class: "row end" },
        el("button", { class: "plain", text: texts.reply, onclick: () => { this.#address(thread.thread); this.#keep(); this.focus(); } }),
        thread.may_resolve ? el("button", { class: "plain", text: close[1], onclick: () => this.#send({ kind: close[0], thread: thread.thread, uuid: newUuid(), text: "" }) }) : null));
  }

  /** Give the thread a text goes to: the one chosen, else the newest open one; null begins one. */
  get target() {
    if (this.thread !== undefined) return this.thread;
    return this.threads.filter((t) => !t.resolved).pop()?.thread ?? null;
  }

  #address(thread) {
    this.thread = thread;
    const open = this.threads.find((t) => t.thread === this.target);
    if (!open) return this.to.replaceChildren();
    const text = say(this.texts.replyTo, { text: open.comments[0].text });
    return this.to.replaceChildren(el("span", { class: "muted clip", text, title: text }),
      el("button", { class: "plain", text: this.texts.newThread, onclick: () => { this.#address(null); this.#keep(); this.focus(); } }));
  }

  #keep() {
    if (this.item) this.unsent.keep(this.item.item_id, this.box.value, this.thread);
  }

  #typed() {
    this.#keep();
    const part = partAt(this.box.value, this.box.selectionStart);
    this.#offer(part === null ? [] : matching(this.people, part));
  }

  #offer(people) {
    this.offered = people;
    this.picked = 0;
    this.names.hidden = people.length === 0;
    this.names.replaceChildren(...people.map((p, i) => el("li", {
      role: "option", id: `tb-name-${i}`, onpointerdown: (event) => { event.preventDefault(); this.#pick(p); },
    }, el("b", { text: `@${p.name}` }), el("span", { class: "muted", text: ` ${p.display_name}` }))));
    this.#mark();
  }

  #mark() {
    [...this.names.children].forEach((row, i) => row.setAttribute("aria-selected", String(i === this.picked)));
    if (this.names.hidden) this.box.removeAttribute("aria-activedescendant");
    else this.box.setAttribute("aria-activedescendant", `tb-name-${this.picked}`);
  }

  #pick(person) {
    const done = complete(this.box.value, this.box.selectionStart, person.name);
    this.box.value = done.text;
    this.box.setSelectionRange(done.caret, done.caret);
    this.#offer([]);
    this.#keep();
  }

  // Everything typed here is text: no key of the deck may hear of it.
  #key(event) {
    event.stopPropagation();
    if (event.isComposing) return;
    const act = this.#acts(event);
    if (!act) return;
    event.preventDefault();
    act();
  }

  #acts({ key, shiftKey }) {
    if (this.offered?.length) {
      const move = { ArrowDown: 1, ArrowUp: -1 }[key];
      if (move) return () => { this.picked = (this.picked + move + this.offered.length) % this.offered.length; this.#mark(); };
      if (key === "Enter" || key === "Tab") return () => this.#pick(this.offered[this.picked]);
      if (key === "Escape") return () => this.#offer([]);
    }
    if (key === "Escape") return () => { this.box.blur(); this.leave(); };
    if (key === "Enter" && !shiftKey) return () => this.#say();
    return null;
  }

  #say() {
    if (!this.item || !this.box.value.trim()) return null;
    this.#address(this.target); // from here on it is chosen: sent again, it goes to the same place
    const kept = this.unsent.keep(this.item.item_id, this.box.value, this.thread);
    return this.#send({ kind: "comment", ...kept });
  }

  async #send({ kind, thread, uuid, text }) {
    const { item } = this;
    if (this.sending === uuid) return;
    this.sending = uuid;
    this.note.textContent = "";
    const reply = await ask(this.urls.comment, { body: { uuid, kind, item_id: item.item_id, thread, text } });
    this.sending = null;
    const sent = reply.kind === "ok";
    // Typed on meanwhile, or another item now: what stands there is another comment.
    const same = sent && kind === "comment" && this.unsent.of(item.item_id).uuid === uuid;
    if (same) this.unsent.drop(item.item_id);
    if (this.item !== item) return;
    if (!sent) {
      const why = [reply.error?.message, reply.error?.advice].filter(Boolean).join(" ");
      this.note.textContent = reply.kind === "offline" || !why ? this.texts.notSent : why;
      return;
    }
    if (same) this.box.value = "";
    if (same) this.thread = undefined;
    this.show(reply.body.threads);
  }
}
