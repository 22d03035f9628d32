// The selection and its bar: how many, of what, and what one can do with them.
import { button, el, number, plural } from "./dom.ts";
import { exportRows } from "./export.ts";
import { boxOf } from "./grid.ts";
import { type Scene, union, without } from "./scene.ts";
import type { Stage } from "./stage.ts";

export class Selection {
  private readonly root = el("section", { class: "selection", "aria-label": "Selection", hidden: true });

  constructor(
    private readonly scene: Scene,
    private readonly stage: Stage,
    private readonly say: (text: string) => void,
  ) {
    stage.root.append(this.root);
    scene.listen((change) => {
      if (change === "selection") this.show();
    });
  }

  outline(polygon: [number, number][], how: "replace" | "add" | "remove"): void {
    const { scene, stage } = this;
    const onMap = polygon.map(([x, y]) => stage.camera.toMap(x, y));
    const rows = stage.grid.inside(onMap, (row) => scene.offered(row));
    const old = scene.selection ?? new Uint32Array();
    scene.select(how === "add" ? union(old, rows) : how === "remove" ? without(old, rows) : rows);
    this.say(scene.selection ? `${plural(scene.selection.length, "text")} selected` : "Nothing selected");
  }

  inView(how: "replace" | "add" | "remove"): void {
    const { width, height } = this.stage.camera;
    this.outline([[0, 0], [width, 0], [width, height], [0, height]], how);
  }

  /** Flies to rows. */
  zoomTo(rows: Uint32Array): void {
    const { x, y } = this.scene.points;
    const placed = [...rows.filter((row) => x[row] === x[row])];
    if (!placed.length) return;
    const at = (values: number[], share: number) => values[Math.floor(share * (values.length - 1))];
    const xs = placed.map((row) => x[row]).sort((a, b) => a - b);
    const ys = placed.map((row) => y[row]).sort((a, b) => a - b);
    const box = boxOf([[at(xs, 0.02), at(ys, 0.02)], [at(xs, 0.98), at(ys, 0.98)]]);
    this.stage.camera.flyToBox(box);
  }

  private show(): void {
    const rows = this.scene.selection;
    this.root.hidden = !rows;
    if (!rows) return;
    this.root.replaceChildren(
      el("p", {}, el("b", {}, number(rows.length)), " selected", el("span", { class: "from" }, this.composition(rows))),
      button("Zoom", () => this.zoomTo(rows)),
      button("Export CSV", () => exportRows(this.scene, rows, "selection"), "main"),
      button("Clear", () => this.clear()),
    );
  }

  private clear(): void {
    this.scene.select(null);
    this.stage.surface.focus({ preventScroll: true });
  }

  /** Of what the selection is made, by the colouring in use. */
  private composition(rows: Uint32Array): string {
    const { facet } = this.scene;
    const counts = new Map<number, number>();
    for (const row of rows) counts.set(facet.of[row], (counts.get(facet.of[row]) ?? 0) + 1);
    const [item, count] = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0];
    const name = facet.items[item]?.name ?? "other";
    const share = Math.round((100 * count) / rows.length);
    if (counts.size === 1) return ` · all ${name}`;
    const clusters = [...counts.keys()].filter((i) => i < this.scene.meta.clusters.length).length;
    const parts = facet.title === "Cluster" ? plural(clusters, "cluster") : `${counts.size} values`;
    return ` · ${parts}, ${share} % ${name}`;
  }
}
