// What lies over the deck for a moment: reasons, the comment of a flag, help, guideline.

import { cap, el } from "./dom.js";
import { prose } from "./prose.js";

function sheet(title, ...children) {
  const node = el("dialog", { class: "sheet", "aria-label": title }, el("h2", { text: title }), ...children);
  node.addEventListener("close", () => node.remove());
  return node;
}

/** Show a sheet over the deck; the focus comes back when it closes. */
export function open(root, node) {
  root.append(node);
  node.showModal();
  return node;
}

/** Ask for one of several reasons by its digit. */
export function reasonSheet(texts, reasons, onpick) {
  const rows = reasons.map((reason, i) => el("li", {}, el("button", {
    class: "class", autofocus: i === 0, onclick: () => onpick(reason.code),
  }, cap(String(i + 1)), el("span", { class: "name", text: reason.text }))));
  return sheet(texts.whySkip, el("ul", { class: "classes" }, ...rows),
    el("p", { class: "muted small", text: texts.closeHint }));
}

/** Ask what the lead should look at; Enter sends, Shift+Enter makes a new line. */
export function flagSheet(texts, reasons, most, onsend) {
  const choice = el("select", { "aria-label": texts.flagReason },
    ...reasons.map((r) => el("option", { value: r.code, text: r.text })));
  const box = el("textarea", { rows: 4, maxlength: most, autofocus: true, "aria-label": texts.flagComment, placeholder: texts.flagComment });
  const form = el("form", { method: "dialog" }, choice, box,
    el("div", { class: "row end" },
      el("button", { class: "plain", type: "button", text: texts.cancel, onclick: () => node.close() }),
      el("button", { class: "action strong", type: "submit", text: texts.sendFlag })));
  const node = sheet(texts.flagTitle, form);
  const send = () => {
    const comment = box.value.trim();
    onsend(comment ? `${choice.value}: ${comment}` : choice.value);
    node.close();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  });
  return node;
}

/** Show every key with what it does. */
export function helpSheet(texts, keys) {
  const rows = keys.flatMap(([key, text]) =>
    [el("dt", {}, ...key.split(" ").map(cap)), el("dd", { text })]);
  return sheet(texts.help, el("dl", { class: "keys" }, ...rows),
    el("p", { class: "muted small", text: texts.closeHint }));
}

/** Show the guideline. */
export function guidelineSheet(texts, guideline) {
  return sheet(texts.guideline, prose(guideline || texts.noGuideline),
    el("p", { class: "muted small", text: texts.closeHint }));
}
