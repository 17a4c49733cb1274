// The deck's frame: status line, stage, rail, messages. Draws what it is told, decides nothing.

import { About } from "./about.js";
import { QueueBar } from "./bar.js";
import { cap, el, say } from "./dom.js";
import { drawable } from "./editor/read.js";
import { shownRegions } from "./flow.js";
import { Guide } from "./guide.js";
import { capOf } from "./keymap.js";
import { Rail } from "./rail.js";
import { Stage } from "./stage.js";

const BOTTOM_PX = 20;
const LEAST_PX = 420;

/** The deck on the screen. `commands` are the names the keys have too. */
export class View {
  constructor(root, config, run) {
    this.root = root;
    this.config = config;
    this.texts = config.texts;
    this.run = run;
    this.stage = new Stage(this.texts);
    this.name = el("span", { class: "itemname" });
    this.count = el("span", { class: "muted" });
    this.saved = el("span", { class: "saved", role: "status" });
    this.trouble = el("div", { class: "trouble", role: "alert", hidden: true });
    this.refused = el("div", { class: "refusals" });
    this.kept = el("div", { class: "elsewise", role: "status", hidden: true });
    this.about = new About(this.texts, config.urls, run, config.person);
    this.rail = new Rail(config, run, this.about);
    this.bar = new QueueBar(config, (queue) => run("queue", { queue }));
    this.live = el("div", { class: "offscreen", "aria-live": "polite" });
    this.state = el("div", { class: "state", role: "status", hidden: true });
    this.body = el("div", { class: "body" });
    this.guide = new Guide(this.texts, config.guideline, config.guidelineExamples ?? [], { moved: (...now) => this.#guided(...now) });
    this.body.append(this.guide.node, this.stage.node, this.rail.node);
    this.node = el("div", { class: "deck", tabindex: "-1" },
      el("header", { class: "top" }, this.name, this.count, this.bar.node, el("span", { class: "grow" }),
        el("div", { class: "side" }, this.saved, ...this.#buttons())),
      this.trouble, this.kept, this.refused, this.body, this.state, this.live);
    root.append(this.node);
    this.fit = () => this.#fit();
    window.addEventListener("resize", this.fit);
    this.#fit();
  }

  #buttons() {
    const { texts, config, run } = this;
    const button = (command, text) => {
      const key = capOf(config.keymap, command);
      return el("button", { class: "plain", onclick: () => run(command) }, el("span", { text }), key ? cap(key) : null);
    };
    return [config.urls.grid ? button("grid", texts.grid) : null, button("info", texts.guideline), button("help", texts.help)].filter(Boolean);
  }

  // The image makes room; the focus does not go with what is gone.
  #guided(open, hadFocus) {
    this.body.classList.toggle("guided", open);
    if (hadFocus && !open) this.node.focus({ preventScroll: true });
  }

  /** Fill the window below where the deck begins. */
  #fit() {
    const top = this.node.getBoundingClientRect().top + window.scrollY;
    const height = Math.max(LEAST_PX, window.innerHeight - Math.max(0, top) - BOTTOM_PX);
    this.node.style.setProperty("--deck-height", `${height}px`);
  }

  /** Give the room the image has, for whoever draws on it elsewhere. */
  room() {
    const { width, height } = this.body.getBoundingClientRect();
    return { width: Math.round(width), height: Math.round(height), top: Math.round(this.body.getBoundingClientRect().top) };
  }

  /** Hide everything while the boxes are edited on the canvas. */
  tuck(hidden) {
    this.node.hidden = hidden;
    if (!hidden) this.#fit();
  }

  /** Show an item with the answer so far; `rows` are the classes the open question offers. */
  item(item, answer, { position, focus, rows }) {
    this.state.hidden = true;
    this.body.hidden = false;
    this.name.textContent = item.name;
    this.name.title = item.name;
    this.count.textContent = position;
    this.rail.show(item, answer, focus, rows);
  }

  /** Show the image of the item, its boxes in the colours of their classes. */
  image(item, node, answer) {
    this.stage.show(item, node, this.#boxes(item, answer));
  }

  #boxes(item, answer) {
    const question = this.config.questions[0];
    const rules = { size: [item.width, item.height], count: this.config.skeleton.points.length };
    const regions = drawable(answer.regions ?? shownRegions(item).regions, rules);
    return regions.map((region) => ({
      region: { ...region, note: region.confidence == null ? "" : `${Math.round(region.confidence * 100)} %` },
      colour: question.classes.find((c) => c.name === region.label)?.colour ?? "#8B95A3",
      skeleton: this.config.skeleton,
    }));
  }

  /** Turn what is known beside the item to it: history, neighbours, discussion. */
  turnTo(item) {
    this.about.node.classList.remove("stale");
    this.about.show(item);
  }

  /** Show how much is on the record and how much is not. */
  status({ saved, pending, draft, today = 0 }) {
    const text = pending ? this.texts.savedPending : this.texts.saved;
    this.saved.textContent = [draft, say(text, { saved, pending })].filter(Boolean).join(" · ");
    this.saved.title = say(this.texts.savedHere, { saved, today });
    this.saved.classList.toggle("pending", pending > 0);
  }

  /** Say what keeps decisions from the record, or nothing. */
  problem(sentence, link) {
    this.trouble.hidden = !sentence;
    this.trouble.replaceChildren(el("span", { text: sentence ?? "" }));
    if (link) this.trouble.append(el("a", { href: link.href, target: "_blank", rel: "opener", text: link.text }),
      el("button", { class: "plain", text: this.texts.tryAgain, onclick: () => this.run("wake") }));
  }

  /** Say that somebody else's decisions wait in this tab. */
  others(count) {
    this.kept.hidden = !count;
    this.kept.replaceChildren(el("span", { class: "grow", text: say(this.texts.othersKept, { n: count }) }),
      el("button", { class: "plain", text: this.texts.dismiss, onclick: () => (this.kept.hidden = true) }));
  }

  /** List the decisions the server refused, each with why and what to do. */
  refusals(rows) {
    this.refused.replaceChildren(...rows.map((row) => el("div", { class: "refusal", role: "alert" },
      el("span", {}, el("b", { text: say(this.texts.refused, { name: row.item?.name ?? "" }) }),
        el("span", { text: ` ${row.message} ${row.advice}` })),
      el("button", { class: "plain", text: this.texts.openAgain, onclick: () => this.run("reopenRefused", row) }),
      el("button", { class: "plain", text: this.texts.dismiss, onclick: () => this.run("dismiss", row) }))));
  }

  /** Show a state in place of an item: loading, nothing left, an error; with ways on. */
  message({ title, text = "", button = null, more = [], links = [] }) {
    this.body.hidden = true;
    this.name.textContent = "";
    this.count.textContent = "";
    this.state.hidden = false;
    const buttons = [button, ...more].filter(Boolean).map((b, i) =>
      el("button", { class: `action${i === 0 ? " strong" : ""}`, onclick: b.run }, el("span", { text: b.text })));
    this.state.replaceChildren(el("h2", { text: title }), el("p", { text }), el("div", { class: "ways" }, ...buttons),
      ...(links.length ? [el("p", { class: "elsewhere" }, el("span", { text: this.texts.elsewhere })),
        el("ul", { class: "places" }, ...links.map((l) => el("li", {}, el("a", { href: l.href, text: l.text }), el("span", { class: "muted num", text: l.note }))))] : []));
    this.state.querySelector("button")?.focus({ preventScroll: true });
  }

  /** Tell a screen reader. */
  announce(text) {
    this.live.textContent = text;
  }

  destroy() {
    window.removeEventListener("resize", this.fit);
    this.stage.destroy();
    this.node.remove();
  }
}
