// A criterion over the numbers of clusters that were tried: one line, the chosen number, and what each criterion would choose.
import { el, plural, svg } from "./dom.ts";
import { type Criterion, type Report, type Tried, isNumber, short } from "./report.ts";

const WIDE = 404;
const HIGH = 188;
const [LEFT, RIGHT, TOP, BOTTOM] = [46, WIDE - 12, 24, HIGH - 30]; // of the frame

export class Curve {
  readonly root: HTMLElement;
  private readonly tried: Tried[];
  private readonly all: Criterion[];
  private readonly readout = el("p", { class: "readout" });
  private readonly caption = el("p", { class: "hint" });
  private readonly plot = el("div", {
    class: "plot",
    role: "slider",
    tabindex: 0,
    "aria-orientation": "horizontal",
    pointermove: (e: PointerEvent) => this.point(e),
    pointerdown: (e: PointerEvent) => this.point(e),
    pointerleave: (e: PointerEvent) => e.pointerType === "mouse" && this.read(this.chosen), // what a finger read out stays
    keydown: (e: KeyboardEvent) => this.key(e),
  });
  private readonly guide = svg("g", { class: "guide" });
  private readonly chosen: number; // index into tried
  private shown: Criterion;
  private at = 0; // index into tried that is read out

  constructor(private readonly report: Report) {
    this.tried = report.tried ?? [];
    this.chosen = Math.max(0, this.tried.findIndex((t) => t.n_clusters === report.chosen?.n_clusters));
    this.all = report.curves ?? [];
    this.shown = this.all[0];
    this.root = el("div", {},
      el("fieldset", { class: "picks" }, el("legend", {}, "Each criterion and the number that it would choose"), ...this.all.map((c) => this.choice(c))),
      this.plot, this.readout, this.caption);
    this.draw();
  }

  private choice(of: Criterion): HTMLElement {
    const change = () => {
      this.shown = of;
      this.draw();
    };
    const box = el("input", { type: "radio", name: "criterion", value: of.criterion, change });
    box.checked = of === this.shown;
    const decides = of.criterion === this.report.chosen?.criterion;
    return el("label", decides ? { title: "This criterion decided" } : {}, box, el("span", {}, of.title, " ", el("b", {}, String(of.n_clusters))));
  }

  private x(k: number): number {
    const [low, high] = [Math.log(this.tried[0].n_clusters), Math.log(this.tried[this.tried.length - 1].n_clusters)];
    return high > low ? LEFT + 8 + ((Math.log(k) - low) / (high - low)) * (RIGHT - LEFT - 16) : (LEFT + RIGHT) / 2;
  }

  private draw(): void {
    const { shown, tried } = this;
    const known = shown.values.filter(isNumber);
    const ticks = niceTicks(Math.min(...known), Math.max(...known));
    const [low, high] = [ticks[0], ticks[ticks.length - 1]];
    const y = (v: number) => BOTTOM - ((v - low) / (high - low)) * (BOTTOM - TOP);
    const places = tried.flatMap((t, i) => {
      const value = shown.values[i];
      return isNumber(value) ? [{ i, x: this.x(t.n_clusters), y: y(value) }] : [];
    });
    const image = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, class: "curve", "aria-hidden": true });
    for (const tick of ticks)
      image.append(svg("path", { class: "grid", d: `M${LEFT} ${y(tick)}H${RIGHT}` }), svg("text", { x: LEFT - 7, y: y(tick) + 4, class: "end" }, short(tick)));
    const k = tried[this.chosen].n_clusters;
    if (this.report.chosen)
      image.append(svg("path", { class: "chosen", d: `M${this.x(k)} ${TOP - 6}V${BOTTOM}` }),
        svg("text", { x: Math.max(LEFT + 22, Math.min(RIGHT - 28, this.x(k))), y: TOP - 11, class: "chosen" }, `chosen: ${k}`));
    for (const n of this.numbers()) image.append(svg("text", { x: this.x(n), y: BOTTOM + 22, class: n === k ? "chosen" : "" }, String(n)));
    for (const n of new Set(this.all.map((c) => c.n_clusters)))
      image.append(svg("path", { class: n === k ? "pick own" : "pick", d: `M${this.x(n)} ${BOTTOM + 2}l4.5 7h-9Z` }));
    image.append(svg("path", { class: "line", d: places.map((p, n) => `${n ? "L" : "M"}${p.x.toFixed(1)} ${p.y.toFixed(1)}`).join("") }));
    if (places.length <= 40) for (const p of places) image.append(svg("circle", { cx: p.x, cy: p.y, r: 2.4 }));
    const best = places.find((p) => tried[p.i].n_clusters === shown.n_clusters);
    if (best) image.append(svg("circle", { class: "best", cx: best.x, cy: best.y, r: 5.5 }));
    image.append(this.guide);
    this.plot.replaceChildren(image);
    this.plot.setAttribute("aria-label", `${shown.title} by number of clusters; arrow keys read it out`);
    this.plot.setAttribute("aria-valuemin", String(tried[0].n_clusters));
    this.plot.setAttribute("aria-valuemax", String(tried[tried.length - 1].n_clusters));
    this.caption.replaceChildren(el("b", {}, shown.better === "lower" ? "Lower is better" : "Higher is better"),
      `: ${shown.asks}. `, el("i", { class: "mark ring" }), " best by this criterion, ", el("i", { class: "mark up" }), " by this or another. Numbers of clusters on a logarithmic scale.");
    this.read(this.at && isNumber(shown.values[this.at]) && document.activeElement === this.plot ? this.at : this.chosen);
  }

  /** Numbers tried that are written under the axis: the chosen, the ends, and others where there is room. */
  private numbers(): number[] {
    const all = this.tried.map((t) => t.n_clusters);
    const out: number[] = [];
    for (const n of [...(this.report.chosen ? [all[this.chosen]] : []), all[0], all[all.length - 1], ...all])
      if (out.every((m) => Math.abs(this.x(m) - this.x(n)) > 24)) out.push(n);
    return out;
  }

  private read(i: number): void {
    this.at = i;
    const { n_clusters: k, smallest, largest } = this.tried[i];
    const picked = this.all.filter((c) => c.n_clusters === k).map((c) => c.title);
    const facts = smallest != null && largest != null ? [`${short(smallest)} to ${plural(Math.round(largest), "text")} a cluster`] : [];
    if (picked.length) facts.push(`best by ${picked.join("; ")}`);
    this.readout.replaceChildren(el("b", {}, plural(k, "cluster")), `: ${this.shown.title} ${short(this.shown.values[i])}`, el("span", {}, facts.join(" · ")));
    this.plot.setAttribute("aria-valuenow", String(k));
    this.plot.setAttribute("aria-valuetext", [...this.readout.childNodes].map((n) => n.textContent).join(" "));
    this.guide.replaceChildren();
    if (i !== this.chosen || document.activeElement === this.plot) this.guide.append(svg("path", { d: `M${this.x(k)} ${TOP}V${BOTTOM}` }));
  }

  private point(event: PointerEvent): void {
    const box = this.plot.getBoundingClientRect();
    const px = ((event.clientX - box.left) / box.width) * WIDE;
    const far = this.tried.map((t) => Math.abs(this.x(t.n_clusters) - px));
    this.read(far.indexOf(Math.min(...far)));
  }

  private key(event: KeyboardEvent): void {
    const last = this.tried.length - 1;
    const to: Record<string, number> = { ArrowLeft: this.at - 1, ArrowDown: this.at - 1, ArrowRight: this.at + 1, ArrowUp: this.at + 1, Home: 0, End: last };
    if (!(event.key in to)) return;
    event.preventDefault();
    this.read(Math.max(0, Math.min(last, to[event.key])));
  }
}

/** Three to six round numbers from at most `low` to at least `high`. */
export function niceTicks(low: number, high: number): number[] {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / 3;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * ([1, 2, 2.5, 5, 10].find((m) => m * unit >= rough * (1 - 1e-9)) ?? 10);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}
