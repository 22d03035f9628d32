// The report in the side panel: how the clusters were found, what speaks against them, and how far to trust each.
import { css } from "./color.ts";
import { Curve } from "./curve.ts";
import { el, iconButton, number, plural } from "./dom.ts";
import { type Plot, type Report, isNumber, ranges, share, short, summary } from "./report.ts";
import type { Scene } from "./scene.ts";

const FIRST = 30; // clusters that are listed at once

interface Row {
  item: number; // of the clusters' facet
  name: string;
  size: number;
  jaccard: number | null;
  level: number; // of the report's levels of stability; -1: none
}

export class ReportView {
  readonly root: HTMLElement;
  private readonly title = el("h2", { tabindex: -1 }, "How the clusters were found");
  private readonly list = el("ol", { class: "bars" });
  private readonly rows: Row[];
  private readonly largest: number;
  private whole = false; // all rows are listed

  constructor(
    private readonly scene: Scene,
    private readonly report: Report,
    private readonly select: (item: number) => void,
    close: () => void,
  ) {
    const { items } = scene.facets[0];
    const { clusters, rows: texts } = scene.meta;
    const { jaccard = [], verdicts = [], levels = [] } = report.stability ?? {};
    this.rows = items.map(({ name, size }, item) => {
      const own = jaccard.length === clusters.length && item < clusters.length ? jaccard[item] : null;
      return { item, name, size, jaccard: isNumber(own) ? own : null, level: isNumber(own) ? levels.findIndex((l) => l.name === verdicts[item]) : -1 };
    });
    this.largest = Math.max(1, ...clusters.map(({ size }) => size));
    const noise = items[clusters.length]?.size ?? 0;
    const reasons = report.against ?? [];
    this.root = el("section", { class: "card report", "aria-label": "How the clusters were found" },
      el("div", { class: "head" }, iconButton("back", "Back to the list", close), el("span", { class: "crumb" }, "Report")),
      this.title,
      el("p", { class: "lead" }, summary(report, clusters.length, texts, noise)),
      el("h3", {}, "What speaks against it"),
      reasons.length ? el("ul", { class: "against" }, ...reasons.map(({ text }) => el("li", {}, text))) : el("p", {}, "Nothing that was measured."),
      ...(report.curves?.length ? [el("h3", {}, "How many clusters?"), new Curve(report).root] : []),
      ...(items.length ? [el("h3", {}, this.isStable ? "Sizes and stability" : "Sizes"), ...this.trustParts(), this.list] : []),
      ...this.measures(),
      ...this.overTime(),
    );
    this.fill();
    scene.listen((change) => {
      if (change === "theme" || change === "selection") this.fill();
    });
  }

  focus(): void {
    this.title.focus({ preventScroll: true });
  }

  private get isStable(): boolean {
    return this.rows.some((row) => row.level >= 0);
  }

  /** How many clusters are how stable, and by what the list is sorted. */
  private trustParts(): HTMLElement[] {
    const { stability } = this.report;
    if (!stability || !this.isStable) return [];
    const counts = stability.levels.map((_, level) => this.rows.filter((row) => row.level === level).length);
    const parts = counts.flatMap((count, level) => {
      const part = el("i", { class: `trust-${level}` });
      part.style.flexGrow = String(count);
      return count ? [part] : [];
    });
    const range = ranges(stability.levels);
    const legend = counts.map((count, level) => el("li", {}, el("i", { class: `mark trust-${level}` }), `${number(count)} ${stability.levels[level].name} `, el("span", {}, `(${range[level]})`)));
    const order = el("select", { "aria-label": "Order of the clusters", change: () => this.fill(order.selectedIndex) }, el("option", {}, "largest first"), el("option", {}, "least stable first"));
    const resamples = plural(stability.resamples, "random part");
    return [
      el("p", { class: "hint" }, `Stability is how much of a cluster comes back, on average, when ${resamples} of the texts are clustered anew (Jaccard coefficient, 0 to 1).`),
      el("div", { class: "trust", "aria-hidden": true }, ...parts),
      el("ul", { class: "legend" }, ...legend),
      el("div", { class: "order" }, el("span", {}, "Size"), el("span", {}, "Stability"), order),
    ];
  }

  private order = 0;

  private fill(order = this.order): void {
    this.order = order;
    const noise = this.scene.meta.clusters.length; // its row stays last
    const last = (row: Row) => Number(row.item === noise);
    const stable = (row: Row) => (order ? (row.jaccard ?? 2) : 0);
    const sorted = [...this.rows].sort((a, b) => last(a) - last(b) || stable(a) - stable(b) || b.size - a.size || a.item - b.item);
    const shown = this.whole || sorted.length <= FIRST + 5 ? sorted : [...sorted.slice(0, FIRST), ...sorted.slice(FIRST).filter(last)];
    const held = this.list.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset.item : undefined;
    this.list.replaceChildren(...shown.map((row) => el("li", {}, this.bar(row))));
    if (shown.length < sorted.length) {
      const all = () => {
        this.whole = true;
        this.fill();
        this.list.querySelectorAll("button")[FIRST]?.focus();
      };
      this.list.append(el("li", {}, el("button", { type: "button", class: "link", click: all }, `Show all ${number(sorted.length)}`)));
    }
    if (held) this.list.querySelector<HTMLElement>(`[data-item="${held}"]`)?.focus({ preventScroll: true });
  }

  private bar({ item, name, size, jaccard, level }: Row): HTMLElement {
    const { scene } = this;
    const facet = scene.facets[0];
    const color = css(facet.colors(scene.dark)[item]);
    const { clusters } = scene.meta;
    const dot = el("i", { class: "dot" });
    dot.style.background = color;
    const facts = `${plural(size, "text")}, ${share(size, scene.meta.rows)}${level >= 0 ? `, stability ${short(jaccard)}: ${this.report.stability?.levels[level].name}` : ""}`;
    return el("button", { type: "button", "data-item": item, "aria-pressed": String(scene.isSelected(item)), "aria-label": `Select ${name}: ${facts}`, title: `${name}: ${facts}`, click: () => this.select(item) },
      dot, el("span", { class: "name", dir: "auto" }, name),
      item < clusters.length ? meter("meter", size / this.largest, color) : el("span"), el("span", { class: "size" }, number(size)),
      ...(this.isStable ? (level >= 0 ? [meter(`meter marks trust-${level}`, jaccard ?? 0, ""), el("span", { class: "size" }, (jaccard ?? 0).toFixed(2))] : [el("span"), el("span", { class: "size" }, "–")]) : []));
  }

  private overTime(): HTMLElement[] {
    const plots = this.report.plots ?? [];
    const image = ({ title, svg }: Plot) => el("img", { class: "plot", alt: title, src: `data:image/svg+xml,${encodeURIComponent(svg)}` });
    return plots.length ? [el("h3", {}, "Plots that were kept"), ...plots.map(image)] : [];
  }

  private measures(): HTMLElement[] {
    const figures = this.report.figures ?? [];
    if (!figures.length) return [];
    const rows = figures.map(({ title, shown, note }) => el("tr", {}, el("th", { scope: "row" }, title, el("p", {}, note)), el("td", {}, shown)));
    return [el("h3", {}, "What was measured"), el("table", {}, el("tbody", {}, ...rows))];
  }
}

function meter(kind: string, part: number, color: string): HTMLElement {
  const fill = el("i");
  fill.style.width = `${Math.max(0, Math.min(1, part)) * 100}%`;
  if (color) fill.style.background = color;
  return el("span", { class: kind }, fill);
}
