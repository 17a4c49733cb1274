// The deck's frame: status line, stage, rail, messages. Draws what it is told, decides nothing.

import { el, say } from "./dom.js";
import { shownRegions, openQuestion, suggested } from "./flow.js";
import { action, boxList, classList, metadata, prelabelCard } from "./rail.js";
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
    this.rail = el("aside", { class: "rail" });
    this.live = el("div", { class: "offscreen", "aria-live": "polite" });
    this.state = el("div", { class: "state", role: "status", hidden: true });
    this.body = el("div", { class: "body" }, this.stage.node, this.rail);
    this.node = el("div", { class: "deck", tabindex: "-1" },
      el("header", { class: "top" }, this.name, this.count, el("span", { class: "grow" }), this.saved,
        el("button", { class: "plain", text: this.texts.guideline, onclick: () => run("info") }),
        el("button", { class: "plain", text: this.texts.helpButton, onclick: () => run("help") })),
      this.trouble, this.refused, this.body, this.state, this.live);
    root.append(this.node);
    this.fit = () => this.#fit();
    window.addEventListener("resize", this.fit);
    this.#fit();
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

  /** Show an item with the answer so far. */
  item(item, answer, position) {
    this.state.hidden = true;
    this.body.hidden = false;
    this.name.textContent = item.name;
    this.name.title = item.name;
    this.count.textContent = position;
    this.#rail(item, answer);
  }

  /** Show the image of the item, its boxes in the colours of their classes. */
  image(item, node, answer) {
    this.stage.show(item, node, this.#boxes(item, answer));
  }

  #boxes(item, answer) {
    const question = this.config.questions[0];
    const regions = answer.regions ?? shownRegions(item).regions;
    return regions.map((region) => ({
      region: { ...region, note: region.confidence == null ? "" : `${Math.round(region.confidence * 100)} %` },
      colour: question.classes.find((c) => c.name === region.label)?.colour ?? "#8B95A3",
    }));
  }

  #rail(item, answer) {
    const { texts, config, run } = this;
    const asked = config.asked;
    const open = openQuestion(asked, answer.choices);
    const boxes = config.boxes;
    const parts = [];
    if (item.notice) parts.push(el("div", { class: "card warn", text: item.notice }));
    if (item.mine) parts.push(el("div", { class: "card", text: say(texts.mine, { label: this.#words(item.mine) }) }));
    if (item.takenBack) parts.push(el("div", { class: "card quiet", text: say(texts.takenBack, { label: item.takenBack }) }));
    if (boxes) parts.push(boxList(texts, config.questions[0], shownRegions(item)));
    const focus = open ?? asked[asked.length - 1];
    if (focus) {
      const label = suggested(item, focus);
      if (!boxes) parts.push(prelabelCard(texts, item, focus, label, focus === asked[0]));
      asked.forEach((q) => {
        if (q !== focus && q.key in answer.choices) parts.push(this.#answered(q, answer.choices[q.key]));
      });
      const nth = asked.length > 1 ? say(texts.questionOf, { n: asked.indexOf(focus) + 1, all: asked.length }) : "";
      parts.push(classList(texts, focus, {
        suggestedName: label, chosen: answer.choices[focus.key],
        onpick: (name, event) => run("pick", { name, event }), heading: [focus.title, nth].filter(Boolean).join(" · "),
      }));
    }
    const closed = !item.can_vote;
    const acceptable = boxes ? shownRegions(item).source !== "none" : focus && suggested(item, focus) !== null;
    const actions = el("div", { class: "actions" },
      action("A", boxes ? texts.acceptBoxes : texts.accept, () => run("accept"), { strong: true, disabled: closed || !acceptable }),
      boxes ? action("E", texts.edit, () => run("edit"), { disabled: closed }) : null,
      boxes ? action("0", texts.nothingHere, () => run("nothing"), { disabled: closed }) : null,
      action("Space", texts.skip, () => run("skip"), { disabled: closed }),
      action("X", texts.reasons, () => run("reasons"), { disabled: closed }),
      action("F", texts.flag, () => run("flag"), { disabled: closed }),
      action("Z", texts.undo, () => run("undo")));
    const scroll = el("div", { class: "railscroll" }, ...parts,
      el("details", { class: "known", open: true }, el("summary", { text: texts.known }), metadata(texts, item)));
    this.rail.replaceChildren(scroll, actions);
  }

  #answered(question, name) {
    return el("button", { class: "answered", onclick: () => this.run("reopen", { key: question.key }) },
      el("span", { class: "muted small", text: question.title }), el("b", { text: name }));
  }

  #words(answer) {
    const chosen = Object.values(answer.choices ?? {});
    return chosen.length ? chosen.join(", ") : say(this.texts.boxes, { n: answer.regions?.length ?? 0 });
  }

  /** Show how much is on the record and how much is not. */
  status({ saved, pending, draft }) {
    const text = pending ? this.texts.savedPending : this.texts.saved;
    this.saved.textContent = [draft, say(text, { saved, pending })].filter(Boolean).join(" · ");
    this.saved.classList.toggle("pending", pending > 0);
  }

  /** Say what keeps decisions from the record, or nothing. */
  problem(sentence, link) {
    this.trouble.hidden = !sentence;
    this.trouble.replaceChildren(el("span", { text: sentence ?? "" }));
    if (link) this.trouble.append(el("a", { href: link.href, target: "_blank", rel: "opener", text: link.text }),
      el("button", { class: "plain", text: this.texts.tryAgain, onclick: () => this.run("wake") }));
  }

  /** List the decisions the server refused, each with why and what to do. */
  refusals(rows) {
    this.refused.replaceChildren(...rows.map((row) => el("div", { class: "refusal", role: "alert" },
      el("span", {}, el("b", { text: say(this.texts.refused, { name: row.item?.name ?? "" }) }),
        el("span", { text: ` ${row.message} ${row.advice}` })),
      el("button", { class: "plain", text: this.texts.openAgain, onclick: () => this.run("reopenRefused", row) }),
      el("button", { class: "plain", text: this.texts.dismiss, onclick: () => this.run("dismiss", row) }))));
  }

  /** Show a state in place of an item: loading, nothing left, an error. */
  message({ title, text = "", button = null }) {
    this.body.hidden = true;
    this.name.textContent = "";
    this.count.textContent = "";
    this.state.hidden = false;
    this.state.replaceChildren(el("h2", { text: title }), el("p", { text }),
      ...(button ? [el("button", { class: "action strong", onclick: button.run }, el("span", { text: button.text }))] : []));
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
