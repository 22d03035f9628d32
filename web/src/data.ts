// Reads what write_page (src/shoal/map/page.cpp) put into the file: meta as JSON, numbers and texts as base64 of gzip.

import type { Box } from "./camera.ts";
import { fold, indexOfWord } from "./fold.ts";
import type { Plot, Report } from "./report.ts";

export interface Cluster {
  name: string;
  words: string[];
  size: number;
  group: number; // -1: none
  at: [number, number];
  medoids: number[]; // rows
}

export interface Group {
  name: string;
  size: number;
  at: [number, number];
}

/** Low x, low y, high x, high y in the file's units. */
export type FileBox = [number, number, number, number];

export interface Meta {
  format: number;
  title: string;
  made_by: string;
  rows: number;
  block_rows: number;
  text_limit: number; // bytes at which the longest texts are cut; 0: all are whole
  box: FileBox; // of the points' middle 99.4 %
  view: FileBox; // what is shown first: without the far tails
  whole: FileBox; // of all points
  contours: { at: [number, number]; unit: number; levels: number };
  column: string; // "" if there is none
  column_order: string[]; // ranges of its values, ascending; empty: it has no order
  layers: { name: string; order: string[] }[]; // what else there is to colour by, in the same way
  clusters: Cluster[];
  groups: Group[];
}

/** Points in map units: the box of the meta spans 1 on its longer side, its middle is (0, 0). NaN: not on the map. */
export interface Points {
  x: Float32Array;
  y: Float32Array;
  label: Int32Array; // -1: in no cluster
}

/** Many texts as a few long strings, each text followed by a NUL: little memory, and search runs at string speed. */
export class Texts {
  private lower: string[] = [];
  private lowerStarts: Uint32Array[] = [];
  private readonly starts: Uint32Array[];

  constructor(
    private readonly blocks: string[],
    private readonly blockRows: number,
    readonly rows: number,
  ) {
    this.starts = blocks.map((block, i) => textStarts(block, this.rowsIn(i)));
  }

  get(row: number): string {
    const b = Math.floor(row / this.blockRows);
    const starts = this.starts[b];
    const i = row - b * this.blockRows;
    return starts ? this.blocks[b].slice(starts[i], starts[i + 1] - 1) : "";
  }

  /** Calls `visit` for each row in which `word` (folded, without NUL) begins a word, in order. */
  eachWith(word: string, visit: (row: number, lowered: () => string) => void): void {
    for (let b = 0; b < this.blocks.length; b++) {
      const [text, starts] = this.lowered(b);
      let i = 0;
      for (let p = indexOfWord(text, word); p >= 0; p = indexOfWord(text, word, starts[i])) {
        i = lastAtMost(starts, p, i);
        const from = starts[i];
        i++;
        visit(b * this.blockRows + i - 1, () => text.slice(from, starts[i] - 1));
        if (i + 1 >= starts.length) break;
      }
    }
  }

  private rowsIn(block: number): number {
    return Math.min(this.blockRows, this.rows - block * this.blockRows);
  }

  /** What search compares is made on first use. It may be of another length than the text, then so are the starts. */
  private lowered(block: number): [string, Uint32Array] {
    if (this.lower[block] === undefined) {
      const text = fold(this.blocks[block]);
      this.lower[block] = text;
      this.lowerStarts[block] =
        text.length === this.blocks[block].length ? this.starts[block] : textStarts(text, this.rowsIn(block));
    }
    return [this.lower[block], this.lowerStarts[block]];
  }
}

/** Where each text starts, and where a further one would. */
export function textStarts(block: string, rows: number): Uint32Array {
  const starts = new Uint32Array(rows + 1);
  for (let i = 0, p = 0; i < rows; i++) {
    p = block.indexOf("\0", p) + 1;
    starts[i + 1] = p;
  }
  return starts;
}

function lastAtMost(sorted: Uint32Array, value: number, from: number): number {
  let low = from;
  let high = sorted.length - 2;
  while (low < high) {
    const mid = (low + high + 1) >> 1;
    if (sorted[mid] <= value) low = mid;
    else high = mid - 1;
  }
  return low;
}

export function readMeta(): Meta {
  const meta = JSON.parse(document.getElementById("meta")?.textContent ?? "null") as Meta | null;
  if (!meta) throw new Error("This file holds no data: it is the empty template of the page.");
  if (meta.format !== 1) throw new Error(`This page cannot read data of format ${meta.format}.`);
  return meta;
}

async function bytesOf(id: string): Promise<ArrayBuffer> {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The file is damaged: block ${id} is missing.`);
  const packed = fromBase64(element.textContent ?? "");
  element.remove(); // the base64 is not needed again: give its memory back
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const native = (Uint8Array as unknown as { fromBase64?: (s: string) => Uint8Array<ArrayBuffer> }).fromBase64;
  if (native) return native.call(Uint8Array, text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

export async function readPoints(meta: Meta): Promise<Points> {
  const [x, y, label] = await Promise.all(["b-x", "b-y", "b-label"].map(bytesOf));
  const toMap = mapUnits(meta);
  const points = { x: new Float32Array(x), y: new Float32Array(y), label: new Int32Array(label) };
  for (let i = 0; i < meta.rows; i++) [points.x[i], points.y[i]] = toMap(points.x[i], points.y[i]);
  return points;
}

/** What a column or a layer says of each row. */
export interface Column {
  name: string;
  order: string[]; // its values from low to high; empty: it has no order
  values: Texts;
}

/** The user's column, if there is one, and the layers. */
export async function readColumns(meta: Meta): Promise<Column[]> {
  const out: Column[] = [];
  if (meta.column && document.getElementById("b-column0"))
    out.push({ name: meta.column, order: meta.column_order, values: await readTexts(meta, "b-column") });
  for (const [i, layer] of meta.layers.entries()) out.push({ ...layer, values: await readTexts(meta, `b-layer${i}-`) });
  return out;
}

export async function readTexts(meta: Meta, name: "b-text" | "b-column" | `b-layer${number}-`): Promise<Texts> {
  const blocks: string[] = [];
  for (let b = 0; b * meta.block_rows < meta.rows; b++)
    blocks.push(new TextDecoder().decode(await bytesOf(name + b)));
  return new Texts(blocks, meta.block_rows, meta.rows);
}

/** How the clusters were found and judged; null if the file does not say. */
export async function readReport(): Promise<Report | null> {
  if (!document.getElementById("b-report")) return null;
  const json = async (id: string) => JSON.parse(new TextDecoder().decode(await bytesOf(id)));
  const report = (await json("b-report")) as Report;
  if (document.getElementById("b-plots")) report.plots = (await json("b-plots")) as Plot[];
  return report;
}

/** 1 for each row whose text is cut; null if none is. */
export async function readCut(meta: Meta): Promise<Uint8Array | null> {
  return meta.text_limit ? new Uint8Array(await bytesOf("b-cut")) : null;
}

/** Closed lines of equal density in map units: for each level, from the thinnest to the densest, its rings as x, y, x, y... */
export type Contours = Float32Array[][];

export async function readContours(meta: Meta): Promise<Contours> {
  return unpackContours(new Int16Array(await bytesOf("b-contours")), meta);
}

/** Each ring is its level, its length in two parts, its first place, and the steps from there. */
export function unpackContours(packed: Int16Array, meta: Meta): Contours {
  const { at, unit, levels } = meta.contours;
  const toMap = mapUnits(meta);
  const out: Contours = Array.from({ length: levels }, () => []);
  for (let p = 0; p < packed.length; ) {
    const level = packed[p];
    const count = packed[p + 1] + packed[p + 2] * 32768;
    const ring = new Float32Array(2 * count);
    p += 3;
    for (let i = 0, x = 0, y = 0; i < count; i++, p += 2) {
      x += packed[p];
      y += packed[p + 1];
      ring.set(toMap(at[0] + x * unit, at[1] + y * unit), 2 * i);
    }
    out[level].push(ring);
  }
  return out;
}

/** A box of the file in map units. */
export function mapBox(meta: Meta, box: FileBox): Box {
  const toMap = mapUnits(meta);
  const [lowX, lowY] = toMap(box[0], box[1]);
  const [highX, highY] = toMap(box[2], box[3]);
  return { lowX, lowY, highX, highY };
}

/** From the file's units to map units. */
export function mapUnits(meta: Meta): (x: number, y: number) => [number, number] {
  const [lowX, lowY, highX, highY] = meta.box;
  const span = Math.max(highX - lowX, highY - lowY) || 1;
  return (x, y) => [(x - (lowX + highX) / 2) / span, (y - (lowY + highY) / 2) / span];
}
