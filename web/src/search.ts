// Substring search over the texts: every word must occur, case does not matter.
import type { Texts } from "./data.ts";
import { el } from "./dom.ts";

/** The words of a query, lower case, longest first (the rarest, as a rule). */
export function words(query: string): string[] {
  const all = query.toLowerCase().replaceAll("\0", " ").split(/\s+/).filter(Boolean);
  return [...new Set(all)].sort((a, b) => b.length - a.length);
}

/** Rows whose text holds all words, ascending. No words: none. */
export function find(texts: Texts, all: string[]): Uint32Array {
  const found: number[] = [];
  if (!all.length) return new Uint32Array();
  const [first, ...others] = all;
  texts.eachWith(first, (row, lowered) => {
    if (others.length) {
      const text = lowered();
      if (!others.every((word) => text.includes(word))) return;
    }
    found.push(row);
  });
  return Uint32Array.from(found);
}

/** A text with its matches marked, beginning shortly before the first if that is far in. */
export function excerpt(text: string, all: string[], most = 220): HTMLElement {
  const line = text.replace(/\s+/g, " ").trim();
  const lower = line.toLowerCase();
  const places = lower.length === line.length ? all.map((w) => lower.indexOf(w)).filter((p) => p >= 0) : [];
  const first = Math.min(...places);
  const from = places.length && first > 60 ? first - 40 : 0;
  const part = (from ? "…" : "") + line.slice(from, from + most);
  return marked(part, all);
}

/** A text with each occurrence of the words in <mark>. */
export function marked(text: string, all: string[]): HTMLElement {
  const out = el("span", { dir: "auto" });
  const lower = text.toLowerCase();
  if (lower.length !== text.length || !all.length) {
    out.append(text);
    return out;
  }
  let at = 0;
  while (at < text.length) {
    let next = text.length;
    let length = 0;
    for (const word of all) {
      const p = lower.indexOf(word, at);
      if (p >= 0 && (p < next || (p === next && word.length > length))) [next, length] = [p, word.length];
    }
    if (next > at) out.append(text.slice(at, next));
    if (length) out.append(el("mark", {}, text.slice(next, next + length)));
    at = next + length;
  }
  return out;
}
