// A guideline as elements: in the deck's sheet, and by itself on other pages.

import { el } from "./dom.js";
import { blocks } from "./markdown.js";

// Below the sheet's own title.
const TAGS = { h1: "h3", h2: "h4", p: "p" };

function run(parts) {
  return parts.map(({ kind, text, parts: within }) => {
    if (kind === "text") return document.createTextNode(text);
    return kind === "code" ? el("code", { text }) : el(kind, {}, ...run(within));
  });
}

/** Make the elements of a guideline; its text only ever goes in as text. */
export function prose(text) {
  return el("div", { class: "prose" }, ...blocks(text).map((block) => (block.kind === "ul"
    ? el("ul", {}, ...block.items.map((parts) => el("li", {}, ...run(parts))))
    : el(TAGS[block.kind], {}, ...run(block.parts)))));
}

export default function mount({ data, parentElement }) {
  const node = prose(data.text);
  parentElement.querySelector(":scope > .prose")?.remove();
  parentElement.append(node);
  return () => node.remove();
}
