// Entry of the review deck: one instance per element, keys, and the life of the page.
// Streamlit calls the default export on every change of the data.

import { atWork, KeyLine, pressAgain } from "./keyline.js";
import { commandFor, readKeymap } from "./keymap.js";
import { isPressing, isTyping } from "./keys.js";
import { ask, speakFor } from "./net.js";
import { Outbox } from "./outbox.js";
import { Session } from "./session.js";
import { tabStorage } from "./storage.js";

const decks = new WeakMap();
const outboxes = new Map();
const HOLD_MS = 200;
const LISTENING_MS = 100; // from a button's coming until its shortcut works
const BACK = ".st-key-tb-back button"; // the last the canvas' page makes

// Bound to person and project: another account in this tab must not send what this one decided.
function outboxFor({ person, slug, urls }) {
  const key = `tiebreak.outbox.${person}.${slug}`;
  if (!outboxes.has(key)) {
    const send = async (submissions, { keepalive }) => {
      const reply = await ask(urls.decisions, { body: { submissions }, keepalive, person });
      return { kind: reply.kind, error: reply.error, receipts: reply.body?.receipts ?? [] };
    };
    outboxes.set(key, new Outbox({ key, storage: tabStorage(), send }));
  }
  return outboxes.get(key);
}

/** The deck in one element: a session, the keyboard, and the comings and goings of the page. */
class Deck {
  constructor(root) {
    this.root = root;
    this.stops = [];
    this.line = new KeyLine({ busy: () => this.#changing(), give: pressAgain });
    this.on(document, "keydown", (event) => this.key(event), { capture: true });
    this.on(document, "keyup", (event) => event.code === this.held?.code && this.letGo(), { capture: true });
    this.on(window, "blur", () => this.letGo());
    for (const name of ["pointermove", "pointerdown", "wheel"]) {
      this.on(document, name, () => this.session?.clocks.active(), { passive: true, capture: true });
    }
    this.on(document, "visibilitychange", () => this.session?.visible(!document.hidden));
    this.on(window, "pagehide", () => this.session?.parting());
    this.on(window, "beforeunload", (event) => this.session?.outbox.atRisk && event.preventDefault());
    this.on(window, "online", () => this.session?.wake());
    this.on(window, "focus", () => this.session?.outbox.trouble && this.session.wake());
  }

  on(target, name, handler, options) {
    target.addEventListener(name, handler, options);
    this.stops.push(() => target.removeEventListener(name, handler, options));
  }

  /** Take over what Python says now. */
  update(data, trigger) {
    if (data.rev !== this.rev) this.#restart(data, trigger);
    this.session.trigger = trigger;
    this.#follow(data.queue);
    this.editing = data.editing !== null;
    if (this.editing) this.session.openingUntil = 0;
    else this.line.settled();
    this.session.view.tuck(this.editing);
    if (data.outcome && data.outcome.nonce !== this.outcome) {
      this.outcome = data.outcome.nonce;
      if (data.outcome.submission) this.session.recorded(data.outcome);
      else this.session.drafted(data.outcome.item_id, data.outcome.draft);
    }
  }

  #restart(data, trigger) {
    this.rev = data.rev;
    this.session?.destroy();
    clearInterval(this.heartbeat);
    speakFor(data.person);
    this.keymap = readKeymap(data.keymap);
    this.queue = JSON.stringify(data.queue);
    this.session = new Session(this.root, data, outboxFor(data), trigger);
    this.session.begin(data.firstId);
    this.heartbeat = setInterval(() => this.session.keepLeases(), (data.leaseSeconds * 1000) / 4);
  }

  // The address may name another queue by now: a link, or the browser's way back.
  #follow(queue) {
    const now = JSON.stringify(queue);
    if (now === this.queue) return;
    this.queue = now;
    if (now !== JSON.stringify(this.session.queue)) this.session.turnTo(queue, { quiet: true });
  }

  key(event) {
    const origin = event.composedPath()[0];
    if (isTyping(origin) || document.querySelector("[role=dialog]")) return;
    if (!isPressing(origin, event) && this.line.takes(event)) return stopped(event);
    if (this.editing) return this.line.settle();
    const sheet = this.root.querySelector("dialog[open]");
    const command = commandFor(event, this.keymap);
    if (sheet) return this.#inSheet(sheet, command, event);
    if (this.session.drawing?.isOpen) return this.#inEditor(event);
    if (!command || isPressing(origin, event)) return;
    stopped(event);
    if (command.name === "actual") return this.hold(event.code, 0);
    // Where no question wants the 0, holding it shows 100 %.
    if (command.digit === "0" && !this.session.wants("0")) this.hold(event.code, HOLD_MS);
    this.session.run(command.name, command);
  }

  /** Tell whether the canvas is coming, or at work: a press now would be lost or meant for what is not there yet. */
  #changing() {
    if (this.editing) return atWork() || !this.#canvasIsThere();
    const { openingUntil } = this.session ?? {};
    if (!openingUntil) return false;
    if (performance.now() < openingUntil || atWork()) return true;
    this.session.openingUntil = 0; // Python said no
    return false;
  }

  #canvasIsThere() {
    if (!document.querySelector(BACK)) this.thereAt = 0;
    else this.thereAt ||= performance.now() + LISTENING_MS;
    return this.thereAt > 0 && performance.now() >= this.thereAt;
  }

  /** Show 100 % for as long as a key is held. */
  hold(code, after) {
    this.letGo();
    const held = { code, back: null };
    held.timer = setTimeout(() => {
      this.session.clocks.active();
      held.back = this.session.view.stage.commands.actual();
    }, after);
    this.held = held;
  }

  letGo() {
    clearTimeout(this.held?.timer);
    this.held?.back?.();
    this.held = null;
  }

  #inEditor(event) {
    this.session.clocks.active();
    if (!this.session.drawing.key(event)) return;
    stopped(event);
  }

  #inSheet(sheet, command, event) {
    const plain = !event.repeat && !event.ctrlKey && !event.metaKey && !event.altKey;
    const typed = plain && /^[1-9]$/.test(event.key) ? event.key : command?.digit; // digits, whatever the keymap
    const reason = sheet.reasons?.[Number(typed) - 1];
    const closes = ["reasons", "help", "info"].includes(command?.name);
    if (!reason && !closes) return;
    stopped(event);
    sheet.close();
    if (reason) this.session.decide("skip", { reason: reason.code });
  }

  destroy() {
    clearInterval(this.heartbeat);
    this.line.stop();
    for (const stop of this.stops) stop();
    this.session?.destroy();
  }
}

/** Keep a press from everybody else. */
function stopped(event) {
  event.preventDefault();
  event.stopPropagation();
}

export default function mount({ data, parentElement, setTriggerValue }) {
  let deck = decks.get(parentElement);
  if (!deck) {
    deck = new Deck(parentElement);
    decks.set(parentElement, deck);
  }
  deck.update(data, setTriggerValue);
  return () => {
    decks.delete(parentElement);
    deck.destroy();
  };
}
