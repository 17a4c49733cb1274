// Answering one item: which question is open, what a key does to the answer, one step back.
// An answer holds `choices` (one class a question), `multi` (several, once confirmed), `marked`
// (several, still being chosen) and `regions`.

const DIGITS = "1234567890";
/** From so many classes on they are searched, not listed. */
export const MANY = 10;
const RECENT = 5;

/** Start from the person's draft, else from an empty answer. */
export function startAnswer(item) {
  const draft = item.draft;
  // Sets of a draft are shown as marked: it does not say whether they were confirmed.
  return { choices: { ...(draft?.choices ?? {}) }, multi: {}, marked: { ...(draft?.multi ?? {}) }, regions: null, trail: [], undone: [] };
}

/** Tell whether a question has its answer. */
export function isAnswered(question, answer) {
  return question.several ? question.key in answer.multi : question.key in answer.choices;
}

/** Give the first question without an answer, or null when all have one. */
export function openQuestion(questions, answer) {
  return questions.find((q) => !isAnswered(q, answer)) ?? null;
}

// "choices", "multi", "marked", or "" for the answer's own `regions`.
function holder(answer, part) {
  return part ? answer[part] : answer;
}

/** Change one part of an answer so that it can be taken back; undefined removes it. */
export function put(answer, part, key, value) {
  answer.trail.push({ part, key, before: holder(answer, part)[key] });
  answer.undone = [];
  assign(answer, part, key, value);
}

function assign(answer, part, key, value) {
  if (value === undefined) delete holder(answer, part)[key];
  else holder(answer, part)[key] = value;
}

function walk(answer, from, to) {
  const step = from.pop();
  if (!step) return false;
  to.push({ ...step, before: holder(answer, step.part)[step.key] });
  assign(answer, step.part, step.key, step.before);
  return true;
}

/** Take the last change back; false when there is none. */
export function stepBack(answer) {
  return walk(answer, answer.trail, answer.undone);
}

/** Make the change taken back last again; false when there is none. */
export function stepForth(answer) {
  return walk(answer, answer.undone, answer.trail);
}

/** Give the classes marked for a question: those being chosen, else those confirmed. */
export function markedOf(question, answer) {
  return answer.marked[question.key] ?? answer.multi[question.key] ?? [];
}

/** Mark a class or take its mark away; the set stays in schema order. */
export function toggle(question, answer, name) {
  const now = new Set(markedOf(question, answer));
  if (!now.delete(name)) now.add(name);
  put(answer, "marked", question.key, question.classes.map((c) => c.name).filter((n) => now.has(n)));
}

/** List the classes one can choose with a key: [{digit, name, colour, share, why}]. */
export function offered(question, top = [], recent = []) {
  const shares = new Map(top);
  const row = (c, digit, why) => ({ digit, name: c.name, colour: c.colour, share: shares.get(c.name) ?? null, why });
  if (question.classes.length <= MANY) {
    return question.classes.map((c, i) => row(c, c.key || DIGITS[i] || "", "class"));
  }
  const byName = new Map(question.classes.map((c) => [c.name, c]));
  const likely = top.map(([name]) => name).filter((n) => byName.has(n)).slice(0, RECENT);
  const lately = recent.filter((n) => byName.has(n) && !likely.includes(n)).slice(0, RECENT);
  const rows = [...likely.map((n, i) => row(byName.get(n), DIGITS[i], "likely")),
    ...lately.map((n, i) => row(byName.get(n), DIGITS[RECENT + i], "recent"))];
  if (likely.length) return rows;
  // Where the model says nothing, the schema's own keys stand.
  const taken = new Set(rows.flatMap((r) => [r.digit, r.name]));
  const own = question.classes.filter((c) => c.key && !taken.has(c.key) && !taken.has(c.name));
  return [...rows, ...own.map((c) => row(c, c.key, "class"))]
    .sort((a, b) => DIGITS.indexOf(a.digit) - DIGITS.indexOf(b.digit));
}

/** Give the class a digit stands for among those offered, or null. */
export function classOfDigit(rows, digit) {
  return rows.find((r) => r.digit === digit)?.name ?? null;
}

/** Give what the model says to a question: a name, a list of names, or null. */
export function suggested(item, question) {
  const said = item.prelabel?.answer;
  return (question.several ? said?.multi?.[question.key] : said?.choices?.[question.key]) ?? null;
}

/** List the classes the model names that can no longer be chosen. */
export function retiredIn(question, said) {
  const open = new Set(question.classes.map((c) => c.name));
  return (Array.isArray(said) ? said : [said]).filter((n) => n !== null && n !== undefined && !open.has(n));
}

// What is where, to a hundredth of a pixel: where it is the same, nobody has touched it.
function likenessOf({ label, shape = "box", box, points, rle, attributes }) {
  const place = rle || (points?.length ? points : box);
  return JSON.stringify([label, shape, place, Object.entries(attributes ?? {}).sort()], (_key, v) => (typeof v === "number" ? Math.round(v * 100) : v));
}

const surely = new WeakMap(); // regions of a draft → the same with the model's confidence

// A draft is kept without confidences: what is as the model said it has the model's again.
function sure(drafted, item) {
  const known = item.prelabel?.answer?.regions;
  if (!Array.isArray(drafted) || !Array.isArray(known)) return drafted;
  if (surely.get(drafted)?.known !== known) {
    const told = new Map(known.filter(Boolean).map((region) => [likenessOf(region), region.confidence ?? null]));
    const regions = drafted.map((region) => {
      const confidence = region && region.confidence === undefined ? told.get(likenessOf(region)) ?? null : null;
      return confidence === null ? region : { ...region, confidence };
    });
    surely.set(drafted, { known, regions });
  }
  return surely.get(drafted).regions;
}

/** Give the boxes to show, and whose they are: the draft's, one's own vote's or the model's. */
export function shownRegions(item) {
  if (item.draft?.regions) return { source: "draft", regions: sure(item.draft.regions, item) };
  if (item.mine?.regions) return { source: "mine", regions: item.mine.regions };
  if (item.prelabel) return { source: "prelabel", regions: item.prelabel.answer?.regions ?? [] };
  return { source: "none", regions: [] };
}

// What a region is on the record; a confidence is the model's, a person's regions have none.
const RECORDED = ["label", "box", "shape", "points", "rle", "attributes"];

/** Give the answer as it is sent. */
export function finished(answer) {
  const regions = (answer.regions ?? []).map((region) =>
    Object.fromEntries(RECORDED.filter((k) => region[k] !== undefined).map((k) => [k, region[k]])));
  const multi = { ...(answer.marked ?? {}), ...(answer.multi ?? {}) };
  const sent = { choices: { ...answer.choices }, regions };
  return Object.keys(multi).length ? { ...sent, multi } : sent;
}

/** Tell whether nothing is missing from an answer. */
export function isComplete(answer, questions, wantsBoxes) {
  return openQuestion(questions, answer) === null && (!wantsBoxes || answer.regions !== null);
}

/** Give an answer in a few words; `none` is said of an empty set. */
export function inWords(answer, none, asked = []) {
  const { choices = {}, multi = {} } = answer;
  const place = new Map(asked.map((q, i) => [q.key, i]));
  const keys = [...Object.keys(choices), ...Object.keys(multi)];
  keys.sort((a, b) => (place.get(a) ?? asked.length) - (place.get(b) ?? asked.length));
  return keys.map((key) => choices[key] ?? (multi[key].join(" + ") || none)).join(", ");
}
