// The crosshair of whoever draws without a mouse, in image pixels. Pure.

const FAST = 10;
const GRID_CELLS = 8; // about so many steps of the grid across what is seen
const ROUND = [1, 2, 5];

/** Give the step of the grid for what is seen: 1, 2 or 5 times a power of ten image pixels. */
export function gridStep([x1, y1, x2, y2]) {
  const wanted = Math.max(1, Math.max(x2 - x1, y2 - y1) / GRID_CELLS);
  const power = 10 ** Math.floor(Math.log10(wanted));
  return power * (ROUND.find((n) => n * power >= wanted) ?? 10);
}

function along(value, by, grid) {
  if (by > 0) return (Math.floor(value / grid + 1e-9) + 1) * grid;
  return by < 0 ? (Math.ceil(value / grid - 1e-9) - 1) * grid : value;
}

/** Give where the crosshair is after an arrow: a pixel, ten with Shift, to the next line of the grid with Ctrl. */
export function stepped([x, y], { by: [dx, dy], shift, ctrl }, visible, [width, height]) {
  const grid = gridStep(visible);
  const pace = shift ? FAST : 1;
  const [nx, ny] = ctrl ? [along(x, dx, grid), along(y, dy, grid)] : [x + dx * pace, y + dy * pace];
  return [Math.min(Math.max(nx, 0), width), Math.min(Math.max(ny, 0), height)];
}

/** Give where a crosshair starts: the middle of what is seen, on a whole pixel. */
export function middle([x1, y1, x2, y2]) {
  return [Math.round((x1 + x2) / 2), Math.round((y1 + y2) / 2)];
}
