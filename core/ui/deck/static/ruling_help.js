// The sheet of the keys a lead rules with: those in force for the dispute in hand.

import { cap, el } from "./dom.js";
import { capText } from "./keymap.js";
import { closesBeside, sheet } from "./sheets.js";

/** List the keys in groups, as [title, [[keys, what they do], …]]: those of parties and reasons are the dispute's own. Pure. */
export function keysOf({ layers, reasons, asked, draws, texts }) {
  const { keys } = texts;
  const takes = layers.filter((l) => l.key.length === 1).map((l) => [[l.key], l.name]);
  const answering = asked.length ? keys.answering : [];
  return [
    [keys.titles.answer, [...takes, ...answering, ...(draws ? keys.drawing : [])]],
    [keys.titles.reason, [...reasons.map((r) => [[r.key], r.text]), ...keys.reasoning]],
    [keys.titles.rule, keys.ruling],
    [keys.titles.look, [...(draws ? keys.parties : []), ...keys.looking]],
  ];
}

/** Make the sheet. */
export function rulingHelp(dispute) {
  const { texts } = dispute;
  const row = ([names, text]) => [el("dt", {}, ...names.map((k) => cap(capText(k)))), el("dd", { text })];
  const group = ([title, rows]) => el("section", {}, el("h3", { text: title }), el("dl", { class: "keys" }, ...rows.flatMap(row)));
  const node = sheet(texts.keys.title, el("div", { class: "keygroups" }, ...keysOf(dispute).map(group)), el("p", { class: "muted small", text: texts.closeHint }));
  node.classList.add("wide");
  return closesBeside(node);
}
