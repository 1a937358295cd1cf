// What the facts of a memory say: which step a lag belongs to, how many points are enough, which units forget when.

import type { MemoryFacts } from "../../facts";

/** How many steps read points of the window; steps after them read what is known ahead. */
export function stepsOf(memory: MemoryFacts): number {
  return Math.floor(memory.window / memory.patch);
}

/** Returns the step that reads the point so many points back, 0 being the newest. */
export function stepOfLag(memory: MemoryFacts, lag: number): number {
  return stepsOf(memory) - 1 - Math.floor(lag / memory.patch);
}

/** Returns the lag in points of the newest point of a step; null where the step reads none of the window. */
export function lagOfStep(memory: MemoryFacts, step: number): number | null {
  const back = stepsOf(memory) - 1 - step;
  return back < 0 ? null : back * memory.patch;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Returns the mean; NaN of nothing. */
export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/** An error is as good as that of all points where it is no more than this many times as large. */
const AS_GOOD = 1.05;

/** Returns the fewest points from which on the error stays as good as with all; null where no error is known. */
export function enough(memory: MemoryFacts): number | null {
  let fewest: number | null = null;
  for (const [given, error, all] of memory.truncation.toReversed()) {
    if (error! > AS_GOOD * all!) break;
    fewest = given!;
  }
  return fewest;
}

/** Units whose half-life lies in one stretch of a logarithmic axis. */
export interface Bin {
  /** In steps; the last bin of units that forget nothing has no end. */
  from: number;
  to: number;
  units: number[];
}

/** Returns units by half-life in bins of a factor of 2, from the shortest to beyond the window; units without one last. */
export function halfLifeBins(halfLives: readonly (number | null)[], steps: number): Bin[] {
  const known = halfLives.filter((one) => one !== null);
  const powers = [...known.filter((one) => one > 0), steps].map((one) => Math.floor(Math.log2(one)));
  const least = Math.max(Math.min(...powers), -3);
  const most = Math.max(...powers);
  const bins: Bin[] = Array.from({ length: most - least + 1 }, (_, k) => ({
    from: 2 ** (least + k), to: 2 ** (least + k + 1), units: [],
  }));
  const never: Bin = { from: Infinity, to: Infinity, units: [] };
  halfLives.forEach((one, unit) => {
    const at = one === null ? bins.length : Math.max(Math.floor(Math.log2(Math.max(one, 1e-9))) - least, 0);
    (bins[at] ?? never).units.push(unit);
  });
  return never.units.length ? [...bins, never] : bins;
}

/** Returns the middle of some numbers; null where there are none. */
export function median(values: readonly number[]): number | null {
  if (!values.length) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
