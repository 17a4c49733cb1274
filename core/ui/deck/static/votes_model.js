// Which party's regions stand over a disputed image, and how strongly. Pure.

const SHARED = "#8B95A3";
const STRONG_PX = 3;

/** Say a share as people read it; nothing for none. */
export function percent(value) {
  return value === null || value === undefined ? "" : `${Math.round(value * 100)}\u00a0%`;
}

/** Give the key of the party shown alone after this one, null for all of them: by +1 or -1, round and round. */
export function nextParty(layers, only, by = 1) {
  const turns = [null, ...layers.map((l) => l.key)];
  const at = Math.max(0, turns.indexOf(only));
  return turns[(at + by + turns.length) % turns.length];
}

/**
 * List the regions to draw, each with its look. Of all parties: what every voter has once, faint and
 * grey; what they differ in strong, in each party's hue and dash, named by the tags. Of one alone: all of theirs, alike.
 */
export function regionsShown(layers, only) {
  const shown = layers.map((layer, place) => [layer, place]).filter(([l]) => only === null || l.key === only);
  return shown.flatMap(([layer, place]) => layer.answer.regions.flatMap((region, i) => {
    const shared = only === null && Boolean(layer.shared[i]);
    if (shared && place > 0) return []; // the first party's stands for all
    if (shared) return [{ region, colour: SHARED, dash: "", faint: true, labelled: false, corner: place }];
    const note = [layer.key, percent(region.confidence)].filter(Boolean).join(" ");
    return [{
      region: { ...region, note: note ? `· ${note}` : "" }, colour: layer.colour, dash: layer.dash, faint: false, labelled: only !== null, corner: place,
      ...(only === null ? { width: STRONG_PX } : {}),
    }];
  }));
}

/** Say what a model believes: its likeliest classes with their shares, the likeliest first. */
export function believed(top) {
  return (top ?? []).map(([name, share]) => `${name} ${percent(share)}`).join(" · ");
}
