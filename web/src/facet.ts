// A way to part the rows: by cluster, or by the values of a column. Both colour, list and filter alike.
import { categoryColors, clusterColors, grey, rampColors, type Rgb } from "./color.ts";
import type { Meta, Points, Texts } from "./data.ts";
import { mapUnits } from "./data.ts";

const COLORED = 16; // values of a column that get a colour of their own
const LISTED = 1000; // values of a column that can be filtered one by one
export const IN_NONE = "In no cluster";

export interface Item {
  name: string;
  size: number;
  group: number; // index into groups
}

export interface Facet {
  title: string;
  items: Item[];
  ordered: boolean; // items are listed as they stand, else the largest first
  groups: string[]; // headings of the list, in its order; one empty heading: no headings
  of: Uint32Array; // item of each row
  hidden: Uint8Array; // 1: the item's rows are filtered out
  colors(dark: boolean): Rgb[]; // of each item
}

/** Clusters in their groups; rows in no cluster are the last item, if there are any. */
export function clusterFacet(meta: Meta, points: Points): Facet {
  const count = meta.clusters.length;
  const of = Uint32Array.from(points.label, (label) => (label < 0 ? count : label));
  const items: Item[] = meta.clusters.map((c) => ({ name: c.name, size: c.size, group: c.group < 0 ? meta.groups.length : c.group }));
  const groups = meta.groups.map((g) => g.name);
  const noise = of.reduce((sum, item) => sum + (item === count ? 1 : 0), 0);
  if (noise > 0) items.push({ name: IN_NONE, size: noise, group: groups.length });
  if (items.some((item) => item.group === groups.length)) groups.push(groups.length ? "Other" : "");
  const toMap = mapUnits(meta);
  const places = meta.clusters.map((c) => toMap(...c.at));
  const sizes = meta.clusters.map((c) => c.size);
  return {
    title: "Cluster",
    items,
    ordered: false,
    groups,
    of,
    hidden: new Uint8Array(items.length),
    colors: remembered((dark) => [...clusterColors(places, sizes, dark), grey(dark)]),
  };
}

/**
 * The values of a column: those of `order` first and in that order, coloured from low to high; then, or if there is no
 * order, the most frequent first. What comes after the thousandth is one item.
 */
export function columnFacet(title: string, values: Texts, order: string[]): Facet {
  const counts = new Map<string, number>();
  const cells: string[] = [];
  for (let row = 0; row < values.rows; row++) {
    const value = values.get(row);
    cells.push(value);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const place = new Map(order.map((value, i) => [value, i]));
  const placeOf = (value: string) => place.get(value) ?? order.length;
  const sorted = [...counts].sort((a, b) => placeOf(a[0]) - placeOf(b[0]) || b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const listed = sorted.slice(0, LISTED);
  const items: Item[] = listed.map(([name, size]) => ({ name: name.trim().slice(0, 200) || "(empty)", size, group: 0 }));
  const index = new Map(listed.map(([value], i) => [value, i]));
  const rest = sorted.slice(LISTED).reduce((sum, [, size]) => sum + size, 0);
  if (rest > 0) items.push({ name: "other values", size: rest, group: 0 });
  return {
    title,
    items,
    ordered: order.length > 0,
    groups: [""],
    of: Uint32Array.from(cells, (value) => index.get(value) ?? LISTED),
    hidden: new Uint8Array(items.length),
    colors: remembered((dark) => {
      if (order.length > 0) {
        const ramp = rampColors(order.length, dark);
        return sorted.slice(0, items.length).map(([value]) => ramp[placeOf(value)] ?? grey(dark));
      }
      const colored = categoryColors(Math.min(COLORED, items.length), dark);
      return items.map((_, i) => colored[i] ?? grey(dark));
    }),
  };
}

/** Each theme's colours are made once. */
function remembered(make: (dark: boolean) => Rgb[]): (dark: boolean) => Rgb[] {
  const made = new Map<boolean, Rgb[]>();
  return (dark) => {
    const colors = made.get(dark) ?? make(dark);
    made.set(dark, colors);
    return colors;
  };
}
