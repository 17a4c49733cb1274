// The grid on the screen: head, tiles, foot; the classes to choose from; the large picture.

import { arranged, upTo } from "./grid_model.js";
import { TileView, pictureWidth } from "./grid_tile.js";
import { cap, el, say, svg } from "./dom.js";

const GAP = 8;
const LEAST_PX = 420;
const BOTTOM_PX = 12;
const CHIPS = 10;
const FEW_CHIPS = 5;
const percent = (value) => `${Math.round(value * 100)}`;
const number = (value) => value.toLocaleString();

/** Everything one sees. `run(command, detail)` is called by buttons. */
export class GridView {
  constructor(root, config, run) {
    Object.assign(this, { root, config, run, texts: config.texts, tiles: [], columns: 1 });
    this.name = el("h2", { class: "g-name" });
    this.waiting = el("span", { class: "muted num" });
    this.saved = el("span", { class: "saved", role: "status" });
    this.steps = el("div", { class: "g-steps", role: "group", "aria-label": this.texts.perPage });
    this.hint = el("div", { class: "g-hint", hidden: true });
    this.notices = el("div", { class: "g-notices" });
    this.list = el("div", { class: "g-list", role: "listbox", "aria-multiselectable": "true" });
    this.body = el("div", { class: "g-body" }, this.list);
    this.state = el("div", { class: "g-state", hidden: true });
    this.chips = el("div", { class: "g-chips", role: "group", "aria-label": this.texts.giveClass });
    this.confirm = el("button", { class: "g-confirm", type: "button", onclick: () => run("confirm") });
    this.undo = this.#button("plain", this.texts.undo, "Z", "undo");
    this.attention = el("p", { class: "g-attention muted small" });
    this.live = el("div", { class: "offscreen", "aria-live": "polite" });
    this.large = el("div", { class: "g-large", hidden: true, "aria-hidden": "true" });
    this.head = el("div", { class: "g-head" },
      this.#button("plain", this.texts.classes, "Esc", "classes"), this.name, this.waiting, el("span", { class: "grow" }),
      this.saved, this.steps, this.#button("plain", this.texts.help, "?", "help"));
    this.foot = el("div", { class: "g-foot" }, this.chips, this.undo, this.confirm);
    this.node = el("div", { class: "grid", "data-state": "loading" },
      this.head, this.hint, this.notices, this.body, this.state, this.foot, this.attention, this.live, this.large);
    root.append(this.node); // beside the style Streamlit put there
    this.sizes = new ResizeObserver(() => this.arrange());
    this.sizes.observe(this.body);
    this.body.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.refit = () => this.fit();
    window.addEventListener("resize", this.refit);
    this.fit();
  }

  #button(kind, text, key, command) {
    return el("button", { class: kind, type: "button", onclick: () => this.run(command) }, el("span", { text }), cap(key));
  }

  /** Fill the window below where the grid begins. */
  fit() {
    const top = this.node.getBoundingClientRect().top + window.scrollY;
    this.node.style.setProperty("--grid-height", `${Math.max(LEAST_PX, window.innerHeight - Math.max(0, top) - BOTTOM_PX)}px`);
  }

  /** Show a page of tiles; `told(index, ok)` hears of each picture. */
  showPage(page, classes, told) {
    this.page = page;
    this.node.dataset.state = "page";
    delete this.node.dataset.painted;
    this.#only("page");
    this.colours = new Map(classes.map((c) => [c.name, c.colour]));
    this.list.setAttribute("aria-label", say(this.texts.listLabel, { name: page.data.class }));
    this.#headOf(page.data.class);
    this.#chipsOf(classes, page.data.class);
    this.#hintOf(page);
    this.#size(page.length);
    const width = pictureWidth(this.side, window.devicePixelRatio || 1);
    this.tiles = page.tiles.map((_, index) => new TileView(page, index, {
      base: this.config.urls.base, width, colours: this.colours, texts: this.texts, told,
    }));
    this.list.replaceChildren(...this.tiles.map((tile) => tile.node));
    this.body.scrollTop = 0;
    this.seenTo = 0;
    this.scrolled();
    this.count();
  }

  /** Show the classes to choose from, most waiting first. */
  showClasses(data) {
    this.#only("classes");
    this.node.dataset.state = "classes";
    const most = Math.max(1, ...data.classes.map((c) => c.waiting));
    const rows = data.classes.map((c, i) => el("button", {
      class: "g-class", type: "button", disabled: !c.waiting || !c.open, autofocus: i === 0, "data-class": c.name,
      onclick: () => this.run("open", { name: c.name }),
    }, el("i", { class: "swatch", style: { background: c.colour } }), el("span", { class: "name", text: c.name }),
    el("span", { class: "num", text: !c.open ? this.texts.retired : c.waiting ? say(this.texts.waitingShort, { n: number(c.waiting) }) : "0" }),
    el("span", { class: "g-bar" }, el("i", { style: { width: `${(100 * c.waiting) / most}%`, background: c.colour } }))));
    const reason = data.empty_reason;
    this.state.replaceChildren(
      el("div", { class: "g-pick" }, el("h2", { text: this.texts.pickTitle }), el("p", { class: "muted", text: reason || this.texts.pickText }),
        el("div", { class: "g-classes" }, ...rows)));
    this.state.querySelector("button:not(:disabled)")?.focus({ preventScroll: true });
  }

  /** Show a message in place of tiles: loading, nothing left, trouble. */
  showMessage(state, title, text = "", action = null) {
    this.#only("message");
    this.node.dataset.state = state;
    this.state.replaceChildren(el("div", { class: "g-message" }, el("h2", { text: title }), el("p", { class: "muted", text }),
      action && el("button", { class: "plain", type: "button", onclick: () => this.run(action.command) }, el("span", { text: action.text }))));
  }

  /** Show quiet squares while the page is on its way. */
  showLoading(count) {
    this.#only("page");
    this.node.dataset.state = "loading";
    delete this.node.dataset.painted;
    this.confirm.disabled = true;
    this.#size(count);
    this.tiles = [];
    this.list.replaceChildren(...Array.from({ length: count }, () => el("div", { class: "tile waits", role: "presentation" })));
  }

  /** Show these tiles as they are marked now, and what confirming would do. */
  drawTiles(indices) {
    for (const index of indices) this.tiles[index]?.draw();
    this.count();
  }

  /** Say on the button what confirming would do. */
  count() {
    if (!this.page) return;
    const { confirmed, changed, marked, broken } = this.page.counts();
    const { texts } = this;
    const plain = this.config.boxes ? texts.confirmBoxes : texts.confirm;
    const parts = [confirmed || !(changed || marked) ? say(plain, { n: confirmed, name: this.page.data.class }) : ""];
    if (changed) parts.push(say(texts.changed, { n: changed }));
    if (marked) parts.push(say(texts.marked, { n: marked }));
    if (broken) parts.push(say(texts.broken, { n: broken }));
    const words = parts.filter(Boolean).join(" · ");
    if (this.words !== words) {
      this.words = words;
      this.confirm.replaceChildren(el("span", { text: words }), cap("Enter"));
    }
    this.confirm.disabled = !this.node.dataset.painted || confirmed + changed + marked === 0;
    for (const chip of this.chips.children) chip.classList.toggle("quiet", !marked);
  }

  /** Move the focus to the page's tile. */
  focus(grab = true) {
    const here = this.tiles[this.page.focus];
    if (this.here && this.here !== here) this.here.focusable(false);
    this.here = here;
    here?.focusable(true);
    if (grab) here?.node.focus({ preventScroll: true });
    here?.node.scrollIntoView({ block: "nearest" });
  }

  /** Say what is on the record, and what is in the way. */
  status(outbox) {
    const { texts } = this;
    this.saved.classList.toggle("pending", outbox.pending > 0);
    this.saved.textContent = outbox.pending
      ? say(texts.savedPending, { n: number(outbox.saved), m: number(outbox.pending) })
      : say(texts.saved, { n: number(outbox.saved) });
    const kind = outbox.trouble?.kind;
    const words = { "signed-out": texts.signedOut, forbidden: texts.forbidden, offline: texts.offline }[kind];
    this.trouble = words ? this.#notice(outbox.trouble.message || words, texts.retry, "wake") : null;
    this.#drawNotices();
  }

  /** Tell about tiles that were refused, until the next page. */
  tellRefused(count) {
    this.refusedNote = count ? this.#notice(say(this.texts.refusedNote, { n: count })) : null;
    this.#drawNotices();
  }

  /** Ask once whether a page nobody can have looked at is meant. */
  ask(words) {
    this.question = words ? this.#notice(words, this.texts.confirmAnyway, "confirm") : null;
    this.#drawNotices();
    if (words) this.announce(words);
  }

  /** Ask once whether the project's other questions may be answered by the pre-label. */
  askOthers() {
    this.question = this.#notice(this.texts.agreeFirst, this.texts.agree, "agree", "T");
    this.#drawNotices();
    this.announce(this.texts.agreeFirst);
  }

  /** Show whether the other answers are taken from the pre-label. */
  agreed(on) {
    const box = this.hint.querySelector("input");
    if (box) box.checked = on;
    this.ask("");
  }

  /** Say how much of what was planted this person noticed. */
  tellAttention({ value, low, high, n }) {
    this.attention.textContent = n
      ? say(this.texts.attention, { p: percent(value), low: percent(low), high: percent(high), n: number(n) })
      : this.texts.attentionNone;
  }

  /** Say up to how many wait of this class, those on the page among them. */
  tellWaiting(count, tiles) {
    this.waiting.textContent = count === null ? "" : say(this.texts.waiting, { n: number(upTo(count, tiles)) });
  }

  /** Mark in the head how many tiles a page has. */
  tellCount(count, steps) {
    this.steps.replaceChildren(...steps.map((step) => el("button", {
      type: "button", class: step === count ? "on" : "", "aria-pressed": String(step === count), text: String(step),
      onclick: () => this.run("count", { count: step }),
    })));
  }

  /** Show the whole image large, with the tile's box in it; null hides it. */
  showLarge(entry) {
    this.large.hidden = !entry;
    if (!entry) return;
    const { unit, tile } = entry;
    const picture = el("div", { class: "g-picture", style: { "--ratio": `${unit.width} / ${unit.height}` } },
      el("img", { alt: unit.name, src: `${this.config.urls.base}${unit.image}&w=1600` }));
    if (tile.box) {
      const shapes = unit.tiles.filter((t) => t.box).map((t) => svg("rect", {
        x: t.box[0], y: t.box[1], width: t.box[2] - t.box[0], height: t.box[3] - t.box[1],
        class: t === tile ? "here" : "", style: { "--c": this.colours.get(t.label) ?? "#fff" },
      }));
      picture.append(svg("svg", { viewBox: `0 0 ${unit.width} ${unit.height}` }, ...shapes));
    }
    this.large.replaceChildren(picture, el("p", { text: unit.name }));
  }

  /** Say something to a screen reader. */
  announce(words) {
    this.live.textContent = "";
    this.live.textContent = words;
  }

  /** Note how far down the page has been on the screen. */
  scrolled() {
    this.seenTo = Math.max(this.seenTo ?? 0, this.body.scrollTop + this.body.clientHeight);
  }

  /** Count the tiles that have not been on the screen yet. */
  unseen() {
    this.scrolled();
    const top = this.body.offsetTop;
    return this.tiles.filter((tile) => tile.node.offsetTop - top + this.side / 2 > this.seenTo).length;
  }

  /** Note that every picture of the page is painted, or known not to come. */
  painted() {
    this.node.dataset.painted = "yes";
    this.count();
  }

  /** Give each tile its size. */
  arrange() {
    const count = this.list.children.length;
    if (count) this.#size(count);
  }

  destroy() {
    this.sizes.disconnect();
    this.node.remove();
    window.removeEventListener("resize", this.refit);
  }

  #size(count) {
    const { clientWidth: width, clientHeight: height } = this.body;
    const { columns, side } = arranged(count, width - 6, height - 6, GAP);
    this.columns = columns;
    this.side = side;
    this.list.style.setProperty("--side", `${side}px`);
    this.list.style.setProperty("--columns", columns);
  }

  #only(what) {
    const page = what === "page";
    this.body.hidden = this.foot.hidden = this.attention.hidden = !page;
    this.state.hidden = page;
    this.hint.hidden = true;
    this.name.hidden = this.waiting.hidden = this.head.firstChild.hidden = what === "classes";
    if (!page) this.page = null;
  }

  #headOf(name) {
    this.name.replaceChildren(el("i", { class: "swatch", style: { background: this.colours.get(name) ?? "transparent" } }), el("span", { text: name }));
  }

  #chipsOf(classes, shown) {
    const open = classes.filter((c) => c.open);
    const keyed = open.filter((c) => c.key).sort((a, b) => (a.key === "0" ? 10 : Number(a.key)) - (b.key === "0" ? 10 : Number(b.key)));
    const chips = (keyed.length ? keyed : []).slice(0, CHIPS).map((c) => el("button", {
      type: "button", class: `g-chip${c.name === shown ? " shown" : ""}`, onclick: () => this.run("pick", { name: c.name }),
      title: say(this.texts.giveThis, { name: c.name }),
    }, cap(c.key), el("i", { class: "swatch", style: { background: c.colour } }), el("span", { text: c.name })));
    if (open.length > chips.length) chips.unshift(this.#button("g-chip", this.texts.search, "/", "search"));
    this.chips.classList.toggle("many", chips.length > FEW_CHIPS);
    this.chips.replaceChildren(...chips);
  }

  #hintOf(page) {
    const parts = [];
    if (page.data.others) {
      const box = el("input", { type: "checkbox", role: "switch" });
      box.checked = page.others;
      box.addEventListener("change", () => this.run("others", { on: box.checked }));
      parts.push(el("label", { class: "g-switch" }, box, el("span", { text: this.texts.others }), cap("T")));
    }
    if (this.config.boxes) parts.push(el("span", { text: this.texts.boxHint }));
    this.hint.replaceChildren(...parts);
    this.hint.hidden = parts.length === 0;
  }

  #notice(words, action = "", command = "", key = "") {
    return el("div", { class: "trouble", role: "alert" }, el("span", { class: "grow", text: words }),
      action ? el("button", { class: "plain", type: "button", onclick: () => this.run(command) }, el("span", { text: action }), key ? cap(key) : null) : null);
  }

  #drawNotices() {
    this.notices.replaceChildren(...[this.trouble, this.question, this.refusedNote].filter(Boolean));
  }
}
