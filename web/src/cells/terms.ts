// One unit at one step, every product apart: what the equations are made of.

import { BENDS, named } from "./cell";
import { dot } from "./matrix";
import type { Network, Trace } from "./network";
import { before, zeroState } from "./stack";

/** One gate of one unit: value = bend(wx + biasX + reset * (wh + biasH)); reset is 1 but for n of a GRU. */
export interface GateTerms {
  gate: string;
  bend: string;
  /** The row of the weights. */
  row: number;
  wx: number;
  biasX: number;
  wh: number;
  biasH: number;
  reset: number;
  sum: number;
  value: number;
}

/** All of one unit at one step. */
export interface UnitTerms {
  gates: GateTerms[];
  /** States before and after the step, by name. */
  before: Record<string, number>;
  after: Record<string, number>;
}

/** Returns the terms of a unit of a layer at a step that is computed. */
export function terms(network: Network, trace: Trace, layer: number, step: number, unit: number): UnitTerms | null {
  const { stack } = network;
  const run = trace.layers[layer];
  const weights = stack?.layers[layer];
  if (!stack || !run || !weights || step >= trace.done) return null;
  const { cell, hiddenSize: H } = stack;
  const old = before(run, step, H, zeroState(cell, H));
  const h = named(old.values, "h");
  const gates = cell.gates.map((gate, g): GateTerms => {
    const row = g * H + unit;
    const wx = dot(weights.weight_ih, row, run.inputSize, run.input, step * run.inputSize);
    const wh = dot(weights.weight_hh, row, H, h, old.at);
    const [biasX, biasH] = [weights.bias_ih[row]!, weights.bias_hh[row]!];
    const reset = cell.gates[0] === "r" && gate === "n" ? named(run.values, "r")[step * H + unit]! : 1;
    const sum = wx + biasX + reset * (wh + biasH);
    const bend = cell.bends[g]!;
    return { gate, bend, row, wx, biasX, wh, biasH, reset, sum, value: BENDS[bend](sum) };
  });
  const read = (place: { values: Record<string, Float64Array>; at: number }): Record<string, number> =>
    Object.fromEntries(cell.states.map((name) => [name, named(place.values, name)[place.at + unit]!]));
  return { gates, before: read(old), after: read({ values: run.values, at: step * H }) };
}
