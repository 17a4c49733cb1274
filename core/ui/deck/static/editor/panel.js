// The column beside the image while regions are edited: classes, tools, the list, numbers, actions.

import { cap, el, say } from "../dom.js";
import { capText } from "../keymap.js";
import { RegionList } from "./list.js";
import { selectedOf } from "./model.js";
import { Numbers } from "./numbers.js";

const MOST_BUTTONS = 10;
const POINT_STATES = ["absent", "hidden", "visible"];

/** Replace what a part shows; the control that had the focus has it again. */
function refill(part, ...children) {
  const held = part.getRootNode().activeElement;
  const name = part.contains(held) ? held.dataset.focus : null;
  part.replaceChildren(...children.filter(Boolean));
  if (name) part.querySelector(`[data-focus="${CSS.escape(name)}"]`)?.focus({ preventScroll: true });
}

function action(key, text, onclick, { strong = false } = {}) {
  return el("button", { class: `action${strong ? " strong" : ""}`, title: text, onclick }, el("span", { text }), cap(key));
}

/** The panel. `run(command, detail)` is what its buttons call. */
export class Panel {
  constructor(node, texts, config, run) {
    Object.assign(this, { node, texts, config, run, shown: {} });
    this.count = el("span", { class: "muted num" });
    this.alert = el("div", { class: "card warn", role: "alert", hidden: true });
    this.classes = el("div", { class: "editclasses" });
    this.tools = el("div", { class: "edittools" });
    this.points = el("div", { class: "editpoints" });
    this.questions = el("div", { class: "editquestions" });
    this.list = new RegionList(texts, (name) => this.#colour(name), (id) => run("pick", { id }));
    this.numbers = new Numbers(texts, (detail) => run("coordinate", detail));
    this.live = el("div", { class: "editsaid", role: "status", "aria-live": "polite" });
    this.undo = action("Z", texts.undo, () => run("undo"));
    this.redo = action("⇧Z", texts.redo, () => run("redo"));
    this.#fill();
    node.addEventListener("keydown", (event) => this.#key(event));
  }

  #fill() {
    const { texts, run, node } = this;
    node.setAttribute("aria-label", texts.panelName);
    node.replaceChildren(
      el("div", { class: "editscroll" },
        el("div", { class: "row" }, el("h3", { class: "edithead", text: texts.heading[this.config.shape] }), this.count),
        this.alert, this.classes, this.tools, this.list.node, this.points, this.questions, this.numbers.node),
      this.live,
      el("div", { class: "actions" },
        action("S", texts.save, () => run("save"), { strong: true }),
        action("D", texts.duplicate, () => run("duplicate")), action("Del", texts.remove, () => run("delete")),
        this.undo, this.redo,
        action("Esc", texts.leave, () => run("leave")),
        action(capText(this.config.canvasKey), texts.canvas, () => run("canvas"))));
  }

  open(_item, sentence) {
    this.node.hidden = false;
    this.shown = {};
    this.list.clear();
    this.live.textContent = "";
    this.problem(sentence);
  }

  close() {
    this.node.hidden = true;
  }

  /** Show a sentence that stays. */
  problem(sentence) {
    this.alert.hidden = !sentence;
    this.alert.textContent = sentence;
  }

  say(text) {
    this.live.textContent = text;
  }

  has(node) {
    return this.node.contains(node);
  }

  isList(node) {
    return this.list.node.contains(node);
  }

  /** Show a state; only what changed is made anew. */
  update(state, ui) {
    const region = selectedOf(state);
    this.count.textContent = say(this.texts.count, { n: state.regions.length });
    this.undo.disabled = !ui.canUndo;
    this.redo.disabled = !ui.canRedo;
    this.list.update(state);
    this.numbers.update(state);
    const label = region?.label ?? state.label;
    this.#when("classes", [label, region === null], () => this.#classes(label, region !== null));
    this.#when("tools", [ui.fresh, ui.radius, ui.erasing], () => this.#tools(ui));
    this.#when("points", [state.selected, state.vertex, region?.points?.map((p) => p[2]).join(), ui.placing], () => this.#points(state, region));
    this.#when("questions", [state.selected, JSON.stringify(region?.attributes ?? null), ui.question], () => this.#questions(region, ui.question));
  }

  #when(name, facts, make) {
    const now = JSON.stringify(facts);
    if (this.shown[name] === now) return;
    this.shown[name] = now;
    make();
  }

  #colour(name) {
    return this.config.classes.find((c) => c.name === name)?.colour ?? "#8B95A3";
  }

  #classes(label, ofSelected) {
    const { texts, config } = this;
    const title = el("div", { class: "eyebrow", text: ofSelected ? texts.classOfThis : texts.classOfNext });
    if (config.classes.length > MOST_BUTTONS) return refill(this.classes, title, this.#chooser(label));
    const buttons = config.classes.map((c, i) => el("button", {
      class: `class${c.name === label ? " chosen" : ""}`, "aria-pressed": String(c.name === label), "data-focus": c.name,
      onclick: () => this.run("relabel", { label: c.name }), title: c.name,
    }, cap(c.key || String((i + 1) % 10)), el("i", { class: "swatch", style: { background: c.colour } }), el("span", { class: "name", text: c.name })));
    return refill(this.classes, title, el("div", { class: "editgrid" }, ...buttons));
  }

  #chooser(label) {
    return el("button", { class: "class chosen", "data-focus": "classes", "aria-haspopup": "dialog", onclick: () => this.run("classes") },
      el("i", { class: "swatch", style: { background: this.#colour(label) } }), el("span", { class: "name", text: label }), cap("/"));
  }

  #tools({ fresh, radius, erasing }) {
    const { texts, run, config } = this;
    const toggle = (key, text, pressed, name) => el("button", {
      class: `tool${pressed ? " chosen" : ""}`, "aria-pressed": String(pressed), "data-focus": name, onclick: () => run(name),
    }, el("span", { text }), cap(key));
    const parts = [toggle("A", texts.fresh[config.shape], fresh, "fresh")];
    if (config.shape === "mask") {
      const slider = el("input", { type: "range", min: 1, max: 200, value: radius, "aria-label": texts.brushDiameter, "data-focus": "size",
        oninput: (event) => run("radius", { radius: Number(event.target.value) }) });
      parts.push(toggle("B", texts.brush, !erasing, "brush"), toggle("E", texts.eraser, erasing, "eraser"),
        el("label", { class: "brushsize" }, el("span", { class: "muted small", text: texts.brushDiameter }), cap("["), slider, cap("]"),
          el("span", { class: "num small", text: `${radius * 2} px` })));
    }
    refill(this.tools, ...parts);
  }

  #points({ vertex }, region) {
    const { texts, config, run } = this;
    if (config.shape !== "keypoints" || !region) return refill(this.points);
    const rows = region.points.map(([, , v], i) => el("button", {
      class: `point ${POINT_STATES[v]}${i === vertex ? " chosen" : ""}`, "aria-pressed": String(i === vertex), "data-focus": `point ${i}`,
      "aria-label": say(texts.pointState, { name: config.skeleton.points[i], state: texts.pointStates[v] }), onclick: () => run("vertex", { vertex: i }),
    }, el("span", { text: config.skeleton.points[i] })));
    return refill(this.points, el("div", { class: "row" }, el("span", { class: "row" }, el("span", { class: "eyebrow", text: texts.pointsTitle }),
      el("span", { class: "muted small num pointcount", text: say(texts.pointsSet, { n: region.points.filter((p) => p[2]).length, all: region.points.length }) })),
      el("span", { class: "row" }, el("button", { class: "plain mini", "data-focus": "v", onclick: () => run("visibility") }, el("span", { text: texts.hiddenKey }), cap("V")),
        el("button", { class: "plain mini", "data-focus": "x", onclick: () => run("absent") }, el("span", { text: texts.absentKey }), cap("X")))),
    el("div", { class: "pointrow" }, ...rows));
  }

  #questions(region, open) {
    const { config, run } = this;
    if (!region || !config.regionQuestions.length) return refill(this.questions);
    return refill(this.questions, ...config.regionQuestions.map((question, place) => el("div", { class: `attribute${place === open ? " open" : ""}` },
      el("div", { class: "row" }, el("span", { class: "small", text: question.title }), place === open || open === null ? cap("Q") : null),
      el("div", { class: "pointrow", role: "group", "aria-label": question.title }, ...question.classes.map((c, i) => el("button", {
        class: `choice${region.attributes[question.key] === c.name ? " chosen" : ""}`, "aria-pressed": String(region.attributes[question.key] === c.name),
        "data-focus": `${question.key} ${c.name}`, onclick: () => run("answer", { key: question.key, value: c.name }),
      }, place === open ? cap(c.key || String((i + 1) % 10)) : null, el("span", { text: c.name })))))));
  }

  /** Go to the numbers of what is selected. */
  focusNumbers() {
    if (!this.numbers.focus()) this.say(this.texts.noNumbers);
  }

  // Out of a field and back to the image.
  #key(event) {
    if (event.key !== "Escape" || !event.target.closest("input,select")) return;
    event.preventDefault();
    event.stopPropagation();
    this.node.getRootNode().querySelector(".stage.editing")?.focus({ preventScroll: true });
  }
}
