import type { Rgb } from "./color.ts";
import type { Points } from "./data.ts";
import type { Frame, Renderer } from "./renderer.ts";
import { STRESSED, VISIBLE } from "./scene.ts";

const FRAME = 14; // milliseconds for the points while the view moves; a sample is drawn if all would take longer
const LEAST = 30_000; // points of that sample
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
  private stamps = new Map<number, Stamp[]>();
  private budget = 250_000; // points drawn while the view moves

  constructor(private readonly points: Points) {
    const n = points.x.length;
    this.item = new Uint32Array(n);
    this.flags = new Uint8Array(n);
    this.order = n > LEAST ? shuffled(n) : Uint32Array.from({ length: n }, (_, i) => i);
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
    this.stamps.clear();
  }

  draw(frame: Frame): void {
    const start = performance.now();
    this.light.fill(0);
    const { size, bold, alpha } = frame;
    if (frame.stress) {
      this.splat(frame, size, alpha * 0.22, 0);
      this.splat(frame, bold, Math.max(alpha, 0.85), STRESSED);
    } else {
      this.splat(frame, size, alpha, -1);
    }
    this.show();
    if (frame.coarse) this.learn(performance.now() - start);
  }

  /** More points where the machine is quick, fewer where it is slow. */
  private learn(milliseconds: number): void {
    const factor = Math.max(0.6, Math.min(1.25, FRAME / Math.max(1, milliseconds)));
    this.budget = Math.max(LEAST, Math.min(4 * this.order.length, this.budget * factor));
  }

  /** `stressed`: the value that the STRESSED bit must have, or -1 for any. */
  private splat(frame: Frame, size: number, alpha: number, stressed: number): void {
    const { width, height } = this.canvas;
    const { light, item, flags, order } = this;
    const rgb = stressed === 0 ? this.faded(frame.pale) : this.rgb;
    const { x, y } = this.points;
    const scale = frame.scale * this.ratio;
    const left = width / 2 - frame.x * scale;
    const top = height / 2 + frame.y * scale;
    const count = frame.coarse ? Math.min(order.length, Math.round(this.budget)) : order.length;
    const opacity = Math.min(1, alpha * Math.sqrt(order.length / Math.max(1, count)));
    const stamps = this.stampsOf(size * this.ratio);
    const { side } = stamps[0];
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
      const first = (fromY * width + fromX) * 4;
      const { at, cover } = stamp;
      for (let s = 0; s < at.length; s++) {
        const o = first + at[s];
        const a = cover[s] * opacity;
        const rest = 1 - a;
        light[o] = light[o] * rest + r * a;
        light[o + 1] = light[o + 1] * rest + g * a;
        light[o + 2] = light[o + 2] * rest + b * a;
        light[o + 3] = light[o + 3] * rest + a;
      }
    }
  }

  private faded(pale: Rgb): Float32Array {
    return this.rgb.map((v, i) => v + (pale[i % 3] / 255 - v) * 0.78);
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

  /** The disc of a diameter in pixels, for each of its places within a pixel. */
  private stampsOf(diameter: number): Stamp[] {
    const key = Math.round(diameter * 8);
    let stamps = this.stamps.get(key);
    if (!stamps) {
      if (this.stamps.size > 64) this.stamps.clear();
      stamps = [];
      for (let y = 0; y < PARTS; y++)
        for (let x = 0; x < PARTS; x++)
          stamps.push(makeStamp(key / 8, (x + 0.5) / PARTS, (y + 0.5) / PARTS, this.canvas.width));
      this.stamps.set(key, stamps);
    }
    return stamps;
  }
}

/** Which pixels a disc touches, and how much of each it covers. */
interface Stamp {
  side: number; // of the square around it
  at: Int32Array; // offsets into the buffer from the square's first pixel
  cover: Float32Array;
}

function makeStamp(diameter: number, offsetX: number, offsetY: number, width: number): Stamp {
  const side = Math.ceil(diameter) + 2;
  const at: number[] = [];
  const cover: number[] = [];
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const distance = Math.hypot(x + 0.5 - side / 2 - offsetX, y + 0.5 - side / 2 - offsetY);
      const covered = Math.min(1, (diameter + 1) / 2 - distance);
      if (covered <= 0.01) continue;
      at.push((y * width + x) * 4);
      cover.push(covered);
    }
  return { side, at: Int32Array.from(at), cover: Float32Array.from(cover) };
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
