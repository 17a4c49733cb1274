// What this tab remembers besides decisions: classes used lately, and whether somebody else's work waits here.

const KEPT = 5;

/** The classes a person used lately, per question, newest first. */
export class Recent {
  constructor(storage, key) {
    this.storage = storage;
    this.key = key;
    this.names = this.#load();
  }

  /** List the classes used lately in a question. */
  of(question) {
    return this.names[question] ?? [];
  }

  /** Note the classes of an answer. */
  note(answer) {
    const said = { ...answer.choices, ...answer.multi };
    for (const [question, names] of Object.entries(said)) {
      this.names[question] = [...new Set([names, this.of(question)].flat())].slice(0, KEPT);
    }
    try {
      this.storage.setItem(this.key, JSON.stringify(this.names));
    } catch {
      // Storage is full or forbidden: remembered until the next reload only.
    }
  }

  #load() {
    try {
      const kept = JSON.parse(this.storage.getItem(this.key) ?? "{}");
      return Object.fromEntries(Object.entries(kept ?? {}).filter(([, names]) => Array.isArray(names)));
    } catch {
      return {};
    }
  }
}

/** Count the decisions other people left in this tab for the same project: they stay theirs. */
export function workOfOthers(storage, mine) {
  const [, prefix, slug] = /^(tiebreak\.outbox\.)\d+(\..*)$/.exec(mine) ?? [];
  let count = 0;
  for (let i = 0; prefix && i < storage.length; i += 1) {
    const key = storage.key(i);
    if (key === mine || !key.startsWith(prefix) || !/^\d+$/.test(key.slice(prefix.length, -slug.length)) || !key.endsWith(slug)) continue;
    try {
      count += JSON.parse(storage.getItem(key))?.entries?.length ?? 0;
    } catch {
      // Not ours to read.
    }
  }
  return count;
}
