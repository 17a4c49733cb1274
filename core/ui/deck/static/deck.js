// Entry of the review deck: one instance per element, keys, and the life of the page.
// Streamlit calls the default export on every change of the data.

import { commandFor, isPressing, isTyping } from "./keys.js";
import { ask } from "./net.js";
import { Outbox } from "./outbox.js";
import { Session } from "./session.js";

const decks = new WeakMap();
const outboxes = new Map();

// Bound to person and project: another account in this tab must not send what this one decided.
function outboxFor({ person, slug, urls }) {
  const key = `tiebreak.outbox.${person}.${slug}`;
  if (!outboxes.has(key)) {
    const send = async (submissions, { keepalive }) => {
      const reply = await ask(urls.decisions, { body: { submissions }, keepalive });
      return { kind: reply.kind, error: reply.error, receipts: reply.body?.receipts ?? [] };
    };
    outboxes.set(key, new Outbox({ key, storage: sessionStorage, send }));
  }
  return outboxes.get(key);
}

/** The deck in one element: a session, the keyboard, and the comings and goings of the page. */
class Deck {
  constructor(root) {
    this.root = root;
    this.stops = [];
    this.on(document, "keydown", (event) => this.key(event), { capture: true });
    for (const name of ["pointermove", "pointerdown", "wheel"]) {
      this.on(document, name, () => this.session?.clocks.active(), { passive: true, capture: true });
    }
    this.on(document, "visibilitychange", () => this.session?.visible(!document.hidden));
    this.on(window, "pagehide", () => this.session?.parting());
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
    this.editing = data.editing !== null;
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
    this.session = new Session(this.root, data, outboxFor(data), trigger);
    this.session.begin(data.firstId);
    this.heartbeat = setInterval(() => this.session.keepLeases(), (data.leaseSeconds * 1000) / 4);
  }

  key(event) {
    const origin = event.composedPath()[0];
    if (this.editing || isTyping(origin) || document.querySelector("[role=dialog]")) return;
    const sheet = this.root.querySelector("dialog[open]");
    const command = commandFor(event);
    if (!command) return;
    if (sheet) return this.#inSheet(sheet, command, event);
    if (isPressing(origin, event)) return;
    event.preventDefault();
    event.stopPropagation();
    this.session.run(command.name, command);
  }

  #inSheet(sheet, command, event) {
    const reason = command.name === "digit" && sheet.reasons?.[Number(command.digit) - 1];
    const closes = ["reasons", "help", "info"].includes(command.name);
    if (!reason && !closes) return;
    event.preventDefault();
    event.stopPropagation();
    sheet.close();
    if (reason) this.session.decide("skip", { reason: reason.code });
  }

  destroy() {
    clearInterval(this.heartbeat);
    for (const stop of this.stops) stop();
    this.session?.destroy();
  }
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
