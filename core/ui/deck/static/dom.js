// Making elements. Text only ever goes in as text: nothing here parses markup.

const SVG = "http://www.w3.org/2000/svg";

function fillIn(node, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [k, v] of Object.entries(value)) node.style.setProperty(k, v);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Make an HTML element: el("button", {class: "x", text: "Save", onclick: f}, child…). */
export function el(tag, props = {}, ...children) {
  return fillIn(document.createElement(tag), props, children);
}

/** Make an SVG element. */
export function svg(tag, props = {}, ...children) {
  return fillIn(document.createElementNS(SVG, tag), props, children);
}

/** Make the cap of a key. */
export function cap(key) {
  return el("kbd", { class: "cap", text: key, "aria-hidden": "true" });
}

/** Put values into a text: say("{n} of {all}", {n: 1, all: 2}). */
export function say(text, values = {}) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
