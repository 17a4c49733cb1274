// Answering one item: which question is open, what a digit or "accept" does to the answer.

const DIGITS = "1234567890";

/** Start from the person's draft, else from an empty answer. */
export function startAnswer(item) {
  const draft = item.draft;
  return { choices: { ...(draft?.choices ?? {}) }, regions: null, touched: false };
}

/** Give the first question without an answer, or null when all have one. */
export function openQuestion(questions, choices) {
  return questions.find((q) => !(q.key in choices)) ?? null;
}

/** Give the class a digit stands for in a question, or null. */
export function classOfDigit(question, digit) {
  if (!question) return null;
  const keyed = question.classes.find((c) => c.key === digit);
  return keyed?.name ?? question.classes[DIGITS.indexOf(digit)]?.name ?? null;
}

/** Give what the model says to a question, or null. */
export function suggested(item, question) {
  const said = item.prelabel?.answer?.choices ?? {};
  return said[question.key] ?? null;
}

/** Give the boxes to show, and whose they are: the draft's, one's own vote's or the model's. */
export function shownRegions(item) {
  if (item.draft?.regions) return { source: "draft", regions: item.draft.regions };
  if (item.mine?.regions) return { source: "mine", regions: item.mine.regions };
  if (item.prelabel) return { source: "prelabel", regions: item.prelabel.answer?.regions ?? [] };
  return { source: "none", regions: [] };
}

/** Give the answer as it is sent: confidences are the model's, a person's boxes have none. */
export function finished(answer) {
  const regions = (answer.regions ?? []).map(({ label, box }) => ({ label, box }));
  return { choices: { ...answer.choices }, regions };
}

/** Tell whether nothing is missing from an answer. */
export function isComplete(answer, questions, wantsBoxes) {
  return openQuestion(questions, answer.choices) === null && (!wantsBoxes || answer.regions !== null);
}
