// Lines of equal density behind the points, like depths on a chart of the sea.
import type { Camera } from "./camera.ts";
import type { Contours } from "./data.ts";
import { el } from "./dom.ts";
import type { Scene } from "./scene.ts";

const GONE = 14; // zoom at which they have faded away: points say it better there
const BEYOND = 0.2; // share of the view that is drawn beyond each of its edges, so that moving a little shows no end

/** Drawn anew when the view rests or has moved far; in between the picture is moved as a whole, which costs nothing. */
export class Ground {
  readonly canvas = el("canvas", { class: "ground", "aria-hidden": true });
  // Without a graphics card in between: long paths are filled faster by the processor.
  private readonly context = this.canvas.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
  private readonly paths: Path2D[];
  private ratio = 1;
  private drawn = { x: 0, y: 0, scale: 0, state: "" };

  constructor(
    contours: Contours,
    private readonly scene: Scene,
    private readonly camera: Camera,
  ) {
    this.paths = pathsOf(contours);
  }

  resize(ratio: number): void {
    this.ratio = Math.min(1.5, ratio);
    const { width, height } = this.camera;
    this.canvas.width = Math.round(width * (1 + 2 * BEYOND) * this.ratio);
    this.canvas.height = Math.round(height * (1 + 2 * BEYOND) * this.ratio);
    Object.assign(this.canvas.style, {
      left: `${-BEYOND * width}px`,
      top: `${-BEYOND * height}px`,
      width: `${(1 + 2 * BEYOND) * width}px`,
      height: `${(1 + 2 * BEYOND) * height}px`,
    });
    this.drawn.scale = 0;
  }

  draw(moving: boolean): void {
    const { camera, scene, drawn } = this;
    const filtered = scene.stress || scene.facets.some((facet) => facet.hidden.includes(1));
    const state = `${scene.dark} ${filtered}`;
    const same = drawn.x === camera.x && drawn.y === camera.y && drawn.scale === camera.scale;
    const near =
      Math.abs(Math.log2(camera.scale / drawn.scale)) < 0.6 &&
      Math.abs(camera.x - drawn.x) * camera.scale < BEYOND * camera.width &&
      Math.abs(camera.y - drawn.y) * camera.scale < BEYOND * camera.height;
    if (state !== drawn.state || !(same || (moving && near))) {
      this.paint(filtered);
      this.drawn = { x: camera.x, y: camera.y, scale: camera.scale, state };
    }
    const now = this.drawn;
    const by = camera.scale / now.scale;
    const transform = `translate(${(now.x - camera.x) * camera.scale}px, ${(camera.y - now.y) * camera.scale}px) scale(${by})`;
    this.canvas.style.transform = same && now === this.drawn && by === 1 ? "" : transform;
  }

  private paint(filtered: boolean): void {
    const { context, canvas, camera, scene } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    const strength = Math.max(0, 1 - Math.log2(Math.max(1, camera.zoom)) / Math.log2(GONE)) * (filtered ? 0.45 : 1);
    if (strength === 0) return;
    const scale = camera.scale * this.ratio;
    context.setTransform(scale, 0, 0, -scale, canvas.width / 2 - camera.x * scale, canvas.height / 2 + camera.y * scale);
    context.globalAlpha = strength;
    context.fillStyle = scene.dark ? "rgb(132 164 214 / .07)" : "rgb(52 92 148 / .05)";
    for (const path of this.paths) context.fill(path, "evenodd");
    context.lineWidth = (this.ratio * 0.8) / scale;
    context.strokeStyle = scene.dark ? "rgb(150 180 226 / .17)" : "rgb(52 92 148 / .2)";
    for (const path of this.paths) context.stroke(path);
    context.globalAlpha = 1;
  }
}

/** One path a level. Corners are rounded: a line runs through the middles of its steps. */
export function pathsOf(contours: Contours): Path2D[] {
  return contours.map((rings) => {
    const path = new Path2D();
    for (const ring of rings) {
      const n = ring.length / 2;
      const at = (i: number): [number, number] => [ring[2 * (i % n)], ring[2 * (i % n) + 1]];
      const between = (i: number): [number, number] => [(at(i)[0] + at(i + 1)[0]) / 2, (at(i)[1] + at(i + 1)[1]) / 2];
      path.moveTo(...between(0));
      for (let i = 1; i <= n; i++) path.quadraticCurveTo(...at(i), ...between(i));
      path.closePath();
    }
    return path;
  });
}
