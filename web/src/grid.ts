// A grid of cells over the points (counting sort): what is near a place, what lies in a polygon, how dense a view is.
import type { Box } from "./camera.ts";
import type { Points } from "./data.ts";

const REACH = 0.6; // cells cover -0.6 to 0.6; what lies outside is kept in the outermost cells

export class Grid {
  private readonly cells: number;
  private readonly start: Uint32Array;
  private readonly rows: Uint32Array;

  constructor(private readonly points: Points) {
    const n = points.x.length;
    this.cells = n > 300_000 ? 512 : n > 20_000 ? 256 : 96;
    this.start = new Uint32Array(this.cells * this.cells + 1);
    for (let i = 0; i < n; i++) if (this.placed(i)) this.start[this.cellOf(i) + 1]++;
    for (let c = 0; c + 1 < this.start.length; c++) this.start[c + 1] += this.start[c];
    this.rows = new Uint32Array(this.start[this.start.length - 1]);
    const next = this.start.slice();
    for (let i = 0; i < n; i++) if (this.placed(i)) this.rows[next[this.cellOf(i)]++] = i;
  }

  /** The nearest row within `reach` map units that `wanted` accepts, or -1. Ties: the smaller row. */
  nearest(x: number, y: number, reach: number, wanted: (row: number) => boolean): number {
    let best = -1;
    let least = reach * reach;
    this.each({ lowX: x - reach, lowY: y - reach, highX: x + reach, highY: y + reach }, (row) => {
      const d = (this.points.x[row] - x) ** 2 + (this.points.y[row] - y) ** 2;
      if ((d < least || (d === least && row < best)) && wanted(row)) [best, least] = [row, d];
    });
    return best;
  }

  /** Rows inside a closed polygon that `wanted` accepts, ascending. */
  inside(polygon: [number, number][], wanted: (row: number) => boolean): Uint32Array {
    const found: number[] = [];
    this.each(boxOf(polygon), (row) => {
      if (wanted(row) && isInside(this.points.x[row], this.points.y[row], polygon)) found.push(row);
    });
    return Uint32Array.from(found).sort();
  }

  /** Points a square map unit where the points in the box are: the density that a typical point sees around it. */
  density(box: Box): number {
    let sum = 0;
    let squares = 0;
    this.eachCell(box, (cell) => {
      const count = this.start[cell + 1] - this.start[cell];
      sum += count;
      squares += count * count;
    });
    const side = (2 * REACH) / this.cells;
    return sum === 0 ? 0 : squares / sum / (side * side);
  }

  /** How many points lie in the cells that the box touches. */
  count(box: Box): number {
    let sum = 0;
    this.eachCell(box, (cell) => (sum += this.start[cell + 1] - this.start[cell]));
    return sum;
  }

  /** Rows in the cells that the box touches: all inside it, and some around. */
  each(box: Box, visit: (row: number) => void): void {
    this.eachCell(box, (cell) => {
      for (let j = this.start[cell]; j < this.start[cell + 1]; j++) visit(this.rows[j]);
    });
  }

  private eachCell(box: Box, visit: (cell: number) => void): void {
    const [left, right] = [this.along(box.lowX), this.along(box.highX)];
    for (let r = this.along(box.lowY); r <= this.along(box.highY); r++)
      for (let c = left; c <= right; c++) visit(r * this.cells + c);
  }

  private placed(row: number): boolean {
    return !Number.isNaN(this.points.x[row]) && !Number.isNaN(this.points.y[row]);
  }

  private cellOf(row: number): number {
    return this.along(this.points.y[row]) * this.cells + this.along(this.points.x[row]);
  }

  private along(v: number): number {
    return Math.max(0, Math.min(this.cells - 1, Math.floor(((v + REACH) / (2 * REACH)) * this.cells)));
  }
}

export function boxOf(places: [number, number][]): Box {
  const box = { lowX: Infinity, lowY: Infinity, highX: -Infinity, highY: -Infinity };
  for (const [x, y] of places) {
    box.lowX = Math.min(box.lowX, x);
    box.lowY = Math.min(box.lowY, y);
    box.highX = Math.max(box.highX, x);
    box.highY = Math.max(box.highY, y);
  }
  return box;
}

/** Even-odd rule. */
export function isInside(x: number, y: number, polygon: [number, number][]): boolean {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i];
    const [xj, yj] = polygon[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}
