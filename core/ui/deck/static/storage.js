// The tab's own store, wherever the browser forbids it one that lasts until the next reload,
// and reading what lies in it: it may have been put there by anybody, or by an older version.

/** What a Storage does, in memory. */
export class Memory {
  constructor() {
    this.kept = new Map();
  }

  get length() {
    return this.kept.size;
  }

  key(place) {
    return [...this.kept.keys()][place] ?? null;
  }

  getItem(key) {
    return this.kept.get(key) ?? null;
  }

  setItem(key, value) {
    this.kept.set(key, String(value));
  }

  removeItem(key) {
    this.kept.delete(key);
  }
}

const memories = { sessionStorage: new Memory(), localStorage: new Memory() };

function storage(name, scope) {
  try {
    return scope[name] ?? memories[name];
  } catch {
    return memories[name]; // asking alone throws where storage is forbidden
  }
}

/** Give the tab's store. */
export function tabStorage(scope = globalThis) {
  return storage("sessionStorage", scope);
}

/** Give the browser's store. */
export function browserStorage(scope = globalThis) {
  return storage("localStorage", scope);
}

/** Tell whether what is kept will be there after a reload. */
export function isLasting(store) {
  return !(store instanceof Memory);
}

/** Read an object; an empty one where there is none that can be read. */
export function readObject(store, key) {
  try {
    const found = JSON.parse(store.getItem(key) ?? "{}");
    return isObject(found) ? found : {};
  } catch {
    return {};
  }
}

/** Tell whether a value is an object with names. */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Give a list's values that pass a test; an empty list where it is none. */
export function rowsOf(value, fits) {
  return Array.isArray(value) ? value.filter(fits) : [];
}
