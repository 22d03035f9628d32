import { el, iconButton } from "./dom.ts";

const KEYS: [string, string][] = [
  ["Drag, arrow keys", "move the map"],
  ["Wheel, pinch, + and −", "zoom"],
  ["0", "the first view"],
  ["A", "all texts, also those that lie far out"],
  ["Point, click, tap", "read a text, pin it"],
  ["Click a name", "open the card of a cluster"],
  ["Enter", "pin the text nearest to the middle"],
  ["Shift + drag", "select a box"],
  ["V, L, B", "hand, lasso, box"],
  ["Shift, Alt while drawing", "add to the selection, take away"],
  ["S", "select what is in view"],
  ["C", "colour by cluster, or by the next column"],
  ["R", "how the clusters were found"],
  ["/", "search the texts"],
  ["T", "light, dark, as the system"],
  ["Esc", "unpin, clear, close"],
];

export function makeHelp(madeBy: string, hasReport: boolean): HTMLDialogElement {
  const rows = KEYS.filter(([key]) => key !== "R" || hasReport).flatMap(([key, what]) => [el("dt", {}, key), el("dd", {}, what)]);
  const dialog: HTMLDialogElement = el("dialog", { id: "help", "aria-labelledby": "help-title", click: (e: MouseEvent) => {
    if (e.target === dialog) dialog.close();
  } });
  const close = iconButton("close", "Close", () => dialog.close(), "Esc");
  dialog.append(
    el("div", { class: "head" }, el("h2", { id: "help-title" }, "How to use this map"), close),
    el("p", {}, "Each point is a text. Texts that mean alike lie close together; how far groups lie apart says less."),
    el("dl", {}, ...rows),
    el("p", { class: "hint" }, `All data is inside this file; nothing is fetched or sent. Made by ${madeBy || "shoal"}.`),
  );
  document.body.append(dialog);
  return dialog;
}
