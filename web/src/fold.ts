// Words as `shoal search --words` compares them (search_form in src/shoal/tokenize/words.cpp): without case, accents of
// Latin, Greek and Cyrillic letters (й and ї stay), and the marks of Arabic and Hebrew.

const points = /[\u0591-\u05BD\u05BF\u05C1\u05C2\u05C4\u05C5\u05C7\u0610-\u061A\u0640\u064B-\u065F\u0670\u06D6-\u06ED\u200C\u200D]/g;
const accents = /(й|ї)|(?<=[a-z\u00C0-\u024F\u0370-\u052F\u1E00-\u1FFF][\u0300-\u036F]*)[\u0300-\u036F]/g;
const alike: Record<string, string> = {
  ß: "ss", æ: "ae", œ: "oe", ø: "o", đ: "d", ð: "d", ł: "l", ħ: "h", ı: "i", þ: "th", ς: "σ",
  "\u0671": "\u0627", "\u0649": "\u064A", "\u06CC": "\u064A", "\u06A9": "\u0643", "\u0629": "\u0647",
};
const unlike = new RegExp(`[${Object.keys(alike).join("")}]`, "g");
const ascii = /^[\0-\x7f]*$/;

export function fold(text: string): string {
  const lower = text.toLowerCase();
  if (ascii.test(lower)) return lower;
  const parts = lower.normalize("NFKD").replace(points, "");
  return parts
    .replace(accents, (_, whole?: string) => whole ?? "")
    .replace(unlike, (letter) => alike[letter])
    .normalize("NFC");
}

/** The folded text, and for each of its characters and its end where that stands in the text. */
export function foldWithPlaces(text: string): [string, number[]] {
  let folded = "";
  const places: number[] = [];
  for (const { 0: letter, index } of text.matchAll(/.\p{M}*/gsu)) {
    const part = fold(letter);
    for (let i = 0; i < part.length; i++) places.push(index);
    folded += part;
  }
  places.push(text.length);
  return [folded, places];
}

const inWord = /[\p{L}\p{N}\p{M}]/u;
// Scripts without blanks: a word may begin anywhere.
const unparted = /[\u0E00-\u0EFF\u1000-\u109F\u1780-\u17FF\u3041-\u30FF\u3400-\u9FFF\uF900-\uFAFF\uD840-\uDFFF]/;

/** Where `word` is next the beginning of a word of `text`, both folded; -1 if nowhere. */
export function indexOfWord(text: string, word: string, from = 0): number {
  const first = word.charAt(0);
  const anywhere = !inWord.test(first) || unparted.test(first);
  let at = text.indexOf(word, from);
  while (at > 0 && !anywhere && inWord.test(text.charAt(at - 1)) && !unparted.test(text.charAt(at - 1)))
    at = text.indexOf(word, at + 1);
  return at;
}
