// Where one looks from. Map units run up, pixels run down.

export class Camera {
  x = 0; // middle of the view, map units
  y = 0;
  scale = 1; // CSS pixels a map unit
  home = 1; // the scale at which the first view fits
  whole = 1; // the scale at which all points fit
  width = 1; // of the stage, CSS pixels
  height = 1;
  private running = 0;

  constructor(
    readonly first: Box, // what is shown first, map units
    readonly all: Box, // of all points
    private readonly moved: (moving: boolean) => void,
  ) {
    [this.x, this.y] = middle(first);
  }

  get zoom(): number {
    return this.scale / this.home;
  }

  resize(width: number, height: number): void {
    const zoom = this.zoom;
    [this.width, this.height] = [Math.max(1, width), Math.max(1, height)];
    this.home = Math.max(1, this.fitting(this.first));
    this.whole = Math.min(this.home, this.fitting(this.all));
    this.scale = this.home * zoom;
  }

  toPixel(x: number, y: number): [number, number] {
    return [(x - this.x) * this.scale + this.width / 2, this.height / 2 - (y - this.y) * this.scale];
  }

  toMap(px: number, py: number): [number, number] {
    return [(px - this.width / 2) / this.scale + this.x, (this.height / 2 - py) / this.scale + this.y];
  }

  panBy(dx: number, dy: number): void {
    this.stop();
    this.x -= dx / this.scale;
    this.y += dy / this.scale;
    this.settle();
    this.moved(true);
  }

  /** Zooms by a factor; what lies under the pixel stays there. */
  zoomAt(px: number, py: number, factor: number): void {
    this.stop();
    const [x, y] = this.toMap(px, py);
    this.scale = this.limited(this.scale * factor);
    const [nowX, nowY] = this.toMap(px, py);
    this.x += x - nowX;
    this.y += y - nowY;
    this.settle();
    this.moved(true);
  }

  /** Flies there; jumps where motion is not wanted. */
  fly(x: number, y: number, scale: number): void {
    this.stop();
    const from = { x: this.x, y: this.y, scale: this.scale };
    const target = this.limited(scale);
    const start = performance.now();
    const step = (now: number) => {
      const t = prefersStill() ? 1 : Math.min(1, Math.max(0, (now - start) / 480));
      const ease = 1 - (1 - t) ** 3;
      this.scale = from.scale * (target / from.scale) ** ease;
      // The middle moves with the scale, so that the flight looks straight.
      const share = target === from.scale ? ease : (1 / from.scale - 1 / this.scale) / (1 / from.scale - 1 / target);
      this.x = from.x + (x - from.x) * share;
      this.y = from.y + (y - from.y) * share;
      this.moved(t < 1);
      this.running = t < 1 ? requestAnimationFrame(step) : 0;
    };
    step(start);
  }

  /** Flies so that a box of map units fills the view. */
  flyToBox(box: Box, most = 40): void {
    const margin = Math.min(80, this.width * 0.12);
    const scale = Math.min(
      (this.width - 2 * margin) / Math.max(box.highX - box.lowX, 1e-6),
      (this.height - 2 * margin) / Math.max(box.highY - box.lowY, 1e-6),
      this.home * most,
    );
    this.fly((box.lowX + box.highX) / 2, (box.lowY + box.highY) / 2, scale);
  }

  reset(): void {
    this.fly(...middle(this.first), this.home);
  }

  showAll(): void {
    this.fly(...middle(this.all), this.whole);
  }

  stop(): void {
    if (this.running) cancelAnimationFrame(this.running);
    this.running = 0;
  }

  private limited(scale: number): number {
    return Math.max(this.whole * 0.5, Math.min(this.home * 1000, scale));
  }

  private fitting(box: Box): number {
    const margin = Math.min(30, this.width * 0.05);
    return Math.min(
      (this.width - 2 * margin) / Math.max(box.highX - box.lowX, 1e-3),
      (this.height - 2 * margin) / Math.max(box.highY - box.lowY, 1e-3),
    );
  }

  /** One cannot lose the map: a point of it stays within reach. */
  private settle(): void {
    this.x = Math.max(this.all.lowX, Math.min(this.all.highX, this.x));
    this.y = Math.max(this.all.lowY, Math.min(this.all.highY, this.y));
  }
}

export interface Box {
  lowX: number;
  lowY: number;
  highX: number;
  highY: number;
}

const middle = (box: Box): [number, number] => [(box.lowX + box.highX) / 2, (box.lowY + box.highY) / 2];

export const prefersStill = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;
