// The text of a point: under the pointer while it hovers, kept open and readable once it is pinned.
import { css } from "./color.ts";
import { el, iconButton, number } from "./dom.ts";
import { IN_NONE } from "./facet.ts";
import type { Scene } from "./scene.ts";
import { marked } from "./search.ts";
import type { Stage } from "./stage.ts";

const HOVERED = 1000; // characters of a text that are shown while hovering: seven lines are seen

export class Tip {
  private readonly hover = el("div", { class: "tip", role: "tooltip", hidden: true });
  private readonly pin = el("section", { class: "tip pinned", "aria-label": "Pinned text", hidden: true });

  constructor(
    private readonly scene: Scene,
    private readonly stage: Stage,
    private readonly openCluster: (cluster: number) => void,
    private readonly say: (text: string) => void,
  ) {
    stage.root.append(this.hover, this.pin);
    scene.listen((change) => {
      if (change === "pin" || change === "texts" || change === "theme" || change === "color") this.showPin();
    });
  }

  showHover(row: number): void {
    this.stage.hover(row);
    this.hover.hidden = row < 0 || row === this.scene.pinned;
    if (this.hover.hidden) return;
    this.hover.replaceChildren(this.facts(row), this.text(row));
    this.put(this.hover, row);
  }

  /** Pins a row, or none (-1). */
  set(row: number): void {
    if (this.scene.pinned === row) return;
    this.scene.pinned = row;
    this.hover.hidden = true;
    this.scene.tell("pin");
    if (row >= 0) this.say(this.scene.texts?.get(row).slice(0, 300) ?? "");
  }

  /** Keeps the pinned text beside its point while the map moves. */
  follow(): void {
    if (!this.pin.hidden) this.put(this.pin, this.scene.pinned);
  }

  private showPin(): void {
    const row = this.scene.pinned;
    this.pin.hidden = row < 0;
    if (row < 0) return;
    const close = iconButton("close", "Unpin", () => this.set(-1), "Esc");
    close.classList.add("close");
    this.pin.replaceChildren(this.facts(row), this.text(row), this.foot(row), close);
    this.put(this.pin, row);
  }

  private facts(row: number): HTMLElement {
    const { meta, points, facets, dark } = this.scene;
    const label = points.label[row];
    const dot = el("i", { class: "dot" });
    dot.style.background = css(facets[0].colors(dark)[facets[0].of[row]]);
    const name = meta.clusters[label]?.name ?? IN_NONE;
    return el("p", { class: "of", dir: "auto" }, dot, el("b", {}, name));
  }

  private text(row: number): HTMLElement {
    const scrolls = !this.pin.hidden && row === this.scene.pinned;
    const whole = this.scene.texts?.get(row) ?? "…";
    const text = marked(scrolls ? whole : whole.slice(0, HOVERED), this.scene.query);
    return el("p", { class: "words", dir: "auto", tabindex: scrolls ? 0 : -1 }, text);
  }

  private foot(row: number): HTMLElement {
    const { meta, points, columns } = this.scene;
    const label = points.label[row];
    const parts: (Node | string)[] = [`row ${number(row)}`];
    if (this.scene.cut?.[row]) parts.push(" · text cut");
    for (const { name, values } of columns) {
      const value = values.get(row);
      if (value) parts.push(" · ", `${name}: `, el("b", { dir: "auto" }, value.slice(0, 200)));
    }
    const foot = el("p", { class: "foot" }, el("span", {}, ...parts));
    if (meta.clusters[label]) {
      const click = () => this.openCluster(label);
      foot.append(el("button", { type: "button", class: "link", click }, "Show the cluster"));
    }
    return foot;
  }

  /** Beside the point, inside the stage; where the stage is narrow, style.css keeps it at the bottom. */
  private put(tip: HTMLElement, row: number): void {
    const { width, height } = this.stage.camera;
    const [x, y] = this.scene.points.x[row] === this.scene.points.x[row] ? this.stage.pixelOf(row) : [width / 2, height / 2];
    const w = tip.offsetWidth;
    const h = tip.offsetHeight;
    const left = x + 16 + w < width ? x + 16 : x - 16 - w;
    const top = y + 16 + h < height ? y + 16 : y - 16 - h;
    const limit = (v: number, most: number) => Math.round(Math.max(8, Math.min(most - 8, v)));
    tip.style.left = `${limit(left, width - w)}px`;
    tip.style.top = `${limit(top, height - h)}px`;
  }
}
