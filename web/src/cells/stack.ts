// Layers on top of each other, run step by step. The twin of cells/stack.py.
//
//   y_0 = x;  y_k = run(layer k, y_{k-1}), with `residual` plus y_{k-1} where k > 1
//   with dilation d, state_t = step(x_t, state_{t-d}), and zeros before the first d steps

import type { Cell, Place, Values } from "./cell";
import { named } from "./cell";
import { affine } from "./matrix";

/** The learned numbers of one layer, under torch's names, row after row. */
export interface Weights {
  weight_ih: Float64Array;
  weight_hh: Float64Array;
  bias_ih: Float64Array;
  bias_hh: Float64Array;
}

/** One layer's run over a window. */
export interface LayerTrace {
  /** What the layer reads, [T, I] or [T, H]. */
  input: Float64Array;
  inputSize: number;
  /** Gates and states by name, [T, H] each. */
  values: Values;
  /** What it gives to what is above it, [T, H]. */
  output: Float64Array;
  dilation: number;
}

/** All that is needed to run layers. */
export interface Stack {
  cell: Cell;
  layers: Weights[];
  hiddenSize: number;
  residual: boolean;
  dilations: number[];
}

/** Returns the layers of a run that has not begun: their arrays wait for numbers. */
export function emptyLayers(stack: Stack, x: Float64Array, steps: number): LayerTrace[] {
  const H = stack.hiddenSize;
  let input = x;
  return stack.layers.map((_, k) => {
    const names = [...stack.cell.gates, ...stack.cell.states];
    const values: Values = Object.fromEntries(names.map((name) => [name, new Float64Array(steps * H)]));
    const summed = stack.residual && k > 0;
    const output = summed ? new Float64Array(steps * H) : named(values, "h");
    const layer = {
      input, inputSize: k ? H : x.length / steps, values, output, dilation: stack.dilations[k] ?? 1,
    };
    input = output;
    return layer;
  });
}

/** Where the state before step t of a layer stands; `zeros` before the first. */
export function before(layer: LayerTrace, t: number, H: number, zeros: Values): Place {
  const from = t - layer.dilation;
  return from < 0 ? { values: zeros, at: 0 } : { values: layer.values, at: from * H };
}

/** Returns states of zeros. */
export function zeroState(cell: Cell, H: number): Values {
  return Object.fromEntries(cell.states.map((name) => [name, new Float64Array(H)]));
}

/** Runs all layers one step further. */
export function runStep(stack: Stack, layers: LayerTrace[], t: number, zeros: Values): void {
  const H = stack.hiddenSize;
  const fromX = new Float64Array(stack.cell.gates.length * H);
  const fromH = new Float64Array(fromX.length);
  layers.forEach((layer, k) => {
    const weights = stack.layers[k]!;
    const old = before(layer, t, H, zeros);
    affine(weights.weight_ih, weights.bias_ih, layer.input, t * layer.inputSize, fromX);
    affine(weights.weight_hh, weights.bias_hh, named(old.values, "h"), old.at, fromH);
    stack.cell.step(fromX, fromH, old, { values: layer.values, at: t * H });
    const h = named(layer.values, "h");
    if (layer.output !== h)
      for (let j = t * H; j < (t + 1) * H; j++) layer.output[j] = h[j]! + layer.input[j]!;
  });
}
