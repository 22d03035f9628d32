// Everything by keys: those that move the map act while it has the focus, all others anywhere outside a text field.
import type { Stage } from "./stage.ts";

export interface Keys {
  any: Record<string, (event: KeyboardEvent) => void>;
  map: Record<string, () => void>;
}

export function listenToKeys(stage: Stage, keys: Keys): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
    const typing = (event.target as HTMLElement).matches?.("input[type=search], select");
    const act = keys.any[event.key] ?? keys.any[event.key.toLowerCase()];
    if (!act || (typing && event.key !== "Escape")) return;
    event.preventDefault();
    act(event);
  });
  stage.surface.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey) return;
    const act = moves(stage)[event.key] ?? keys.map[event.key];
    if (!act) return;
    event.preventDefault();
    stage.crosshair = true;
    act();
    stage.redraw(true);
  });
  stage.surface.addEventListener("focus", () => {
    stage.crosshair = stage.surface.matches(":focus-visible");
    stage.redraw();
  });
  stage.surface.addEventListener("blur", () => {
    stage.crosshair = false;
    stage.redraw();
  });
}

function moves(stage: Stage): Record<string, () => void> {
  const { camera } = stage;
  const step = Math.max(40, Math.min(camera.width, camera.height) / 8);
  const zoom = (factor: number) => () => camera.zoomAt(camera.width / 2, camera.height / 2, factor);
  return {
    ArrowLeft: () => camera.panBy(step, 0),
    ArrowRight: () => camera.panBy(-step, 0),
    ArrowUp: () => camera.panBy(0, step),
    ArrowDown: () => camera.panBy(0, -step),
    "+": zoom(1.3),
    "=": zoom(1.3),
    "-": zoom(1 / 1.3),
    "0": () => camera.reset(),
    Home: () => camera.reset(),
    a: () => camera.showAll(),
    A: () => camera.showAll(),
  };
}
