// Entry of the grid: pages come, tiles are marked, pages go to the record and can be taken back.
// Streamlit calls the default export on every change of the data.

import { ActiveTimer } from "./timer.js";
import { gridCommand, isControls } from "./grid_keys.js";
import { gridHelp } from "./grid_help.js";
import { Page, STEPS, stepped, withdrawal } from "./grid_model.js";
import { pictureWidth } from "./grid_tile.js";
import { GridView } from "./grid_view.js";
import { cap, el, say } from "./dom.js";
import { isTyping } from "./keys.js";
import { ask, newUuid, speakFor } from "./net.js";
import { Outbox } from "./outbox.js";
import { classSearch } from "./search.js";
import { open } from "./sheets.js";
import { isObject, readObject, rowsOf, tabStorage } from "./storage.js";

const PAGES_KEPT = 3;
const KEEP_MS = 250;
const MOST_SENT = 120;
const grids = new WeakMap();
const outboxes = new Map();
const rates = new Map();

// Bound to person and project: another account in this tab must not send what this one decided.
function outboxFor({ person, slug, urls }, heardRate) {
  const key = `tiebreak.grid.outbox.${person}.${slug}`;
  rates.set(key, heardRate);
  if (!outboxes.has(key)) {
    const send = async (tiles, { keepalive }) => {
      const reply = await ask(urls.grid, { body: { tiles }, keepalive, person });
      if (reply.body?.attention) rates.get(key)?.(reply.body.attention);
      return { kind: reply.kind, error: reply.error, receipts: reply.body?.receipts ?? [] };
    };
    outboxes.set(key, new Outbox({ key, storage: tabStorage(), send, most: MOST_SENT }));
  }
  return outboxes.get(key);
}

// A page that can be put on the screen again: what lies in the tab's store may be anything.
function isPage(kept) {
  const units = kept?.data?.units;
  const marks = kept?.marks ?? [];
  const isUnit = (u) => isObject(u) && Number.isSafeInteger(u.item_id) && Array.isArray(u.also) && rowsOf(u.tiles, isTile).length === u.tiles?.length;
  const isTile = (t) => isObject(t) && typeof t.image === "string" && typeof t.label === "string";
  const isMark = (m) => Array.isArray(m) && Number.isSafeInteger(m[0]) && typeof m[1] === "string";
  return isObject(kept) && typeof kept.data?.class === "string" && Array.isArray(units) && units.every(isUnit)
    && Array.isArray(marks) && marks.every(isMark) && Array.isArray(kept.refusals ?? []);
}

// An answer that is no page of ours counts as none.
async function askPage(url) {
  const reply = await ask(url);
  const fits = Array.isArray(reply.body?.units) && Array.isArray(reply.body.classes);
  return reply.kind === "ok" && !fits ? { kind: "offline" } : reply;
}

/** The grid in one element. */
class Grid {
  constructor(root, config) {
    Object.assign(this, { root, config, texts: config.texts, count: config.count, classes: [], ahead: [], history: [] });
    speakFor(config.person);
    this.key = `tiebreak.grid.${config.person}.${config.slug}`;
    this.sentToDeck = new Set();
    this.outbox = outboxFor(config, (rate) => this.tellRate(rate));
    this.view = new GridView(root, config, (command, detail) => this.run(command, detail));
    this.stops = [this.outbox.listen((...heard) => this.heard(...heard))];
    this.on(document, "keydown", (event) => this.keyDown(event), { capture: true });
    this.on(document, "keyup", (event) => gridCommand(event)?.name === "zoom" && this.view.showLarge(null), { capture: true });
    for (const name of ["pointermove", "pointerdown", "wheel"]) {
      this.on(document, name, () => this.timer?.activity(performance.now()), { passive: true, capture: true });
    }
    this.on(document, "visibilitychange", () => this.visible(!document.hidden));
    this.on(window, "pagehide", () => this.parting());
    this.on(window, "pageshow", (event) => event.persisted && this.begin());
    this.on(window, "beforeunload", (event) => this.outbox.atRisk && event.preventDefault());
    this.on(window, "online", () => this.outbox.wake());
    this.on(this.view.list, "pointerdown", (event) => this.press(event));
    this.on(this.view.list, "pointermove", (event) => this.drag(event));
    this.on(window, "pointerup", () => (this.painting = null));
    this.on(this.view.list, "click", (event) => event.detail === 0 && this.click(event));
    this.on(this.view.list, "focusin", (event) => this.focused(event));
    this.heartbeat = setInterval(() => this.hold(), (config.leaseSeconds * 1000) / 4);
    this.view.tellCount(this.count, STEPS);
    this.view.status(this.outbox);
    this.begin();
  }

  on(target, name, handler, options) {
    target.addEventListener(name, handler, options);
    this.stops.push(() => target.removeEventListener(name, handler, options));
  }

  // --- pages come -------------------------------------------------------------------------------

  async begin() {
    const kept = this.#load();
    this.history = kept.history;
    this.sentToDeck = new Set(kept.deck);
    const same = kept.page && (!this.config.shown || kept.page.data.class === this.config.shown);
    if (same && kept.page.data.units.length && (this.config.shown || kept.page.marks.length)) {
      await this.#learnClasses(kept.page.data.class);
      this.show(new Page(kept.page.data, kept.page));
      this.hold();
    } else if (this.config.shown) await this.open(this.config.shown);
    else await this.chooseClass();
    this.#bringRefused();
  }

  /** Show the classes to choose from, giving back what is not marked. */
  async chooseClass() {
    this.leavePage();
    this.view.showMessage("loading", this.texts.loading);
    const reply = await askPage(`${this.config.urls.grid}?classes=1`);
    if (this.gone) return;
    if (reply.kind !== "ok") return this.#trouble(reply);
    this.classes = reply.body.classes;
    this.#address(null);
    this.view.showClasses(reply.body);
  }

  /** Open the first page of a class. */
  async open(name) {
    this.leavePage();
    this.waiting = this.#counted(name);
    this.view.showLoading(this.count);
    await this.next(name);
  }

  /** Show the next page of a class: one fetched beforehand, else a fresh one. */
  async next(name) {
    this.#address(name);
    const asked = (this.asking = {});
    let data = this.ahead.shift() ?? null;
    if (!data) {
      this.timer?.pause(performance.now());
      this.view.showLoading(this.count);
      data = await this.#fetch(name, !this.classes.length);
    }
    if (this.gone || asked !== this.asking || !data) return;
    if (data instanceof Page) return this.show(data);
    if (!data.units.length) return this.#nothing(data, name);
    this.show(new Page(data, { others: this.others }));
  }

  async #learnClasses(name) {
    const reply = await askPage(`${this.config.urls.grid}?classes=1`);
    if (reply.kind === "ok") this.#take(reply.body, name);
  }

  async #fetch(name, classes) {
    const known = [...this.#ids(), ...this.outbox.itemIds(), ...this.sentToDeck].slice(-500);
    const query = new URLSearchParams({ class: name, count: this.count, exclude: known.join(","), classes: classes ? "1" : "" });
    const reply = await askPage(`${this.config.urls.grid}?${query}`);
    if (this.gone) return null;
    if (reply.kind !== "ok") {
      this.#trouble(reply);
      return null;
    }
    this.#take(reply.body, name);
    for (const unit of reply.body.units) Object.assign(unit, { page: reply.body.page, shown: name });
    return reply.body;
  }

  #take(body, name) {
    if (body.classes.length) {
      this.classes = body.classes;
      this.waiting = this.#counted(name);
    }
    if (!this.rate) this.tellRate(body.attention);
  }

  /** Show how much of what was planted this person noticed, as last heard. */
  tellRate(rate) {
    this.rate = rate;
    if (!this.gone) this.view.tellAttention(rate);
  }

  #counted(name) {
    return this.classes.find((c) => c.name === name)?.waiting ?? null;
  }

  /** Put a page on the screen. */
  show(page) {
    this.page = page;
    this.unsettled = page.length;
    this.view.ask("");
    this.view.showPage(page, this.classes, (index, ok) => this.#settled(page, ok));
    this.view.focus();
    this.view.tellWaiting(this.waiting, page.length);
    this.view.tellAttention(this.rate ?? { n: 0 });
    this.timer = new ActiveTimer(this.config.idleSeconds);
    this.startedAt = Date.now() / 1000;
    if (!document.hidden) this.timer.resume(performance.now());
    this.view.announce(say(this.texts.sayPage, { n: page.length, name: page.data.class }));
    this.keep();
  }

  // Pictures are there; two frames later they are on the glass.
  #settled(page) {
    if (page !== this.page) return;
    this.unsettled -= 1;
    if (this.unsettled > 0) return;
    requestAnimationFrame(() => requestAnimationFrame(() => {
      if (page !== this.page || page.painted !== null) return;
      page.painted = performance.now();
      this.view.painted();
      this.prefetch();
    }));
  }

  /** Fetch the next page and its pictures while this one is looked at. */
  async prefetch() {
    const room = this.config.leaseCap - this.page.length;
    if (this.ahead.length || this.fetching || room < this.count) return;
    this.fetching = true;
    const name = this.page.data.class;
    const data = await this.#fetch(name, false);
    this.fetching = false;
    if (!data?.units.length || this.page?.data.class !== name) return;
    this.ahead.push(data);
    const width = pictureWidth(this.view.side, window.devicePixelRatio || 1);
    this.warmed = data.units.flatMap((unit) => unit.tiles).map((tile) => {
      const image = new Image();
      image.src = `${this.config.urls.base}${tile.image}&w=${width}`;
      return image;
    });
  }

  #nothing(data, name) {
    this.page = null;
    this.view.showMessage("empty", say(this.texts.emptyTitle, { name }), data.empty_reason,
      { text: this.texts.classes, command: "classes" });
    this.keep();
  }

  #trouble(reply) {
    const words = { "signed-out": this.texts.signedOut, forbidden: this.texts.forbidden }[reply.kind] ?? this.texts.offline;
    this.view.showMessage("trouble", this.texts.troubleTitle, reply.error?.message || words, { text: this.texts.retry, command: "reload" });
  }

  // --- commands ---------------------------------------------------------------------------------

  keyDown(event) {
    const origin = event.composedPath()[0];
    if (isTyping(origin) || document.querySelector("[role=dialog]") || this.root.querySelector("dialog[open]")) return;
    const command = gridCommand(event);
    if (!command || isControls(origin, event)) return;
    event.preventDefault();
    event.stopPropagation();
    this.run(command.name, command);
  }

  /** Do what a key or a button asks for. */
  run(command, detail = {}) {
    const now = performance.now();
    this.timer?.activity(now);
    const { page, view } = this;
    const free = {
      open: () => this.open(detail.name), classes: () => this.chooseClass(), help: () => this.help(), undo: () => this.undo(),
      wake: () => this.outbox.wake(), link: () => this.link(), reload: () => this.begin(),
      count: () => this.recount(detail.count), more: () => this.recount(stepped(this.count, 1)), fewer: () => this.recount(stepped(this.count, -1)),
    };
    if (command in free) return free[command]();
    if (!page || view.node.dataset.state !== "page") return undefined;
    const onPage = {
      confirm: () => this.confirm(), search: () => this.search(), pick: () => this.give(detail.name),
      digit: () => this.digit(detail.digit), all: () => this.touched(page.toggleAll()),
      toggle: () => page.toggle(page.focus, -Infinity) && this.touched([page.focus]),
      move: () => this.move(detail), others: () => page.data.others && this.agree(detail.on ?? !page.others), agree: () => this.agree(true), zoom: () => view.showLarge(page.tiles[page.focus]),
    };
    return onPage[command]?.();
  }

  move({ key, extend }) {
    const { anchor } = this.page;
    if (!this.page.move(key, this.view.columns)) return;
    if (extend) {
      this.page.anchor = anchor;
      this.touched(this.page.range(this.page.focus));
    }
    this.view.focus();
  }

  /** Tiles changed: show them, say the last one, keep the page. */
  touched(indices) {
    const { page } = this;
    for (const index of indices) page.refusals.delete(page.tiles[index].unit.item_id);
    this.view.drawTiles(indices);
    this.view.focus(false);
    this.view.ask("");
    if (indices.length === 1) this.view.announce(this.view.tiles[indices[0]].words());
    else this.view.announce(say(this.texts.sayMarked, { n: page.marks.size }));
    this.keep();
  }

  digit(digit) {
    const found = this.classes.find((c) => c.key === digit && c.open);
    if (found) this.give(found.name);
    else this.view.announce(say(this.texts.noClass, { digit }));
  }

  give(name) {
    this.touched(this.page.assign(name));
  }

  search() {
    const choosable = this.classes.filter((c) => c.open);
    open(this.root, classSearch(this.texts, choosable, (name) => this.give(name)));
  }

  agree(on) {
    this.page.others = this.others = on;
    this.view.agreed(on);
    this.view.announce(on ? this.texts.othersOn : this.texts.othersOff);
    this.keep();
  }

  press(event) {
    const index = this.#indexOf(event.target);
    if (index === null || event.button !== 0) return;
    if (event.shiftKey) return this.touched(this.page.range(index));
    if (!this.page.toggle(index, performance.now())) return;
    this.painting = { wrong: this.page.marks.has(index), last: index };
    this.touched([index]);
  }

  drag(event) {
    if (!this.painting || !(event.buttons & 1)) return;
    const index = this.#indexOf(this.root.elementFromPoint?.(event.clientX, event.clientY) ?? document.elementFromPoint(event.clientX, event.clientY));
    if (index === null || index === this.painting.last) return;
    this.painting.last = index;
    if (this.page.marks.has(index) === this.painting.wrong) return;
    this.page.setMark(index, this.painting.wrong ? "" : null);
    this.page.focus = this.page.anchor = index;
    this.touched([index]);
  }

  // A screen reader's press comes as a click without a pointer.
  click(event) {
    const index = this.#indexOf(event.target);
    if (index !== null && this.page.toggle(index, performance.now())) this.touched([index]);
  }

  focused(event) {
    const index = this.#indexOf(event.target);
    if (index === null || index === this.page?.focus) return;
    this.page.focus = this.page.anchor = index;
    this.view.focus(false);
  }

  #indexOf(target) {
    const node = target?.closest?.("[data-index]");
    return node && this.page ? Number(node.dataset.index) : null;
  }

  async recount(count) {
    if (count === this.count) return;
    this.count = count;
    this.view.tellCount(count, STEPS);
    if (!this.page) return this.#address(null);
    const { page } = this;
    const marks = [...page.marks].map(([i, mark]) => [`${page.tiles[i].unit.item_id}/${page.tiles[i].tile.index}`, mark]);
    await this.open(page.data.class);
    const places = new Map(this.page?.tiles.map(({ unit, tile }, i) => [`${unit.item_id}/${tile.index}`, i]));
    const back = marks.filter(([at]) => places.has(at)).map(([at, mark]) => [places.get(at), mark]);
    for (const [index, mark] of back) this.page.setMark(index, mark);
    if (back.length) this.touched(back.map(([index]) => index));
  }

  // --- pages go ---------------------------------------------------------------------------------

  /** Send the page: what is not marked is confirmed, what is marked goes where its mark says. */
  confirm() {
    const { page, view } = this;
    const now = performance.now();
    if (view.confirm.disabled) return view.announce(this.texts.stillLoading);
    if (page.data.others && !page.others) return view.askOthers();
    if (page.tooSoon(now)) {
      const seconds = Math.max(0.1, (now - page.painted) / 1000).toFixed(1);
      return view.ask(say(this.texts.reallyConfirm, { n: page.length, s: seconds }));
    }
    const unseen = view.unseen();
    if (unseen && !page.told) {
      page.told = true;
      return view.ask(say(this.texts.unseen, { n: unseen }));
    }
    const spent = { active_seconds: this.timer.seconds(now), started_at: this.startedAt };
    const submissions = page.submissions(newUuid, spent);
    const units = new Map(page.data.units.map((unit) => [unit.item_id, unit]));
    this.history.push({ page: page.kept(), submissions: submissions.filter((s) => s.kind === "vote") });
    this.history = this.history.slice(-PAGES_KEPT);
    for (const sent of submissions) if (sent.kind === "deck") this.sentToDeck.add(sent.item_id);
    this.outbox.pushAll(submissions.map((sent) => [sent, { item_id: sent.item_id, name: units.get(sent.item_id).name, unit: units.get(sent.item_id) }]));
    this.outbox.flush();
    if (typeof this.waiting === "number") this.waiting = Math.max(0, this.waiting - page.length);
    const { confirmed, changed, marked } = page.counts();
    view.tellRefused(0);
    this.next(page.data.class);
    view.announce(say(this.texts.sayDone, { n: confirmed + changed, name: page.data.class, m: marked }));
    return undefined;
  }

  /** Take the last page back: every vote of it is withdrawn, and it is on the screen again. */
  undo() {
    const last = this.history.pop();
    if (!last) return this.view.announce(this.texts.nothingToUndo);
    const back = last.submissions.filter((sent) => !this.outbox.cancel(sent.uuid));
    this.outbox.pushAll(back.map((sent) => [withdrawal(sent, newUuid), { item_id: sent.item_id }]));
    this.outbox.flush();
    if (this.page) this.ahead.unshift(this.page);
    for (const unit of last.page.data.units) this.sentToDeck.delete(unit.item_id);
    if (typeof this.waiting === "number") this.waiting += last.page.data.units.length;
    this.asking = null;
    this.#address(last.page.data.class);
    this.show(new Page(last.page.data, last.page));
    this.hold();
    this.view.announce(say(this.texts.sayUndone, { n: back.length }));
    return undefined;
  }

  heard(what, receipt, entry) {
    this.view.status(this.outbox);
    if (what === "receipt" && receipt.status === "refused") {
      if (entry.submission.kind === "withdraw") {
        this.page?.refusals.set(receipt.item_id, receipt.message);
        this.outbox.dismiss(entry.submission.uuid);
        this.view.drawTiles(this.page?.tiles.keys() ?? []);
      } else this.refusing ??= setTimeout(() => this.#bringRefused(), 0);
    }
  }

  // Refused tiles come to the end of the page in hand, each with its sentence.
  #bringRefused() {
    this.refusing = null;
    const refused = this.outbox.refused.filter((row) => row.item?.unit);
    if (!refused.length || this.gone) return;
    const ids = new Set(refused.map((row) => row.submission.item_id));
    for (const page of this.history) page.submissions = page.submissions.filter((s) => !ids.has(s.item_id));
    const here = this.page?.kept() ?? { data: { units: [], class: refused[0].submission.shown, page: "", others: false }, marks: [], refusals: [], focus: 0 };
    const units = here.data.units.filter((unit) => !ids.has(unit.item_id));
    if (units.length !== here.data.units.length) here.marks = [];
    here.data = { ...here.data, units: [...units, ...refused.map((row) => row.item.unit)] };
    here.refusals = [...here.refusals, ...refused.map((row) => [row.submission.item_id, [row.message, row.advice].filter(Boolean).join(" ")])];
    for (const row of refused) this.outbox.dismiss(row.submission.uuid);
    this.show(new Page(here.data, here));
    this.view.tellRefused(refused.length);
  }

  // --- comings and goings -----------------------------------------------------------------------

  #ids() {
    const units = [...(this.page?.data.units ?? []), ...this.ahead.flatMap((p) => (p instanceof Page ? p.data : p).units)];
    return units.map((unit) => unit.item_id);
  }

  /** Keep what is on the screen and what comes next in hand. */
  hold() {
    const ids = this.#ids();
    if (ids.length && !document.hidden) ask(this.config.urls.hold, { body: { item_ids: ids } });
  }

  /** Give back what nobody looks at any more; what is marked stays in hand. */
  leavePage({ keepalive = false } = {}) {
    const marked = new Set([...(this.page?.marks.keys() ?? [])].map((i) => this.page.tiles[i].unit.item_id));
    const idle = this.#ids().filter((id) => !marked.has(id));
    if (idle.length) ask(this.config.urls.release, { body: { item_ids: idle }, keepalive });
    this.timer?.pause(performance.now());
    this.page = null;
    this.asking = null;
    this.ahead = [];
  }

  visible(now) {
    if (now) this.timer?.resume(performance.now());
    else this.timer?.pause(performance.now());
    this.view.showLarge(null);
  }

  parting() {
    this.#store();
    this.outbox.flush({ keepalive: true });
    this.leavePage({ keepalive: true });
  }

  /** Keep the page for a reload, a moment after the last change. */
  keep() {
    this.keeping ??= setTimeout(() => {
      this.keeping = null;
      this.#store();
    }, KEEP_MS);
  }

  #store() {
    const { page, history, sentToDeck } = this;
    const kept = { page: page?.kept() ?? null, history, deck: [...sentToDeck].slice(-200) };
    try {
      tabStorage().setItem(this.key, JSON.stringify(kept));
    } catch {
      // Storage is full: marks and undo then last until the next reload only.
    }
  }

  #load() {
    const { page, history, deck } = readObject(tabStorage(), this.key);
    const past = (row) => isObject(row) && isPage(row.page) && rowsOf(row.submissions, isObject).length === row.submissions?.length;
    return { page: isPage(page) ? page : null, history: rowsOf(history, past), deck: rowsOf(deck, Number.isSafeInteger) };
  }

  // Streamlit reads the address at a reload; changing it by hand costs no rerun.
  #address(name) {
    const url = new URL(location.href);
    if (name === null) url.searchParams.delete("class");
    else url.searchParams.set("class", name);
    url.searchParams.set("n", this.count);
    history.replaceState(history.state, "", url);
  }

  async link() {
    const unit = this.page?.tiles[this.page.focus]?.unit;
    const link = new URL(unit ? this.config.urls.item.replace("__ITEM__", unit.item_id) : location.href, location.href).href;
    try {
      await navigator.clipboard.writeText(link);
      this.view.announce(this.texts.copied);
    } catch {
      open(this.root, el("dialog", { class: "sheet", "aria-label": this.texts.copyByHand }, el("p", { text: link }), cap("Esc")));
    }
  }

  help() {
    open(this.root, gridHelp(this.texts, this.config.keys));
  }

  destroy() {
    this.gone = true;
    this.#store();
    clearTimeout(this.keeping);
    clearInterval(this.heartbeat);
    this.outbox.flush();
    this.leavePage();
    for (const stop of this.stops) stop();
    this.view.destroy();
  }
}

export default function mount({ data, parentElement }) {
  let grid = grids.get(parentElement);
  if (!grid || grid.config.rev !== data.rev) {
    grid?.destroy();
    grid = new Grid(parentElement, data);
    grids.set(parentElement, grid);
  }
  return () => {
    grids.delete(parentElement);
    grid.destroy();
  };
}
