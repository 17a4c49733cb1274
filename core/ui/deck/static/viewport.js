// Where an image lies on the stage: one scale and one corner. Pure arithmetic, no DOM.
// Stage coordinates are CSS pixels from the stage's corner; image coordinates original pixels.

const LEAST_OF_FIT = 0.5;
const MOST = 40;
const KEPT_SHARE = 0.25; // of the stage (or half of a smaller image) that the image may not leave

function between(low, value, high) {
  return Math.min(Math.max(low, value), high);
}

/** The view of one image: how large it is shown and where. */
export class Viewport {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.room = [0, 0];
    this.scale = 1;
    this.left = 0;
    this.top = 0;
    this.fitted = true;
    this.listeners = new Set();
  }

  /** The scale at which the whole image is shown. */
  get fitScale() {
    const [w, h] = this.room;
    return Math.min(w / this.width, h / this.height) || 1;
  }

  /** The smallest and the largest scale. */
  get limits() {
    return [this.fitScale * LEAST_OF_FIT, Math.max(MOST, this.fitScale)];
  }

  /** Take the size of the stage; what was at fit stays at fit, else the middle stays the middle. */
  setRoom(w, h) {
    if (w === this.room[0] && h === this.room[1]) return;
    const [x, y] = this.#middle();
    const middle = this.toImage(x, y);
    this.room = [w, h];
    if (this.fitted) return this.fit();
    return this.#show(this.scale, middle, this.#middle());
  }

  /** Show the whole image in the middle of the stage. */
  fit() {
    this.scale = this.fitScale;
    this.left = (this.room[0] - this.width * this.scale) / 2;
    this.top = (this.room[1] - this.height * this.scale) / 2;
    this.fitted = true;
    this.#tell();
  }

  /** Show one image pixel as one pixel of the screen, keeping a stage point (the middle) where it is. */
  actual(dpr = 1, x = this.room[0] / 2, y = this.room[1] / 2) {
    this.#show(1 / dpr, this.toImage(x, y), [x, y]);
  }

  /** Go to 100 %, or back to the whole image. */
  toggleFit(dpr = 1, x = undefined, y = undefined) {
    if (this.fitted) this.actual(dpr, x, y);
    else this.fit();
  }

  /** Enlarge by a factor; the image point under (x, y) stays there unless a limit forbids it. */
  zoomAt(factor, x, y) {
    if (!(factor > 0) || !Number.isFinite(factor)) return;
    this.#show(this.scale * factor, this.toImage(x, y), [x, y]);
  }

  /** Move the image by so many CSS pixels. */
  panBy(dx, dy) {
    const [x, y] = this.#middle();
    this.#show(this.scale, this.toImage(x, y), [x + dx, y + dy]);
  }

  /** Move the image so that an image point is in the middle, enlarged as it is or as given. */
  centreOn(ix, iy, scale = this.scale) {
    this.#show(scale, [ix, iy], this.#middle());
  }

  /** Look at the same part at the same scale as another view did; at fit where that was at fit. */
  follow(other) {
    if (other.fitted) return this.fit();
    const [ix, iy] = other.toImage(...other.#middle());
    return this.#show(other.scale, [(ix / other.width) * this.width, (iy / other.height) * this.height], this.#middle());
  }

  /** Remember the view, to come back to it. */
  mark() {
    const { scale, left, top, fitted } = this;
    return { scale, left, top, fitted };
  }

  /** Come back to a view that was remembered. */
  restore(marked) {
    if (marked.fitted) return this.fit();
    Object.assign(this, marked);
    return this.#show(this.scale, this.toImage(0, 0), [0, 0]);
  }

  /** Give the image point under a stage point. */
  toImage(x, y) {
    return [(x - this.left) / this.scale, (y - this.top) / this.scale];
  }

  /** Give the stage point over an image point. */
  toStage(ix, iy) {
    return [ix * this.scale + this.left, iy * this.scale + this.top];
  }

  /** Give the part of the image that is on the stage, [x1, y1, x2, y2] in image pixels. */
  visible() {
    const [x1, y1] = this.toImage(0, 0);
    const [x2, y2] = this.toImage(...this.room);
    return [between(0, x1, this.width), between(0, y1, this.height), between(0, x2, this.width), between(0, y2, this.height)];
  }

  /** Call back on every change; give what stops that. */
  listen(fn) {
    this.listeners.add(fn);
    return () => this.listeners.delete(fn);
  }

  #middle() {
    return [this.room[0] / 2, this.room[1] / 2];
  }

  #show(scale, [ix, iy], [x, y]) {
    const [least, most] = this.limits;
    this.scale = between(least, scale, most);
    this.left = this.#held(x - ix * this.scale, this.width * this.scale, this.room[0]);
    this.top = this.#held(y - iy * this.scale, this.height * this.scale, this.room[1]);
    this.fitted = false;
    this.#tell();
  }

  // The image may leave the stage but for a part that is easily found again.
  #held(start, size, room) {
    const kept = Math.min(room * KEPT_SHARE, size / 2);
    return between(kept - size, start, room - kept);
  }

  #tell() {
    for (const fn of [...this.listeners]) fn();
  }
}
