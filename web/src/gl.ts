import type { Points } from "./data.ts";
import type { Frame, Renderer } from "./renderer.ts";
import { STRESSED, VISIBLE } from "./scene.ts";

const VERTEX = `#version 300 es
layout(location=0) in float x; layout(location=1) in float y;
layout(location=2) in uint item; layout(location=3) in uint flags;
uniform vec2 center, zoom; uniform float size, bold, alpha; uniform int pass; uniform vec3 pale; uniform sampler2D colors;
out vec4 color; out float radius;
void main() {
  bool stressed = (flags & ${STRESSED}u) != 0u;
  bool drawn = (flags & ${VISIBLE}u) != 0u && (pass == 0 || stressed == (pass == 2));
  float a = pass == 1 ? alpha * .22 : pass == 2 ? max(alpha, .85) : alpha;
  float s = pass == 2 ? bold : size;
  gl_Position = drawn ? vec4((vec2(x, y) - center) * zoom, 0., 1.) : vec4(2., 2., 2., 1.);
  gl_PointSize = s + 1.;
  radius = (s + 1.) * .5;
  vec3 c = texelFetch(colors, ivec2(item & 1023u, item >> 10), 0).rgb;
  color = vec4((pass == 1 ? mix(c, pale, .78) : c) * a, a);
}`;
const FRAGMENT = `#version 300 es
precision mediump float; in vec4 color; in float radius; out vec4 o;
void main() { o = color * clamp(radius - length(gl_PointCoord - .5) * 2. * radius, 0., 1.); }`;

const UNIFORMS = ["center", "zoom", "size", "bold", "alpha", "pass", "pale", "colors"] as const;

/** WebGL2: the points stay on the card; a frame is one or two draw calls. */
export class GlRenderer implements Renderer {
  readonly name = "gl";
  private uniforms = {} as Record<(typeof UNIFORMS)[number], WebGLUniformLocation | null>;
  private itemBuffer: WebGLBuffer | null = null;
  private flagBuffer: WebGLBuffer | null = null;
  private ratio = 1;
  private width = 1;
  private height = 1;

  /** Null if the browser has no WebGL2, or not for us. */
  static make(points: Points, lost: () => void): GlRenderer | null {
    const canvas = document.createElement("canvas");
    const gl = canvas.getContext("webgl2", { antialias: false, powerPreference: "high-performance" });
    if (!gl) return null;
    canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      lost();
    });
    try {
      return new GlRenderer(canvas, gl, points);
    } catch {
      return null;
    }
  }

  private constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly gl: WebGL2RenderingContext,
    private readonly points: Points,
  ) {
    const program = this.program();
    gl.useProgram(program);
    for (const name of UNIFORMS) this.uniforms[name] = gl.getUniformLocation(program, name);
    this.attribute(0, points.x, gl.FLOAT);
    this.attribute(1, points.y, gl.FLOAT);
    this.itemBuffer = this.attribute(2, new Uint32Array(points.x.length), gl.UNSIGNED_INT);
    this.flagBuffer = this.attribute(3, new Uint8Array(points.x.length), gl.UNSIGNED_BYTE);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  setColors(item: Uint32Array, rgb: Uint8Array): void {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.itemBuffer);
    gl.bufferSubData(gl.ARRAY_BUFFER, 0, item);
    const count = rgb.length / 3;
    const rows = Math.max(1, Math.ceil(count / 1024));
    const texels = new Uint8Array(rows * 4096);
    for (let i = 0; i < count; i++) texels.set([rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2], 255], 4 * i);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 1024, rows, 0, gl.RGBA, gl.UNSIGNED_BYTE, texels);
  }

  setFlags(flags: Uint8Array): void {
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, this.flagBuffer);
    this.gl.bufferSubData(this.gl.ARRAY_BUFFER, 0, flags);
  }

  resize(width: number, height: number, ratio: number): void {
    [this.width, this.height, this.ratio] = [width, height, ratio];
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
  }

  draw(frame: Frame): void {
    const { gl, uniforms } = this;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(uniforms.center, frame.x, frame.y);
    gl.uniform2f(uniforms.zoom, (2 * frame.scale) / this.width, (2 * frame.scale) / this.height);
    gl.uniform1f(uniforms.size, frame.size * this.ratio);
    gl.uniform1f(uniforms.bold, frame.bold * this.ratio);
    gl.uniform1f(uniforms.alpha, frame.alpha);
    gl.uniform3fv(uniforms.pale, frame.pale.map((v) => v / 255));
    for (const pass of frame.stress ? [1, 2] : [0]) {
      gl.uniform1i(uniforms.pass, pass);
      gl.drawArrays(gl.POINTS, 0, this.points.x.length);
    }
  }

  private program(): WebGLProgram {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
      const shader = gl.createShader(type);
      if (!program || !shader) throw new Error("no shader");
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) ?? "link");
    return program;
  }

  private attribute(index: number, values: Float32Array | Uint32Array | Uint8Array, type: number): WebGLBuffer | null {
    const { gl } = this;
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(index);
    if (type === gl.FLOAT) gl.vertexAttribPointer(index, 1, type, false, 0, 0);
    else gl.vertexAttribIPointer(index, 1, type, 0, 0);
    return buffer;
  }
}
