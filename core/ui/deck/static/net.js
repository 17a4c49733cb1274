// Talking to our own routes. Never throws: every outcome is one of five kinds.

import { isObject } from "./storage.js";

const RETRY_STATUS = new Set([408, 425, 429]);
const PATIENCE_MS = 20000;
// A proxy's limit may be lower than ours; its own words are for nobody here.
const TOO_LARGE = {
  code: "LIMIT_EXCEEDED", message: "More was sent at once than this server's proxy lets through.", advice: "Ask who runs it to allow 8 MB.",
};

// What was wrong, in our own words; null where it was not us who answered: a proxy, another server.
async function errorOf(reply) {
  try {
    const body = await reply.json();
    const error = body?.error ?? {};
    if (typeof error.code !== "string") return null;
    return { code: error.code, message: error.message ?? "", advice: error.advice ?? "" };
  } catch {
    return null;
  }
}

async function outcome(reply) {
  if (reply.ok) {
    const body = await reply.json().catch(() => null);
    // An unknown path answers 200 with a page: that is no reply of ours.
    return isObject(body) ? { kind: "ok", body } : { kind: "offline" };
  }
  const error = await errorOf(reply);
  if (error === null && reply.status === 413) return { kind: "refused", error: TOO_LARGE };
  // Nothing may be given up for what somebody between us and the server said.
  if (error === null && ![401, 403].includes(reply.status)) return { kind: "offline" };
  if (reply.status === 401) return { kind: "signed-out", error };
  if (reply.status === 403) return { kind: "forbidden", error };
  if (reply.status >= 500 || RETRY_STATUS.has(reply.status)) return { kind: "offline", error };
  return { kind: "refused", error };
}

let speaker = null;
const reached = new Set();

/** Call back whenever our routes have answered; give a function that stops it. */
export function onReach(callback) {
  reached.add(callback);
  return () => reached.delete(callback);
}

/** Say for whom this page speaks: our routes refuse when somebody else is signed in by now. */
export function speakFor(person) {
  speaker = person;
}

/** Ask a route; give {kind, body?, error?}. */
export async function ask(url, { body, keepalive = false, person = speaker, signal = null } = {}) {
  const options = { credentials: "same-origin", headers: { Accept: "application/json" } };
  if (person !== null) options.headers["Tiebreak-Person"] = String(person);
  if (body !== undefined) {
    options.method = "POST";
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
    options.keepalive = keepalive;
  }
  const patience = AbortSignal.timeout(PATIENCE_MS);
  if (!keepalive) options.signal = signal ? AbortSignal.any([signal, patience]) : patience;
  try {
    const found = await outcome(await fetch(url, options));
    if (found.kind === "ok") for (const callback of reached) callback();
    return found;
  } catch {
    return { kind: "offline" };
  }
}

/** Make an identifier; also on plain http, where randomUUID is missing. */
export function newUuid() {
  if (globalThis.crypto.randomUUID) return globalThis.crypto.randomUUID();
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
