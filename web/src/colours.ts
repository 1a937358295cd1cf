// Colours of numbers, for canvases. Blue and orange differ to every eye; the light ends are the paper's.

type Colour = readonly [number, number, number];

const LIGHT = { less: [0, 92, 150], none: [250, 248, 242], more: [205, 84, 0], open: [0, 105, 80] } as const;
const DARK = { less: [86, 180, 233], none: [32, 37, 45], more: [255, 138, 61], open: [64, 214, 168] } as const;

/** "signed": blue below 0, orange above, for values from -limit to limit. "share": from shut (0) to open (1). */
export type Scale = "signed" | "share";

const STEPS = 128;

function between(one: Colour, other: Colour, share: number): Colour {
  const at = (k: 0 | 1 | 2): number => Math.round(one[k] + (other[k] - one[k]) * share);
  return [at(0), at(1), at(2)];
}

/** Returns the function that gives a value its colour, as 0xAABBGGRR for the bytes of a canvas. */
export function painter(scale: Scale, limit: number, dark: boolean): (value: number) => number {
  const { less, none, more, open } = dark ? DARK : LIGHT;
  const word = ([r, g, b]: Colour): number => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  const table = new Uint32Array(2 * STEPS + 1);
  for (let i = -STEPS; i <= STEPS; i++) {
    const share = Math.abs(i) / STEPS;
    const end = scale === "share" ? open : i < 0 ? less : more;
    table[i + STEPS] = word(between(none, end, share ** 0.8));
  }
  const unknown = word(between(none, dark ? [255, 255, 255] : [0, 0, 0], 0.15));
  return (value) =>
    Number.isFinite(value) ? table[STEPS + Math.round(Math.min(Math.max(value / (limit || 1), -1), 1) * STEPS)]! : unknown;
}

/** Returns a colour for a style sheet. */
export function css(word: number): string {
  return `rgb(${word & 255} ${(word >> 8) & 255} ${(word >> 16) & 255})`;
}

/** Returns the largest absolute value. */
export function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!);
    if (size > most && size < Infinity) most = size;
  }
  return most;
}
