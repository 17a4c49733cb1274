// What is known of the item beside the vote: history, labelled images like it, the discussion.
// Folded until somebody wants it, asked for a moment after the image, never in the way of a key.

import { el, say } from "./dom.js";
import { ask } from "./net.js";
import { browserStorage } from "./storage.js";
import { ago, Talk } from "./talk.js";

const AFTER_MS = 250;
const FOLDS = "tiebreak.about.open";

/** Say one line of an item's history. */
export function historyLine(texts, row, when) {
  const who = row.mine ? texts.you : row.who;
  if (row.kind === "settled") return say(texts.historyKinds.settled, { what: row.what || texts.settledStates[row.who] || row.who, when });
  return say(texts.historyKinds[row.kind] ?? row.kind, { who, what: row.what, when });
}

/** Say how alike two images are, as people read it. */
export function likeness(similarity) {
  return `${Math.max(0, Math.round(similarity * 100))} %`;
}

function readFolds(storage) {
  try {
    const open = JSON.parse(storage.getItem(FOLDS) ?? "[]");
    return new Set(Array.isArray(open) ? open : []);
  } catch {
    return new Set();
  }
}

/** The three sections below the classes. `run("leave")` gives the keys back to the deck. */
export class About {
  constructor(texts, urls, run, person = "") {
    this.texts = texts;
    this.urls = urls;
    this.storage = browserStorage();
    this.open = readFolds(this.storage);
    this.item = null;
    this.known = null; // the item that what is drawn belongs to
    this.talk = new Talk(texts, urls, person, () => run("leave"));
    this.history = el("div", {});
    this.alike = el("div", {});
    this.trouble = el("div", { class: "small gone", role: "status", hidden: true });
    this.sections = {
      history: this.#section("history", texts.history, this.history),
      alike: this.#section("alike", texts.alike, this.alike),
      talk: this.#section("talk", texts.discussion, this.talk.node),
    };
    this.node = el("div", { class: "about" }, ...Object.values(this.sections), this.trouble);
  }

  /** Turn to an item; anything still on its way for another is given up. */
  show(item) {
    if (this.item?.item_id === item?.item_id) return;
    this.#stop();
    this.item = item;
    this.known = null;
    this.node.hidden = item === null;
    if (item === null) return;
    this.talk.turnTo(item);
    this.sections.talk.firstElementChild.textContent = this.texts.discussion;
    this.#empty(this.texts.loading);
    if (this.open.size) this.timer = setTimeout(() => this.#ask(), AFTER_MS);
  }

  /** Open the discussion and put the caret there. */
  write() {
    if (this.item === null) return;
    this.sections.talk.open = true;
    this.talk.focus();
  }

  #section(name, title, body) {
    return el("details", {
      class: "known", open: this.open.has(name), ontoggle: (event) => this.#folded(name, event.currentTarget.open),
    }, el("summary", { text: title }), body);
  }

  #folded(name, open) {
    if (open === this.open.has(name)) return;
    if (open) this.open.add(name);
    else this.open.delete(name);
    try {
      this.storage.setItem(FOLDS, JSON.stringify([...this.open]));
    } catch {
      // Then it is folded again after a reload.
    }
    if (open && this.item && this.known === null && !this.asking) this.#ask();
  }

  #stop() {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.asking = null;
  }

  async #ask() {
    this.#stop();
    const { item } = this;
    const asking = new AbortController();
    this.asking = asking;
    const reply = await ask(`${this.urls.about}/${item.item_id}`, { signal: asking.signal });
    if (this.asking !== asking) return;
    this.asking = null;
    if (reply.kind === "ok") this.#draw(reply.body);
    else this.#failed(reply);
  }

  #failed(reply) {
    this.#empty("");
    const why = reply.kind === "offline" ? "" : [reply.error?.message, reply.error?.advice].filter(Boolean).join(" ");
    this.trouble.hidden = false;
    this.trouble.replaceChildren(el("span", { text: why || this.texts.aboutOffline }),
      el("button", { class: "plain", text: this.texts.tryAgain, onclick: () => this.#ask() }));
  }

  #empty(text) {
    this.trouble.hidden = true;
    for (const part of [this.history, this.alike]) part.replaceChildren(el("div", { class: "muted small", text }));
  }

  #draw({ history, neighbours, embedded, threads, people }) {
    this.known = this.item.item_id;
    this.trouble.hidden = true;
    this.#history(history);
    this.#alike(neighbours, embedded);
    this.talk.show(threads, people);
    const open = threads.filter((t) => !t.resolved).length;
    this.sections.talk.firstElementChild.textContent = open ? say(this.texts.discussionOpen, { n: open }) : this.texts.discussion;
  }

  #history(rows) {
    const language = document.documentElement.lang || "en";
    const lines = [...rows].reverse().map((row) => el("li", {
      class: "small", title: new Date(row.at * 1000).toLocaleString(language),
      text: historyLine(this.texts, row, ago(row.at, Date.now() / 1000, language)),
    }));
    this.history.replaceChildren(el("ul", { class: "happened" }, ...lines));
  }

  #alike(neighbours, embedded) {
    if (!neighbours.length) {
      this.alike.replaceChildren(el("div", { class: "muted small", text: embedded ? this.texts.noneAlike : this.texts.alikeLater }));
      return;
    }
    const preview = el("figure", { class: "preview", hidden: true });
    const rows = neighbours.map((n) => this.#neighbour(n, preview));
    this.alike.replaceChildren(el("ul", { class: "alike" }, ...rows), preview);
  }

  #neighbour(found, preview) {
    const source = `${this.urls.base}${found.image}&w=400`;
    const words = say(this.texts.alikeOne, { label: found.label, name: found.name, share: likeness(found.similarity) });
    const show = () => {
      preview.hidden = false;
      preview.replaceChildren(el("img", { src: source, alt: found.name }),
        el("figcaption", { class: "small" }, el("b", { text: found.label }), el("span", { class: "muted", text: ` · ${found.name}` })));
    };
    const hide = () => { preview.hidden = true; };
    return el("li", {}, el("a", {
      href: this.urls.known.replace("__ITEM__", found.item_id), target: "_blank", rel: "noopener", "aria-label": words,
      title: found.label, onfocus: show, onblur: hide, onpointerenter: show, onpointerleave: hide,
    }, el("img", { src: source, alt: "", loading: "lazy", decoding: "async" }),
    el("span", { class: "label small", text: found.label }), el("span", { class: "muted num", text: likeness(found.similarity) })));
  }
}
