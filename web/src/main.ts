// Puts the page together: first the points, so that there is something to see, then the texts.
import { readColumns, readContours, readCut, readMeta, readPoints, readReport, readTexts, mapUnits } from "./data.ts";
import { el } from "./dom.ts";
import { clusterFacet, columnFacet } from "./facet.ts";
import { makeHelp } from "./help.ts";
import { listenToKeys } from "./keyboard.ts";
import { Panel, rowsOf } from "./panel.ts";
import { Pointer } from "./pointer.ts";
import { Scene } from "./scene.ts";
import { Selection } from "./selection.ts";
import { Stage } from "./stage.ts";
import { startTheme } from "./theme.ts";
import { Tip } from "./tip.ts";
import { Toolbar } from "./toolbar.ts";

declare global {
  interface Window {
    shoal?: unknown; // for tests and the curious
  }
}

async function start(): Promise<void> {
  const meta = readMeta();
  document.title = meta.title || "Map";
  const points = await readPoints(meta);
  const report = await readReport();
  const scene = new Scene(meta, points, clusterFacet(meta, points));
  const theme = startTheme(scene);
  const stage = new Stage(scene, await readContours(meta));
  const live = el("div", { class: "hidden", role: "status", "aria-live": "polite" });
  const say = (text: string) => (live.textContent = text);
  const keysHint = "Arrow keys move, plus and minus zoom, 0 shows the first view, A all texts, Enter pins the text nearest to the middle, question mark for help. The search box and the list beside the map reach everything too.";
  stage.root.append(live, el("p", { class: "hidden", id: "map-help" }, keysHint), el("p", { class: "made" }, meta.made_by));
  stage.surface.setAttribute("aria-label", `${meta.title || "Map"}: ${meta.rows} texts in ${meta.clusters.length} clusters`);

  const selection = new Selection(scene, stage, say);
  const toMap = mapUnits(meta);
  const openCluster = (cluster: number) => {
    selection.zoomTo(rowsOf(scene, cluster));
    scene.focus = cluster;
    tip.set(-1);
    scene.tell("focus");
  };
  const toRow = (row: number) => {
    const { x, y } = points;
    tip.set(row);
    if (x[row] === x[row]) stage.camera.fly(x[row], y[row], Math.max(stage.camera.scale, stage.camera.home * 8));
  };
  const toItem = (item: number) => {
    if (scene.colorBy === 0 && item < meta.clusters.length) return openCluster(item);
    const rows: number[] = [];
    for (let i = 0; i < meta.rows; i++) if (scene.facet.of[i] === item) rows.push(i);
    scene.select(Uint32Array.from(rows));
    selection.zoomTo(Uint32Array.from(rows));
  };
  const tip: Tip = new Tip(scene, stage, openCluster, say);
  const panel = new Panel(scene, { toRow, toCluster: openCluster, toItem }, say, report);
  const toggleReport = () => panel.showReport(!scene.report || scene.focus >= 0);
  const help = makeHelp(meta.made_by, report !== null);
  const middle = () => [stage.camera.width / 2, stage.camera.height / 2] as const;
  const toolbar = new Toolbar(scene, {
    zoom: (factor) => stage.camera.zoomAt(...middle(), factor),
    home: () => stage.camera.reset(),
    all: () => stage.camera.showAll(),
    nextTheme: theme.next,
    theme: theme.get,
    help: () => help.showModal(),
    report: report && toggleReport,
  });

  new Pointer(scene, stage, {
    hover: (row) => {
      tip.showHover(row);
    },
    click: (px, py, touch) => {
      const name = stage.labels.at(px, py);
      if (name) {
        if (!name.group) return openCluster(name.index);
        return stage.camera.fly(...toMap(...meta.groups[name.index].at), stage.camera.home * 3);
      }
      const row = stage.rowAt(px, py, touch ? 18 : 9);
      tip.set(row);
      if (row < 0 && scene.focus >= 0) {
        scene.focus = -1;
        scene.tell("focus");
      }
    },
    outline: (polygon, how) => selection.outline(polygon, how),
  });

  /** The nearest thing that Escape can undo. */
  const escape = () => {
    if (stage.outline.length) stage.outline = [];
    else if (scene.pinned >= 0) tip.set(-1);
    else if (scene.focus >= 0) {
      scene.focus = -1;
      scene.tell("focus");
    } else if (scene.selection) scene.select(null);
    else if (scene.report) panel.showReport(false);
    else if (scene.mode !== "pan") toolbar.setMode("pan");
    else if (scene.hits) panel.clearSearch();
    stage.redraw();
  };
  listenToKeys(stage, {
    any: {
      "/": () => panel.search.focus(),
      "?": () => help.showModal(),
      Escape: escape,
      v: () => toolbar.setMode("pan"),
      l: () => toolbar.setMode("lasso"),
      b: () => toolbar.setMode("box"),
      c: () => toolbar.setColor(scene.colorBy + 1),
      r: toggleReport,
      t: () => toolbar.nextTheme(),
      s: (event) => selection.inView(event.shiftKey ? "add" : event.altKey ? "remove" : "replace"),
    },
    map: { Enter: () => tip.set(stage.rowAt(...middle(), 400)) },
  });
  scene.listen((change) => {
    if (change === "mode") stage.surface.dataset.mode = scene.mode;
  });
  toolbar.setMode("pan");
  stage.painted = () => tip.follow();
  stage.paint();
  window.shoal = { scene, stage, ready: false };

  scene.cut = await readCut(meta);
  scene.texts = await readTexts(meta, "b-text");
  scene.columns = await readColumns(meta);
  scene.facets.push(...scene.columns.map((column) => columnFacet(column.name, column.values, column.order)));
  toolbar.addFacets();
  scene.tell("texts");
  window.shoal = { scene, stage, ready: true, readyAfter: performance.now() };
  document.documentElement.dataset.ready = stage.renderer.name;
}

start().catch((error: unknown) => {
  document.body.prepend(el("p", { class: "fault", role: "alert" }, error instanceof Error ? error.message : String(error)));
  console.error(error);
});
