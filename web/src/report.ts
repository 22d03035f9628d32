// How the clusters were found and judged, as `shoal cluster` writes it (src/shoal/flow/cluster_report.cpp), and what there is to
// say about it in words. Everything may be missing: methods and options differ in what they measure.
import { number } from "./dom.ts";

export type Value = number | null | undefined;

export interface Measures {
  n_clusters?: number;
  silhouette?: Value;
  davies_bouldin?: Value;
  davies_bouldin_cosine?: Value;
  calinski_harabasz?: Value;
  inertia?: Value;
  smallest?: Value;
  largest?: Value;
  balance?: Value;
}

export interface Stability {
  resamples?: number;
  adjusted_rand_mean?: Value;
  adjusted_rand_spread?: Value;
  jaccard?: Value[]; // of each cluster
}

export interface Tried extends Measures {
  n_clusters: number;
  stability?: Stability | null;
}

export interface Pick {
  criterion: string;
  n_clusters: number;
  value?: Value;
}

export interface Report {
  method?: string;
  options?: Record<string, unknown> | null;
  n_clusters?: number;
  noise?: number;
  rows?: number;
  measures?: Measures | null;
  against?: string[];
  chosen?: (Pick & { why?: string; against?: string[]; picks?: Pick[] }) | null;
  tried?: Tried[] | null;
  stability?: Stability | null;
  placement_agreement?: Value;
}

const METHODS: Record<string, string> = {
  spherical_kmeans: "spherical k-means",
  kmeans: "k-means",
  minibatch_kmeans: "mini-batch k-means",
  agglomerative: "agglomerative clustering",
  dbscan: "DBSCAN",
  hdbscan: "HDBSCAN",
  som: "a self-organising map",
  vmf_mixture: "a von Mises-Fisher mixture",
};

export const methodName = (report: Report): string => METHODS[report.method ?? ""] ?? report.method ?? "an unknown method";

export const CRITERIA: Record<string, { title: string; low?: boolean; of: string }> = {
  silhouette: { title: "Silhouette", of: "how much nearer texts are to their own cluster than to the next" },
  davies_bouldin: { title: "Davies-Bouldin", low: true, of: "how wide clusters are for the distance between them" },
  davies_bouldin_cosine: { title: "Davies-Bouldin, cosine", low: true, of: "how wide clusters are for the angle between them" },
  calinski_harabasz: { title: "Calinski-Harabasz", of: "how far apart clusters lie for how wide they are" },
  elbow: { title: "Elbow", of: "how far the inertia lies below a straight line from the fewest to the most clusters" },
  stability: { title: "Stability", of: "how alike the clusters of random parts of the texts are (adjusted Rand index)" },
};

export const isNumber = (value: Value): value is number => typeof value === "number" && Number.isFinite(value);

/** Three significant digits, as the program writes them. */
export const short = (value: Value): string =>
  !isNumber(value) ? "–" : Math.abs(value) >= 1000 ? number(Math.round(value)) : String(Number(value.toPrecision(3)));

/** The value of a criterion at each number tried; null where it was not computed. */
export function criterionValues(criterion: string, tried: Tried[]): (number | null)[] {
  const of = (t: Tried): Value =>
    criterion === "stability" ? t.stability?.adjusted_rand_mean : criterion === "elbow" ? t.inertia : t[criterion as keyof Measures];
  const values = tried.map(of).map((value) => (isNumber(value) ? value : null));
  if (criterion !== "elbow") return values;
  const last = tried.length - 1;
  const [high, low] = [values[0], values[last]];
  if (last < 2 || high === null || low === null) return values.map(() => null);
  const wide = tried[last].n_clusters - tried[0].n_clusters;
  return values.map((v, i) =>
    v === null ? null : high > low ? 1 - (tried[i].n_clusters - tried[0].n_clusters) / wide - (v - low) / (high - low) : 0,
  );
}

/** The criteria that have a curve, the deciding one first. */
export function criteria(report: Report): string[] {
  const tried = report.tried ?? [];
  const decided = report.chosen?.criterion;
  const all = Object.keys(CRITERIA).filter((c) => criterionValues(c, tried).some((v) => v !== null));
  return all.sort((a, b) => Number(b === decided) - Number(a === decided));
}

/** How many clusters, by what, and why so many. */
export function summary(report: Report, clusters: number, texts: number, noise: number): string {
  const count = (n: number) => `${number(n)} ${n === 1 ? "cluster" : "clusters"}`;
  const found = `${count(clusters)} of ${number(texts)} ${texts === 1 ? "text" : "texts"} by ${methodName(report)}.`;
  const set = report.options?.n_clusters ?? report.options?.grid_rows;
  const why = report.chosen?.why ?? (typeof set === "number" ? "Their number was set beforehand, not chosen by a measure." : "The method finds their number by itself.");
  const rest = noise ? ` In no cluster: ${number(noise)} (${share(noise, texts)}).` : "";
  return `${found} ${why}${rest}`;
}

export const share = (part: number, whole: number): string => `${whole ? ((100 * part) / whole).toFixed(part * 20 < whole ? 1 : 0) : 0} %`;

/** What speaks against the clusters: as the choice of their number wrote it, or what their measures say. */
export function against(report: Report, texts: number, noise: number): string[] {
  const all = [...(report.against ?? report.chosen?.against ?? [])];
  const { silhouette, largest } = report.measures ?? {};
  const rand = report.stability?.adjusted_rand_mean;
  const says = (what: RegExp) => all.some((reason) => what.test(reason));
  if (noise * 2 > texts && !says(/in no cluster/)) all.push(`More than half of the texts, ${number(noise)} of ${number(texts)}, are in no cluster.`);
  if (isNumber(silhouette) && silhouette < 0.25 && !says(/The silhouette is/))
    all.push(`The silhouette is ${short(silhouette)}: below 0.25 clusters hardly stand apart.`);
  if (isNumber(largest) && largest * 2 > texts - noise && !says(/One cluster holds/) && texts > noise)
    all.push(`One cluster holds ${number(largest)} of ${number(texts - noise)} texts, more than half.`);
  if (isNumber(rand) && rand < 0.6 && !says(/adjusted Rand/))
    all.push(`On random parts of the texts the clusters come back with an adjusted Rand index of only ${short(rand)}: below 0.6 they are not stable.`);
  return all;
}

export interface Line {
  title: string;
  value: string;
  read: string; // how to read it
}

/** What was measured, each with one sentence on how to read it. */
export function measureLines(report: Report): Line[] {
  const { measures: m, stability: s } = report;
  const all: [string, Value, string, string?][] = [
    ["Silhouette", m?.silhouette, "−1 to 1, high is good: how much nearer texts are to their own cluster than to the next; below 0.25 clusters hardly stand apart."],
    ["Davies-Bouldin", m?.davies_bouldin, "0 or more, low is good: how wide clusters are for the distance between them. Compare it only on the same texts."],
    ["Davies-Bouldin, cosine", m?.davies_bouldin_cosine, "0 or more, low is good: the same by angles. Compare it only with itself."],
    ["Calinski-Harabasz", m?.calinski_harabasz, "High is good: how far apart clusters lie for how wide they are. Compare it only on the same texts."],
    ["Inertia", m?.inertia, "Squared distances to the means of the clusters, summed: it falls with every further cluster, so only a bend in its curve says something."],
    ["Balance of sizes", m?.balance, "0 to 1: 1 if all clusters are of one size, near 0 if one holds nearly all."],
    ["Smallest to largest", m?.smallest, "Texts in the smallest and in the largest cluster.", `${short(m?.smallest)} to ${short(m?.largest)}`],
    ["Stability", s?.adjusted_rand_mean, `Adjusted Rand index over ${number(s?.resamples ?? 0)} random parts of the texts: 1 if the same clusters come back each time, 0 if only by chance; below 0.6 they are not stable.${isNumber(s?.adjusted_rand_spread) ? ` Spread: ${short(s.adjusted_rand_spread)}.` : ""}`],
    ["New texts", report.placement_agreement, "The share of the clustered texts that the method's rule for new ones would put where they are: high is good."],
  ];
  return all.filter(([, value]) => isNumber(value)).map(([title, value, read, shown]) => ({ title, value: shown ?? short(value), read }));
}

/** How far a cluster can be trusted by its mean Jaccard coefficient over resamples (Hennig 2007). */
export const TRUST: { from: number; name: string }[] = [
  { from: 0.85, name: "very stable" },
  { from: 0.75, name: "stable" },
  { from: 0.6, name: "doubtful" },
  { from: -Infinity, name: "not to be trusted" },
];

/** Index into TRUST; -1 if no resample held the cluster. */
export const trust = (jaccard: Value): number => (isNumber(jaccard) ? TRUST.findIndex(({ from }) => jaccard >= from) : -1);
