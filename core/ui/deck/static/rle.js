// Masks as COCO keeps them: compressed run lengths, column by column, text. Pure.

const OFFSET = 48; // "0"; six bits a character: five of value, one that says more follow

/** Give the run lengths of compressed counts: first of zeros, then of ones, and so on. */
export function readRuns(counts) {
  const runs = [];
  let at = 0;
  while (at < counts.length) {
    let value = 0;
    let place = 0;
    let more = true;
    while (more) {
      const code = counts.charCodeAt(at) - OFFSET;
      if (!(code >= 0 && code < 64)) throw new RangeError("These are no run lengths.");
      value += (code & 31) * 2 ** (5 * place);
      more = (code & 32) !== 0;
      at += 1;
      place += 1;
      if (!more && code & 16) value -= 2 ** (5 * place);
    }
    if (runs.length > 2) value += runs[runs.length - 2];
    runs.push(value);
  }
  return runs;
}

function written(value) {
  let text = "";
  let rest = value;
  for (;;) {
    const bits = rest & 31;
    rest >>= 5;
    const done = bits & 16 ? rest === -1 : rest === 0;
    text += String.fromCharCode((done ? bits : bits | 32) + OFFSET);
    if (done) return text;
  }
}

/** Give the compressed counts of run lengths. */
export function writeRuns(runs) {
  return runs.map((run, i) => written(i > 2 ? run - runs[i - 2] : run)).join("");
}

/** Give the mask of compressed counts, one byte a pixel, row by row. */
export function decodeRle(counts, height, width) {
  const mask = new Uint8Array(height * width);
  let at = 0;
  readRuns(counts).forEach((run, i) => {
    const end = Math.min(at + Math.max(0, run), mask.length);
    if (i % 2) for (let p = at; p < end; p += 1) mask[(p % height) * width + Math.floor(p / height)] = 1;
    at = end;
  });
  return mask;
}

/** Give the compressed counts of a mask given row by row. */
export function encodeRle(mask, height, width) {
  const runs = [];
  let value = 0;
  let length = 0;
  for (let x = 0; x < width; x += 1) {
    for (let y = 0, p = x; y < height; y += 1, p += width) {
      if ((mask[p] ? 1 : 0) === value) length += 1;
      else {
        runs.push(length);
        value = 1 - value;
        length = 1;
      }
    }
  }
  runs.push(length);
  return writeRuns(runs);
}

/** Give the stretches of a mask, column by column: a Map of x to [[y1, y2], …] in pixels. */
export function columnsOf(counts, height, width) {
  const columns = new Map();
  let at = 0;
  readRuns(counts).forEach((run, i) => {
    const end = Math.min(at + Math.max(0, run), height * width);
    for (let p = at; i % 2 && p < end;) {
      const x = Math.floor(p / height);
      const stop = Math.min(end, (x + 1) * height);
      if (!columns.has(x)) columns.set(x, []);
      columns.get(x).push([p - x * height, stop - x * height]);
      p = stop;
    }
    at = end;
  });
  return columns;
}

// What is in one list of stretches or in the other, not in both: there the outline runs up or down.
function difference(one, other) {
  const edges = [...one.flat(), ...other.flat()].sort((a, b) => a - b);
  const parts = [];
  for (let i = 0; i + 1 < edges.length; i += 2) if (edges[i] < edges[i + 1]) parts.push([edges[i], edges[i + 1]]);
  return parts;
}

// The outline's edges from corner to corner, clockwise round what is in the mask.
function edgesOf(columns, key) {
  const edges = new Map();
  const add = (from, to) => {
    if (edges.has(from)) edges.get(from).push(to);
    else edges.set(from, [to]);
  };
  const upright = (x, left, right) => {
    for (const [y1, y2] of difference(left, right)) {
      const inside = right.some(([a, b]) => a <= y1 && y2 <= b);
      if (inside) add(key(x, y2), key(x, y1));
      else add(key(x, y1), key(x, y2));
    }
  };
  for (const [x, parts] of columns) {
    for (const [y1, y2] of parts) {
      add(key(x, y1), key(x + 1, y1));
      add(key(x + 1, y2), key(x, y2));
    }
    upright(x, columns.get(x - 1) ?? [], parts);
    if (!columns.has(x + 1)) upright(x + 1, parts, []);
  }
  return edges;
}

/** Give a mask's outline as rings of corners [[x, y], …], clockwise, holes the other way round. */
export function maskRings(counts, height, width) {
  const key = (x, y) => x * (height + 1) + y;
  const corner = (k) => [Math.floor(k / (height + 1)), k % (height + 1)];
  const edges = edgesOf(columnsOf(counts, height, width), key);
  const rings = [];
  for (const start of edges.keys()) {
    while (edges.get(start).length) {
      const ring = [];
      let at = start;
      do {
        ring.push(corner(at));
        at = edges.get(at).pop();
      } while (at !== start);
      rings.push(ring.filter((point, i) => turns(ring.at(i - 1), point, ring[(i + 1) % ring.length])));
    }
  }
  return rings;
}

function turns([x0, y0], [x1, y1], [x2, y2]) {
  return !((x0 === x1 && x1 === x2) || (y0 === y1 && y1 === y2));
}

/** Give a mask as an SVG path along its pixels' edges, exact at any zoom. */
export function maskPath(counts, height, width) {
  return maskRings(counts, height, width).map((ring) => {
    const [[x, y], ...rest] = ring;
    let last = y;
    const steps = rest.map(([nx, ny]) => {
      const step = ny === last ? `H${nx}` : `V${ny}`;
      last = ny;
      return step;
    });
    return `M${x} ${y}${steps.join("")}z`;
  }).join("");
}
