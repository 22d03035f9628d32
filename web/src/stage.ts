// The map itself: points below, names and marks above, both drawn at most once a frame.
import { Camera } from "./camera.ts";
import { Ground } from "./contours.ts";
import { type Contours, mapBox } from "./data.ts";
import { el } from "./dom.ts";
import { Grid } from "./grid.ts";
import { FarOut } from "./farout.ts";
import { Labels, ring } from "./labels.ts";
import { type Renderer, makeRenderer } from "./renderer.ts";
import { CpuRenderer } from "./cpu.ts";
import type { Scene } from "./scene.ts";

export class Stage {
  readonly root = document.getElementById("stage") as HTMLElement;
  /** Takes pointer and keys. */
  readonly surface = el("div", {
    id: "map",
    tabindex: 0,
    role: "application",
    "aria-roledescription": "map",
    "aria-describedby": "map-help",
  });
  readonly camera: Camera;
  readonly grid: Grid;
  readonly labels: Labels;
  renderer: Renderer;
  hovered = -1; // row
  outline: [number, number][] = []; // of the lasso or box being drawn, pixels
  crosshair = false; // for the keyboard: Enter pins what is nearest to it
  painted: () => void = () => {}; // called after each frame
  frames: number[] = []; // milliseconds of the last frames, for measurements
  private readonly overlay = el("canvas", { class: "overlay", "aria-hidden": true });
  private readonly context = this.overlay.getContext("2d") as CanvasRenderingContext2D;
  private pending = false;
  private moving = false;
  private rest = 0;

  private readonly ground: Ground;
  private readonly farOut: FarOut;

  constructor(readonly scene: Scene, contours: Contours) {
    const { meta } = scene;
    this.camera = new Camera(mapBox(meta, meta.view), mapBox(meta, meta.whole), (moving) => this.redraw(moving));
    this.ground = new Ground(contours, scene, this.camera);
    this.farOut = new FarOut(scene, this.camera);
    this.grid = new Grid(scene.points);
    this.labels = new Labels(scene, this.grid, this.context);
    this.renderer = makeRenderer(scene.points, () => this.replaceRenderer());
    this.prepare();
    this.root.append(this.ground.canvas, this.renderer.canvas, this.overlay, this.surface, this.farOut.button);
    scene.listen((change) => this.follow(change));
    this.resize();
    new ResizeObserver(() => this.resize()).observe(this.root);
  }

  redraw(moving = false): void {
    this.moving = moving;
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.paint(this.moving);
      clearTimeout(this.rest);
      if (this.moving) this.rest = window.setTimeout(() => this.redraw(), 140);
    });
  }

  /** Draws now. Size and opacity follow how dense the points lie on the screen. */
  paint(coarse = false): void {
    const start = performance.now();
    const { camera, scene, context } = this;
    const spacing = this.spacing();
    const size = Math.max(pointSize(spacing), leastSize(camera.width * camera.height, scene.meta.rows));
    const few = scene.stressed()?.length ?? Infinity;
    this.renderer.draw({
      x: camera.x,
      y: camera.y,
      scale: camera.scale,
      size,
      bold: Math.max(1.3 * size, 2.5, Math.min(7, 60 / Math.sqrt(few))), // two hits among 100,000 points can be seen
      alpha: pointAlpha(spacing),
      pale: scene.dark ? [62, 68, 78] : [214, 216, 220],
      stress: scene.stress,
      coarse,
    });
    this.ground.draw(coarse);
    context.clearRect(0, 0, camera.width, camera.height);
    this.farOut.draw(context, coarse);
    this.labels.draw(camera);
    this.marks();
    this.surface.classList.toggle("keys", this.crosshair);
    this.painted();
    this.frames.push(performance.now() - start);
    if (this.frames.length > 240) this.frames.shift();
  }

  /** The row whose point is at a pixel, within reach of a finger or a mouse, or -1. */
  rowAt(px: number, py: number, reach = 9): number {
    const [x, y] = this.camera.toMap(px, py);
    return this.grid.nearest(x, y, reach / this.camera.scale, (row) => this.scene.offered(row));
  }

  hover(row: number): void {
    if (row === this.hovered) return;
    this.hovered = row;
    this.redraw();
  }

  pixelOf(row: number): [number, number] {
    return this.camera.toPixel(this.scene.points.x[row], this.scene.points.y[row]);
  }

  /** Pixels between neighbours, where the points in view are; half of it from the whole map, so that panning is calm. */
  private spacing(): number {
    const { camera, grid } = this;
    const [lowX, lowY] = camera.toMap(0, camera.height);
    const [highX, highY] = camera.toMap(camera.width, 0);
    const here = grid.density({ lowX, lowY, highX, highY });
    const whole = grid.density({ lowX: -1, lowY: -1, highX: 1, highY: 1 });
    const density = Math.sqrt((here || whole) * whole);
    return density > 0 ? camera.scale / Math.sqrt(density) : 30;
  }

  private marks(): void {
    const { camera, context, scene } = this;
    const colors = scene.facet.colors(scene.dark);
    for (const row of [this.hovered, scene.pinned]) {
      if (row < 0 || !(scene.points.x[row] === scene.points.x[row])) continue;
      const [x, y] = this.pixelOf(row);
      ring(context, x, y, row === scene.pinned ? 9 : 7, colors[scene.facet.of[row]], scene.dark);
    }
    if (this.outline.length > 1) this.drawOutline();
    if (this.crosshair) {
      context.strokeStyle = scene.dark ? "#ffffffb0" : "#000000a0";
      context.lineWidth = 1.5;
      context.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        context.moveTo(camera.width / 2 + 4 * dx, camera.height / 2 + 4 * dy);
        context.lineTo(camera.width / 2 + 12 * dx, camera.height / 2 + 12 * dy);
      }
      context.stroke();
    }
  }

  private drawOutline(): void {
    const { context } = this;
    const accent = getComputedStyle(this.root).getPropertyValue("--accent");
    context.beginPath();
    this.outline.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.closePath();
    context.globalAlpha = 0.12;
    context.fillStyle = accent;
    context.fill();
    context.globalAlpha = 1;
    context.setLineDash([6, 4]);
    context.lineWidth = 1.5;
    context.strokeStyle = accent;
    context.stroke();
    context.setLineDash([]);
  }

  private follow(change: string): void {
    if (change === "color" || change === "theme") this.recolor();
    if (change === "filter" || change === "hits" || change === "selection" || change === "focus") {
      this.renderer.setFlags(this.scene.flags);
      this.labels.recount();
    }
    if (this.hovered >= 0 && !this.scene.offered(this.hovered)) this.hovered = -1;
    this.redraw();
  }

  private recolor(): void {
    const { facet, dark } = this.scene;
    this.renderer.setColors(facet.of, Uint8Array.from(facet.colors(dark).flat()));
    this.labels.recolor();
  }

  private prepare(): void {
    this.recolor();
    this.renderer.setFlags(this.scene.flags);
  }

  /** The graphics card forgot us: the processor takes over, and nothing else is lost. */
  private replaceRenderer(): void {
    const old = this.renderer.canvas;
    this.renderer = new CpuRenderer(this.scene.points);
    old.replaceWith(this.renderer.canvas);
    this.prepare();
    this.resize();
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.root;
    const ratio = Math.min(2, devicePixelRatio || 1);
    this.camera.resize(width, height);
    this.renderer.resize(this.camera.width, this.camera.height, ratio);
    this.overlay.width = Math.round(this.camera.width * ratio);
    this.overlay.height = Math.round(this.camera.height * ratio);
    this.ground.resize(ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.paint();
  }
}

/** Diameter in CSS pixels, by the distance to neighbours: a thousand points are beads, a hundred thousand still dots. */
export const pointSize = (spacing: number): number => Math.max(2, Math.min(9, 2.1 * spacing ** 0.6));

/** Never smaller than this, where so many points share so many pixels. */
export const leastSize = (area: number, points: number): number => Math.max(2, Math.min(7, 0.28 * Math.sqrt(area / Math.max(1, points))));

/** The closer, the more transparent, but never pale. */
export const pointAlpha = (spacing: number): number => Math.max(0.5, Math.min(0.9, 0.62 + 0.12 * Math.log2(spacing)));
