// Search over the texts: every word must begin one of the text's; case and accents do not matter.
import type { Texts } from "./data.ts";
import { el } from "./dom.ts";
import { fold, foldWithPlaces, indexOfWord } from "./fold.ts";

/** The words of a query, folded, longest first (the rarest, as a rule). */
export function words(query: string): string[] {
  const all = fold(query).replaceAll("\0", " ").split(/\s+/).filter(Boolean);
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
      if (!others.every((word) => indexOfWord(text, word) >= 0)) return;
    }
    found.push(row);
  });
  return Uint32Array.from(found);
}

/** A text with its matches marked, beginning shortly before the first if that is far in. */
export function excerpt(text: string, all: string[], most = 220): HTMLElement {
  const line = text.replace(/\s+/g, " ").trim();
  const [folded, at] = foldWithPlaces(line);
  const places = all.map((w) => indexOfWord(folded, w)).filter((p) => p >= 0);
  const first = at[Math.min(...places)];
  const from = places.length && first > 60 ? first - 40 : 0;
  const part = (from ? "…" : "") + line.slice(from, from + most);
  return marked(part, all);
}

/** A text with each occurrence of the words in <mark>. */
export function marked(text: string, all: string[]): HTMLElement {
  const out = el("span", { dir: "auto" });
  if (!all.length) {
    out.append(text);
    return out;
  }
  const [folded, places] = foldWithPlaces(text);
  let at = 0; // in the folded text
  while (at < folded.length) {
    let next = folded.length;
    let length = 0;
    for (const word of all) {
      const p = indexOfWord(folded, word, at);
      if (p >= 0 && (p < next || (p === next && word.length > length))) [next, length] = [p, word.length];
    }
    if (next > at) out.append(text.slice(places[at], places[next]));
    if (length) out.append(el("mark", {}, text.slice(places[next], places[next + length])));
    at = next + length;
  }
  return out;
}
