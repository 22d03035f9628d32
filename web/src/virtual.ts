// A list of rows of one height of which only those in sight exist: ten rows or a million cost the same.
import { el } from "./dom.ts";

export class VirtualList {
  readonly root: HTMLElement;
  private readonly inner: HTMLElement;
  private count = 0;
  private first = -1;
  private last = -1;

  /** `make` builds row i: one element, which gets its place here. Arrow keys walk from row to row. */
  constructor(
    label: string,
    private readonly height: number,
    private readonly make: (index: number) => HTMLElement,
  ) {
    this.inner = el("div", { role: "list", "aria-label": label });
    this.root = el("div", { class: "scroll", scroll: () => this.render(), keydown: (e: KeyboardEvent) => this.walk(e) }, this.inner);
    new ResizeObserver(() => this.render()).observe(this.root);
  }

  /** Shows `count` rows anew; from the top if `rewind`. */
  show(count: number, rewind = false): void {
    this.count = count;
    this.inner.style.height = `${count * this.height}px`;
    this.inner.setAttribute("role", count ? "list" : "none");
    if (rewind) this.root.scrollTop = 0;
    const focused = this.inner.contains(document.activeElement) ? this.focusPath() : null;
    this.first = this.last = -1;
    this.render();
    if (focused) this.restore(focused);
  }

  private render(): void {
    const first = Math.max(0, Math.floor(this.root.scrollTop / this.height) - 6);
    const sight = Math.max(this.root.clientHeight, 1);
    const last = Math.min(this.count, Math.ceil((this.root.scrollTop + sight) / this.height) + 6);
    if (first === this.first && last === this.last) return;
    const focused = this.inner.contains(document.activeElement) ? this.focusPath() : null;
    [this.first, this.last] = [first, last];
    const rows: HTMLElement[] = [];
    for (let i = first; i < last; i++) {
      const row = this.make(i);
      row.setAttribute("role", "listitem");
      row.setAttribute("aria-setsize", String(this.count));
      row.setAttribute("aria-posinset", String(i + 1));
      row.dataset.index = String(i);
      row.style.transform = `translateY(${i * this.height}px)`;
      row.style.height = `${this.height}px`;
      rows.push(row);
    }
    this.inner.replaceChildren(...rows);
    if (focused) this.restore(focused);
  }

  /** Which control of which row has the focus: rows are made anew, the focus must not be lost. */
  private focusPath(): [number, number] {
    const active = document.activeElement as HTMLElement;
    const row = active.closest<HTMLElement>("[data-index]");
    return [Number(row?.dataset.index ?? -1), row ? controls(row).indexOf(active) : 0];
  }

  private restore([index, control]: [number, number]): void {
    const row = this.inner.querySelector<HTMLElement>(`[data-index="${index}"]`);
    if (row) controls(row)[Math.max(0, control)]?.focus({ preventScroll: true });
  }

  private walk(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -this.count, End: this.count }[event.key];
    if (step === undefined || !this.inner.contains(document.activeElement)) return;
    event.preventDefault();
    event.stopPropagation();
    const [index, control] = this.focusPath();
    const target = Math.max(0, Math.min(this.count - 1, index + step));
    const top = target * this.height;
    if (top < this.root.scrollTop) this.root.scrollTop = top;
    const below = top + this.height - this.root.clientHeight;
    if (below > this.root.scrollTop) this.root.scrollTop = below;
    this.render();
    this.restore([target, control]);
  }
}

const controls = (row: HTMLElement): HTMLElement[] => [...row.querySelectorAll<HTMLElement>("button, input")];
