import type { Points } from "./data.ts";
import type { Frame, Renderer } from "./renderer.ts";
import { STRESSED, VISIBLE } from "./scene.ts";

const BUDGET = 250_000; // points drawn while the view moves
const PARTS = 4; // a stamp for each quarter of a pixel

/** Draws without a graphics card: antialiased stamps into a buffer of floats, then onto the canvas. */
export class CpuRenderer implements Renderer {
  readonly name = "cpu";
  readonly canvas = document.createElement("canvas");
  private readonly context = this.canvas.getContext("2d") as CanvasRenderingContext2D;
  private readonly order: Uint32Array; // a shuffle, so that the first k rows are a fair sample
  private image = new ImageData(1, 1);
  private light = new Float32Array(4); // premultiplied red, green, blue, alpha, 0 to 1
  private item: Uint32Array;
  private rgb = new Float32Array(3);
  private flags: Uint8Array;
  private ratio = 1;
  private stamps = new Map<number, Float32Array[]>();

  constructor(private readonly points: Points) {
    const n = points.x.length;
    this.item = new Uint32Array(n);
    this.flags = new Uint8Array(n);
    this.order = n > BUDGET ? shuffled(n) : Uint32Array.from({ length: n }, (_, i) => i);
  }

  setColors(item: Uint32Array, rgb: Uint8Array): void {
    this.item = item;
    this.rgb = Float32Array.from(rgb, (v) => v / 255);
  }

  setFlags(flags: Uint8Array): void {
    this.flags = flags;
  }

  resize(width: number, height: number, ratio: number): void {
    this.ratio = Math.min(ratio, 1.5); // beyond that the eye gains less than the processor loses
    this.canvas.width = Math.max(1, Math.round(width * this.ratio));
    this.canvas.height = Math.max(1, Math.round(height * this.ratio));
    this.image = this.context.createImageData(this.canvas.width, this.canvas.height);
    this.light = new Float32Array(this.canvas.width * this.canvas.height * 4);
  }

  draw(frame: Frame): void {
    this.light.fill(0);
    const { size, alpha } = frame;
    if (frame.stress) {
      this.splat(frame, size, alpha * 0.16, 0);
      this.splat(frame, Math.max(size * 1.3, 2.5), Math.max(alpha, 0.85), STRESSED);
    } else {
      this.splat(frame, size, alpha, -1);
    }
    this.show();
  }

  /** `stressed`: the value that the STRESSED bit must have, or -1 for any. */
  private splat(frame: Frame, size: number, alpha: number, stressed: number): void {
    const { width, height } = this.canvas;
    const { light, rgb, item, flags, order } = this;
    const { x, y } = this.points;
    const scale = frame.scale * this.ratio;
    const left = width / 2 - frame.x * scale;
    const top = height / 2 + frame.y * scale;
    const count = frame.coarse ? Math.min(order.length, BUDGET) : order.length;
    const opacity = Math.min(1, alpha * Math.sqrt(order.length / Math.max(1, count)));
    const stamps = this.stampsOf(size * this.ratio);
    const side = Math.sqrt(stamps[0].length);
    const half = side / 2;
    for (let j = 0; j < count; j++) {
      const row = order[j];
      const flag = flags[row];
      if (!(flag & VISIBLE) || (stressed >= 0 && (flag & STRESSED) !== stressed)) continue;
      const px = x[row] * scale + left - half;
      const py = top - y[row] * scale - half;
      const fromX = Math.floor(px);
      const fromY = Math.floor(py);
      if (fromX < 0 || fromY < 0 || fromX + side >= width || fromY + side >= height) continue;
      const stamp = stamps[((py - fromY) * PARTS | 0) * PARTS + ((px - fromX) * PARTS | 0)];
      const c = item[row] * 3;
      const [r, g, b] = [rgb[c], rgb[c + 1], rgb[c + 2]];
      for (let sy = 0, s = 0; sy < side; sy++) {
        let o = ((fromY + sy) * width + fromX) * 4;
        for (let sx = 0; sx < side; sx++, s++, o += 4) {
          const a = stamp[s] * opacity;
          if (a === 0) continue;
          const rest = 1 - a;
          light[o] = light[o] * rest + r * a;
          light[o + 1] = light[o + 1] * rest + g * a;
          light[o + 2] = light[o + 2] * rest + b * a;
          light[o + 3] = light[o + 3] * rest + a;
        }
      }
    }
  }

  private show(): void {
    const { light } = this;
    const out = this.image.data;
    for (let i = 0; i < light.length; i += 4) {
      const a = light[i + 3];
      if (a < 0.003) {
        out[i + 3] = 0;
        continue;
      }
      const full = 255 / a;
      out[i] = light[i] * full;
      out[i + 1] = light[i + 1] * full;
      out[i + 2] = light[i + 2] * full;
      out[i + 3] = a * 255;
    }
    this.context.putImageData(this.image, 0, 0);
  }

  /** How much of each pixel a disc covers, for each of its places within a pixel. */
  private stampsOf(diameter: number): Float32Array[] {
    const key = Math.round(diameter * 8);
    let stamps = this.stamps.get(key);
    if (!stamps) {
      if (this.stamps.size > 64) this.stamps.clear();
      stamps = [];
      for (let y = 0; y < PARTS; y++)
        for (let x = 0; x < PARTS; x++) stamps.push(stamp(key / 8, (x + 0.5) / PARTS, (y + 0.5) / PARTS));
      this.stamps.set(key, stamps);
    }
    return stamps;
  }
}

function stamp(diameter: number, offsetX: number, offsetY: number): Float32Array {
  const side = Math.ceil(diameter) + 2;
  const out = new Float32Array(side * side);
  const radius = diameter / 2;
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const distance = Math.hypot(x + 0.5 - side / 2 - offsetX, y + 0.5 - side / 2 - offsetY);
      out[y * side + x] = Math.max(0, Math.min(1, radius + 0.5 - distance));
    }
  return out;
}

/** A fixed shuffle of 0..n-1 (xorshift). */
function shuffled(n: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  let state = 2463534242;
  for (let i = n - 1; i > 0; i--) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const j = (state >>> 0) % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
