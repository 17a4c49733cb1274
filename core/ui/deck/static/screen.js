// One item after another on the screen: fetching, showing, saying why there is nothing.

import { Clocks } from "./clocks.js";
import { say } from "./dom.js";
import { Drafts } from "./drafts.js";
import { shownRegions, startAnswer, suggested } from "./flow.js";
import { Held } from "./held.js";
import { Decisions } from "./history.js";
import { Images, widthStep } from "./images.js";
import { ask } from "./net.js";
import { Supply } from "./queue.js";
import { View } from "./view.js";

const PREFETCH = 10;

// An error's message and advice in one line.
function sentence(error) {
  return [error?.message, error?.advice].filter(Boolean).join(" ");
}

function readDecisions(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "{}");
  } catch {
    return {};
  }
}

/** What a session shows and holds; `run` and `heard` are the session's. */
export class Screen {
  constructor(root, config, outbox, trigger) {
    this.root = root;
    this.config = config;
    this.texts = config.texts;
    this.trigger = trigger;
    this.outbox = outbox;
    this.held = new Held();
    this.supply = new Supply(config.urls, this.held, outbox);
    this.images = new Images(config.urls.base);
    this.historyKey = `${outbox.key}.history`;
    this.decisions = new Decisions(readDecisions(this.historyKey));
    this.answers = new Map();
    this.clocks = new Clocks(config.idleSeconds);
    this.drafts = new Drafts(config.urls.draft, (itemId, kept) => this.draftTold(itemId, kept));
    this.onScreen = null;
    this.draftNote = "";
    this.view = new View(root, config, (command, detail) => this.run(command, detail));
    const room = this.view.stage.node.getBoundingClientRect();
    this.images.width = widthStep(room.width * (globalThis.devicePixelRatio ?? 1));
    this.stopListening = outbox.listen((what, receipt, entry) => this.heard(what, receipt, entry));
    this.status();
  }

  /** Begin: the item of the permalink first, then the queue. */
  async begin(firstId) {
    this.show();
    if (firstId === null || !(await this.fetchItem(firstId))) return this.held.current ?? this.more();
    return this.refillQuietly();
  }

  // Open one item by its number and put it on the screen; false where that cannot be.
  async fetchItem(itemId, answer = null) {
    if (this.outbox.itemIds().includes(itemId)) return false;
    const reply = await ask(`${this.config.urls.open}/${itemId}`);
    if (reply.kind === "refused" || reply.kind === "forbidden") {
      const go = { text: this.texts.toQueue, run: () => this.more() };
      this.view.message({ title: this.texts.noSuchItem, text: sentence(reply.error), button: go });
      return true;
    }
    if (reply.kind !== "ok") return false;
    this.held.putFirst(answer ? { ...reply.body.item, draft: answer } : reply.body.item);
    this.answers.delete(itemId);
    this.show();
    return true;
  }

  /** Tell whether the current image has really been on the screen. */
  get seen() {
    return this.onScreen !== null && this.onScreen === this.held.current?.item_id;
  }

  answerOf(item) {
    if (!this.answers.has(item.item_id)) this.answers.set(item.item_id, startAnswer(item));
    return this.answers.get(item.item_id);
  }

  status() {
    const { saved, pending, trouble } = this.outbox;
    this.view.status({ saved, pending, draft: this.draftNote });
    this.view.refusals(this.outbox.refused);
    if (!trouble) return this.view.problem(null);
    if (trouble.kind === "signed-out") {
      return this.view.problem(this.texts.signedOut, { href: this.config.urls.signIn, text: this.texts.signIn });
    }
    if (trouble.kind === "forbidden") {
      return this.view.problem(`${sentence(trouble)} ${this.texts.kept}`);
    }
    return this.view.problem(say(this.texts.reconnecting, { pending }));
  }

  note(text) {
    this.draftNote = text;
    this.status();
  }

  show(said = "") {
    this.clocks.stop();
    const item = this.held.current;
    if (!item) {
      this.onScreen = null;
      this.view.announce(said);
      if (this.begun) this.more();
      else this.view.message({ title: this.texts.loading });
      return;
    }
    this.begun = true;
    this.redraw(item);
    this.place(item);
    this.images.prepare(this.held.upcoming(PREFETCH));
    this.view.announce([said, this.describe(item)].filter(Boolean).join(" "));
    if (this.supply.low) this.refillQuietly();
  }

  place(item) {
    const image = this.images.get(item);
    const still = () => this.held.current?.item_id === item.item_id;
    const put = () => {
      this.view.image(item, image.node, this.answerOf(item));
      this.onScreen = item.item_id;
      this.clocks.start(item.item_id);
    };
    if (image.ready) return put();
    this.onScreen = null;
    this.view.stage.loading(item);
    return image.done.then((ready) => {
      if (!still()) return;
      if (ready) put();
      else this.view.stage.broken(item, () => this.run("retry"));
    });
  }

  redraw(item) {
    this.view.item(item, this.answerOf(item), this.position());
    if (this.seen) this.view.image(item, this.images.get(item).node, this.answerOf(item));
  }

  position() {
    const { waiting } = this.supply;
    return waiting === null ? "" : say(this.texts.waiting, { n: (waiting + this.held.items.length).toLocaleString() });
  }

  describe(item) {
    const question = this.config.asked[0];
    const label = question ? suggested(item, question) : null;
    if (this.config.boxes) return say(this.texts.nextBoxes, { name: item.name, n: shownRegions(item).regions.length });
    if (!label) return say(this.texts.nextPlain, { name: item.name });
    const sure = item.prelabel.confidence;
    return say(this.texts.nextItem, { name: item.name, label, sure: sure === null ? "" : `${Math.round(sure * 100)} %` });
  }

  refillQuietly() {
    this.supply.refill().then((reply) => {
      if (reply.kind === "ok" && this.held.current) {
        this.images.prepare(this.held.upcoming(PREFETCH));
        this.view.count.textContent = this.position();
      }
    });
  }

  // Nothing is on the screen: fetch, or say why there is nothing.
  async more() {
    this.view.message({ title: this.texts.loading });
    await this.outbox.flush();
    const reply = await this.supply.refill();
    if (this.held.current) return this.show();
    const again = { text: this.texts.lookAgain, run: () => this.more() };
    if (reply.kind === "ok") {
      const text = reply.reason || (this.outbox.pending ? say(this.texts.emptyPending, { pending: this.outbox.pending }) : this.texts.empty);
      this.view.message({ title: this.texts.nothingLeft, text, button: again });
    } else if (reply.kind === "signed-out") {
      this.view.message({ title: this.texts.signedOut, text: this.texts.kept, button: { text: this.texts.signIn, run: () => window.location.assign(this.config.urls.signIn) } });
    } else if (reply.kind === "offline") {
      this.view.message({ title: say(this.texts.reconnecting, { pending: this.outbox.pending }), button: again });
      setTimeout(() => this.held.current || this.gone || this.more(), 5000);
    } else {
      this.view.message({ title: this.texts.refusedPage, text: sentence(reply.error), button: again });
    }
    this.view.announce(reply.reason ?? "");
    return undefined;
  }

  draftTold(itemId, kept) {
    if (this.held.current?.item_id !== itemId) return;
    const time = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    this.note(kept ? say(this.texts.draftSaved, { time }) : this.texts.draftUnsaved);
  }

  /** The tab was hidden or shown. */
  visible(now) {
    this.clocks.visible(now);
    if (!now) this.outbox.flush();
  }

  /** Keep the leases while somebody is at work. */
  keepLeases() {
    if (!document.hidden && !this.clocks.isIdle(this.config.leaseSeconds)) this.supply.renew();
  }

  /** The page goes away: send what can be sent, give back what can be given back. */
  parting() {
    this.clocks.stop();
    this.drafts.flush({ keepalive: true });
    this.outbox.flush({ keepalive: true });
    this.supply.release();
  }

  destroy() {
    this.gone = true;
    this.parting();
    this.stopListening();
    this.view.destroy();
  }
}
