// The place of one item: its picture and regions under one view, the view's controls, and what
// stands there while there is no picture.

import { Adjustment } from "./adjust.js";
import { el, say, svg } from "./dom.js";
import { Hand } from "./hand.js";
import { Overlay } from "./overlay.js";
import { Picture } from "./picture.js";
import { Sliders } from "./sliders.js";
import { Viewport } from "./viewport.js";

const STEP = 1.25;
const PAN_SHARE = 0.2;

/** The place where one item is looked at. */
export class Stage {
  constructor(texts, adjustment = new Adjustment()) {
    this.texts = texts;
    this.viewport = null;
    this.shown = null;
    this.hidden = false;
    this.room = [0, 0];
    this.adjustment = adjustment;
    this.picture = new Picture();
    this.picture.tiles.onfail = () => this.#badge();
    this.overlay = new Overlay();
    this.layer = svg("svg", { class: "drawing" });
    this.badges = el("div", { class: "badges" });
    this.sliders = new Sliders(texts, adjustment, () => this.adjustButton.focus({ preventScroll: true }));
    this.node = el("div", { class: "stage", role: "group", "aria-label": texts.stage },
      this.picture.light.node, this.picture.node, this.overlay.node, this.layer, this.badges, this.#zoombar(), this.sliders.node);
    this.hand = new Hand(this.node, () => this.viewport, () => this.picture.moving());
    this.observer = new ResizeObserver(() => this.#measure());
    this.observer.observe(this.node);
    this.stopListening = adjustment.listen(() => this.#adjusted());
    this.commands = this.#commands();
    this.#adjusted();
  }

  #commands() {
    const pan = (x, y) => () => this.#moved((v) => v.panBy(x * PAN_SHARE * v.room[0], y * PAN_SHARE * v.room[1]));
    return {
      zoomIn: () => this.#zoom(STEP), zoomOut: () => this.#zoom(1 / STEP),
      toggleFit: () => this.#moved((v) => v.toggleFit(this.#dpr, ...this.hand.spot())),
      actual: () => this.#actual(), adjust: () => this.viewport && this.sliders.toggle(),
      opacity: () => this.adjustment.nextOpacity(), channel: () => this.#channel(), overlay: () => this.toggle(),
      panLeft: pan(1, 0), panRight: pan(-1, 0), panUp: pan(0, 1), panDown: pan(0, -1),
    };
  }

  #zoombar() {
    const { texts } = this;
    const button = (name, text, label, run) => el("button", { class: name, text, title: label, "aria-label": label, onclick: run });
    this.readout = button("readout", "", texts.toggleFit, () => this.#moved((v) => v.toggleFit(this.#dpr)));
    this.adjustButton = button("toadjust", "◐", texts.adjust, () => this.commands.adjust());
    this.channelButton = button("tochannel", "", texts.nextChannel, () => this.#channel());
    this.channelButton.append(svg("svg", { viewBox: "0 0 16 16", width: 15, height: 15, "aria-hidden": "true" },
      svg("circle", { cx: 6, cy: 6, r: 4.2 }), svg("circle", { cx: 10, cy: 6, r: 4.2 }), svg("circle", { cx: 8, cy: 10, r: 4.2 })));
    this.zoombar = el("div", { class: "zoombar", role: "toolbar", "aria-label": texts.zoom, hidden: true },
      button("", "−", texts.zoomOut, () => this.#moved((v) => v.zoomAt(1 / STEP, v.room[0] / 2, v.room[1] / 2))),
      this.readout,
      button("", "+", texts.zoomIn, () => this.#moved((v) => v.zoomAt(STEP, v.room[0] / 2, v.room[1] / 2))),
      this.channelButton, this.adjustButton);
    return this.zoombar;
  }

  /** Show a decoded image and its regions, each {region, colour, …look}, with tags of those of several parties. */
  show(item, image, boxes, tags = []) {
    const fresh = this.shown?.item.item_id !== item.item_id || this.picture.source !== image;
    this.shown = { item, boxes, tags };
    this.picture.node.setAttribute("aria-label", item.name);
    this.node.dataset.item = item.item_id;
    if (fresh) this.#enter(item, image);
    this.redraw();
    this.#badge();
  }

  #enter(item, image) {
    const before = this.viewport ?? this.left;
    this.picture.show(item, image);
    this.picture.lit(this.adjustment.values);
    if (!this.room[0]) this.#measure();
    const view = new Viewport(item.width, item.height);
    view.setRoom(...this.room);
    if (before && this.adjustment.values.keepZoom) view.follow(before);
    view.listen(() => this.#follow());
    this.viewport = view;
    this.zoombar.hidden = false;
    this.#place();
  }

  /** Say that the image is on its way. */
  loading(item) {
    this.#empty(item, el("div", { class: "skeleton", text: this.texts.loading }));
  }

  /** Say that the image comes once there is a connection, or once one has signed in again: nobody need act. */
  away(item, signedOut = false, faulty = false) {
    this.#empty(item, el("div", { class: "notice away" },
      el("strong", { text: signedOut ? this.texts.awaySignedOut : faulty ? this.texts.awayFaulty : this.texts.away }),
      el("p", { text: this.texts.awayAdvice })));
  }

  /** Say that the image cannot be shown, with the server's sentence where it gave one. */
  broken(item, retry, { sentence = "", advice = this.texts.brokenAdvice } = {}) {
    this.#empty(item, el("div", { class: "notice", role: "alert" },
      el("strong", { text: this.texts.broken }),
      sentence ? el("p", { text: sentence }) : null,
      el("p", { text: advice }),
      el("button", { class: "plain", text: this.texts.tryAgain, onclick: retry })));
  }

  #empty(item, node) {
    this.left = this.viewport ?? this.left; // where "keep zoom" goes on from
    this.viewport = null;
    this.shown = null;
    this.node.dataset.item = item.item_id;
    this.picture.node.setAttribute("aria-label", item.name);
    this.picture.instead(node);
    this.overlay.clear();
    this.zoombar.hidden = true;
    this.#badge();
  }

  /** Let a plain drag move the image, or leave it to an editor; space, middle button and wheel go on. */
  setPanning(allowed) {
    this.hand.setPanning(allowed);
  }

  /** Show or hide the regions; give whether they are hidden now. */
  toggle() {
    this.hidden = !this.hidden;
    this.redraw();
    this.#badge();
    return this.hidden;
  }

  /** Draw the regions anew. */
  redraw() {
    if (this.shown && !this.hidden) {
      const { item, boxes, tags } = this.shown;
      this.overlay.draw(boxes, this.viewport, [item.width, item.height], tags);
    } else this.overlay.clear();
  }

  get #dpr() {
    return globalThis.devicePixelRatio ?? 1;
  }

  #moved(move) {
    if (this.viewport) move(this.viewport);
  }

  #zoom(factor) {
    this.#moved((v) => v.zoomAt(factor, ...this.hand.spot()));
  }

  // 100 % for as long as a key is held: gives what brings the former view back.
  #actual() {
    const view = this.viewport;
    if (!view) return () => {};
    const before = view.mark();
    view.actual(this.#dpr, ...this.hand.spot());
    return () => view.restore(before);
  }

  #channel() {
    if (!this.viewport) return "";
    this.picture.nextChannel(() => {
      this.picture.lit(this.adjustment.values);
      this.#place();
    });
    this.#badge();
    return this.#channelName() || this.texts.allChannels;
  }

  #channelName() {
    const { channel, channels } = this.picture;
    const name = this.texts.colours[channel] ?? channel;
    return channel ? say(this.texts.channelOf, { name, n: channels.indexOf(channel) + 1, all: channels.length }) : "";
  }

  #measure() {
    const { clientWidth, clientHeight } = this.node;
    if (!clientWidth || !clientHeight) return; // not on the screen now
    this.room = [clientWidth, clientHeight];
    this.viewport?.setRoom(...this.room);
  }

  // At most once a frame, however many moves the mouse tells of.
  #follow() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.viewport) this.#place();
    });
  }

  #place() {
    const { viewport } = this;
    this.picture.place(viewport, this.adjustment.values.sharp);
    this.overlay.place(viewport);
    const percent = Math.round(viewport.scale * this.#dpr * 100);
    this.readout.textContent = viewport.fitted ? this.texts.fit : `${percent || "<1"} %`;
    this.node.classList.toggle("fitted", viewport.fitted);
  }

  #adjusted() {
    const { values } = this.adjustment;
    this.picture.lit(values);
    this.overlay.node.style.opacity = String(values.opacity);
    if (this.viewport) this.#place();
    this.#badge();
  }

  #badge() {
    const { texts, picture } = this;
    const notes = this.viewport ? this.adjustment.notes(texts, { overlaid: Boolean(this.shown?.boxes.length) }) : [];
    if (this.viewport && picture.channel) notes.unshift(this.#channelName());
    if (this.viewport && picture.tiles.failing) notes.push(texts.coarse);
    if (this.viewport && this.hidden && this.shown?.boxes.length) notes.push(texts.overlayHidden);
    this.badges.replaceChildren(...notes.map((text) => el("span", { class: "badge", text })));
  }

  destroy() {
    cancelAnimationFrame(this.frame);
    this.observer.disconnect();
    this.stopListening();
    this.sliders.destroy();
    this.hand.destroy();
    this.picture.instead();
  }
}
