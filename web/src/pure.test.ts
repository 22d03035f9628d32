// What needs no browser: cells of CSV, search, selections, colours, names in lines.
import assert from "node:assert/strict";
import test from "node:test";
import { Camera } from "./camera.ts";
import { niceTicks } from "./curve.ts";
import { categoryColors, clusterColors, oklch } from "./color.ts";
import { cell, csv } from "./csv.ts";
import { type Meta, Texts, unpackContours } from "./data.ts";
import { isInside } from "./grid.ts";
import { wrapped } from "./labels.ts";
import { ranges, short, summary } from "./report.ts";
import { union, without } from "./scene.ts";
import { foldWithPlaces } from "./fold.ts";
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

test("words are compared without case, accents and marks, from their beginning", () => {
  const all = texts("Ещё кофе", "İSTANBUL CAFÉ", "كِتَابٌ جديد", "concatenate", "C++ and .NET", "日本銀行の金利", "мой мои", "Straße");
  const rows = (query: string) => [...find(all, words(query))];
  assert.deepEqual(rows("еще"), [0]);
  assert.deepEqual(rows("istanbul cafe"), [1]);
  assert.deepEqual(rows("كتاب"), [2]);
  assert.deepEqual(rows("cat"), []);
  assert.deepEqual(rows("con"), [3]);
  assert.deepEqual(rows("c++ .net"), [4]);
  assert.deepEqual(rows("銀行"), [5]);
  assert.deepEqual(rows("мои"), [6]);
  assert.deepEqual(rows("strasse"), [7]);
});

test("folded letters know where they stand", () => {
  const [folded, places] = foldWithPlaces("e\u0301ß İx");
  assert.equal(folded, "ess ix");
  assert.deepEqual(places, [0, 2, 2, 3, 4, 5, 6]);
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

test("the summary says how many, by what, why, and what is in none", () => {
  const why = "4 clusters have the lowest index.";
  assert.equal(summary({ method_title: "k-means", why }, 4, 1200, 0), `4 clusters of 1,200 texts by k-means. ${why}`);
  assert.equal(summary({ method_title: "HDBSCAN" }, 3, 1000, 572), "3 clusters of 1,000 texts by HDBSCAN. In no cluster: 572 (57 %).");
  assert.equal(summary({}, 1, 1, 0), "1 cluster of 1 text.");
});

test("levels of stability, whatever they are, have their ranges", () => {
  assert.deepEqual(ranges([{ name: "a", from: 0.85 }, { name: "b", from: 0.6 }, { name: "c", from: 0 }]), ["from 0.85", "from 0.6", "below 0.6"]);
  assert.deepEqual(ranges([{ name: "a", from: 0 }]), ["from 0"]);
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

/** As in src/shoal/map/picture_test.cpp: the page and pictures have the same colours. */
test("colours are those of pictures", () => {
  const hex = (rgb: number[]) => "#" + rgb.map((v) => v.toString(16).padStart(2, "0")).join("");
  assert.equal(hex(oklch(0.61, 0.16, 20)), "#d2535a");
  assert.deepEqual(clusterColors([[1, 0], [0, 1], [-1, 0], [0, -1]], [100, 50, 25, 10], false).map(hex), ["#6bb346", "#2e6fcd", "#c3559a", "#cf5b26"]);
});

test("lines of equal density come back in map units", () => {
  const box: [number, number, number, number] = [0, 0, 10, 10];
  const meta = { box, contours: { at: [5, 5], unit: 0.1, levels: 2 } } as unknown as Meta;
  const [thin, dense] = unpackContours(Int16Array.from([0, 2, 0, 0, 0, 50, 0, 1, 3, 0, 10, 10, -10, 0, 0, 10]), meta);
  assert.deepEqual(thin.map((ring) => [...ring]), [[0, 0, 0.5, 0]]);
  assert.deepEqual(dense.map((ring) => [...ring].map((v) => Math.round(v * 1000) / 1000)), [[0.1, 0.1, 0, 0.1, 0, 0.2]]);
});

test("the first view fills the stage, whatever its shape, and all points are in reach", () => {
  const first = { lowX: -0.2, lowY: -0.3, highX: 0.4, highY: 0.3 };
  for (const [width, height] of [[1400, 800], [390, 500], [800, 1400]]) {
    const camera = new Camera(first, { lowX: -3, lowY: -1, highX: 1, highY: 1 }, () => {});
    camera.resize(width, height);
    const [left, top] = camera.toPixel(first.lowX, first.highY);
    const [right, bottom] = camera.toPixel(first.highX, first.lowY);
    assert.ok(left >= 0 && top >= 0 && right <= width && bottom <= height);
    assert.ok(Math.max((right - left) / width, (bottom - top) / height) > 0.8);
    assert.ok(camera.whole < camera.home / 3);
  }
});
