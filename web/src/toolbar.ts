// The header: title and counts, tools, colouring, theme, help.
import { type Icon, el, icon, iconButton, number, plural } from "./dom.ts";
import type { Mode, Scene } from "./scene.ts";
import type { Theme } from "./theme.ts";

export interface Tools {
  zoom(factor: number): void;
  home(): void;
  all(): void;
  nextTheme(): Theme;
  theme(): Theme;
  help(): void;
  report: (() => void) | null; // null: there is none
}

const MODES: [Mode, Icon, string, string][] = [
  ["pan", "pan", "Move the map", "V"],
  ["lasso", "lasso", "Select with a lasso", "L"],
  ["box", "box", "Select with a box", "B"],
];

export class Toolbar {
  private readonly modes = MODES.map(([mode, name, label, key]) => iconButton(name, label, () => this.setMode(mode), key));
  private readonly colors = el("select", { "aria-label": "Colour by", change: () => this.setColor(this.colors.selectedIndex) });
  private readonly colorBox = el("label", { class: "colorby", hidden: true }, el("span", {}, "Colour"), this.colors);
  private readonly theme: HTMLButtonElement;
  private readonly report = iconButton("report", "How the clusters were found", () => this.tools.report?.(), "R");

  constructor(
    private readonly scene: Scene,
    private readonly tools: Tools,
  ) {
    const bar = document.getElementById("bar") as HTMLElement;
    const { meta } = scene;
    this.theme = iconButton("auto", "Theme", () => this.nextTheme());
    const noise = scene.facets[0].items[meta.clusters.length]?.size ?? 0;
    const counts = `${plural(meta.rows, "text")} · ${plural(meta.clusters.length, "cluster")}${noise ? ` · ${number(noise)} in none` : ""}`;
    const group = (label: string, ...buttons: HTMLElement[]) => el("div", { class: "tools", role: "group", "aria-label": label }, ...buttons);
    bar.append(
      el("div", { class: "title" }, el("h1", { title: meta.title, dir: "auto" }, meta.title || "Map"), el("p", {}, counts)),
      this.colorBox,
      group("Selection tools", ...this.modes),
      group("Zoom",
        iconButton("minus", "Zoom out", () => tools.zoom(1 / 1.5), "−"),
        iconButton("plus", "Zoom in", () => tools.zoom(1.5), "+"),
        iconButton("home", "Back to the first view", () => tools.home(), "0"),
        iconButton("all", "Show all texts", () => tools.all(), "A")),
      group("Page", ...(tools.report ? [this.report] : []), this.theme, iconButton("help", "Help", () => tools.help(), "?")),
    );
    this.setMode("pan");
    this.nameTheme();
    this.report.setAttribute("aria-pressed", "false");
    scene.listen((change) => {
      if (change === "theme") this.nameTheme();
      if (change === "report") this.report.setAttribute("aria-pressed", String(scene.report));
    });
  }

  setMode(mode: Mode): void {
    this.scene.mode = mode;
    MODES.forEach(([m], i) => this.modes[i].setAttribute("aria-pressed", String(m === mode)));
    this.scene.tell("mode");
  }

  /** Offers the choice once there is one. */
  addFacets(): void {
    this.colors.replaceChildren(...this.scene.facets.map((facet) => el("option", {}, facet.title)));
    this.colorBox.hidden = this.scene.facets.length < 2;
  }

  setColor(index: number): void {
    this.scene.colorBy = index % this.scene.facets.length;
    this.colors.selectedIndex = this.scene.colorBy;
    this.scene.tell("color");
  }

  nextTheme(): void {
    this.tools.nextTheme();
    this.nameTheme();
  }

  private nameTheme(): void {
    const theme = this.tools.theme();
    const label = { auto: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" }[theme];
    this.theme.replaceChildren(icon(({ auto: "auto", light: "sun", dark: "moon" } as const)[theme]));
    this.theme.setAttribute("aria-label", label);
    this.theme.title = `${label} (T)`;
  }
}
