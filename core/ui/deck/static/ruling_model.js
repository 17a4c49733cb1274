// A lead's ruling in the making. Pure: keys and clicks change it, nothing is sent from here.
// All of it lives in the browser, so what is typed fast arrives whole and in order.

import { finished, inWords, isComplete, markedOf, offered, openQuestion, put, stepBack, toggle } from "./flow.js";
import { namesOf } from "./keymap.js";
import { isObject } from "./storage.js";

/** The ways to rule, by key. */
export const RULINGS = { D: "decide", N: "neutral", X: "discard", B: "send-back" };
/** Who rules sooner than this after the picture came, milliseconds, has not looked. */
export const LOOK_MS = 400;

/** Since when a dispute has been looked at. A ruling pressed too soon begins the look anew: the key
 * after it was typed in the same breath, and must not do what the first one was refused. */
export class Look {
  constructor() {
    this.since = null;
  }

  /** The picture came; one that is drawn again is not new. */
  came(now) {
    this.since ??= now;
  }

  /** Something changed that has to be looked at first. */
  anew(now) {
    this.since = now;
  }

  /** Tell whether a ruling pressed now is too soon. */
  tooSoon(now) {
    const early = this.since === null || now - this.since < LOOK_MS;
    if (early && this.since !== null) this.since = now;
    return early;
  }
}

const MOST_KEPT = 40;
const OTHERS = {
  E: "edit", S: "say", "/": "search", Enter: "confirm", Backspace: "back", Left: "previous", Right: "next",
  L: "alike", P: "party", "Shift+P": "partyBack", F: "filter", A: "autopsy", "?": "help",
};
/** What changes only what is seen: open to those too who may not rule. */
export const LOOKING = ["previous", "next", "alike", "party", "partyBack", "filter", "autopsy", "help"];

function answerOf(plain) {
  const { choices, multi, regions } = isObject(plain) ? plain : {};
  return {
    choices: isObject(choices) ? { ...choices } : {}, multi: isObject(multi) ? { ...multi } : {}, marked: {},
    regions: Array.isArray(regions) ? regions : null, trail: [], undone: [],
  };
}

/** Begin the ruling on a dispute: with what was kept of it, else from nothing. */
export function startRuling(dispute, kept, newUuid) {
  const same = isObject(kept) && kept.item_id === dispute.item_id;
  const begun = { item_id: dispute.item_id, seen: dispute.newest_seq, decided: dispute.decision_seen, sent: false, uuid: newUuid(), source: "", answer: answerOf(null), reason: "", edited: "" };
  if (!same) return begun;
  const text = (name) => (typeof kept[name] === "string" ? kept[name] : "");
  // A tab that was duplicated has the draft too; its ruling is one of its own until it is sent.
  return { ...begun, uuid: text("uuid") || begun.uuid, sent: text("uuid") !== "", source: text("source"), reason: text("reason"), edited: text("edited"), answer: fitting(dispute, answerOf(kept.answer)) };
}

// Classes may have been renamed or retired since the draft was kept.
function fitting(dispute, answer) {
  for (const q of dispute.asked) {
    const open = new Set(q.classes.map((c) => c.name));
    if (q.key in answer.choices && !open.has(answer.choices[q.key])) delete answer.choices[q.key];
    if (q.key in answer.multi && !(Array.isArray(answer.multi[q.key]) && answer.multi[q.key].every((n) => open.has(n)))) delete answer.multi[q.key];
  }
  return answer;
}

/** Give what is kept of a ruling over a reload, or while the canvas is open. */
export function keptOf({ item_id, sent, uuid, source, reason, edited, answer }) {
  const { choices, multi, regions } = answer;
  return { item_id, ...(sent ? { uuid } : {}), source, reason, edited, answer: { choices, multi, regions } };
}

/** Put a kept ruling among those of other items; the oldest go when there are too many. */
export function shelve(shelf, kept) {
  const name = shelfOf(kept.item_id);
  const others = Object.entries(shelf).filter(([other]) => other !== name);
  return Object.fromEntries([...others.slice(-(MOST_KEPT - 1)), [name, kept]]);
}

/** Name the place of an item's ruling among those kept: not a number, for numbers would be sorted. */
export function shelfOf(item) {
  return `item ${item}`;
}

/** Take the regions over that were drawn on the canvas. */
export function takeEdited(ruling, { nonce, answer }) {
  Object.assign(ruling, { edited: nonce, source: "", answer: answerOf(answer) });
}

/** Take a party's answer as it is. */
export function take(ruling, layer) {
  Object.assign(ruling, { source: layer.key, answer: answerOf(layer.answer) });
}

/** Give the question the keys answer: the first open one, else the first. */
export function inHand(dispute, ruling) {
  return openQuestion(dispute.asked, ruling.answer) ?? dispute.asked[0] ?? null;
}

// What the parties said comes first among more classes than there are keys.
function named(dispute, question) {
  const said = dispute.layers.flatMap((l) => l.answer.choices[question.key] ?? l.answer.multi?.[question.key] ?? []);
  return [...new Set(said)].map((name) => [name, null]);
}

/** List the classes a question offers by key. */
export function rowsOf(dispute, question) {
  return offered(question, named(dispute, question), []);
}

/** Answer a question with a class, or mark it where several may be chosen. */
export function choose(ruling, question, name) {
  ruling.source = "";
  if (!question.several) return put(ruling.answer, "choices", question.key, name);
  toggle(question, ruling.answer, name);
  if (question.key in ruling.answer.multi) put(ruling.answer, "multi", question.key, markedOf(question, ruling.answer));
  return undefined;
}

/** Answer a question of several classes with those marked; none is an answer too. */
export function confirm(ruling, question) {
  ruling.source = "";
  put(ruling.answer, "multi", question.key, markedOf(question, ruling.answer));
}

/** Take the last class back; false where there is none. */
export function undo(ruling) {
  return stepBack(ruling.answer);
}

const BETWEEN = ": "; // a template, then own words

/** Give the template a reason begins with, as its text; "" where it is all own words. */
export function templateOf(reasons, reason) {
  return reasons.find(({ text }) => reason === text || reason.startsWith(text + BETWEEN))?.text ?? "";
}

/** Give a reason with another template before it; own words stay. */
export function withTemplate(reasons, reason, text) {
  const before = templateOf(reasons, reason);
  const own = (before ? reason.slice(before.length + BETWEEN.length) : reason).trim();
  return own ? text + BETWEEN + own : text;
}

/** Give a reason ready for own words: a template has its separator behind it. */
export function opened(reasons, reason) {
  return reasons.some(({ text }) => text === reason) ? reason + BETWEEN : reason;
}

/** Give a reason as it is said: without a separator that nothing follows. */
export function closed(reasons, reason) {
  const before = templateOf(reasons, reason);
  return before && !reason.slice(before.length + BETWEEN.length).trim() ? before : reason;
}

/** Name what a kind of ruling still lacks: "reason", "answer", "both" or "". */
export function lacks(dispute, ruling, kind = "decide") {
  const reason = !/[^\s\p{C}]/u.test(ruling.reason);
  const answer = kind === "decide" && !isComplete(ruling.answer, dispute.asked, dispute.draws);
  return reason && answer ? "both" : reason ? "reason" : answer ? "answer" : "";
}

/** Say in words what would be decided; "" where nothing was picked. */
export function decision(texts, say, dispute, { answer }) {
  const words = inWords(answer, texts.noneOfThem, dispute.asked);
  const regions = dispute.draws && answer.regions ? say(texts.boxes, { n: answer.regions.length }) : "";
  return [words, regions].filter(Boolean).join(" · ");
}

/** Give the ruling as it is sent: over what was on the screen, under one identifier. */
export function sentOf(dispute, ruling, kind) {
  return {
    uuid: ruling.uuid, item_id: ruling.item_id, kind, reason: closed(dispute.reasons, ruling.reason), answer: kind === "decide" ? finished(ruling.answer) : null,
    votes_seen: dispute.votes_seen, newest_seq: ruling.seen, decision_seen: ruling.decided,
  };
}

/** Name what a key press means: {name, key}; null where it is not ours. */
export function rulingCommand(event, dispute) {
  if (event.repeat || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return null;
  const names = namesOf(event);
  const has = (map) => names.find((n) => n in map);
  const known = names.find((n) => /^[0-9]$/.test(n));
  if (known) return { name: "digit", key: known };
  const layer = names.find((n) => dispute.layers.some((l) => l.key === n));
  if (layer) return { name: "take", key: layer };
  const reason = names.find((n) => dispute.reasons.some((r) => r.key === n));
  if (reason) return { name: "reason", key: reason };
  if (has(RULINGS)) return { name: "rule", key: has(RULINGS) };
  return has(OTHERS) ? { name: OTHERS[has(OTHERS)], key: has(OTHERS) } : null;
}
