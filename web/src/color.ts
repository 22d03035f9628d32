// Colours: OKLCH, so that equal steps look equal in both themes.

export type Rgb = [number, number, number]; // 0 to 255

/** OKLCH to sRGB (Ottosson 2020); chroma is lowered until the colour exists on a screen. h in degrees. */
export function oklch(l: number, c: number, h: number): Rgb {
  for (let chroma = c; ; chroma -= 0.005) {
    const rgb = linear(l, Math.max(0, chroma), (h * Math.PI) / 180);
    if (chroma <= 0 || rgb.every((v) => v > -1e-4 && v < 1 + 1e-4))
      return rgb.map((v) => Math.round(255 * gamma(Math.max(0, Math.min(1, v))))) as Rgb;
  }
}

function linear(l: number, c: number, h: number): [number, number, number] {
  const a = c * Math.cos(h);
  const b = c * Math.sin(h);
  const long = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const middle = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * middle + 1.707614701 * short,
  ];
}

const gamma = (v: number): number => (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055);

/**
 * Hues by the angle around the map's middle, so that neighbours look related. A cluster takes room on the wheel by the
 * root of its size, so that big clusters side by side still differ; lightness goes in three steps for the same end.
 */
export function clusterColors(places: [number, number][], sizes: number[], dark: boolean): Rgb[] {
  const angle = places.map(([x, y]) => Math.atan2(y, x));
  const order = places.map((_, i) => i).sort((a, b) => angle[a] - angle[b] || a - b);
  const room = sizes.map((s) => Math.sqrt(Math.max(1, s)));
  const total = room.reduce((sum, r) => sum + r, 0) || 1;
  const colors: Rgb[] = new Array(places.length);
  let before = 0;
  order.forEach((i, rank) => {
    const hue = ((before + room[i] / 2) / total) * 360 + 20;
    before += room[i];
    const step = [0, 0.085, -0.06][rank % 3];
    colors[i] = dark ? oklch(0.76 + step, 0.14, hue) : oklch(0.61 + step, 0.16, hue);
  });
  return colors;
}

/** Colours for the most frequent values of a column: far apart from one to the next. */
export function categoryColors(count: number, dark: boolean): Rgb[] {
  const hues = [255, 45, 150, 345, 85, 200, 300, 120, 20, 230, 60, 175, 325, 275, 105, 5];
  return Array.from({ length: count }, (_, i) => {
    const step = i < 8 ? 0 : dark ? 0.08 : -0.1;
    return dark ? oklch(0.77 + step, 0.14, hues[i % 16]) : oklch(0.63 + step, 0.17, hues[i % 16]);
  });
}

/** Colours from low to high values: yellow to green to violet, each darker than the one before, on dark ground lighter. */
export function rampColors(count: number, dark: boolean): Rgb[] {
  return Array.from({ length: count }, (_, i) => {
    const t = count > 1 ? i / (count - 1) : 1;
    return dark ? oklch(0.52 + 0.34 * t, 0.14, 300 - 200 * t) : oklch(0.78 - 0.36 * t, 0.14, 95 + 200 * t);
  });
}

export const grey = (dark: boolean): Rgb => (dark ? [104, 110, 120] : [168, 172, 178]);

export const css = ([r, g, b]: Rgb): string => `rgb(${r} ${g} ${b})`;

/** A colour as text on the map: darker on light ground, lighter on dark. */
export function ink([r, g, b]: Rgb, dark: boolean): string {
  const to = dark ? 255 : 0;
  const share = dark ? 0.45 : 0.5;
  const mix = (v: number) => Math.round(v + (to - v) * share);
  return `rgb(${mix(r)} ${mix(g)} ${mix(b)})`;
}
