// Going through suspicious labels: which one is in hand, what was said of each. Pure: no DOM, no network.

/** Begin with the issues as Python gave them, what was said of them before this list kept. */
export function startList(issues, said = {}) {
  const keys = new Set(issues.map(keyOf));
  const kept = Object.fromEntries(Object.entries(said).filter(([key]) => keys.has(key)));
  const first = issues.findIndex((issue) => !kept[keyOf(issue)]);
  return { issues, at: Math.max(0, first), said: kept };
}

/** Name an issue: an item may be there for several reasons, and for several regions. */
export function keyOf({ item, kind, final_seq: label, box, question }) {
  return [item, kind, label, question, ...(box ?? [])].join("|");
}

/** Give the issue in hand, or null. */
export function inHand({ issues, at }) {
  return issues[at] ?? null;
}

/** Move by so many rows; the ends hold. */
export function move(list, by) {
  list.at = Math.min(Math.max(0, list.at + by), Math.max(0, list.issues.length - 1));
}

/** Put the issue of that place in hand. */
export function choose(list, at) {
  if (at >= 0 && at < list.issues.length) list.at = at;
}

/** Say something of the issue in hand and take up the next nobody has said anything of; give what is to be sent. */
export function say(list, what, newUuid) {
  const issue = inHand(list);
  if (!issue || list.said[keyOf(issue)]) return null;
  const entry = { issue, key: keyOf(issue), sent: sentOf(issue, what, newUuid()) };
  mark(list, entry, { what, state: "sending" });
  advance(list);
  return entry;
}

/** Take back that the issue in hand is right; a send-back is a ruling and stays. Give what is to be sent, or null. */
export function unsay(list, newUuid) {
  const issue = inHand(list);
  const before = issue && list.said[keyOf(issue)];
  if (before?.what !== "right" || before.state !== "saved") return null;
  const entry = { issue, key: keyOf(issue), sent: sentOf(issue, "again", newUuid()), before };
  mark(list, entry, { ...before, state: "sending" });
  return entry;
}

/** Write down what came of an answer: kept, or refused with a sentence and asked anew. */
export function settle(list, { key, issue, sent, before }, reply) {
  const kept = reply.kind === "ok";
  const next = kept ? (sent.do === "again" ? null : { what: sent.do, state: "saved", status: reply.body?.receipt?.status }) : before ?? null;
  for (const other of list.issues) {
    // Sent back, an item has no label any more: whatever else was doubted of it went with it.
    const same = keyOf(other) === key || (sent.do === "back" && other.item === issue.item);
    if (!same) continue;
    if (next) list.said[keyOf(other)] = next;
    else if (keyOf(other) === key || list.said[keyOf(other)]?.state === "sending") delete list.said[keyOf(other)];
  }
}

/** Count those nobody has said anything of. */
export function left({ issues, said }) {
  return issues.filter((issue) => !said[keyOf(issue)]).length;
}

/** Give the place of a box within a picture of that size, as shares of its width and height. */
export function shareOf([x1, y1, x2, y2], [width, height]) {
  return { left: x1 / width, top: y1 / height, width: (x2 - x1) / width, height: (y2 - y1) / height };
}

function mark(list, { key, issue }, said) {
  list.said[key] = said;
  if (said.what !== "back") return;
  for (const other of list.issues) if (other.item === issue.item) list.said[keyOf(other)] ??= said;
}

function advance(list) {
  const { issues, at, said } = list;
  const open = (from, to) => issues.slice(from, to).findIndex((issue) => !said[keyOf(issue)]);
  const after = open(at + 1, issues.length);
  if (after >= 0) list.at = at + 1 + after;
  else if (open(0, at) >= 0) list.at = open(0, at);
}

function sentOf(issue, what, uuid) {
  return { uuid, do: what, item_id: issue.item, kind: issue.kind, final_seq: issue.final_seq, reason: issue.why };
}
