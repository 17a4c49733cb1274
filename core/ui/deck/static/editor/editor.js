// Drawing and correcting the regions of one image, in place: hand, keys, drawing and panel together.

import { say } from "../dom.js";
import { isPressing, isTyping } from "../keys.js";
import { BoxTool } from "./box.js";
import { BrushTool } from "./brush.js";
import { middle, stepped } from "./crosshair.js";
import { Drawing } from "./draw.js";
import { canvasKeyOf, editKey } from "./keymap.js";
import { KeypointsTool } from "./keypoints.js";
import { Model, answer, begin, deleteVertex, duplicate, insertVertex, moveVertex, relabel, remove, reshape, select, selectedOf, step, stepVertex, stretch } from "./model.js";
import { Panel } from "./panel.js";
import { Pointer } from "./pointer.js";
import { PolygonTool } from "./polygon.js";
import { MOST_REGIONS } from "./read.js";

const TOOLS = { box: BoxTool, polygon: PolygonTool, keypoints: KeypointsTool, mask: BrushTool };
const FAST_PX = 10;
const OTHER = "#8B95A3";
const DIGITS = "1234567890";

/**
 * The editor of one image's regions.
 * config: {shape, classes [{name, colour, key}], regionQuestions, skeleton: {points, edges}, canvasKeys}.
 * onchange(regions) hears every change, onsave(regions) and onleave(regions) how it ended;
 * oncanvas(), onhelp(), oninfo() and onsearch(classes, onpick) are asked for by key or button.
 */
export class Editor {
  constructor({ stage, panelNode, config, texts, onchange, onsave, onleave, oncanvas, onhelp, oninfo, onsearch }) {
    Object.assign(this, { stage, config, texts, onchange, onsave, onleave, oncanvas, onhelp, oninfo, onsearch });
    this.canvasKey = canvasKeyOf(config.canvasKeys ?? [], config.shape);
    this.panel = new Panel(panelNode, texts, { ...config, canvasKey: this.canvasKey }, (name, detail) => this.run(name, detail));
    this.model = null;
  }

  get isOpen() {
    return this.model !== null;
  }

  /** Begin with an item that is on the stage; regions in the contract's form. */
  open(item, regions, sentence = "") {
    const { shape, classes, skeleton, regionQuestions } = this.config;
    const rules = { shape, size: [item.width, item.height], count: skeleton.points.length, questions: regionQuestions };
    const { state, dropped, over } = begin(rules, regions, classes[0]?.name ?? "");
    this.item = item;
    this.model = new Model(state);
    this.fresh = false;
    this.visible = true;
    this.question = null;
    this.byKey = false;
    this.tool = new TOOLS[shape](this.#desk());
    this.drawing = new Drawing(this.stage, { colourOf: (label) => this.#colour(label), skeleton, size: rules.size });
    this.tool.painted = (mask, part) => this.#painted(mask, part);
    this.pointer = new Pointer(this.stage.node, this);
    this.cursor = middle(this.viewport.visible());
    this.model.listen((now, before) => this.#changed(now, before));
    this.#dress(true);
    const lost = dropped + (item.draft_dropped ?? 0);
    const said = [sentence, lost && say(this.texts.dropped, { n: lost }), over && say(this.texts.tooMany, { n: over, most: MOST_REGIONS })];
    this.panel.open(item, said.filter(Boolean).join(" "));
    this.say("opened", { n: state.regions.length, name: item.name });
    this.refresh();
  }

  get viewport() {
    return this.stage.viewport;
  }

  /** Give the regions in the contract's form. */
  regions() {
    return this.model?.regions() ?? [];
  }

  /** Show a sentence that matters: what the server refused, what was dropped. */
  problem(sentence) {
    this.panel.problem(sentence);
  }

  #desk() {
    const editor = this;
    return {
      model: this.model, edges: this.config.skeleton.edges,
      scale: () => this.viewport?.scale ?? 1,
      get fresh() { return editor.fresh; },
      set fresh(on) { editor.fresh = on; },
      say: (name, values) => this.say(name, values),
      drawn: () => this.#drawn(),
      refused: (fits) => this.say(fits ? "full" : "tooSmall", { n: MOST_REGIONS }),
      pointName: (i) => this.config.skeleton.points[i] ?? String(i + 1),
    };
  }

  #colour(label) {
    return this.config.classes.find((c) => c.name === label)?.colour ?? OTHER;
  }

  #dress(on) {
    const { node } = this.stage;
    node.classList.toggle("editing", on);
    node.dataset.drawing = on ? this.config.shape : "";
    if (on) {
      node.setAttribute("tabindex", "0");
      node.setAttribute("role", "application");
      node.setAttribute("aria-label", this.texts.stageName);
      node.focus({ preventScroll: true });
    } else {
      node.removeAttribute("tabindex");
      node.setAttribute("role", "group");
      node.setAttribute("aria-label", this.texts.stageBefore);
    }
    this.stage.setPanning(!on);
  }

  #changed(now, before) {
    if (now.regions !== before.regions) this.onchange(this.regions());
    if (now.selected !== before.selected) {
      this.question = null;
      this.#seek(now);
    }
    this.refresh();
  }

  // What is selected by key may lie outside of what is seen.
  #seek(state) {
    const box = selectedOf(state)?.box;
    if (!box || this.pointer.pressed) return;
    const [x1, y1, x2, y2] = this.viewport.visible();
    if (box[0] > x2 || box[2] < x1 || box[1] > y2 || box[3] < y1) this.viewport.centreOn((box[0] + box[2]) / 2, (box[1] + box[3]) / 2);
  }

  #drawn() {
    this.fresh = false;
    const { state } = this.model;
    const label = selectedOf(state)?.label ?? "";
    this.say("drawn", { label, n: state.regions.length });
  }

  #painted(mask, part) {
    const { preview } = this.drawing;
    if (part === null) preview.begin(mask, this.#colour(selectedOf(this.model.state)?.label ?? this.model.state.label), this.viewport.visible());
    else preview.draw(mask, part);
    this.refresh();
  }

  /** Draw what changed, once a frame. */
  refresh() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.isOpen && this.viewport) this.#draw();
    });
  }

  #draw() {
    if (this.viewport !== this.followed) {
      this.stopFollowing?.();
      this.followed = this.viewport;
      this.stopFollowing = this.viewport.listen(() => this.refresh());
    }
    const { state } = this.model;
    const { painting } = this.tool;
    if (!this.tool.mask) this.drawing.preview.end();
    this.drawing.update(state, painting);
    const crosshair = this.byKey && this.aims ? this.cursor : null;
    this.drawing.place(state, this.viewport, { ghost: this.tool.ghost(), crosshair });
    this.panel.update(state, {
      fresh: this.fresh, question: this.question, canUndo: this.model.past.length > 0, canRedo: this.model.future.length > 0,
      radius: this.tool.radius, erasing: this.tool.erasing, placing: this.tool.placing, visible: this.visible,
    });
  }

  /** Say something to eye and screen reader. */
  say(name, values = {}) {
    const round = Object.fromEntries(Object.entries(values).map(([k, v]) => [k, typeof v === "number" ? Math.round(v * 100) / 100 : v]));
    this.panel.say(say(this.texts[name], round));
  }

  // --- the hand: called by Pointer with image pixels --------------------------------------------

  /** The pointer went over the stage; with a finger down it draws. */
  pointed(at, pressed) {
    this.byKey = false;
    if (pressed) this.tool.move(at);
    else this.tool.hover(at);
    this.cursor = at.map((v, i) => Math.min(Math.max(Math.round(v), 0), this.model.state.rules.size[i]));
    this.refresh();
  }

  pressed(at, more) {
    this.byKey = false;
    this.tool.down(at, more);
    this.refresh();
  }

  released(at) {
    this.tool.up(at);
    this.refresh();
  }

  /** What the pointer began is not to be drawn. */
  dropped() {
    this.tool.drop();
    this.refresh();
  }

  /** A double click closes a polygon. */
  doubled() {
    if (this.tool.ring?.length >= 3) this.tool.close();
    this.refresh();
  }

  // --- keys -------------------------------------------------------------------------------------

  /** Take a key press; tells whether it was the editor's. */
  key(event) {
    const origin = event.composedPath()[0];
    if (!this.isOpen || isTyping(origin) || isPressing(origin, event)) return false;
    const command = editKey(event, this.config.shape, this.canvasKey);
    if (!command) return false;
    const inPanel = this.panel.has(origin);
    if (event.key === "Tab" && inPanel) return false;
    if (command.name === "arrow" && this.panel.isList(origin)) Object.assign(command, { name: command.by[0] + command.by[1] > 0 ? "next" : "previous" });
    this.run(command.name, command);
    return true;
  }

  /** Tell whether arrows move the crosshair; else they move what is selected. */
  get aims() {
    const { selected } = this.model.state;
    return this.fresh || selected === null || this.config.shape === "mask" || this.#halfDrawn;
  }

  get #halfDrawn() {
    return Boolean(this.tool.corner || this.tool.ring?.length || this.tool.placing);
  }

  /** Do what a key or a button asks for. */
  run(name, detail = {}) {
    if (!this.isOpen) return;
    const { model, tool } = this;
    const { selected, vertex } = model.state;
    const commands = {
      escape: () => this.#escape(), leave: () => this.leave(), save: () => this.save(),
      undo: () => tool.back() || model.undo() || this.say("nothingToUndo"),
      redo: () => model.redo() || this.say("nothingToRedo"),
      delete: () => this.#delete(), duplicate: () => model.apply(duplicate, selected) && this.say("duplicated"),
      next: () => this.#step(1), previous: () => this.#step(-1), pick: () => this.#pick(detail),
      fresh: () => this.#begin(), set: () => this.#set(detail), space: () => this.#space(),
      arrow: () => this.#arrow(detail), digit: () => this.#digit(detail.digit),
      relabel: () => this.#relabel(detail.label), answer: () => this.#answer(detail.key, detail.value),
      question: () => this.#nextQuestion(), classes: () => this.onsearch(this.config.classes, (label) => this.isOpen && this.#relabel(label)),
      insert: () => this.#insert(), visibility: () => tool.toggle?.(), absent: () => tool.absent?.(),
      numbers: () => this.panel.focusNumbers(), coordinate: () => this.#coordinate(detail),
      brush: () => this.#erase(false), eraser: () => this.#erase(true), radius: () => tool.setRadius(detail.radius),
      smaller: () => this.#resize(-1), larger: () => this.#resize(1),
      zoomIn: () => this.#zoom(1.25), zoomOut: () => this.#zoom(0.8), fit: () => this.stage.commands.toggleFit(),
      overlay: () => this.#show(!this.visible), help: () => this.onhelp(), info: () => this.oninfo(), canvas: () => this.oncanvas(),
      vertex: () => model.apply(select, selected, detail.vertex ?? vertex), repeat: () => {},
    };
    commands[name]?.();
    if (this.isOpen) this.refresh();
  }

  #escape() {
    if (this.tool.cancel()) return this.say("brokenOff");
    if (this.question !== null) return this.#ask(null);
    if (this.fresh) return this.#setFresh(false);
    if (this.model.state.vertex !== null) return this.model.apply(select, this.model.state.selected, null);
    return this.leave();
  }

  #begin() {
    this.tool.cancel();
    this.model.apply(select, null);
    this.#setFresh(true);
    this.say(`fresh_${this.config.shape}`, { label: this.model.state.label });
  }

  #setFresh(on) {
    this.fresh = on;
    if (on) this.byKey = true;
  }

  // Who takes something from the list wants no new one.
  #pick({ id, vertex = null }) {
    this.#setFresh(false);
    this.model.apply(select, id, vertex);
  }

  #step(by) {
    this.tool.cancel();
    this.#setFresh(false);
    if (!this.model.apply(step, by) && !this.model.state.regions.length) return this.say("noRegions");
    const { state } = this.model;
    const region = selectedOf(state);
    return this.say("selected", { label: region.label, n: state.regions.indexOf(region) + 1, all: state.regions.length, ...this.#place(region) });
  }

  #place({ box: [x1, y1, x2, y2] }) {
    return { x1, y1, x2, y2 };
  }

  #set({ back = false }) {
    const { ring } = this.tool;
    if (ring?.length && (back || !this.byKey)) return this.tool.close();
    if (this.aims) return this.#aim();
    if (this.config.shape === "box") return this.say("boxArrows");
    this.model.apply(stepVertex, back ? -1 : 1);
    const { state } = this.model;
    const [x, y] = selectedOf(state).points[state.vertex];
    return this.say("vertexInHand", { n: state.vertex + 1, all: selectedOf(state).points.length, x, y });
  }

  #aim() {
    this.byKey = true;
    this.tool.set(this.cursor, { byKey: true });
  }

  // Held down, Space drags the image about; let go without that, it sets what Enter sets.
  #space() {
    this.pointer.spaced(() => {
      if (!this.isOpen) return;
      if (this.aims) this.#aim();
      else this.#set({});
      this.refresh();
    });
  }

  #arrow(detail) {
    const { model, tool, config } = this;
    const { selected, vertex, rules } = model.state;
    const by = detail.by.map((v) => v * (detail.shift ? FAST_PX : 1));
    if (detail.alt && selected !== null && !this.#halfDrawn) {
      if (config.shape === "mask") tool.nudge(by);
      else model.during(`stretch ${selected}`, stretch, selected, by);
      return this.#told();
    }
    if (this.aims) return this.#moveCrosshair(detail, rules.size);
    if (vertex !== null) {
      const [x, y] = selectedOf(model.state).points[vertex];
      model.during(`vertex ${selected} ${vertex}`, moveVertex, selected, vertex, [x + by[0], y + by[1]]);
    } else tool.nudge(by);
    return this.#told();
  }

  #told() {
    const region = selectedOf(this.model.state);
    if (region) this.say("at", this.#place(region));
  }

  #moveCrosshair(detail, size) {
    this.byKey = true;
    this.cursor = stepped(this.cursor, detail, this.viewport.visible(), size);
    const [x1, y1, x2, y2] = this.viewport.visible();
    const [x, y] = this.cursor;
    if (x < x1 || x > x2 || y < y1 || y > y2) this.viewport.centreOn(x, y);
    this.tool.hover(this.cursor);
    this.say("crosshairAt", { x, y });
  }

  #zoom(factor) {
    const spot = this.byKey && this.aims ? this.viewport.toStage(...this.cursor) : null;
    if (spot) this.viewport.zoomAt(factor, ...spot);
    else if (factor > 1) this.stage.commands.zoomIn();
    else this.stage.commands.zoomOut();
  }

  #show(visible) {
    this.visible = visible;
    this.drawing.show(visible);
    this.say(visible ? "overlayShown" : "overlayHiddenNow");
  }

  // --- commands on what is selected ---------------------------------------------------------------

  #delete() {
    if (this.tool.back()) return undefined;
    const { selected, vertex } = this.model.state;
    if (selected === null) return this.say("nothingSelected");
    if (vertex !== null && this.config.shape === "polygon") {
      return this.model.apply(deleteVertex, selected, vertex) ? this.say("vertexDeleted") : this.say("threeCorners");
    }
    if (vertex !== null && this.config.shape === "keypoints") return this.tool.absent();
    this.model.apply(remove, selected);
    return this.say("deleted", { n: this.model.state.regions.length });
  }

  #insert() {
    const { selected, vertex } = this.model.state;
    const region = selectedOf(this.model.state);
    if (region?.shape !== "polygon") return this.config.shape === "polygon" ? this.say("nothingSelected") : undefined;
    const after = vertex ?? 0;
    const [[x1, y1], [x2, y2]] = [region.points[after], region.points[(after + 1) % region.points.length]];
    this.model.apply(insertVertex, selected, after, [(x1 + x2) / 2, (y1 + y2) / 2]);
    return this.say("vertexInserted");
  }

  #digit(digit) {
    const open = this.config.regionQuestions[this.question];
    const classes = open?.classes ?? this.config.classes;
    const found = classes.find((c) => c.key === digit) ?? classes[DIGITS.indexOf(digit)];
    if (!found) return this.say("noClassFor", { digit });
    return open ? this.#answer(open.key, found.name) : this.#relabel(found.name);
  }

  #relabel(label) {
    const { selected } = this.model.state;
    this.model.apply(relabel, selected, label);
    this.say(selected === null ? "nextClass" : "relabelled", { label });
  }

  #nextQuestion() {
    const asked = this.config.regionQuestions;
    const region = selectedOf(this.model.state);
    if (!asked.length || !region) return this.say(asked.length ? "nothingSelected" : "noQuestions");
    if (this.question !== null) return this.#ask((this.question + 1) % asked.length);
    return this.#ask(Math.max(0, asked.findIndex((q) => !(q.key in region.attributes))));
  }

  #ask(place) {
    this.question = place;
    if (place !== null) this.say("nowAsked", { question: this.config.regionQuestions[place].title });
  }

  #answer(key, value) {
    const { selected } = this.model.state;
    const before = selectedOf(this.model.state)?.attributes[key];
    this.model.apply(answer, selected, key, before === value ? null : value);
    const missing = this.#missing(selectedOf(this.model.state));
    this.#ask(before === value || missing < 0 ? null : missing);
    if (this.question === null) this.say("answered", { value });
  }

  // The first question a region has no answer to, or -1.
  #missing(region) {
    return region ? this.config.regionQuestions.findIndex((q) => !(q.key in region.attributes)) : -1;
  }

  #coordinate({ box, vertex, at }) {
    const { selected, rules } = this.model.state;
    const done = box ? this.model.apply(reshape, selected, { box: this.#within(box, rules.size) })
      : this.model.apply(moveVertex, selected, vertex, this.#within(at, rules.size));
    if (done) this.#told();
    else this.say("coordinateRefused");
  }

  #within(values, size) {
    return values.map((v, i) => Math.min(Math.max(v, 0), size[i % 2]));
  }

  #erase(on) {
    this.tool.erasing = on;
    this.say(on ? "eraserInHand" : "brushInHand");
  }

  #resize(by) {
    this.tool.resize?.(by);
    if (this.tool.radius) this.say("brushSize", { n: this.tool.radius * 2 });
  }

  // --- the end ------------------------------------------------------------------------------------

  /** Save, unless something is half drawn or a question about a region is open. */
  save() {
    const { ring, corner } = this.tool;
    if (ring?.length || corner) return this.say("halfDrawn");
    const { state } = this.model;
    const lacking = state.regions.find((r) => this.#missing(r) >= 0);
    if (lacking) {
      this.model.apply(select, lacking.id);
      this.#ask(this.#missing(lacking));
      return this.say("unanswered", { label: lacking.label, n: state.regions.indexOf(lacking) + 1, question: this.config.regionQuestions[this.question].title });
    }
    return this.onsave(this.regions());
  }

  /** Leave; what was drawn is handed over to be kept. */
  leave() {
    this.onleave(this.regions());
  }

  /** Take everything off the stage. */
  close() {
    if (!this.isOpen) return;
    cancelAnimationFrame(this.frame);
    this.frame = null;
    this.stopFollowing?.();
    this.followed = null;
    this.pointer.destroy();
    this.drawing.destroy();
    this.panel.close();
    this.#dress(false);
    this.model = null;
  }
}
