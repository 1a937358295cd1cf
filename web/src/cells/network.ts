// The forecasting network: layers, a linear head, a linear skip from the window to the answer.
// The twin of cells/network.py.
//
//   y = W_head h + b_head + W_skip [x_1 ... x_T],  h: what the top layer gives after the last step

import { unpacked } from "../blocks";
import type { NetworkFacts } from "../facts";
import { CELLS } from "./index";
import { dot } from "./matrix";
import { emptyLayers, runStep, zeroState, type LayerTrace, type Stack, type Weights } from "./stack";

const NOTHING = new Float64Array(0);

/** A network with its weights, ready to run. */
export interface Network {
  facts: NetworkFacts;
  /** By torch's names, row after row. */
  weights: Record<string, Float64Array>;
  /** null where the page does not know the cell's equations. */
  stack: Stack | null;
}

/** One window's run through a network. */
export interface Trace {
  x: Float64Array;
  steps: number;
  /** How many steps are computed already. */
  done: number;
  layers: LayerTrace[];
}

/** Returns the network of the facts. */
export function makeNetwork(facts: NetworkFacts): Network {
  const weights = Object.fromEntries(Object.entries(facts.weights).map(([name, block]) => [name, unpacked(block)]));
  return withWeights(facts, weights);
}

/** Returns a network of the same shape with other weights. */
export function withWeights(facts: NetworkFacts, weights: Record<string, Float64Array>): Network {
  const cell = CELLS[facts.cell];
  if (!cell) return { facts, weights, stack: null };
  const of = (name: string, layer: number): Float64Array => weights[`${name}_l${layer}`] ?? NOTHING;
  const layers: Weights[] = Array.from({ length: facts.num_layers }, (_, k) => ({
    weight_ih: of("weight_ih", k), weight_hh: of("weight_hh", k), bias_ih: of("bias_ih", k), bias_hh: of("bias_hh", k),
  }));
  const { hidden_size: hiddenSize, residual, dilations } = facts;
  return { facts, weights, stack: { cell, layers, hiddenSize, residual, dilations } };
}

/** Returns the run of a window that has not begun. */
export function begin(stack: Stack, x: Float64Array, inputSize: number): Trace {
  const steps = x.length / inputSize;
  return { x, steps, done: 0, layers: emptyLayers(stack, x, steps) };
}

/** Goes on with a run until it is done or `until` (of performance.now) has come. */
export function advance(stack: Stack, trace: Trace, until = Infinity): void {
  const zeros = zeroState(stack.cell, stack.hiddenSize);
  while (trace.done < trace.steps) {
    runStep(stack, trace.layers, trace.done, zeros);
    trace.done++;
    if (performance.now() >= until) return;
  }
}

/** What an answer is made of: bias, skip and recurrent part add up to it. Each [O]. */
export interface Answer {
  bias: Float64Array;
  skip: Float64Array;
  recurrent: Float64Array;
  /** The answer itself. */
  y: Float64Array;
}

/** Returns the answer after a step; the skip is only in it after the last one, since it reads the whole window. */
export function answer(network: Network, trace: Trace, step = trace.steps - 1): Answer {
  const { facts, weights } = network;
  const O = facts.output_size;
  const H = facts.hidden_size;
  const top = trace.layers.at(-1)!.output;
  const bias = Float64Array.from(weights["head.bias"] ?? new Float64Array(O));
  const head = weights["head.weight"] ?? new Float64Array(O * H);
  const recurrent = new Float64Array(O).map((_, k) => dot(head, k, H, top, step * H));
  const skip = new Float64Array(O);
  const skipWeight = weights["skip.weight"];
  if (skipWeight && step === trace.steps - 1) {
    const read = skipped(facts, trace.x);
    for (let k = 0; k < O; k++) skip[k] = dot(skipWeight, k, read.length, read);
  }
  return { bias, skip, recurrent, y: bias.map((b, k) => b + recurrent[k]! + skip[k]!) };
}

/** What the skip reads: the first J features of each of the last steps, oldest first. */
function skipped(facts: NetworkFacts, x: Float64Array): Float64Array {
  const I = facts.input_size;
  const J = facts.skip_inputs || I;
  const first = x.length / I - facts.skip_steps;
  const read = new Float64Array(facts.skip_steps * J);
  for (let t = 0; t < facts.skip_steps; t++)
    for (let j = 0; j < J; j++) read[t * J + j] = x[(first + t) * I + j]!;
  return read;
}
