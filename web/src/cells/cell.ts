// What every cell shares: the contract of its equations, and the three functions that bend a straight line.
// The twin of cells/base.py and cells/activations.py. Knows nothing of layers, windows or the page.

/** Numbers of every step by name: gates and states, each [T, H], row after row. */
export type Values = Record<string, Float64Array>;

/** The equations of one time step, after the products with the weights. */
export interface Cell {
  /** The names of the weights' blocks of rows, in torch's order. */
  gates: readonly string[];
  /** What one step hands to the next; the first is "h". */
  states: readonly string[];
  /** How each gate bends its sum. */
  bends: readonly Bend[];
  /**
   * Writes gates and states of one step.
   *
   * @param fromX W_ih x + b_ih, [G*H]
   * @param fromH W_hh h + b_hh, [G*H]
   * @param before the states before the step by name, and where in them it begins
   * @param to where gates and states of all steps stand, and where this step begins
   */
  step(fromX: Float64Array, fromH: Float64Array, before: Place, to: Place): void;
}

/** H numbers in each of some arrays, from an index on. */
export interface Place {
  values: Values;
  at: number;
}

export type Bend = "sigmoid" | "tanh" | "relu";

export function sigmoid(a: number): number {
  const e = Math.exp(-Math.abs(a));
  return (a >= 0 ? 1 : e) / (1 + e);
}

export function relu(a: number): number {
  return Number.isNaN(a) ? a : Math.max(a, 0);
}

export const BENDS: Record<Bend, (a: number) => number> = { sigmoid, tanh: Math.tanh, relu };

/** Returns an array of a table by name; a name that is not there is a fault of the program. */
export function named(values: Values, name: string): Float64Array {
  const found = values[name];
  if (!found) throw new Error(`no values of ${name}`);
  return found;
}
