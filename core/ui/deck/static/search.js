// Finding a class by typing: ranking (pure), and the sheet it is shown in.

import { cap, el, say } from "./dom.js";
import { closesBeside } from "./sheets.js";

const SHOWN = 10;
const DIGITS = "1234567890";
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** Prepare classes for searching: names folded once, favourites with their place in line. */
export function indexOf(classes, top = [], recent = []) {
  const favour = new Map();
  for (const name of [...top, ...recent]) if (!favour.has(name)) favour.set(name, favour.size);
  return classes.map((c, place) => {
    const text = fold(c.name);
    const starts = [...text.matchAll(/(?<![\p{L}\p{N}])[\p{L}\p{N}]/gu)].map((m) => m.index);
    return { c, text, starts, place: favour.get(c.name) ?? favour.size + place };
  });
}

// 0 the whole name, 1 its beginning, 2 a word's beginning, 3 initials, 4 inside, from 5 on
// letters in order with gaps; Infinity where it does not fit.
function rank({ text, starts }, asked) {
  const at = text.indexOf(asked);
  if (at === 0) return text.length === asked.length ? 0 : 1;
  if (at > 0) return starts.some((s) => text.startsWith(asked, s)) ? 2 : 4;
  if (initials(text, starts, asked)) return 3;
  return 5 + gaps(text, asked);
}

function initials(text, starts, asked) {
  let i = 0;
  for (const start of starts) if (text[start] === asked[i]) i += 1;
  return asked.length > 1 && i >= asked.length;
}

function gaps(text, asked) {
  let from = text.indexOf(asked[0]);
  let wide = 0;
  for (let i = 1; i < asked.length && from >= 0; i += 1) {
    const to = text.indexOf(asked[i], from + 1);
    if (to < 0) return Infinity;
    wide += to - from - 1;
    from = to;
  }
  return from < 0 ? Infinity : wide;
}

/** List the classes that fit what was typed, best first; favourites first among equals. */
export function ranked(index, query, most = SHOWN) {
  const asked = fold(query.trim().replace(/\s+/g, " "));
  const hits = [];
  for (const entry of index) {
    const score = asked ? rank(entry, asked) : 0;
    if (score < Infinity) hits.push({ score, entry });
  }
  hits.sort((a, b) => a.score - b.score || a.entry.place - b.entry.place);
  return { classes: hits.slice(0, most).map((h) => h.entry.c), count: hits.length };
}

/**
 * Make the sheet that finds a class; `onpick(name)` is called with what was chosen.
 * Digits pick while nothing is typed, with Alt always; with `several` it stays open and marks.
 */
export function classSearch(texts, classes, onpick, { title, top = [], recent = [], marked = null } = {}) {
  const index = indexOf(classes, top, recent);
  let hits = [];
  let at = 0;
  const list = el("ul", { class: "classes hits", role: "listbox", id: "tb-hits", "aria-label": texts.searchHits });
  const count = el("span", { class: "muted small", role: "status" });
  const input = el("input", {
    class: "find", type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", autofocus: true,
    "aria-expanded": "true", "aria-controls": "tb-hits", "aria-label": texts.searchPlaceholder, placeholder: texts.searchPlaceholder,
  });
  const close = () => node.close();
  const node = el("dialog", { class: "sheet search", "aria-label": title ?? texts.searchTitle },
    el("h2", { text: title ?? texts.searchTitle }), input, list,
    el("div", { class: "row" }, count, el("span", { class: "muted small", text: marked ? texts.searchSeveral : texts.searchHint })));
  node.addEventListener("close", () => node.remove());
  closesBeside(node);
  const pick = (c) => {
    if (!c) return;
    onpick(c.name);
    if (!marked) return close();
    input.select();
    show();
  };
  const light = () => [...list.children].forEach((row, i) => {
    row.setAttribute("aria-selected", String(i === at));
    if (i !== at) return;
    input.setAttribute("aria-activedescendant", row.id);
    row.scrollIntoView?.({ block: "nearest" });
  });
  const row = (c, i) => el("li", {
    class: "class hit", role: "option", id: `tb-hit-${i}`, "aria-selected": String(i === at),
    onclick: () => pick(c), onpointermove: () => i !== at && ((at = i), light()),
  }, cap(DIGITS[i]), el("i", { class: "swatch", style: { background: c.colour } }),
  el("span", { class: "name", text: c.name }),
  el("span", { class: "mark", text: marked?.().includes(c.name) ? `✓ ${texts.chosenMark}` : "" }));
  const show = () => {
    const found = ranked(index, input.value);
    hits = found.classes;
    at = Math.min(at, Math.max(0, hits.length - 1));
    count.textContent = found.count ? say(texts.searchCount, { n: found.count.toLocaleString() }) : texts.searchNone;
    list.replaceChildren(...hits.map(row));
    light();
  };
  input.addEventListener("input", () => {
    at = 0;
    show();
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code)?.[1] ?? (/^[0-9]$/.test(event.key) ? event.key : null);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 5, PageUp: -5 }[event.key];
    if (event.key === "Enter" && !event.repeat) pick(hits[at]);
    else if (step) at = Math.max(0, Math.min(hits.length - 1, at + step));
    else if (digit !== null && (event.altKey || !input.value) && !event.ctrlKey && !event.metaKey && !event.shiftKey) pick(hits[DIGITS.indexOf(digit)]);
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (step) light();
  });
  show();
  return node;
}
