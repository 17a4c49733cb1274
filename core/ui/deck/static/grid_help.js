// The grid's keys, on a sheet over it.

import { cap, el } from "./dom.js";
import { closesBeside } from "./sheets.js";

/** Make the sheet that lists every key with what it does. */
export function gridHelp(texts, keys) {
  const rows = keys.flatMap(([key, text]) => [
    el("dt", {}, ...(key === "1 – 0" ? [cap("1"), el("span", { text: "–" }), cap("0")] : key.split(" ").map(cap))), el("dd", { text }),
  ]);
  const node = el("dialog", { class: "sheet", "aria-label": texts.help }, el("h2", { text: texts.help }),
    el("dl", { class: "keys" }, ...rows), el("p", { class: "muted small", text: texts.closeHint }));
  node.addEventListener("close", () => node.remove());
  return closesBeside(node);
}
