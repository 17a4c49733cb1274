// Which items come, and in which order: the choice of it, and the filters in force.

import { el, say } from "./dom.js";

/** The parts of a queue as they stand in the address. */
export const PARTS = ["order", "queue", "class", "slice", "list"];

/** Keep the parts of a queue that say something. */
export function cleanQueue(queue = {}) {
  return Object.fromEntries(PARTS.filter((p) => queue[p]).map((p) => [p, String(queue[p])]));
}

/** Tell whether a queue leaves items out. */
export function isFiltered(queue) {
  return PARTS.some((p) => p !== "order" && queue[p]);
}

/** Say one filter in words; `names` gives what the server calls a value: {"list 3": "Hard ones"}. */
export function filterWords(texts, part, value, names = {}) {
  const named = part === "queue" ? texts.queues[value] ?? value : names[`${part} ${value}`] ?? value;
  return say(texts.filters[part] ?? "{value}", { value: named });
}

/** Say all filters in words. */
export function queueWords(texts, queue, names = {}) {
  return PARTS.filter((p) => p !== "order" && queue[p]).map((p) => filterWords(texts, p, queue[p], names)).join(" · ");
}

/** Write a queue into an address, in place of what it said before. */
export function addressOf(href, queue) {
  const url = new URL(href);
  for (const part of [...PARTS, "item"]) url.searchParams.delete(part);
  for (const [part, value] of Object.entries(cleanQueue(queue))) url.searchParams.set(part, value);
  return url.href;
}

/** The controls of the queue; `onchange(queue)` hears what is wanted. */
export class QueueBar {
  constructor({ texts, orders, questions }, onchange) {
    this.texts = texts;
    this.onchange = onchange;
    this.queue = {};
    this.names = {};
    this.remarks = {};
    this.order = this.#select(texts.order, [["", texts.orderDefault], ...orders.map((o) => [o.code, o.text])], "order");
    this.which = this.#select(texts.which, [["", texts.allItems], ...Object.entries(texts.queues)], "queue");
    const names = questions[0].classes.map((c) => c.name);
    this.only = names.length && names.length <= 60 ? this.#select(texts.onlyClass, [["", texts.anyClass], ...names.map((n) => [n, n])], "class") : null;
    this.chips = el("span", { class: "chips" });
    this.remark = el("span", { class: "muted clip", role: "status" });
    this.node = el("div", { class: "queuebar", role: "group", "aria-label": texts.queueBar }, this.order, this.which, this.only, this.chips, this.remark);
  }

  #select(label, options, part) {
    const node = el("select", { class: "pickone", "aria-label": label, title: label },
      ...options.map(([value, text]) => el("option", { value, text })));
    node.addEventListener("change", () => {
      node.blur(); // the next key is meant for the deck again
      this.#change({ ...this.queue, [part]: node.value });
    });
    return node;
  }

  #change(queue) {
    this.onchange(cleanQueue(queue));
  }

  /** Say what could not be done as asked, such as an order without its data. */
  note(text = "") {
    this.remark.textContent = text;
    this.remark.title = text;
  }

  /** Know what a value of the queue is called, and what its chip's title adds to that. */
  named(part, value, name, remark = "") {
    const key = `${part} ${value}`;
    if (this.names[key] === name && this.remarks[key] === remark) return;
    this.names[key] = name;
    this.remarks[key] = remark;
    this.show(this.queue);
  }

  /** Show the queue in force. */
  show(queue) {
    this.queue = cleanQueue(queue);
    for (const [node, part] of [[this.order, "order"], [this.which, "queue"], [this.only, "class"]]) {
      if (!node) continue;
      const value = this.queue[part] ?? "";
      if (![...node.options].some((o) => o.value === value)) node.append(el("option", { value, text: value }));
      node.value = value;
      node.hidden = part !== "order" && value !== ""; // its chip stands in its place
      node.classList.toggle("set", value !== "");
    }
    const chip = (part) => {
      const text = filterWords(this.texts, part, this.queue[part], this.names);
      const remark = this.remarks[`${part} ${this.queue[part]}`];
      return el("button", {
        class: "chip", title: remark ? `${text}: ${remark}` : text, "aria-label": say(this.texts.dropFilter, { filter: text }),
        onclick: () => this.#change({ ...this.queue, [part]: "" }),
      }, el("span", { class: "clip", text }), el("span", { "aria-hidden": "true", text: "×" }));
    };
    const parts = PARTS.filter((p) => p !== "order" && this.queue[p]);
    const all = el("button", { class: "chip all", text: this.texts.allItems, onclick: () => this.#change({ order: this.queue.order }) });
    this.chips.replaceChildren(...parts.map(chip), ...(parts.length > 1 ? [all] : []));
  }
}
