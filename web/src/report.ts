// How the clusters were found and judged: report.json of the collection (src/shoal/flow/folders/report_json.cpp, docs/report.md). It has the
// sentences, titles, curves and verdicts; here they are only drawn. What a method does not measure is absent.
import { number } from "./dom.ts";

export type Value = number | null | undefined;

export interface Tried {
  n_clusters: number;
  smallest?: Value;
  largest?: Value;
}

/** A criterion over the numbers that were tried. */
export interface Criterion {
  criterion: string;
  title: string;
  better: "lower" | "higher";
  asks: string;
  n_clusters: number; // that it would choose
  values: Value[]; // one for each number tried
}

export interface Stability {
  resamples: number;
  jaccard: Value[]; // of each cluster
  verdicts: (string | null)[]; // of each cluster: the name of a level
  levels: { name: string; from: number }[]; // highest first
}

/** A picture of something else that was found, as SVG. */
export interface Plot {
  title: string;
  svg: string;
}

export interface Report {
  method_title?: string;
  why?: string;
  against?: { text: string }[];
  figures?: { title: string; shown: string; note: string }[];
  chosen?: { criterion: string; n_clusters: number };
  tried?: Tried[];
  curves?: Criterion[]; // the one that decided comes first
  stability?: Stability;
  plots?: Plot[]; // kept beside the file
}

export const isNumber = (value: Value): value is number => typeof value === "number" && Number.isFinite(value);

/** Three significant digits, as the program writes them. */
export const short = (value: Value): string =>
  !isNumber(value) ? "–" : Math.abs(value) >= 1000 ? number(Math.round(value)) : String(Number(value.toPrecision(3)));

export const share = (part: number, whole: number): string => `${whole ? ((100 * part) / whole).toFixed(part * 20 < whole ? 1 : 0) : 0} %`;

/** How many clusters, by what, and why so many. */
export function summary(report: Report, clusters: number, texts: number, noise: number): string {
  const count = (n: number, one: string) => `${number(n)} ${n === 1 ? one : one + "s"}`;
  const by = report.method_title ? ` by ${report.method_title}` : "";
  const rest = noise ? `In no cluster: ${number(noise)} (${share(noise, texts)}).` : "";
  return [`${count(clusters, "cluster")} of ${count(texts, "text")}${by}.`, report.why ?? "", rest].filter(Boolean).join(" ");
}

/** The levels of stability with their ranges in words: "from 0.85", and of the last "below 0.6". */
export const ranges = (levels: Stability["levels"]): string[] =>
  levels.map(({ from }, i) => (i > 0 && i === levels.length - 1 ? `below ${levels[i - 1].from}` : `from ${from}`));
