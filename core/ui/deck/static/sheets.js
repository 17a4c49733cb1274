// What lies over the deck for a moment: reasons, the comment of a flag, help, guideline.

import { cap, el } from "./dom.js";
import { capText } from "./keymap.js";
import { prose } from "./prose.js";

/** Make a sheet that takes itself away when it closes. */
export function sheet(title, ...children) {
  const node = el("dialog", { class: "sheet", tabindex: "-1", "aria-label": title }, el("h2", { text: title }), ...children);
  node.addEventListener("close", () => node.remove());
  return node;
}

/** Let a press beside a sheet close it: for sheets that hold nothing a person has written. */
export function closesBeside(node) {
  node.addEventListener("pointerdown", (event) => {
    const { left, right, top, bottom } = node.getBoundingClientRect();
    const within = event.clientX >= left && event.clientX <= right && event.clientY >= top && event.clientY <= bottom;
    if (!within) node.close();
  });
  return node;
}

/** Show a sheet over the deck; the focus comes back when it closes. */
export function open(root, node) {
  root.append(node);
  node.showModal();
  if (node.autofocus) node.focus({ preventScroll: true });
  return node;
}

/** Ask for one of several reasons by its digit. */
export function reasonSheet(texts, reasons, onpick) {
  const rows = reasons.map((reason, i) => el("li", {}, el("button", {
    class: "class", autofocus: i === 0, onclick: () => onpick(reason.code),
  }, cap(String(i + 1)), el("span", { class: "name", text: reason.text }))));
  return closesBeside(sheet(texts.whySkip, el("ul", { class: "classes" }, ...rows),
    el("p", { class: "muted small", text: texts.closeHint })));
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

// Ten classes in a row are shown as a range where their keys are the digits.
function capsOf(commands, keymap) {
  if (commands.length === 1) return keymap[commands[0]].map((k) => cap(capText(k)));
  const first = commands.map((c) => keymap[c][0]).filter(Boolean);
  if (first.join("") === "1234567890") return [cap("1"), el("span", { class: "muted", text: "–" }), cap("0")];
  return first.map((k) => cap(capText(k)));
}

/** Show every key in force with what it does, in groups; one's own keys are marked. */
export function helpSheet(texts, { keys, keymap, ownKeys, urls }) {
  const row = ([commands, text]) => {
    const own = commands.some((c) => ownKeys.includes(c));
    const caps = capsOf(commands, keymap);
    return [el("dt", {}, ...(caps.length ? caps : [el("span", { class: "muted", text: "–" })])),
      el("dd", {}, el("span", { text }), own ? el("span", { class: "own", text: texts.ownKey }) : null)];
  };
  const group = ([title, rows]) => el("section", {}, el("h3", { text: title }), el("dl", { class: "keys" }, ...rows.flatMap(row)));
  const node = sheet(texts.help, el("div", { class: "keygroups" }, ...keys.map(group)),
    el("div", { class: "row" }, el("span", { class: "muted small", text: texts.closeHint }),
      el("a", { class: "small", href: urls.settings, text: texts.changeKeys })));
  node.classList.add("wide");
  node.autofocus = true; // not the link below
  return closesBeside(node);
}

// An example of the guideline: good or bad is said in words and by a sign, not by colour alone.
function example(texts, { image, good, note }) {
  return el("figure", { class: `example ${good ? "good" : "bad"}` },
    el("img", { src: image, alt: note || (good ? texts.goodExample : texts.badExample), loading: "lazy", decoding: "async" }),
    el("figcaption", {}, el("b", { text: good ? `✓ ${texts.goodExample}` : `✗ ${texts.badExample}` }), note ? el("span", { text: note }) : null));
}

/** Make the guideline and its examples. */
export function guidelineParts(texts, guideline, examples) {
  return [prose(guideline || texts.noGuideline),
    examples.length ? el("div", { class: "examples" }, ...examples.map((e) => example(texts, e))) : null];
}

/** Show the guideline with its examples where there is no image to leave in sight. */
export function guidelineSheet(texts, guideline, examples) {
  const node = sheet(texts.guideline, ...guidelineParts(texts, guideline, examples),
    el("p", { class: "muted small", text: texts.closeHint }));
  if (examples.length) node.classList.add("wide");
  return closesBeside(node);
}
