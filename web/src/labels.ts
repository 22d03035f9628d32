// Names on the map in two levels: which ones, where, how large. Biggest first, none over another.
import type { Camera } from "./camera.ts";
import { type Rgb, css, ink } from "./color.ts";
import { mapUnits } from "./data.ts";
import { number } from "./dom.ts";
import type { Grid } from "./grid.ts";
import type { Scene } from "./scene.ts";

export const FONT = 'Inter, "Segoe UI", system-ui, Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif';
const GROUPS_UNTIL = 2.2; // zoom beyond which the names of groups give way to those of clusters
const MOST = 64; // names at a time: more is noise
const FILLED_FAR = 0.15; // share of the view that names may cover while groups are named: the points are what one looks at
const FILLED_NEAR = 0.22;
const GAP = 5; // pixels kept free around a name
const AWAY = [0, -0.62, 0.62, -1.1, 1.1]; // heights by which a name may be moved from its place to find room
const FEW = 3; // with fewer names in view, clusters are named whose own place is outside
const COUNTED = 60_000; // points in view up to which that is looked into

interface Name {
  group: boolean;
  index: number; // of the cluster or group
  text: string;
  lines: string[];
  home: [number, number]; // its place on the whole map
  x: number;
  y: number;
  size: number; // rows that speak for it at this moment
  total: number;
}

export interface Placed {
  name: Name;
  left: number;
  top: number;
  right: number;
  bottom: number;
  font: number; // pixels
  lines: string[];
}

export class Labels {
  placed: Placed[] = [];
  private covered = 0; // pixels under names
  private names: Name[] = [];
  private largest = 1;
  private colors: Rgb[] = [];
  private readonly widths = new Map<string, number>();

  constructor(
    private readonly scene: Scene,
    private readonly grid: Grid,
    private readonly context: CanvasRenderingContext2D,
  ) {
    const { meta } = scene;
    const toMap = mapUnits(meta);
    const name = (group: boolean) => (c: { name: string; size: number; at: [number, number] }, index: number): Name => {
      const [x, y] = toMap(...c.at);
      return { group, index, text: c.name, lines: wrapped(c.name, group ? 20 : 22), home: [x, y], x, y, size: c.size, total: c.size };
    };
    this.names = [...meta.groups.map(name(true)), ...meta.clusters.map(name(false))];
    this.recount();
  }

  /** Names follow filter, search and selection: they go where their hits are, and those that have none vanish. */
  recount(): void {
    const { scene } = this;
    const facet = scene.facets[0];
    const clusters = new Float64Array(facet.items.length);
    const rows = scene.stressed();
    if (rows) for (const row of rows) clusters[facet.of[row]] += scene.visible(row) ? 1 : 0;
    else for (let i = 0; i < scene.flags.length; i++) if (scene.visible(i)) clusters[facet.of[i]]++;
    const groups = new Float64Array(scene.meta.groups.length);
    scene.meta.clusters.forEach((c, i) => (groups[c.group] += clusters[i]));
    const places = rows && this.placesOf(rows);
    for (const name of this.names) {
      name.size = (name.group ? groups : clusters)[name.index];
      [name.x, name.y] = (!name.group && places?.get(name.index)) || name.home;
    }
    this.largest = Math.max(1, ...this.names.filter((n) => !n.group).map((n) => n.size));
    const weight = (n: Name) => (n.group ? 1e12 : n.index === scene.focus ? 1e13 : 0) + n.size;
    this.names.sort((a, b) => weight(b) - weight(a) || a.index - b.index);
  }

  /** For each cluster with visible rows among these, the place of the one nearest to where the cluster is at home. */
  private placesOf(rows: Uint32Array): Map<number, [number, number]> {
    const { scene } = this;
    const { x, y, label } = scene.points;
    const homes: [number, number][] = [];
    for (const name of this.names) if (!name.group) homes[name.index] = name.home;
    const best = new Map<number, { row: number; far: number }>();
    for (const row of rows) {
      if (label[row] < 0 || !scene.visible(row)) continue;
      const [homeX, homeY] = homes[label[row]];
      const far = (x[row] - homeX) ** 2 + (y[row] - homeY) ** 2;
      if (far < (best.get(label[row])?.far ?? Infinity)) best.set(label[row], { row, far });
    }
    return new Map([...best].map(([cluster, { row }]) => [cluster, [x[row], y[row]]]));
  }

  recolor(): void {
    this.colors = this.scene.facets[0].colors(this.scene.dark);
  }

  draw(camera: Camera): void {
    this.place(camera);
    const { context, scene } = this;
    const byCluster = scene.colorBy === 0;
    const plain = scene.dark ? "#f2f3f5" : "#17191d";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.strokeStyle = scene.dark ? "rgb(16 18 22 / .86)" : "rgb(252 252 250 / .9)";
    for (const placed of this.placed) {
      const { name, font } = placed;
      context.font = fontOf(name.group, font);
      context.lineWidth = name.group ? 5 : 4;
      const color = this.colors[name.index];
      context.fillStyle = name.group || !byCluster || !color ? plain : ink(color, scene.dark);
      context.globalAlpha = scene.focus >= 0 && (name.group || name.index !== scene.focus) ? 0.4 : 1;
      const x = (placed.left + placed.right) / 2;
      placed.lines.forEach((line, i) => {
        const y = placed.top + 2 + (i + 0.5) * font * 1.16;
        context.strokeText(line, x, y);
        context.fillText(line, x, y);
      });
    }
    context.globalAlpha = 1;
  }

  /** The name under a pixel. */
  at(px: number, py: number): Name | null {
    const found = this.placed.find((p) => px >= p.left && px <= p.right && py >= p.top && py <= p.bottom);
    return found ? found.name : null;
  }

  private place(camera: Camera): void {
    this.placed = [];
    this.covered = 0;
    const most = (camera.zoom > GROUPS_UNTIL ? FILLED_NEAR : FILLED_FAR) * camera.width * camera.height;
    const counted = this.scene.stressed() !== null;
    for (const name of this.names) {
      if (name.size === 0 || (name.group && (counted || camera.zoom > GROUPS_UNTIL))) continue;
      if (!name.group && this.placed.some((p) => p.name.group && p.name.text === name.text)) continue;
      if (this.placed.length >= MOST || this.covered > most) break;
      const [px, py] = camera.toPixel(name.x, name.y);
      if (px < 0 || py < 0 || px > camera.width || py > camera.height) continue;
      const lines = counted && !name.group ? [...name.lines, number(name.size)] : name.lines;
      this.put(name, lines, px, py, camera);
    }
    if (this.placed.length < FEW && camera.zoom > GROUPS_UNTIL) this.placeStrangers(camera);
  }

  private put(name: Name, lines: string[], px: number, py: number, camera: Camera): void {
    const font = this.fontSize(name, camera);
    // With hits or a selection a name stands above its place, so as not to cover what was found.
    const lift = this.scene.stressed() ? lines.length * font * 0.58 + 10 : 0;
    for (const away of AWAY) {
      const box = this.boxOf(lines, name.group, font, px, py - lift, camera);
      const down = Math.max(4 - box.top, Math.min(camera.height - 24 - box.bottom, away * (box.bottom - box.top)));
      box.top += down;
      box.bottom += down;
      if (this.placed.some((p) => box.left < p.right + GAP && box.right > p.left - GAP && box.top < p.bottom + GAP && box.bottom > p.top - GAP))
        continue;
      this.placed.push({ name, font, lines, ...box });
      this.covered += (box.right - box.left) * (box.bottom - box.top);
      return;
    }
  }

  /** Names of clusters that reach into the view from outside, in the middle of what is seen of them. */
  private placeStrangers(camera: Camera): void {
    const { scene } = this;
    const { x, y, label } = scene.points;
    const [lowX, lowY] = camera.toMap(0, camera.height);
    const [highX, highY] = camera.toMap(camera.width, 0);
    const view = { lowX, lowY, highX, highY };
    if (this.grid.count(view) > COUNTED) return;
    const seen = new Map<number, { count: number; x: number; y: number }>();
    this.grid.each(view, (row) => {
      if (label[row] < 0 || !scene.offered(row)) return;
      if (x[row] < lowX || x[row] > highX || y[row] < lowY || y[row] > highY) return;
      const sum = seen.get(label[row]) ?? { count: 0, x: 0, y: 0 };
      seen.set(label[row], { count: sum.count + 1, x: sum.x + x[row], y: sum.y + y[row] });
    });
    const named = new Set(this.placed.map((p) => p.name));
    for (const [cluster, sum] of [...seen].sort((a, b) => b[1].count - a[1].count || a[0] - b[0]).slice(0, 8)) {
      const name = this.names.find((n) => !n.group && n.index === cluster);
      if (!name || named.has(name) || sum.count < 4) continue;
      this.put(name, name.lines, ...camera.toPixel(sum.x / sum.count, sum.y / sum.count), camera);
    }
  }

  private fontSize(name: Name, camera: Camera): number {
    const small = camera.width < 600 ? 0.86 : 1;
    if (name.group) return Math.round(18 * small);
    const size = 10.5 + 4.5 * Math.sqrt(name.size / this.largest) + Math.min(2, Math.log2(Math.max(1, camera.zoom)));
    return Math.round(Math.min(17, size) * small * 2) / 2;
  }

  /** Centred on its place, moved inside the view and above its last line where it would be cut off. */
  private boxOf(lines: string[], group: boolean, font: number, px: number, py: number, camera: Camera) {
    const w = Math.max(...lines.map((line) => this.width(line, group, font))) + 8;
    const h = lines.length * font * 1.16 + 4;
    const left = Math.max(4, Math.min(camera.width - w - 4, px - w / 2));
    const top = Math.max(4, Math.min(camera.height - h - 24, py - h / 2));
    return { left, top, right: left + w, bottom: top + h };
  }

  private width(line: string, group: boolean, font: number): number {
    const key = fontOf(group, font) + line;
    let width = this.widths.get(key);
    if (width === undefined) {
      this.context.font = fontOf(group, font);
      width = this.context.measureText(line).width;
      if (this.widths.size > 20_000) this.widths.clear();
      this.widths.set(key, width);
    }
    return width;
  }
}

const fontOf = (group: boolean, pixels: number): string => `${group ? 700 : 620} ${pixels}px ${FONT}`;

/** At most three lines of about `wide` characters, as even as can be; the rest is an ellipsis. */
export function wrapped(name: string, wide: number): string[] {
  const most = filled(name, wide).length;
  let even = 1;
  while (even < wide && filled(name, even).length > most) even++;
  const lines = filled(name, even).map((line) => (line.length > wide + 6 ? line.slice(0, wide + 5) + "…" : line));
  return lines.length > 3 ? [lines[0], lines[1], lines[2].replace(/[,;…]?$/, "…")] : lines;
}

/** Breaks at dots first, which go where a line ends, and inside a part only where it must. */
function filled(name: string, wide: number): string[] {
  const lines: string[] = [];
  const add = (text: string, joint: string): boolean => {
    const last = lines.length - 1;
    if (last < 0 || lines[last].length + joint.length + text.length > wide) return false;
    lines[last] += joint + text;
    return true;
  };
  for (const part of name.trim().split(/\s+·\s+/)) {
    if (add(part, " · ")) continue;
    const [first, ...words] = part.split(/\s+/);
    lines.push(first);
    for (const word of words) if (!add(word, " ")) lines.push(word);
  }
  return lines;
}

/** A ring around a point, in its colour with a rim that shows on any ground. */
export function ring(context: CanvasRenderingContext2D, x: number, y: number, radius: number, color: Rgb, dark: boolean): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.lineWidth = 4.5;
  context.strokeStyle = dark ? "#101216" : "#ffffff";
  context.stroke();
  context.lineWidth = 2.2;
  context.strokeStyle = ink(color, dark);
  context.stroke();
  context.beginPath();
  context.arc(x, y, Math.max(2, radius - 4), 0, 2 * Math.PI);
  context.fillStyle = css(color);
  context.fill();
}
