// Texts that lie outside the first view: marks at the edge where they are, and a button that shows all.
import type { Camera } from "./camera.ts";
import { el, plural } from "./dom.ts";
import type { Scene } from "./scene.ts";

const UNTIL = 1.5; // zoom beyond which nearly all is outside, and the marks say nothing
const STEP = 12; // pixels of an edge that share a mark

export class FarOut {
  readonly button = el("button", { type: "button", class: "farout", hidden: true, click: () => this.camera.showAll() });
  private readonly rows: number[] = [];

  constructor(
    private readonly scene: Scene,
    private readonly camera: Camera,
  ) {
    const { x, y } = scene.points;
    const { lowX, lowY, highX, highY } = camera.first;
    for (let i = 0; i < x.length; i++)
      if (x[i] < lowX || x[i] > highX || y[i] < lowY || y[i] > highY) this.rows.push(i);
  }

  draw(context: CanvasRenderingContext2D, moving: boolean): void {
    const { camera, scene } = this;
    if (camera.zoom > UNTIL || scene.stress || this.rows.length === 0) {
      this.button.hidden = true;
      return;
    }
    const { x, y } = scene.points;
    const { width, height } = camera;
    const marks = new Map<string, { px: number; py: number; count: number }>();
    let outside = 0;
    for (const row of this.rows) {
      if (!scene.visible(row)) continue;
      const [px, py] = camera.toPixel(x[row], y[row]);
      if (px >= 0 && py >= 0 && px <= width && py <= height) continue;
      outside++;
      // Where the line from the middle to the text leaves the view.
      const share = Math.min(width / 2 / Math.abs(px - width / 2), height / 2 / Math.abs(py - height / 2));
      const atX = Math.round((width / 2 + (px - width / 2) * share) / STEP) * STEP;
      const atY = Math.round((height / 2 + (py - height / 2) * share) / STEP) * STEP;
      const mark = marks.get(`${atX} ${atY}`) ?? { px: atX, py: atY, count: 0 };
      mark.count++;
      marks.set(`${atX} ${atY}`, mark);
    }
    context.strokeStyle = scene.dark ? "#9fb4d8" : "#4a6288";
    context.lineWidth = 3;
    context.lineCap = "round";
    context.beginPath();
    for (const { px, py, count } of marks.values()) {
      // A short line along the edge, longer for more.
      const half = Math.min(STEP / 2 - 1, 1 + Math.log2(count));
      const upright = Math.min(px, width - px) < Math.min(py, height - py);
      const [atX, atY] = [Math.max(1, Math.min(width - 1, px)), Math.max(1, Math.min(height - 1, py))];
      context.moveTo(atX - (upright ? 0 : half), atY - (upright ? half : 0));
      context.lineTo(atX + (upright ? 0 : half), atY + (upright ? half : 0));
    }
    context.globalAlpha = 0.5;
    context.stroke();
    context.globalAlpha = 1;
    context.lineCap = "butt";
    if (moving) return;
    this.button.hidden = outside === 0;
    this.button.replaceChildren(`${plural(outside, "text lies", "texts lie")} further out · `, el("b", {}, "Show all"));
  }
}
