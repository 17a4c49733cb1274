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

// What is in one list of stretches or in the other, not in both: there the outline runs.
function difference(one, other) {
  const edges = [...one.flat(), ...other.flat()].sort((a, b) => a - b);
  const parts = [];
  for (let i = 0; i + 1 < edges.length; i += 2) if (edges[i] < edges[i + 1]) parts.push([edges[i], edges[i + 1]]);
  return parts;
}

/** Give a mask as two SVG paths, its area and its outline, exact at any zoom. */
export function maskPaths(counts, height, width) {
  const columns = columnsOf(counts, height, width);
  const area = [];
  const outline = [];
  for (const [x, parts] of columns) {
    for (const [y1, y2] of parts) {
      area.push(`M${x} ${y1}h1V${y2}h-1z`);
      outline.push(`M${x} ${y1}h1M${x} ${y2}h1`);
    }
    for (const [y1, y2] of difference(columns.get(x - 1) ?? [], parts)) outline.push(`M${x} ${y1}V${y2}`);
    if (!columns.has(x + 1)) for (const [y1, y2] of parts) outline.push(`M${x + 1} ${y1}V${y2}`);
  }
  return { area: area.join(""), outline: outline.join("") };
}
