// The column beside a dispute: why it is one, what to decide for, the reason, the ways to rule.

import { cap, el, say } from "./dom.js";
import { markedOf, MANY } from "./flow.js";
import { ariaKey } from "./keymap.js";
import { action } from "./rail.js";
import { decision, inHand, lacks, rowsOf, RULINGS, templateOf } from "./ruling_model.js";

const SHORT = 9; // letters of a class's name for which a third of the column is wide enough
const FEW = 3;

function chip(key, label, { pressed = false, disabled = false, colour = null, at = label, onclick }) {
  return el("button", {
    class: `chipkey${pressed ? " chosen" : ""}`, "data-at": at, "aria-pressed": String(pressed), disabled, onclick, title: label,
    "aria-keyshortcuts": key ? ariaKey(key) : null,
  }, colour ? el("i", { class: "swatch", style: { background: colour } }) : null,
  el("span", { class: "name", text: label }), key ? cap(key) : null);
}

/** Draws a ruling in the making; `run(name, key)` does what is pressed. */
export class RulingRail {
  constructor(texts, run) {
    this.texts = texts;
    this.run = run;
    this.why = el("div", { class: "because" });
    this.picks = el("div", { class: "picks" });
    this.reasons = el("div", { class: "reasons", role: "group", "aria-label": texts.reasons });
    this.field = el("input", {
      class: "find", type: "text", maxlength: 2000, autocomplete: "off", "aria-label": texts.reason, placeholder: texts.reasonHint,
      onfocus: () => run("words"), oninput: () => run("typed", this.field.value), onkeydown: (event) => this.#inField(event),
    });
    this.ways = el("div", { class: "actions three" });
    this.told = el("div", { class: "told small", role: "alert" });
    this.missing = el("div", { class: "muted small", "aria-live": "polite" });
    this.hint = el("div", { class: "muted small hint" });
    this.foot = el("div", { class: "rule" }, this.reasons, this.field, this.ways, this.told, this.missing, this.hint);
    this.node = el("aside", { class: "rail ruling", "aria-label": texts.rail }, el("div", { class: "railscroll" }, this.why, this.picks), this.foot);
  }

  // Enter and Escape give the keys back to the ruling.
  #inField(event) {
    if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    this.field.blur();
  }

  /** Draw all of it; what had the focus has it again. */
  show(dispute, ruling, state) {
    const root = this.node.getRootNode();
    // A button that was shut while something was sent loses the focus: it is remembered for it.
    this.at = root.activeElement?.dataset?.at ?? (document.activeElement === document.body ? this.at : null);
    this.#draw(dispute, ruling, state);
    if (this.at) this.node.querySelector(`[data-at="${CSS.escape(this.at)}"]`)?.focus();
  }

  #draw(dispute, ruling, { busy, told }) {
    const shut = busy || !dispute.may;
    this.#because(dispute);
    this.#picks(dispute, ruling, shut);
    this.reasons.replaceChildren(...dispute.reasons.map((r) => chip(r.key, r.text, {
      pressed: templateOf(dispute.reasons, ruling.reason) === r.text, disabled: shut, onclick: () => this.run("reason", r.key),
    })));
    if (this.field.value !== ruling.reason) this.field.value = ruling.reason;
    this.field.disabled = shut;
    this.#ways(dispute, ruling, shut);
    this.told.textContent = told;
    this.told.hidden = !told;
    const lacking = lacks(dispute, ruling);
    const words = { reason: this.texts.lacksReason, answer: dispute.draws ? this.texts.lacksRegions : this.texts.lacksAnswer, both: this.texts.lacksBoth }[lacking];
    this.missing.textContent = told || !dispute.may ? "" : words ?? "";
    this.hint.textContent = this.#hint(dispute);
  }

  /** Open or fold what the votes tell of the cause. */
  toggleAutopsy() {
    const details = this.why.querySelector("details.autopsy");
    if (details) details.open = !details.open;
  }

  // What the votes tell of the cause: kind and words in a line, evidence and clause behind it.
  #autopsy(found) {
    const { texts } = this;
    if (!found) return null;
    const open = this.why.querySelector("details.autopsy")?.open ?? false;
    const settles = typeof found.settles === "number" && found.settles > 0 ? say(texts.settles, { n: found.settles }) : "";
    return el("details", { class: "card autopsy", open },
      el("summary", { "data-at": "autopsy", "aria-keyshortcuts": "A" }, el("b", { text: found.kind }), el("span", { text: ` ${found.words ?? ""}` }), cap("A")),
      el("ul", { class: "small evidence" }, ...(found.evidence ?? []).map((line) => el("li", { text: line }))),
      found.clause ? el("blockquote", { class: "small clause", text: found.clause }) : null,
      settles ? el("div", { class: "small muted", text: settles }) : null);
  }

  #because({ why, differs, flags, sentences, draws, may, mayNot, autopsy }) {
    const { texts } = this;
    this.why.replaceChildren(...[
      this.#autopsy(autopsy),
      el("div", { class: "card warn" }, el("div", {}, el("span", { text: why }), differs ? el("span", { class: "muted", text: ` ${say(texts.differs, { what: differs })}` }) : null),
        ...flags.map((f) => el("div", { class: "small" }, el("b", { text: `${f.who}: ` }), el("span", { text: f.what })))),
      // Classes stand side by side in the cards; of drawings only these sentences tell what differs.
      ...(draws ? sentences : []).map((s) => el("div", { class: "muted small", text: s })),
      may ? null : el("div", { class: "card warn", role: "note", text: mayNot }),
    ].filter(Boolean));
  }

  #picks(dispute, ruling, shut) {
    const takes = dispute.layers.map((layer) => chip(layer.key.length === 1 ? layer.key : "", layer.name, {
      pressed: ruling.source === layer.key, disabled: shut, onclick: () => this.run("take", layer.key),
    }));
    if (dispute.draws) takes.push(chip("E", dispute.edit, { disabled: shut, onclick: () => this.run("edit") }));
    const hand = inHand(dispute, ruling);
    this.picks.replaceChildren(el("div", { class: "chipkeys", role: "group", "aria-label": this.texts.takes }, ...takes),
      ...dispute.asked.map((q) => this.#question(dispute, ruling, q, q === hand, shut)));
  }

  #question(dispute, ruling, question, held, shut) {
    const { texts } = this;
    const chosen = question.several ? markedOf(question, ruling.answer) : [ruling.answer.choices[question.key]].filter(Boolean);
    const rows = rowsOf(dispute, question);
    const many = question.classes.length > MANY;
    const listed = new Set(rows.map((r) => r.name));
    const wide = rows.length <= FEW ? "one" : rows.every((r) => r.name.length <= SHORT) ? "three" : "two";
    const open = (name) => chip("", name, { pressed: true, disabled: shut, at: `${question.key} ${name}`, onclick: () => this.run("pick", { question, name }) });
    const set = question.several && !(question.key in ruling.answer.multi);
    return el("section", { class: `ask${held ? " held" : ""}`, "aria-label": question.title },
      el("div", { class: "muted small", text: question.title }),
      el("div", { class: `chipkeys ${wide}` },
        ...rows.map((r) => chip(held ? r.digit : "", r.name, {
          pressed: chosen.includes(r.name), disabled: shut, colour: r.colour, at: `${question.key} ${r.name}`, onclick: () => this.run("pick", { question, name: r.name }),
        })),
        ...chosen.filter((name) => !listed.has(name)).map(open)),
      many ? chip(held ? "/" : "", say(texts.allClasses, { n: question.classes.length.toLocaleString() }), { disabled: shut, onclick: () => this.run("search", question) }) : null,
      set ? chip(held ? "⏎" : "", chosen.length ? say(texts.confirmSet, { n: chosen.length }) : texts.confirmNone, { disabled: shut, onclick: () => this.run("confirm", question) }) : null);
  }

  #ways(dispute, ruling, shut) {
    const { texts } = this;
    const label = decision(texts, say, dispute, ruling);
    const way = (key, text, more) => {
      const button = action(key, text, () => this.run("rule", key), { disabled: shut, ...more });
      button.dataset.at = `rule ${key}`;
      return button;
    };
    const words = label ? say(texts.decideFor, { label }) : texts.decide;
    this.ways.replaceChildren(way("D", words, { strong: !lacks(dispute, ruling) }),
      ...Object.entries(RULINGS).slice(1).map(([key, kind]) => way(key, texts.ways[kind])));
    this.ways.firstElementChild.classList.add("whole");
  }

  #hint(dispute) {
    const { texts } = this;
    const takes = dispute.layers.map((l) => l.key).filter((k) => k.length === 1).join(" ");
    return [takes && say(texts.hintTakes, { keys: takes }), dispute.asked.length ? texts.hintDigits : "", dispute.draws ? texts.hintEdit : "", say(texts.hintReasons, { keys: dispute.reasons.map((r) => r.key).join(" ") }), texts.hintSay,
      dispute.draws ? texts.hintParty : "", texts.hintAlike, dispute.autopsy ? texts.hintCause : "", texts.hintFilter, texts.hintOthers, texts.hintHelp]
      .filter(Boolean).join(" · ");
  }
}
