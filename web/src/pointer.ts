// Mouse, pen and fingers on the map: pan, zoom, pinch, draw a selection, point at things.
import type { Scene } from "./scene.ts";
import type { Stage } from "./stage.ts";

export interface Gestures {
  hover(row: number): void;
  click(px: number, py: number, touch: boolean): void;
  /** A closed outline was drawn, in pixels. */
  outline(polygon: [number, number][], how: "replace" | "add" | "remove"): void;
}

interface Finger {
  x: number;
  y: number;
}

export class Pointer {
  private readonly fingers = new Map<number, Finger>();
  private start: Finger | null = null;
  private drawing = false;
  private travelled = 0;

  constructor(
    private readonly scene: Scene,
    private readonly stage: Stage,
    private readonly gestures: Gestures,
  ) {
    const { surface } = stage;
    surface.addEventListener("pointerdown", (e) => this.down(e));
    surface.addEventListener("pointermove", (e) => this.move(e));
    surface.addEventListener("pointerup", (e) => this.up(e));
    surface.addEventListener("pointercancel", (e) => this.cancel(e));
    surface.addEventListener("pointerleave", () => this.gestures.hover(-1));
    surface.addEventListener("wheel", (e) => this.wheel(e), { passive: false });
    surface.addEventListener("dblclick", (e) => this.doubleClick(e));
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.stage.surface.setPointerCapture(event.pointerId);
    this.stage.surface.focus({ preventScroll: true });
    this.stage.crosshair = false;
    this.stage.camera.stop();
    const place = { x: event.offsetX, y: event.offsetY };
    this.fingers.set(event.pointerId, place);
    if (this.fingers.size > 1) {
      this.stopDrawing();
      this.start = null;
      return;
    }
    this.start = place;
    this.travelled = 0;
    this.drawing = this.scene.mode !== "pan" || event.shiftKey;
    if (this.drawing) this.stage.outline = [[place.x, place.y]];
  }

  private move(event: PointerEvent): void {
    const place = { x: event.offsetX, y: event.offsetY };
    const before = this.fingers.get(event.pointerId);
    if (!before) {
      if (event.pointerType !== "touch") this.point(place);
      return;
    }
    this.gestures.hover(-1);
    if (this.fingers.size === 2) this.pinch(event.pointerId, before, place);
    else if (this.drawing) this.draw(place);
    else if (this.start && (this.travelled > 4 || !this.isClick(place))) this.stage.camera.panBy(place.x - before.x, place.y - before.y);
    this.travelled = Math.max(this.travelled, this.start ? Math.hypot(place.x - this.start.x, place.y - this.start.y) : 0);
    if (this.travelled > 4 || this.fingers.size > 1 || this.drawing) this.fingers.set(event.pointerId, place);
  }

  /** Names win over the points below them: they are what one means to click. */
  private point(place: Finger): void {
    const named = this.scene.mode === "pan" && this.stage.labels.at(place.x, place.y) !== null;
    this.stage.surface.classList.toggle("named", named);
    this.gestures.hover(named ? -1 : this.stage.rowAt(place.x, place.y));
  }

  private up(event: PointerEvent): void {
    if (!this.fingers.delete(event.pointerId)) return;
    const place = { x: event.offsetX, y: event.offsetY };
    const clicked = this.start !== null && this.travelled <= 4;
    const polygon = this.stage.outline;
    const drew = this.drawing;
    this.stopDrawing();
    this.start = null;
    if (clicked) this.gestures.click(place.x, place.y, event.pointerType === "touch");
    else if (drew && polygon.length > 2) this.gestures.outline(polygon, event.altKey ? "remove" : this.adds(event) ? "add" : "replace");
  }

  /** Shift adds; in the hand tool shift is what draws the box, so there it does not. */
  private adds(event: PointerEvent): boolean {
    return event.shiftKey && this.scene.mode !== "pan";
  }

  private cancel(event: PointerEvent): void {
    this.fingers.delete(event.pointerId);
    this.start = null;
    this.stopDrawing();
  }

  private draw(place: Finger): void {
    const [x, y] = this.stage.outline[0];
    if (this.scene.mode === "lasso") this.stage.outline.push([place.x, place.y]);
    else this.stage.outline = [[x, y], [place.x, y], [place.x, place.y], [x, place.y]];
    this.stage.redraw();
  }

  /** Two fingers: what was under them stays under them. */
  private pinch(id: number, before: Finger, place: Finger): void {
    const other = [...this.fingers].find(([key]) => key !== id)?.[1];
    if (!other) return;
    const was = Math.hypot(before.x - other.x, before.y - other.y);
    const is = Math.hypot(place.x - other.x, place.y - other.y);
    this.stage.camera.panBy((place.x - before.x) / 2, (place.y - before.y) / 2);
    if (was > 8 && is > 8) this.stage.camera.zoomAt((place.x + other.x) / 2, (place.y + other.y) / 2, is / was);
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 0.05 : event.deltaMode === 2 ? 0.5 : event.ctrlKey ? 0.01 : 0.0016;
    const step = Math.max(-1.2, Math.min(1.2, -event.deltaY * unit));
    this.gestures.hover(-1);
    this.stage.camera.zoomAt(event.offsetX, event.offsetY, Math.exp(step));
  }

  private doubleClick(event: MouseEvent): void {
    if (this.stage.rowAt(event.offsetX, event.offsetY) >= 0 || this.scene.mode !== "pan") return;
    const { camera } = this.stage;
    const [x, y] = camera.toMap(event.offsetX, event.offsetY);
    camera.fly((camera.x + x) / 2, (camera.y + y) / 2, camera.scale * 2);
  }

  private isClick(place: Finger): boolean {
    return this.start !== null && Math.hypot(place.x - this.start.x, place.y - this.start.y) <= 4;
  }

  private stopDrawing(): void {
    this.drawing = false;
    this.stage.outline = [];
    this.stage.redraw();
  }
}
