// The side: search on top; below it the list that filters, the hits of a search, or the card of one cluster.
import { css } from "./color.ts";
import { button, el, icon, iconButton, number, plural } from "./dom.ts";
import { exportRows } from "./export.ts";
import type { Report } from "./report.ts";
import { ReportView } from "./reportview.ts";
import type { Scene } from "./scene.ts";
import { excerpt, find, marked, words } from "./search.ts";
import { VirtualList } from "./virtual.ts";

export interface Moves {
  toRow(row: number): void; // fly there and pin it
  toCluster(cluster: number): void; // fly there and open its card
  toItem(item: number): void; // fly to the rows of an item of the colouring
}

type Line = { group: number; items: number[] } | { item: number };

export class Panel {
  readonly search = el("input", {
    type: "search",
    id: "search",
    placeholder: "Search the texts",
    "aria-label": "Search the texts",
    autocomplete: "off",
    spellcheck: false,
    maxlength: 500,
    enterkeyhint: "search",
    input: () => this.later(),
    keydown: (event: KeyboardEvent) => this.searchKey(event),
  });
  private readonly root = document.getElementById("side") as HTMLElement;
  private readonly body = el("div", { class: "body" });
  private readonly filter = el("input", { type: "search", class: "filter", autocomplete: "off", input: () => this.relist(true) });
  private readonly list = new VirtualList("Clusters", matchMedia("(pointer: coarse)").matches ? 40 : 32, (i) => this.line(this.lines[i]));
  private readonly hits = new VirtualList("Texts found", 64, (i) => this.hit(i));
  private readonly listHead = el("div", { class: "head" });
  private readonly hitsHead = el("div", { class: "head" });
  private readonly report: ReportView | null;
  private before: Element | null = null; // had the focus when the report was opened
  private lines: Line[] = [];
  private timer = 0;

  constructor(
    private readonly scene: Scene,
    private readonly moves: Moves,
    private readonly say: (text: string) => void,
    report: Report | null,
  ) {
    this.report = report && new ReportView(scene, report, (item) => this.pick(item), () => this.showReport(false));
    const box = el("div", { class: "searchbox", role: "search" }, icon("search"), this.search);
    this.root.append(box, this.body);
    scene.listen((change) => {
      if (change === "hits" || change === "focus" || change === "report" || change === "color" || change === "theme") this.show();
      if (change === "filter") this.relist(false);
      if (change === "texts" && this.search.value) this.run();
    });
    this.show();
  }

  /** Puts a query in and runs it at once. */
  run(): void {
    clearTimeout(this.timer);
    const { scene } = this;
    const all = words(this.search.value);
    if (!all.length || !scene.texts) {
      this.hits.show(0);
      if (scene.hits) scene.setHits(null, []);
      return;
    }
    scene.focus = -1;
    this.showReport(false);
    scene.setHits(find(scene.texts, all), all);
    this.say(`${plural(scene.hits?.length ?? 0, "text")} found`);
  }

  /** Opens the report or closes it; the focus goes to it and back. */
  showReport(on: boolean): void {
    const { scene, report } = this;
    if (!report || (scene.report === on && !(on && scene.focus >= 0))) return;
    const isWithin = report.root.contains(document.activeElement);
    if (on && !scene.report) this.before = document.activeElement;
    scene.report = on;
    if (on) {
      scene.focus = -1;
      scene.tell("focus");
    }
    scene.tell("report");
    if (on) report.focus();
    else if (isWithin) (this.before instanceof HTMLElement && this.before !== document.body ? this.before : document.getElementById("map"))?.focus({ preventScroll: true });
  }

  clearSearch(): void {
    this.search.value = "";
    this.run();
  }

  private later(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.run(), this.scene.meta.rows > 300_000 ? 300 : 130);
  }

  private searchKey(event: KeyboardEvent): void {
    if (event.key === "Enter") this.run();
    if (event.key === "Escape" && this.search.value) {
      this.clearSearch();
      event.stopPropagation();
    }
    if (event.key === "ArrowDown") {
      event.preventDefault();
      this.body.querySelector<HTMLElement>(".scroll button, .scroll input")?.focus();
    }
  }

  private show(): void {
    const { scene } = this;
    if (scene.focus >= 0) this.body.replaceChildren(this.card(scene.focus));
    else if (scene.report && this.report) this.body.firstChild === this.report.root || this.body.replaceChildren(this.report.root);
    else if (scene.hits) this.showHits(scene.hits);
    else this.showList();
  }

  /** Selects the rows of a cluster, or of none, or takes the selection back. */
  private pick(item: number): void {
    const { scene } = this;
    scene.select(scene.isSelected(item) ? null : rowsOf(scene, item < scene.meta.clusters.length ? item : -1));
  }

  // Hits.

  private showHits(hits: Uint32Array): void {
    const save = button("Export CSV", () => exportRows(this.scene, hits, "hits"));
    save.disabled = hits.length === 0;
    const title = el("h2", {}, hits.length ? `${plural(hits.length, "text")} found` : "Nothing found");
    this.hitsHead.replaceChildren(title, save);
    const hint = (text: string) => el("p", { class: "hint" }, text);
    const cut = this.scene.cut ? [hint(this.cutNote(this.scene.cut))] : [];
    const found = hits.length ? this.hits.root : hint("Every word must occur, in any order; capitals do not matter.");
    this.body.replaceChildren(this.hitsHead, ...cut, found);
    this.hits.show(hits.length, true);
  }

  private cutNote(cut: Uint8Array): string {
    const count = cut.reduce((sum, c) => sum + c, 0);
    return `Of ${plural(count, "long text")} only the first ${number(this.scene.meta.text_limit)} bytes are in this page and searched.`;
  }

  private hit(index: number): HTMLElement {
    const { scene } = this;
    const row = (scene.hits as Uint32Array)[index];
    const text = excerpt(scene.texts?.get(row) ?? "", scene.query);
    const click = () => this.moves.toRow(row);
    return el("div", { class: "hit" }, el("button", { type: "button", click }, this.dot(row), text));
  }

  private dot(row: number): HTMLElement {
    const { facet, dark } = this.scene;
    return this.swatch(css(facet.colors(dark)[facet.of[row]] ?? [128, 128, 128]));
  }

  private swatch(color: string): HTMLElement {
    const dot = el("i", { class: "dot" });
    dot.style.background = color;
    return dot;
  }

  // The list.

  private showList(): void {
    const { facet } = this.scene;
    this.filter.placeholder = `Filter ${plural(facet.items.length, "name")}`;
    this.filter.setAttribute("aria-label", `Filter the list by name`);
    const isLong = facet.items.length > 24;
    if (!isLong) this.filter.value = "";
    this.body.replaceChildren(this.listHead, ...(isLong ? [el("div", { class: "filterbox" }, this.filter)] : []), this.list.root);
    this.relist(true);
  }

  private relist(rewind: boolean): void {
    const { facet } = this.scene;
    const wanted = this.filter.value.trim().toLowerCase();
    const shown = facet.items.map((_, i) => i).filter((i) => facet.items[i].name.toLowerCase().includes(wanted));
    const sections = facet.groups.map((_, group) => {
      const items = shown.filter((i) => facet.items[i].group === group);
      return { group, items: facet.ordered ? items : items.sort((a, b) => facet.items[b].size - facet.items[a].size || a - b) };
    });
    const size = (items: number[]) => items.reduce((sum, i) => sum + facet.items[i].size, 0);
    const last = facet.groups.length - 1; // what is in no group stays at the end
    const rank = (s: { group: number; items: number[] }) => (s.group === last && facet.groups[last] === "Other" ? -1 : size(s.items));
    this.lines = [];
    for (const section of sections.filter((s) => s.items.length).sort((a, b) => rank(b) - rank(a))) {
      if (facet.groups[section.group]) this.lines.push(section);
      for (const item of section.items) this.lines.push({ item });
    }
    this.head(shown);
    this.list.show(this.lines.length, rewind);
  }

  private head(shown: number[]): void {
    const { facet } = this.scene;
    const off = facet.hidden.reduce((sum, h) => sum + h, 0);
    const title = facet.title === "Cluster" ? "Clusters" : facet.title;
    const set = (hide: boolean) => () => this.hide(shown, hide);
    const whole = facet.items.length;
    const count = off ? `${number(whole - off)} of ${number(whole)}` : number(title === "Clusters" ? this.scene.meta.clusters.length : whole);
    const held = document.activeElement?.textContent ?? "";
    const again = this.listHead.contains(document.activeElement);
    const all = button("All", set(false), "small");
    const none = button("None", set(true), "small");
    this.listHead.replaceChildren(el("h2", {}, title, " ", el("span", { class: "count" }, count)), all, none);
    if (again) (held === "All" ? all : none).focus();
  }

  private hide(items: number[], hide: boolean): void {
    for (const item of items) this.scene.facet.hidden[item] = hide ? 1 : 0;
    this.scene.tell("filter");
  }

  private line(line: Line): HTMLElement {
    return "item" in line ? this.itemLine(line.item) : this.groupLine(line.group, line.items);
  }

  private groupLine(group: number, items: number[]): HTMLElement {
    const { facet } = this.scene;
    const off = items.filter((i) => facet.hidden[i]).length;
    const size = items.reduce((sum, i) => sum + facet.items[i].size, 0);
    const box = this.checkbox(`Show group ${facet.groups[group]}`, off === 0, (on) => this.hide(items, !on));
    box.indeterminate = off > 0 && off < items.length;
    return el("div", { class: "row group" }, box, el("span", { class: "name", title: facet.groups[group] }, facet.groups[group]),
      el("span", { class: "size" }, number(size)));
  }

  private itemLine(item: number): HTMLElement {
    const { facet, dark } = this.scene;
    const { name, size } = facet.items[item];
    const box = this.checkbox(`Show ${name}`, !facet.hidden[item], (on) => this.hide([item], !on));
    const click = () => this.moves.toItem(item);
    const go = el("button", { type: "button", class: "name", title: name, dir: "auto", click }, name);
    return el("div", { class: "row" }, box, this.swatch(css(facet.colors(dark)[item])), go, el("span", { class: "size" }, number(size)));
  }

  private checkbox(label: string, checked: boolean, change: (on: boolean) => void): HTMLInputElement {
    const box = el("input", { type: "checkbox", "aria-label": label, change: () => change(box.checked) });
    box.checked = checked;
    return box;
  }

  // The card of a cluster.

  private card(cluster: number): HTMLElement {
    const { scene } = this;
    const { name, words: all, size, group, medoids } = scene.meta.clusters[cluster];
    const color = css(scene.facets[0].colors(scene.dark)[cluster]);
    const back = iconButton("back", scene.report ? "Back to the report" : "Back to the list", () => this.closeCard());
    const share = scene.meta.rows ? ((100 * size) / scene.meta.rows).toFixed(size * 20 < scene.meta.rows ? 1 : 0) : "0";
    const members = () => rowsOf(scene, cluster);
    const chip = (word: string) =>
      el("button", { type: "button", class: "chip", title: `Search for ${word}`, click: () => this.searchFor(word) }, word);
    const typical = medoids.map((row) =>
      el("li", {}, el("button", { type: "button", class: "typical", click: () => this.moves.toRow(row) }, marked(scene.texts?.get(row).slice(0, 400) ?? "", []))),
    );
    const groupName = scene.meta.groups[group]?.name;
    return el("section", { class: "card", "aria-label": `Cluster ${name}` },
      el("div", { class: "head" }, back, el("span", { class: "crumb" }, groupName ?? "Cluster")),
      el("h2", { tabindex: -1, dir: "auto" }, this.swatch(color), name.replaceAll(" ·", "\u00a0·")),
      el("p", { class: "facts" }, `${plural(size, "text")} · ${share} % of the map`),
      ...(all.length ? [el("h3", {}, "Words"), el("div", { class: "chips" }, ...all.map(chip))] : []),
      ...(typical.length ? [el("h3", {}, "Most typical"), el("ol", { class: "typicals" }, ...typical)] : []),
      el("div", { class: "actions" },
        button("Select all", () => scene.select(members())),
        button("Only this", () => this.only(cluster)),
        button("Export CSV", () => exportRows(scene, members(), "cluster"))),
    );
  }

  private closeCard(): void {
    this.scene.focus = -1;
    this.scene.tell("focus");
    this.search.focus({ preventScroll: true });
  }

  private searchFor(word: string): void {
    this.search.value = word;
    this.run();
  }

  private only(cluster: number): void {
    const { hidden } = this.scene.facets[0];
    hidden.fill(1);
    hidden[cluster] = 0;
    this.scene.focus = -1;
    this.scene.tell("filter");
    this.show();
  }
}

export function rowsOf(scene: Scene, cluster: number): Uint32Array {
  const rows: number[] = [];
  const { label } = scene.points;
  for (let i = 0; i < label.length; i++) if (label[i] === cluster) rows.push(i);
  return Uint32Array.from(rows);
}
