// The column beside the image: the pre-label, the classes, the actions, what is known of the item.

import { cap, el, say } from "./dom.js";

const DIGITS = "1234567890";

function percent(value) {
  return value === null || value === undefined ? "" : `${(value * 100).toFixed(0)} %`;
}

function colourOf(question, name) {
  return question?.classes.find((c) => c.name === name)?.colour ?? "#8B95A3";
}

// A difference of two shares is in points: 7 points, not 7 % of anything.
function ahead(texts, points) {
  return points === 1 ? texts.marginOne : say(texts.margin, { value: points });
}

/** Draw what the model says, with how sure it is; the confidence is that of the first question. */
export function prelabelCard(texts, item, question, label, isFirst) {
  const pre = item.prelabel;
  if (!pre || label === null) {
    const text = pre ? texts.noPrelabelHere : texts.noPrelabel;
    return el("div", { class: "card quiet", text });
  }
  const sure = isFirst ? pre.confidence : null;
  const bar = el("div", { class: "bar", role: "img", "aria-label": say(texts.confidence, { value: percent(sure) }) },
    el("i", { style: { width: `${(sure ?? 0) * 100}%`, background: colourOf(question, label) } }));
  const margin = pre.margin === null || !isFirst ? "" : ahead(texts, Math.round(pre.margin * 100));
  return el("div", { class: "card" },
    el("div", { class: "row" },
      el("span", { class: "eyebrow", text: texts.prelabel }),
      el("span", { class: "muted small", text: pre.source })),
    el("div", { class: "row says" },
      el("i", { class: "swatch", style: { background: colourOf(question, label) } }),
      el("b", { text: label }),
      el("span", { class: "num", text: percent(sure) })),
    sure === null ? null : bar,
    margin ? el("div", { class: "muted small", text: margin }) : null);
}

/** Draw a question with its classes; the pre-label's and the chosen one are marked in words too. */
export function classList(texts, question, { suggestedName, chosen, onpick, heading }) {
  const rows = question.classes.map((c, place) => {
    const key = c.key || DIGITS[place] || "";
    const marks = [];
    if (c.name === suggestedName) marks.push(texts.prelabelMark);
    if (c.name === chosen) marks.push(texts.chosenMark);
    return el("li", {}, el("button", {
      class: `class${c.name === chosen ? " chosen" : ""}`, "aria-pressed": c.name === chosen,
      "aria-keyshortcuts": key || null, onclick: (event) => onpick(c.name, event),
    }, cap(key || "·"), el("i", { class: "swatch", style: { background: c.colour } }),
    el("span", { class: "name", text: c.name }),
    el("span", { class: "mark", text: marks.join(" · ") })));
  });
  return el("section", { class: "question" },
    el("h3", { text: heading }), el("ul", { class: "classes" }, ...rows));
}

/** Draw the boxes of an item as a list: class, count and the model's confidence. */
export function boxList(texts, question, shown) {
  const counts = new Map();
  for (const region of shown.regions) counts.set(region.label, (counts.get(region.label) ?? 0) + 1);
  const rows = [...counts].map(([label, n]) => el("li", { class: "count" },
    el("i", { class: "swatch", style: { background: colourOf(question, label) } }),
    el("span", { class: "name", text: label }), el("span", { class: "num", text: String(n) })));
  return el("section", { class: "question" },
    el("h3", { text: say(texts.boxes, { n: shown.regions.length }) }),
    el("div", { class: "muted small", text: texts.boxSource[shown.source] }),
    el("ul", { class: "classes" }, ...rows));
}

/** Draw one action with its key. */
export function action(key, label, onclick, { disabled = false, strong = false } = {}) {
  return el("button", {
    class: `action${strong ? " strong" : ""}`, disabled, onclick, "aria-keyshortcuts": key,
  }, el("span", { text: label }), cap(key));
}

/** Draw what is known of an item. */
export function metadata(texts, item) {
  const rows = Object.entries(item.metadata ?? {}).flatMap(([name, value]) =>
    [el("dt", { text: name }), el("dd", { text: value })]);
  return el("dl", { class: "meta" },
    el("dt", { text: texts.size }), el("dd", { text: `${item.width} × ${item.height}` }), ...rows);
}
