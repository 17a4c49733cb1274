// Entry of the votes view: one image, everybody's answer over it in its own hue and dash,
// and the same answers side by side. Shows only; dispute.js puts the lead's ruling beside it.

import { Arrival } from "./arrival.js";
import { cap, el, say, svg } from "./dom.js";
import { Images } from "./images.js";
import { onReach } from "./net.js";
import { Stage } from "./stage.js";
import { tagsOf } from "./tags.js";
import { believed, nextParty, percent, regionsShown } from "./votes_model.js";

const views = new WeakMap();
const BOTTOM_PX = 20;
const LEAST_PX = 420;

// A short line in the party's own hue and dash: what the legend and the boxes have in common.
function stroke(layer) {
  return svg("svg", { class: "stroke", viewBox: "0 0 34 8", "aria-hidden": "true" },
    svg("line", { x1: 1, y1: 4, x2: 33, y2: 4, stroke: layer.colour, "stroke-width": 3, "stroke-dasharray": layer.dash }));
}

/** The image with the answers. `painted()` hears when the picture is there, or never will be. */
export class VotesView {
  constructor(root, painted = () => {}) {
    this.painted = painted;
    this.only = null;
    this.cards = el("div", { class: "cards", role: "list" });
    this.node = el("div", { class: "votes" });
    root.append(this.node);
    this.fit = () => this.#fit();
    window.addEventListener("resize", this.fit);
    this.arrival = new Arrival(new Images("", 2), this.#arrivals());
    this.wake = () => this.arrival.wake();
    this.stopReach = onReach(this.wake);
    window.addEventListener("online", this.wake);
  }

  #arrivals() {
    return {
      loading: (item) => this.stage.loading(item), away: (item, signedOut) => this.stage.away(item, signedOut),
      ready: (_item, image) => {
        this.shown = image.node;
        this.overlay();
        this.painted();
      },
      broken: (item) => {
        this.stage.broken(item, () => this.#load());
        this.painted();
      },
    };
  }

  #fit() {
    const top = this.node.getBoundingClientRect().top + window.scrollY;
    const height = Math.max(LEAST_PX, window.innerHeight - Math.max(0, top) - BOTTOM_PX);
    (this.node.parentElement ?? this.node).style.setProperty("--deck-height", `${height}px`);
  }

  /** How much room there is from here to the window's edge: as large the canvas is drawn. */
  get room() {
    const { left, height } = this.node.getBoundingClientRect();
    return { width: Math.round(window.innerWidth - left - 24), height: Math.round(height) };
  }

  /** Take over what Python says now. */
  update(data) {
    if (data.image !== this.data?.image) this.only = null;
    const fresh = data.image !== this.data?.image;
    this.data = data;
    this.#furnish(data.texts);
    this.#fit();
    if (fresh) this.#load();
    this.#cards();
    this.overlay();
  }

  // The texts come with the first data.
  #furnish(texts) {
    if (this.stage) return;
    this.stage = new Stage(texts);
    this.node.append(this.stage.node, this.cards);
  }

  #load() {
    this.shown = null;
    this.arrival.bring(this.#item());
  }

  #item() {
    const { image, name, width, height } = this.data;
    return { item_id: image, image, name, width, height };
  }

  overlay() {
    if (this.shown) this.stage.show(this.#item(), this.shown, this.data.boxes ? this.#regions() : [], this.data.boxes ? this.#tags() : []);
  }

  #regions() {
    return regionsShown(this.data.layers, this.only);
  }

  // One party alone has its names at its regions.
  #tags() {
    return this.only === null ? tagsOf(this.data.layers, percent) : [];
  }

  /** Put a button into the picture's corner, and what it opens between picture and cards. */
  beside(button, row) {
    this.stage.node.append(button);
    this.node.insertBefore(row, this.cards);
  }

  /** Show the next party's regions alone, after the last all of them again. */
  turn(by) {
    this.alone(nextParty(this.data.layers, this.only, by));
  }

  /** Show one party's regions alone; null shows all. */
  alone(key) {
    this.only = key;
    this.#cards();
    this.overlay();
  }

  #cards() {
    this.cards.replaceChildren(...this.data.layers.map((layer) => this.#card(layer)));
  }

  #card(layer) {
    const { texts, boxes, chosen } = this.data;
    const alone = this.only === layer.key;
    const pick = () => {
      this.alone(alone ? null : layer.key);
      this.cards.querySelector(`[data-only="${CSS.escape(layer.key)}"]`)?.focus();
    };
    return el("div", { class: `card vote${chosen === layer.key ? " chosen" : ""}${alone ? " alone" : ""}`, role: "listitem" },
      el("div", { class: "row" },
        el("span", { class: "who" }, stroke(layer), el("b", { text: layer.name })), cap(layer.key)),
      el("div", { class: "saysall" }, ...this.#words(layer)),
      layer.top?.length ? el("div", { class: "muted small top5", text: believed(layer.top), title: believed(layer.top) }) : null,
      ...layer.lines.map((line) => el("div", { class: "muted small clip", text: line, title: line })),
      boxes ? el("button", { class: "plain", "data-only": layer.key, "aria-pressed": alone, text: alone ? texts.all : texts.only, onclick: pick }) : null);
  }

  #words(layer) {
    const { texts, boxes, questions } = this.data;
    const said = questions.filter((q) => q.key in layer.answer.choices).map((q) => {
      const name = layer.answer.choices[q.key];
      const colour = q.classes.find((c) => c.name === name)?.colour ?? "#8B95A3";
      return el("div", { class: "row says" }, el("i", { class: "swatch", style: { background: colour } }),
        el("b", { text: name }), el("span", { class: "num", text: q === questions[0] ? percent(layer.confidence) : "" }));
    });
    said.push(...this.#several(layer));
    if (!boxes) return said;
    const counts = new Map();
    for (const r of layer.answer.regions) counts.set(r.label, (counts.get(r.label) ?? 0) + 1);
    const list = [...counts].map(([name, n]) => `${name} ${n}`).join(" · ");
    return [...said, el("div", { text: layer.answer.regions.length ? say(texts.boxes, { n: layer.answer.regions.length }) : texts.noBoxes }),
      el("div", { class: "muted small", text: list })];
  }

  // Answers that name several classes, or none of them.
  #several(layer) {
    const { texts, questions } = this.data;
    return questions.filter((q) => layer.answer.multi?.[q.key]).map((q) => {
      const names = layer.answer.multi[q.key];
      return el("div", { class: "row says" }, el("span", { class: "muted small", text: q.title }),
        el("b", { text: names.length ? names.join(" + ") : texts.noneOfThem }));
    });
  }

  destroy() {
    this.arrival.stop();
    this.stopReach();
    window.removeEventListener("online", this.wake);
    this.stage?.destroy();
    window.removeEventListener("resize", this.fit);
    this.node.remove();
  }
}

export default function mount({ data, parentElement }) {
  let view = views.get(parentElement);
  if (!view) {
    view = new VotesView(parentElement);
    views.set(parentElement, view);
  }
  view.update(data);
  return () => {
    views.delete(parentElement);
    view.destroy();
  };
}
