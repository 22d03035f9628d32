// Draws the points: with WebGL2 on a real graphics card, otherwise on the processor.
import { CpuRenderer } from "./cpu.ts";
import { GlRenderer } from "./gl.ts";
import type { Rgb } from "./color.ts";
import type { Points } from "./data.ts";

export interface Frame {
  x: number; // middle of the view, map units
  y: number;
  scale: number; // CSS pixels a map unit
  size: number; // diameter of a point, CSS pixels
  bold: number; // diameter of a stressed one
  alpha: number;
  pale: Rgb; // what the points that step back fade to
  stress: boolean; // stressed points in full, the others faint
  coarse: boolean; // the view is moving: a fair sample will do if all would be slow
}

export interface Renderer {
  readonly name: "gl" | "cpu";
  readonly canvas: HTMLCanvasElement;
  setColors(item: Uint32Array, rgb: Uint8Array): void; // item of each row; three bytes an item
  setFlags(flags: Uint8Array): void;
  resize(width: number, height: number, ratio: number): void; // CSS pixels, device pixels a CSS pixel
  draw(frame: Frame): void;
}

const SOFTWARE = /swiftshader|llvmpipe|software|basic render/i;

/** ?renderer=gl or cpu forces one; without a graphics card the processor is the quicker of the two. */
export function makeRenderer(points: Points, lost: () => void): Renderer {
  const wanted = new URLSearchParams(location.search).get("renderer");
  if (wanted !== "cpu" && (wanted === "gl" || hasCard())) {
    const gl = GlRenderer.make(points, lost);
    if (gl) return gl;
  }
  return new CpuRenderer(points);
}

function hasCard(): boolean {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return false;
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const name = info ? String(gl.getParameter(info.UNMASKED_RENDERER_WEBGL)) : "";
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return !SOFTWARE.test(name);
}
