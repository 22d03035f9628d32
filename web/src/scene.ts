// What is shown at this moment: filters, search hits, the selection, the pin. Views listen for changes.
import type { Column, Meta, Points, Texts } from "./data.ts";
import type { Facet } from "./facet.ts";

export type Change = "filter" | "hits" | "selection" | "color" | "pin" | "theme" | "texts" | "mode" | "focus" | "report";
export type Mode = "pan" | "lasso" | "box";

export const VISIBLE = 1; // bits of a row's flags
export const STRESSED = 2;

export class Scene {
  facets: Facet[]; // the clusters first, then the columns
  colorBy = 0; // index into facets
  texts: Texts | null = null; // null until they are unpacked
  cut: Uint8Array | null = null; // 1: the row's text goes on beyond what this file holds; null: all are whole
  columns: Column[] = []; // the user's, then those that shoal made, as how strange a row is
  hits: Uint32Array | null = null; // rows that the search found; null: no search
  query: string[] = []; // its words, lower case
  selection: Uint32Array | null = null;
  pinned = -1; // row
  focus = -1; // cluster whose card is open
  report = false; // the report is open
  mode: Mode = "pan";
  dark = false;
  readonly flags: Uint8Array; // VISIBLE, STRESSED of each row
  stress = false; // some rows are stressed, the others step back
  private readonly hitMask: Uint8Array;
  private readonly listeners: ((change: Change) => void)[] = [];

  constructor(
    readonly meta: Meta,
    readonly points: Points,
    clusters: Facet,
  ) {
    this.facets = [clusters];
    this.flags = new Uint8Array(meta.rows);
    this.hitMask = new Uint8Array(meta.rows);
    this.mark();
  }

  get facet(): Facet {
    return this.facets[this.colorBy];
  }

  listen(listener: (change: Change) => void): void {
    this.listeners.push(listener);
  }

  tell(change: Change): void {
    if (change === "filter" || change === "hits" || change === "selection" || change === "focus") this.mark();
    for (const listener of this.listeners) listener(change);
  }

  visible(row: number): boolean {
    return (this.flags[row] & VISIBLE) !== 0;
  }

  /** May be hovered and selected: visible, and among the hits while there is a search. */
  offered(row: number): boolean {
    return this.visible(row) && (!this.hits || this.hitMask[row] === 1);
  }

  setHits(hits: Uint32Array | null, query: string[]): void {
    if (this.hits) for (const row of this.hits) this.hitMask[row] = 0;
    [this.hits, this.query] = [hits, query];
    if (hits) for (const row of hits) this.hitMask[row] = 1;
    this.tell("hits");
  }

  select(rows: Uint32Array | null): void {
    this.selection = rows && rows.length ? rows : null;
    this.tell("selection");
  }

  /** The selection is all of a cluster (or of what is in none) and nothing else. */
  isSelected(item: number): boolean {
    const { items, of } = this.facets[0];
    return this.selection?.length === items[item].size && this.selection.every((row) => of[row] === item);
  }

  /** Rows drawn in full: the selection, else the hits, else the cluster in focus. Null: all. */
  stressed(): Uint32Array | null {
    return this.selection ?? this.hits;
  }

  private mark(): void {
    const { flags, facets } = this;
    const { x, y } = this.points;
    for (let i = 0; i < flags.length; i++) {
      let on = x[i] === x[i] && y[i] === y[i]; // NaN is not itself
      for (const facet of facets) if (facet.hidden[facet.of[i]]) on = false;
      flags[i] = on ? VISIBLE : 0;
    }
    const rows = this.stressed();
    this.stress = rows !== null || this.focus >= 0;
    if (rows) for (const row of rows) flags[row] |= STRESSED;
    else if (this.focus >= 0)
      for (let i = 0; i < flags.length; i++) if (facets[0].of[i] === this.focus) flags[i] |= STRESSED;
  }
}

/** Set operations on ascending row numbers. */
export function union(a: Uint32Array, b: Uint32Array): Uint32Array {
  return Uint32Array.from(new Set([...a, ...b])).sort();
}

export function without(a: Uint32Array, b: Uint32Array): Uint32Array {
  const gone = new Set(b);
  return a.filter((row) => !gone.has(row));
}
