import { csv, download } from "./csv.ts";
import type { Scene } from "./scene.ts";

/**
 * Rows as CSV: row (counted from 0, as in the input), cluster, its name and group, the columns, the text as shown, and
 * where this file does not hold all texts whole, "yes" for each that is cut.
 */
export function exportRows(scene: Scene, rows: Uint32Array, what: string): void {
  const { meta, points, texts, columns, cut } = scene;
  if (!texts) return;
  const header = ["row", "cluster", "cluster_name", "group", ...columns.map(({ name }) => name), "text", ...(cut ? ["text_cut"] : [])];
  const lines = function* () {
    for (const row of rows) {
      const label = points.label[row];
      const cluster = meta.clusters[label];
      const group = cluster ? meta.groups[cluster.group] : undefined;
      const own = columns.map(({ values }) => values.get(row));
      const id = cluster ? String(label) : "";
      const isCut = cut ? [cut[row] ? "yes" : "no"] : [];
      yield [String(row), id, cluster?.name ?? "", group?.name ?? "", ...own, texts.get(row), ...isCut];
    }
  };
  const name = meta.title.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") || "map";
  download(`${name}-${what}.csv`, csv(header, lines()));
}
