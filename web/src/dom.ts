// Elements without a framework. Text goes in as text, never as markup.

type Props = Record<string, string | number | boolean | ((event: never) => void)>;

/** An element with attributes; a function is a listener, `true` sets a bare attribute, `false` leaves it out. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(name, value as EventListener);
    else if (value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children);
  return element;
}

const ICONS = {
  pan: "M8 2v12M2 8h12M8 2 6.3 3.7M8 2l1.7 1.7M8 14l-1.7-1.7M8 14l1.7-1.7M2 8l1.7-1.7M2 8l1.7 1.7M14 8l-1.7-1.7M14 8l-1.7 1.7",
  lasso: "M8 2.5c3.6 0 6 1.7 6 4s-2.4 4-6 4-6-1.7-6-4 2.4-4 6-4ZM5 10c-1.2.6-1.4 2.1-.2 2.7 1.3.7 1.5 1.8.4 2.6",
  box: "M2.5 5V2.5H5M11 2.5h2.5V5M13.5 11v2.5H11M5 13.5H2.5V11M6.8 2.5h2.4M6.8 13.5h2.4M2.5 6.8v2.4M13.5 6.8v2.4",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  home: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  all: "M6.5 6.5 2.5 2.5M2.5 5.5v-3h3M9.5 6.5l4-4M10.5 2.5h3v3M9.5 9.5l4 4M13.5 10.5v3h-3M6.5 9.5l-4 4M2.5 10.5v3h3",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8 13 13M13 3l-1.2 1.2M4.2 11.8 3 13",
  moon: "M13.5 9.7A5.8 5.8 0 0 1 6.3 2.5a5.8 5.8 0 1 0 7.2 7.2Z",
  auto: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM8 2v12M8 5.5h5M8 8.5h5.8M8 11.5h4.5",
  help: "M5.8 6a2.2 2.2 0 1 1 3.3 1.9c-.8.5-1.1.9-1.1 1.8M8 12.4v.1",
  close: "m4 4 8 8M12 4l-8 8",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.3 10.3 13.8 13.8",
  back: "M10 3 5 8l5 5",
  report: "M2.5 2.5v11h11M5.5 11V8.5M8.5 11V5M11.5 11V7",
  save: "M8 2.5v7.5M4.8 7 8 10.2 11.2 7M2.8 13.5h10.4",
} as const;

export type Icon = keyof typeof ICONS;

/** The same for pictures. */
export function svg(tag: string, attributes: Record<string, string | number | boolean>, ...children: (Node | string)[]): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

export const icon = (name: Icon): SVGElement => svg("svg", { viewBox: "0 0 16 16", "aria-hidden": true }, svg("path", { d: ICONS[name] }));

/** A button with an icon; its name is read out and shown as a title. */
export function iconButton(name: Icon, label: string, click: () => void, keys = ""): HTMLButtonElement {
  const title = keys ? `${label} (${keys})` : label;
  return el("button", { type: "button", class: "icon", "aria-label": label, title, click }, icon(name));
}

export const button = (label: string, click: () => void, kind = ""): HTMLButtonElement =>
  el("button", { type: "button", class: `text ${kind}`, click }, label);

export const number = (n: number): string => n.toLocaleString("en-US");

export const plural = (n: number, one: string, many = one + "s"): string => `${number(n)} ${n === 1 ? one : many}`;
