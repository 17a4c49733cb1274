// The little Markdown a guideline may use. Pure: text goes in, a list of blocks comes out.
// Headings # and ##, paragraphs, lists with -, **bold**, *italic* and `code`; all else stays text.
// A block fenced by ``` or ~~~ (rules, for one) is a list of its lines as they are written.

const INLINE = /`([^`\n]+)`|\*\*([^*\s](?:[^*]*[^*\s])?)\*\*|\*([^*\s](?:[^*]*[^*\s])?)\*/g;

/** Split a run of text into pieces: {kind: "text" | "code", text} or {kind: "strong" | "em", parts}. */
export function inline(text) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(INLINE)) {
    const [whole, code, strong, em] = found;
    if (found.index > from) parts.push({ kind: "text", text: text.slice(from, found.index) });
    if (code !== undefined) parts.push({ kind: "code", text: code });
    else if (strong !== undefined) parts.push({ kind: "strong", parts: inline(strong) });
    else parts.push({ kind: "em", parts: inline(em) });
    from = found.index + whole.length;
  }
  if (from < text.length) parts.push({ kind: "text", text: text.slice(from) });
  return parts;
}

// What begins a block of its own: [kind, its text]; null for a line that goes on.
function beginning(line) {
  const heading = /^(##?)\s+(.*)$/.exec(line);
  if (heading) return [heading[1].length === 1 ? "h1" : "h2", heading[2]];
  const item = /^\s*-\s+(.*)$/.exec(line);
  return item ? ["li", item[1]] : null;
}

/** Split a guideline into blocks: {kind: "h1" | "h2" | "p", parts} or {kind: "ul", items: parts[]}. */
export function blocks(text) {
  const found = [];
  let open = null;
  let fence = "";
  for (const line of text.split(/\r?\n/)) {
    const marked = /^ {0,3}(`{3,}|~{3,})\s*(\S*)\s*$/.exec(line);
    if (fence && marked && !marked[2] && marked[1].startsWith(fence)) fence = "";
    else if (fence) line.trim() && found.push({ kind: "li", code: line.trim() });
    else if (marked) fence = marked[1];
    if (fence || marked) {
      open = null;
      continue;
    }
    const begun = beginning(line);
    if (!line.trim()) open = null;
    else if (begun) found.push((open = { kind: begun[0], text: begun[1] }));
    else if (open && open.kind !== "h1" && open.kind !== "h2") open.text += `\n${open.kind === "li" ? line.trim() : line}`;
    else found.push((open = { kind: "p", text: line }));
  }
  return gathered(found);
}

// List items that follow each other are one list, also over an empty line.
function gathered(found) {
  const list = [];
  for (const { kind, text, code } of found) {
    const parts = code === undefined ? inline(text) : [{ kind: "code", text: code }];
    const last = list[list.length - 1];
    if (kind !== "li") list.push({ kind, parts });
    else if (last?.kind === "ul") last.items.push(parts);
    else list.push({ kind: "ul", items: [parts] });
  }
  return list;
}
