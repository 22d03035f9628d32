// What needs no browser: cells of CSV, search, selections, colours, names in lines.
import assert from "node:assert/strict";
import test from "node:test";
import { niceTicks } from "./curve.ts";
import { categoryColors, clusterColors, oklch } from "./color.ts";
import { cell, csv } from "./csv.ts";
import { Texts } from "./data.ts";
import { isInside } from "./grid.ts";
import { wrapped } from "./labels.ts";
import { type Report, against, criteria, criterionValues, measureLines, short, summary, trust } from "./report.ts";
import { union, without } from "./scene.ts";
import { find, words } from "./search.ts";

const texts = (...all: string[]) => new Texts([all.map((t) => t + "\0").join("")], all.length, all.length);

test("a cell is quoted only where it must be", () => {
  assert.equal(cell("plain"), "plain");
  assert.equal(cell('a "b", c'), '"a ""b"", c"');
  assert.equal(cell("two\nlines"), '"two\nlines"');
});

test("no cell runs as a formula", () => {
  for (const start of ["=", "+", "-", "@", "\t", "\r"]) assert.match(cell(start + "1"), /^"?'/);
  assert.equal(cell("1-2"), "1-2");
});

test("CSV has a byte order mark, CRLF, and as many lines as rows", () => {
  assert.equal(csv(["a", "b"], [["1", "x,y"], ["2", ""]]), '\ufeffa,b\r\n1,"x,y"\r\n2,\r\n');
});

test("every word must occur, in any order and case", () => {
  const all = texts("Night trains to Vienna", "trains by night", "Night bus", "", "vienna NIGHT TRAINS");
  assert.deepEqual([...find(all, words("TRAINS night"))], [0, 1, 4]);
  assert.deepEqual([...find(all, words("vienna trains night"))], [0, 4]);
  assert.deepEqual([...find(all, words("  "))], []);
  assert.deepEqual([...find(all, words("tram"))], []);
});

test("a match is never found across two texts, and each row once", () => {
  const all = texts("aa", "aa aa aa", "a");
  assert.deepEqual([...find(all, ["aa"])], [0, 1]);
  assert.deepEqual([...find(texts("end", "start"), words("endstart"))], []);
});

test("lower case that is longer than its text keeps rows apart", () => {
  const all = texts("\u0130\u0130\u0130 one", "two", "three");
  assert.deepEqual([...find(all, ["two"])], [1]);
  assert.deepEqual([...find(all, ["three"])], [2]);
  assert.equal(all.get(0), "\u0130\u0130\u0130 one");
});

test("texts in several blocks keep their rows", () => {
  const all = new Texts(["a\0b\0", "c\0"], 2, 3);
  assert.deepEqual([0, 1, 2].map((row) => all.get(row)), ["a", "b", "c"]);
  assert.deepEqual([...find(all, ["c"])], [2]);
});

test("selections are sets of ascending rows", () => {
  const [a, b] = [Uint32Array.of(1, 5, 10), Uint32Array.of(2, 5, 100)];
  assert.deepEqual([...union(a, b)], [1, 2, 5, 10, 100]);
  assert.deepEqual([...without(a, b)], [1, 10]);
});

test("inside a polygon, also one with a dent", () => {
  const dent: [number, number][] = [[0, 0], [4, 0], [4, 4], [2, 1], [0, 4]];
  assert.equal(isInside(1, 1, dent), true);
  assert.equal(isInside(2, 3, dent), false);
  assert.equal(isInside(5, 1, dent), false);
});

test("colours: known values, and all different", () => {
  assert.deepEqual(oklch(1, 0, 0), [255, 255, 255]);
  assert.deepEqual(oklch(0, 0, 0), [0, 0, 0]);
  const [r, g, b] = oklch(0.62796, 0.25768, 29.234); // pure red in OKLCH
  assert.ok(r >= 253 && g <= 6 && b <= 6, `${r} ${g} ${b}`);
  for (const dark of [false, true]) {
    const places = Array.from({ length: 12 }, (_, i): [number, number] => [Math.cos(i / 2), Math.sin(i / 2)]);
    for (const colors of [clusterColors(places, places.map(() => 9), dark), categoryColors(16, dark)])
      assert.equal(new Set(colors.map(String)).size, colors.length);
  }
});

test("names break into at most three even lines, at dots first, and no line begins or ends with one", () => {
  assert.deepEqual(wrapped("python library", 20), ["python library"]);
  assert.deepEqual(wrapped("qt · audio · gtk", 18), ["qt · audio · gtk"]);
  assert.deepEqual(wrapped("development files · gnu · c++", 18), ["development files", "gnu · c++"]);
  assert.deepEqual(wrapped("openstack · node · js", 18), ["openstack", "node · js"]);
  assert.deepEqual(wrapped("linear algebra solver problems", 20), ["linear algebra", "solver problems"]);
  assert.equal(wrapped("one two three four five six seven eight nine ten eleven twelve", 10).length, 3);
  assert.match(wrapped("interpreter · modular compiler · toolchain technologies · x", 20)[2], /…$/);
  assert.ok(wrapped("x".repeat(500), 20)[0].length < 30);
  assert.deepEqual(wrapped("", 20), [""]);
});

const tried = [
  { n_clusters: 2, silhouette: 0.1, davies_bouldin: 3, inertia: 100 },
  { n_clusters: 4, silhouette: 0.3, davies_bouldin: 2, inertia: 40 },
  { n_clusters: 10, silhouette: 0.2, davies_bouldin: null, inertia: 20 },
];

test("a curve of what was computed, the deciding criterion first", () => {
  const report: Report = { tried, chosen: { criterion: "davies_bouldin", n_clusters: 4 } };
  assert.deepEqual(criteria(report), ["davies_bouldin", "silhouette", "elbow"]);
  assert.deepEqual(criterionValues("davies_bouldin", tried), [3, 2, null]);
  assert.deepEqual(criteria({}), []);
  assert.deepEqual(criteria({ tried: [], chosen: null, stability: null, measures: null }), []);
});

test("the elbow is how far the inertia lies below the chord, of three numbers or more", () => {
  const near = (values: (number | null)[]) => values.map((v) => v && Number(v.toFixed(6)));
  assert.deepEqual(near(criterionValues("elbow", tried)), [0, 0.5, 0]); // 1 - 2/8 - 20/80
  assert.deepEqual(criterionValues("elbow", tried.slice(0, 2)), [null, null]);
  assert.deepEqual(criterionValues("elbow", tried.map((t) => ({ ...t, inertia: 5 }))), [0, 0, 0]);
  assert.deepEqual(criterionValues("stability", [{ n_clusters: 2, stability: { adjusted_rand_mean: 0.7 } }, { n_clusters: 3 }]), [0.7, null]);
});

test("the summary says how many, by what, why, and what is in none", () => {
  const why = "4 clusters have the lowest index.";
  assert.equal(summary({ method: "kmeans", chosen: { criterion: "silhouette", n_clusters: 4, why } }, 4, 1200, 0), `4 clusters of 1,200 texts by k-means. ${why}`);
  assert.match(summary({ method: "kmeans", options: { n_clusters: 1 } }, 1, 9, 0), /^1 cluster of 9 texts by k-means\. Their number was set beforehand/);
  const found = summary({ method: "hdbscan", options: { n_clusters: null } }, 3, 1000, 572);
  assert.equal(found, "3 clusters of 1,000 texts by HDBSCAN. The method finds their number by itself. In no cluster: 572 (57 %).");
  assert.match(summary({ method: "a new one" }, 3, 10, 0), /by a new one\./);
});

test("what speaks against is said once, and also where no number was chosen", () => {
  const measures = { silhouette: 0.1, largest: 60 };
  const stability = { adjusted_rand_mean: 0.5 };
  const said = against({ measures, stability }, 100, 0);
  assert.equal(said.length, 3);
  assert.match(said[0], /silhouette is 0\.1: below 0\.25/);
  assert.match(said[1], /60 of 100 texts, more than half/);
  assert.match(said[2], /adjusted Rand index of only 0\.5/);
  const own = ["The silhouette is 0.1: low.", "One cluster holds 60 of 100 rows.", "An adjusted Rand index of 0.5."];
  assert.deepEqual(against({ measures, stability, chosen: { criterion: "silhouette", n_clusters: 2, against: own } }, 100, 0), own);
  assert.deepEqual(against({ measures: { silhouette: 0.25, largest: 50 }, stability: { adjusted_rand_mean: 0.6 } }, 100, 0), []);
  assert.match(against({}, 100, 51)[0], /51 of 100, are in no cluster/);
  assert.deepEqual(against({ measures: null }, 0, 0), []);
});

test("only what was measured has a line", () => {
  assert.deepEqual(measureLines({}), []);
  assert.deepEqual(measureLines({ measures: { silhouette: null, inertia: 12345.6, smallest: 1, largest: 9 } }).map((l) => [l.title, l.value]), [["Inertia", "12,346"], ["Smallest to largest", "1 to 9"]]);
  assert.match(measureLines({ stability: { resamples: 10, adjusted_rand_mean: 0.36622, adjusted_rand_spread: 0.0241 } })[0].read, /over 10 random parts.* Spread: 0\.0241\./);
});

test("trust follows the thresholds", () => {
  assert.deepEqual([1, 0.85, 0.8499, 0.75, 0.7, 0.6, 0.5999, 0, null, undefined, NaN].map(trust), [0, 0, 1, 1, 2, 2, 3, 3, -1, -1, -1]);
});

test("numbers in three digits, ticks around them", () => {
  assert.deepEqual([0.06490086, 3.6617, 128, 1234.5, 0, null, Infinity].map(short), ["0.0649", "3.66", "128", "1,235", "0", "–", "–"]);
  assert.deepEqual(niceTicks(0.0487, 0.0649), [0.04, 0.05, 0.06, 0.07]);
  assert.deepEqual(niceTicks(2, 29), [0, 10, 20, 30]);
  for (const [low, high] of [[0, 0], [5, 5], [-0.2, 0.3], [1e-9, 2e-9], [1e6, 7e6], [0, 1]]) {
    const ticks = niceTicks(low, high);
    assert.ok(ticks[0] <= low && ticks[ticks.length - 1] >= high, `${low} ${high}: ${ticks}`);
    assert.ok(ticks.length >= 2 && ticks.length <= 7, `${low} ${high}: ${ticks}`);
  }
});
