// The column beside the image: the pre-label, the classes, the actions, what is known of the item.

import { cap, el, say } from "./dom.js";
import { inWords, isAnswered, MANY, markedOf, retiredIn, shownRegions, suggested } from "./flow.js";
import { ariaKey, capOf, keyIn } from "./keymap.js";

const NO_COLOUR = "#8B95A3";

/** Write a share as people read it. */
export function percent(value) {
  return value === null || value === undefined ? "" : `${(value * 100).toFixed(0)} %`;
}

function colourOf(question, name) {
  return question?.classes.find((c) => c.name === name)?.colour ?? NO_COLOUR;
}

// A difference of two shares is in points: 7 points, not 7 % of anything.
function ahead(texts, points) {
  return points === 1 ? texts.marginOne : say(texts.margin, { value: points });
}

function swatch(colour) {
  return el("i", { class: "swatch", style: { background: colour } });
}

/** Draw what the model says, with how sure it is; confidence and margin are those of the first question. */
export function prelabelCard(texts, item, question, said, isFirst) {
  const pre = item.prelabel;
  if (!pre || said === null) return el("div", { class: "card quiet", text: pre ? texts.noPrelabelHere : texts.noPrelabel });
  const names = Array.isArray(said) ? said : [said];
  const gone = retiredIn(question, said);
  const sure = isFirst ? percent(pre.confidence) : "";
  const margin = pre.margin === null || !isFirst ? "" : ahead(texts, Math.round(pre.margin * 100));
  const model = pre.model || pre.source;
  return el("div", { class: "card" },
    el("div", { class: "row" },
      el("span", { class: "eyebrow", text: texts.prelabel }),
      el("span", { class: "muted small clip", text: model, title: model })),
    el("div", { class: "row says" },
      ...(names.length ? names.map((n) => el("span", { class: "said" }, swatch(colourOf(question, n)), el("b", { text: n, title: n })))
        : [el("b", { text: texts.none })]),
      el("span", { class: "num", text: sure, "aria-label": sure ? say(texts.confidence, { value: sure }) : null })),
    margin ? el("div", { class: "muted small", text: margin }) : null,
    ...gone.map((name) => el("div", { class: "small gone", text: say(texts.retired, { name }) })));
}

// One class with its key, its share of the model's belief as a bar, and what it is marked with.
function classRow(texts, row, { cap: shown, pressed, marks, several, onpick }) {
  const share = row.share === null ? "" : percent(row.share);
  return el("li", {}, el("button", {
    class: `class${pressed ? " chosen" : ""}${several ? " several" : ""}`, "aria-pressed": String(pressed),
    "aria-keyshortcuts": shown ? ariaKey(shown) : null, title: row.name, onclick: (event) => onpick(row.name, event),
  }, cap(shown || "·"), swatch(row.colour),
  el("span", { class: "name", text: row.name }),
  ...(marks.length ? [el("span", { class: "mark", text: marks.join(" · ") })] : []),
  several ? el("span", { class: "tick", "aria-hidden": "true", text: pressed ? "✓" : "" }) : null,
  share ? el("span", { class: "share num", text: share }) : null,
  share ? el("span", { class: "meter", "aria-hidden": "true", style: { "--share": Math.max(.01, row.share), background: row.colour } }) : null));
}

/** Draw the boxes of an item as a list: class and count. */
export function boxList(texts, question, shown, editKey = "") {
  // In the schema's order, on every image the same; what is no class of it comes last.
  const counts = new Map((question?.classes ?? []).map((c) => [c.name, 0]));
  for (const region of shown.regions) counts.set(region.label, (counts.get(region.label) ?? 0) + 1);
  for (const [label, n] of counts) if (!n) counts.delete(label);
  const rows = [...counts].map(([label, n]) => el("li", { class: "count" },
    swatch(colourOf(question, label)),
    el("span", { class: "name", text: label }), el("span", { class: "num", text: String(n) })));
  const gone = [...counts.keys()].filter((n) => retiredIn(question, n).length);
  return el("section", { class: "question" },
    el("h3", { text: say(texts.boxes, { n: shown.regions.length }) }),
    el("div", { class: "muted small", text: say(texts.boxSource[shown.source], { edit: editKey }) }),
    el("ul", { class: "classes" }, ...rows),
    ...gone.map((name) => el("div", { class: "small gone", text: say(texts.retired, { name }) })));
}

/** Draw one action with its key. */
export function action(key, label, onclick, { disabled = false, strong = false } = {}) {
  return el("button", {
    class: `action${strong ? " strong" : ""}`, disabled, onclick, "aria-keyshortcuts": key ? ariaKey(key) : null,
  }, el("span", { text: label }), key ? cap(key) : null);
}

/** Draw what is known of an item. */
export function metadata(texts, item) {
  const rows = Object.entries(item.metadata ?? {}).flatMap(([name, value]) =>
    [el("dt", { text: name }), el("dd", { text: value })]);
  return el("dl", { class: "meta" },
    el("dt", { text: texts.size }), el("dd", { text: `${item.width} × ${item.height}` }), ...rows);
}

/** The rail of one deck. What must be there with the image is drawn at once, the rest after it. */
export class Rail {
  constructor(config, run, about) {
    this.config = config;
    this.texts = config.texts;
    this.run = run;
    this.main = el("div", { class: "railmain" });
    this.known = el("details", { class: "known", open: true }, el("summary", { text: this.texts.known }));
    this.actions = el("div", { class: "actions" });
    this.scroll = el("div", { class: "railscroll" }, this.main, this.known, about.node);
    this.node = el("aside", { class: "rail", "aria-label": this.texts.rail }, this.scroll, this.actions);
    this.about = about;
    this.shown = null;
  }

  key(command) {
    return capOf(this.config.keymap, command);
  }

  /** Show an item with the answer so far; `rows` are the classes the open question offers. */
  show(item, answer, focus, rows) {
    const { texts, config } = this;
    const { asked, boxes } = config;
    const parts = [];
    if (item.notice) parts.push(el("div", { class: "card warn", text: item.notice }));
    if (item.draft_dropped) parts.push(el("div", { class: "card warn", text: say(texts.draftDropped, { n: item.draft_dropped }) }));
    if (item.mine) parts.push(el("div", { class: "card", text: say(texts.mine, { label: this.words(item.mine) }) }));
    if (item.takenBack) parts.push(el("div", { class: "card quiet", text: say(texts.takenBack, { label: item.takenBack }) }));
    if (boxes) parts.push(boxList(texts, config.questions[0], shownRegions(item), keyIn(config.keymap, "edit", texts.edit)));
    if (focus) {
      const said = suggested(item, focus);
      if (!boxes || said !== null) parts.push(prelabelCard(texts, item, focus, said, !boxes && focus === asked[0]));
      for (const q of asked) if (q !== focus && (q.key in answer.choices || q.key in answer.multi)) parts.push(this.#answered(q, answer));
      parts.push(this.#question(focus, answer, said, rows));
    }
    this.main.replaceChildren(...parts);
    this.actions.replaceChildren(...this.#actions(item, answer, focus));
    if (this.of !== item.item_id) this.scroll.scrollTop = 0; // its pre-label comes first again
    this.of = item.item_id;
    if (this.shown !== item.item_id) this.#turnAway();
  }

  // What belongs to the item before: gone, or faint until it is asked for anew.
  #turnAway() {
    this.shown = null;
    this.known.replaceChildren(this.known.firstElementChild);
    this.about.node.classList.add("stale");
  }

  /** Show what may come a moment after the image. */
  details(item) {
    if (this.shown === item.item_id) return;
    this.shown = item.item_id;
    this.known.replaceChildren(this.known.firstElementChild, metadata(this.texts, item));
  }

  #question(focus, answer, said, rows) {
    const { texts, config } = this;
    const { asked } = config;
    const nth = asked.length > 1 ? say(texts.questionOf, { n: asked.indexOf(focus) + 1, all: asked.length }) : "";
    const marked = focus.several ? markedOf(focus, answer) : [answer.choices[focus.key]];
    const proposed = new Set([said].flat());
    const row = (r) => classRow(texts, r, {
      cap: r.digit ? this.key(`choose${r.digit}`) : "", pressed: marked.includes(r.name), several: focus.several,
      marks: [proposed.has(r.name) && r.why !== "likely" && texts.prelabelMark, marked.includes(r.name) && !focus.several && texts.chosenMark].filter(Boolean),
      onpick: (name, event) => this.run("pick", { name, event }),
    });
    const list = (found) => el("ul", { class: "classes" }, ...found.map(row));
    const parts = [el("h3", { text: [focus.title, nth].filter(Boolean).join(" · ") })];
    if (focus.classes.length <= MANY) parts.push(list(rows));
    else {
      parts.push(action(this.key("search"), say(texts.searchAll, { n: focus.classes.length.toLocaleString() }), () => this.run("search")));
      for (const [why, head] of [["likely", texts.likely], ["recent", texts.recent], ["class", texts.first]]) {
        const found = rows.filter((r) => r.why === why);
        if (found.length) parts.push(el("div", { class: "muted small under", text: head }), list(found));
      }
      const elsewhere = marked.filter((n) => n && !rows.some((r) => r.name === n));
      if (elsewhere.length) parts.push(el("div", { class: "picked small" }, ...elsewhere.map((n) => el("span", { class: "said" }, swatch(colourOf(focus, n)), el("b", { text: n })))));
    }
    return el("section", { class: `question${focus.several ? " many" : ""}` }, ...parts);
  }

  #actions(item, answer, focus) {
    const { texts, config } = this;
    const closed = !item.can_vote;
    const act = (command, label, more = {}) => action(this.key(more.key ?? command), label, (event) => this.run(command, { event }), { disabled: closed, ...more });
    const several = Boolean(focus?.several) && !isAnswered(focus, answer);
    const chosen = several ? markedOf(focus, answer).length : 0;
    const confirm = chosen === 0 ? texts.confirmNone : chosen === 1 ? texts.confirmOne : say(texts.confirm, { n: chosen });
    const acceptable = this.#acceptable(item, answer, focus);
    const drawing = config.boxes && answer.regions === null;
    // The strong button is what most likely comes next; it stands first.
    const accept = act("accept", drawing ? texts.acceptBoxes : texts.accept, { strong: acceptable && !several, disabled: closed || !acceptable });
    const edit = config.boxes ? act("edit", texts.edit, { strong: drawing && !acceptable && !several }) : null;
    return [
      several ? act("confirm", confirm, { strong: true }) : null,
      ...(acceptable ? [accept, edit] : [edit, accept]),
      config.boxes ? act("nothing", texts.nothingHere, { key: "choose0" }) : null,
      act("skip", texts.skip), act("reasons", texts.reasons), act("flag", texts.flag),
      act("undo", texts.undo, { disabled: false }),
    ].filter(Boolean);
  }

  #acceptable(item, answer, focus) {
    const { boxes, questions } = this.config;
    if (boxes && answer.regions === null) {
      const shown = shownRegions(item);
      return shown.source !== "none" && !shown.regions.some((r) => retiredIn(questions[0], r.label).length);
    }
    const said = focus ? suggested(item, focus) : null;
    return said !== null && retiredIn(focus, said).length === 0;
  }

  #answered(question, answer) {
    const text = question.several ? answer.multi[question.key].join(" + ") || this.texts.none : answer.choices[question.key];
    return el("button", { class: "answered", onclick: () => this.run("reopen", { key: question.key }) },
      el("span", { class: "muted small", text: question.title }), el("b", { text }));
  }

  /** Say an answer in words. */
  words(answer) {
    return inWords(answer, this.texts.none, this.config.asked) || say(this.texts.boxes, { n: answer.regions?.length ?? 0 });
  }
}
