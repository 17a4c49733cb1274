// The list of regions: one line each, only the lines that changed are written anew.

import { el, say } from "../dom.js";

let lists = 0;

/** A listbox of regions. `onpick(id)` hears a click. */
export class RegionList {
  constructor(texts, colourOf, onpick) {
    Object.assign(this, { texts, colourOf, onpick, rows: new Map() });
    this.prefix = `region-list-${(lists += 1)}-`;
    this.node = el("div", { class: "regionlist", role: "listbox", tabindex: "0", "aria-label": texts.listName });
    this.empty = el("p", { class: "muted small", text: texts.emptyList });
    this.selected = null;
    // What is asked of the selected one takes room from the list a moment later.
    new ResizeObserver(() => this.#reveal()).observe(this.node);
  }

  clear() {
    this.rows.clear();
    this.node.replaceChildren();
    this.selected = null;
  }

  /** Show the regions of a state. */
  update({ regions, selected }) {
    const alive = new Set();
    regions.forEach((region, i) => {
      alive.add(region.id);
      this.#row(region, i);
    });
    for (const [id, { node }] of this.rows) {
      if (alive.has(id)) continue;
      node.remove();
      this.rows.delete(id);
    }
    if (!regions.length) this.node.replaceChildren(this.empty);
    else this.empty.remove();
    this.node.setAttribute("role", regions.length ? "listbox" : "group"); // an empty listbox is none
    this.#select(selected);
  }

  #row(region, place) {
    let row = this.rows.get(region.id);
    if (!row) {
      row = this.#make(region.id);
      this.rows.set(region.id, row);
    }
    if (row.region === region && row.place === place) return;
    row.number.textContent = String(place + 1);
    row.name.textContent = region.label;
    row.swatch.style.background = this.colourOf(region.label);
    const note = region.confidence === null ? "" : `${Math.round(region.confidence * 100)} %`;
    row.note.textContent = [...Object.values(region.attributes), note].filter(Boolean).join(" · ");
    row.node.setAttribute("aria-label", say(this.texts.rowName, { n: place + 1, label: region.label, note: row.note.textContent }));
    if (this.node.children[place] !== row.node) this.node.insertBefore(row.node, this.node.children[place] ?? null);
    Object.assign(row, { region, place });
  }

  #make(id) {
    const row = {
      number: el("span", { class: "muted num" }), swatch: el("i", { class: "swatch" }),
      name: el("span", { class: "name" }), note: el("span", { class: "muted small num" }),
    };
    row.node = el("div", { class: "regionrow", role: "option", id: `${this.prefix}${id}`, "aria-selected": "false", onclick: () => this.onpick(id) },
      row.number, row.swatch, row.name, row.note);
    return row;
  }

  #select(id) {
    if (id === this.selected) return;
    this.rows.get(this.selected)?.node.setAttribute("aria-selected", "false");
    this.selected = id;
    const row = this.rows.get(id)?.node;
    row?.setAttribute("aria-selected", "true");
    this.#reveal();
    if (row) this.node.setAttribute("aria-activedescendant", row.id);
    else this.node.removeAttribute("aria-activedescendant");
  }

  #reveal() {
    this.rows.get(this.selected)?.node.scrollIntoView({ block: "nearest" });
  }
}
