// One item after another on the screen: fetching, showing, saying why there is nothing.

import { Arrival } from "./arrival.js";
import { addressOf, cleanQueue, isFiltered, queueWords } from "./bar.js";
import { Clocks } from "./clocks.js";
import { say } from "./dom.js";
import { Drafts } from "./drafts.js";
import { offered, openQuestion, shownRegions, startAnswer, suggested } from "./flow.js";
import { Held } from "./held.js";
import { Decisions } from "./history.js";
import { Images, widthStep } from "./images.js";
import { keyIn } from "./keymap.js";
import { ask, onReach } from "./net.js";
import { Supply } from "./queue.js";
import { Recent, workOfOthers } from "./recent.js";
import { readObject, tabStorage } from "./storage.js";
import { View } from "./view.js";

const PREFETCH = 10;
const ABOUT_MS = 150;
const RETRY_MS = 5000;

/** Write a time of day as the reader's own languages have it: 14:17, or 2:17 PM where people say so. */
export function clockTime(at, languages) {
  const { hourCycle } = new Intl.DateTimeFormat([...languages], { hour: "numeric" }).resolvedOptions();
  const twelve = hourCycle === "h11" || hourCycle === "h12";
  return at.toLocaleTimeString([...languages], { hour: twelve ? "numeric" : "2-digit", minute: "2-digit" });
}

// An error's message and advice in one line.
function sentence(error) {
  return [error?.message, error?.advice].filter(Boolean).join(" ");
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
    this.queue = cleanQueue(config.queue);
    this.supply = new Supply(config.urls, this.held, outbox, this.queue);
    this.recent = new Recent(tabStorage(), `${outbox.key}.recent`);
    this.images = new Images(config.urls.base);
    this.historyKey = `${outbox.key}.history`;
    this.decisions = new Decisions(readObject(tabStorage(), this.historyKey));
    this.answers = new Map();
    this.clocks = new Clocks(config.idleSeconds);
    this.drafts = new Drafts(config.urls.draft, (itemId, kept) => this.draftTold(itemId, kept));
    this.onScreen = null;
    this.draftNote = "";
    this.view = new View(root, config, (command, detail) => this.run(command, detail));
    this.arrival = new Arrival(this.images, this.#arrivals());
    const room = this.view.stage.node.getBoundingClientRect();
    this.images.width = widthStep(room.width * (globalThis.devicePixelRatio ?? 1));
    this.stops = [
      outbox.listen((what, receipt, entry) => this.heard(what, receipt, entry)), onReach(() => this.arrival.wake()),
    ];
    this.view.bar.show(this.queue);
    this.view.others(workOfOthers(tabStorage(), outbox.key));
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
    if (reply.kind !== "ok" || !reply.body.item) return false;
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
    this.view.status({ saved, pending, draft: this.draftNote, today: this.supply.doneToday });
    this.view.refusals(this.outbox.refused);
    if (!trouble) return this.view.problem(null);
    if (trouble.kind === "signed-out") {
      const somebody = trouble.code === "OTHER_PERSON" ? this.texts.otherPerson : this.texts.signedOut;
      return this.view.problem(somebody, { href: this.config.urls.signIn, text: this.texts.signIn });
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
    this.drawing?.follow(item);
    if (!item) {
      this.onScreen = null;
      this.arrival.stop();
      this.view.announce(said);
      if (this.begun) this.more();
      else this.view.message({ title: this.texts.loading });
      return;
    }
    this.begun = true;
    this.redraw(item);
    this.onScreen = null;
    this.arrival.bring(item);
    this.images.prepare(this.held.upcoming(PREFETCH));
    this.view.announce([said, this.describe(item)].filter(Boolean).join(" "));
    if (this.supply.low) this.refillQuietly();
  }

  #arrivals() {
    const { stage } = this.view;
    const still = (run) => (item, ...more) => this.held.current?.item_id === item.item_id && run(item, ...more);
    return {
      loading: (item) => stage.loading(item),
      ready: still((item, image, late) => this.put(item, image, late)),
      away: still((item, signedOut, faulty) => this.away(item, signedOut, faulty)),
      broken: still((item) => this.broken(item)),
    };
  }

  put(item, image, late) {
    this.view.image(item, image.node, this.answerOf(item));
    this.onScreen = item.item_id;
    this.clocks.start(item.item_id);
    this.afterwards(item);
    if (late) this.images.prepare(this.held.upcoming(PREFETCH));
  }

  away(item, signedOut, faulty) {
    const again = this.view.stage.node.querySelector(".away") === null;
    const { away, awaySignedOut, awayFaulty } = this.texts;
    this.view.stage.away(item, signedOut, faulty);
    if (again) this.view.announce(signedOut ? awaySignedOut : faulty ? awayFaulty : away);
  }

  // The image is gone: what to do instead, by the keys that are in force, and that a draft is safe.
  broken(item) {
    const { texts, config: { keymap } } = this;
    const keys = { skip: keyIn(keymap, "skip", texts.skip), next: keyIn(keymap, "next", texts.skip) };
    const advice = [say(texts.brokenAdvice, keys), item.draft ? texts.brokenDraft : ""].filter(Boolean).join(" ");
    const sentence = this.images.sentence(item);
    this.view.stage.broken(item, () => this.run("retry"), { sentence, advice });
    this.view.announce([texts.broken, sentence, advice].filter(Boolean).join(" "));
  }

  // What can wait comes once the image is painted, and not for items that fly by.
  afterwards(item) {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.later);
    this.frame = requestAnimationFrame(() => {
      if (this.held.current?.item_id !== item.item_id) return;
      this.later = setTimeout(() => {
        this.view.rail.details(item);
        this.later = setTimeout(() => this.view.turnTo(item), ABOUT_MS);
      });
    });
  }

  redraw(item) {
    const answer = this.answerOf(item);
    const focus = this.question(answer);
    this.view.item(item, answer, { position: this.position(), focus, rows: this.offers(item, focus) });
    if (this.seen) this.view.image(item, this.images.get(item).node, answer);
  }

  /** Give the open question; where all are answered (a draft, say), the last one may be answered anew. */
  question(answer) {
    const { asked } = this.config;
    return openQuestion(asked, answer) ?? asked[asked.length - 1] ?? null;
  }

  // The model's likeliest classes; they are about the item's first question.
  likely(item, question) {
    const pre = item.prelabel;
    if (!pre || this.config.boxes || question !== this.config.asked[0]) return [];
    if (pre.top?.length) return pre.top;
    return pre.label && pre.confidence !== null ? [[pre.label, pre.confidence]] : [];
  }

  /** List the classes that have a key in a question now. */
  offers(item, question) {
    return question ? offered(question, this.likely(item, question), this.recent.of(question.key)) : [];
  }

  position() {
    const { waiting } = this.supply;
    return waiting === null ? "" : say(this.texts.waiting, { n: (waiting + this.held.items.length).toLocaleString() });
  }

  describe(item) {
    const question = this.config.asked[0];
    const said = question ? suggested(item, question) : null;
    const label = Array.isArray(said) ? said.join(", ") || this.texts.none : said;
    if (this.config.boxes) return say(this.texts.nextBoxes, { name: item.name, n: shownRegions(item).regions.length });
    if (!label) return say(this.texts.nextPlain, { name: item.name });
    const sure = item.prelabel.confidence;
    return say(this.texts.nextItem, { name: item.name, label, sure: sure === null ? "" : `${Math.round(sure * 100)} %` });
  }

  refillQuietly() {
    this.supply.refill().then((reply) => {
      if (reply.kind === "ok") this.told(reply);
      if (reply.kind === "ok" && this.held.current) {
        this.images.prepare(this.held.upcoming(PREFETCH));
        this.view.count.textContent = this.position();
      }
    });
  }

  // What a reply says of the queue itself: what could not be done as asked, and its list.
  told({ notice = "", list = null }) {
    const { waiting } = this.supply;
    const gone = list && waiting !== null ? list.items - waiting - this.held.items.length : 0;
    const words = gone === 1 ? this.texts.listGoneOne : this.texts.listGone;
    const quiet = gone > 0 ? say(words, { gone: gone.toLocaleString(), all: list.items.toLocaleString() }) : "";
    this.view.bar.note(notice || quiet);
    this.view.count.title = quiet;
    if (list) this.view.bar.named("list", list.id, list.name, quiet);
    this.status();
  }

  /** Look at another queue from now on; the address says so too. */
  async turnTo(queue, { quiet = false } = {}) {
    this.queue = cleanQueue(queue);
    this.view.bar.show(this.queue);
    if (!quiet) window.history.replaceState(window.history.state, "", addressOf(window.location.href, this.queue));
    this.clocks.stop();
    this.onScreen = null;
    this.view.message({ title: this.texts.loading });
    await Promise.all([this.drafts.flush(), this.supply.turnTo(this.queue)]);
    return this.more();
  }

  // Nothing is on the screen: fetch, or say why there is nothing.
  async more() {
    this.view.message({ title: this.texts.loading });
    await this.outbox.flush();
    const reply = await this.supply.refill();
    if (reply.kind === "late") return undefined; // another queue was chosen meanwhile
    this.told(reply);
    if (this.held.current) return this.show();
    this.view.message(this.emptiness(reply));
    if (reply.kind === "offline") setTimeout(() => this.held.current || this.gone || this.more(), RETRY_MS);
    this.view.announce(reply.reason ?? "");
    return undefined;
  }

  emptiness(reply) {
    const { texts, outbox, queue } = this;
    const again = { text: texts.lookAgain, run: () => this.more() };
    if (reply.kind === "signed-out") {
      return { title: texts.signedOut, text: texts.kept, button: { text: texts.signIn, run: () => window.location.assign(this.config.urls.signIn) } };
    }
    if (reply.kind === "offline") return { title: say(texts.reconnecting, { pending: outbox.pending }), button: again };
    const filtered = isFiltered(queue);
    const drop = { text: texts.allItems, run: () => this.turnTo({ order: queue.order }) };
    if (reply.kind !== "ok") return { title: texts.refusedPage, text: sentence(reply.error), button: filtered ? drop : again, more: filtered ? [again] : [] };
    const why = reply.reason || (outbox.pending ? say(texts.emptyPending, { pending: outbox.pending }) : texts.empty);
    const links = reply.elsewhere.map(({ slug, title, waiting }) =>
      ({ href: this.config.urls.project.replace("__SLUG__", encodeURIComponent(slug)), text: title, note: say(texts.waiting, { n: waiting.toLocaleString() }) }));
    if (!filtered) return { title: texts.nothingLeft, text: why, button: again, links };
    return { title: say(texts.nothingWith, { filter: queueWords(texts, queue, this.view.bar.names) }), text: why, button: drop, more: [again], links };
  }

  draftTold(itemId, kept) {
    if (this.held.current?.item_id !== itemId) return;
    const time = clockTime(new Date(), navigator.languages);
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
    this.keepHistory();
    this.drafts.flush({ keepalive: true });
    this.outbox.flush({ keepalive: true });
    this.supply.release();
  }

  destroy() {
    this.gone = true;
    cancelAnimationFrame(this.frame);
    clearTimeout(this.later);
    this.parting();
    this.arrival.stop();
    for (const stop of this.stops) stop();
    this.view.destroy();
  }
}
