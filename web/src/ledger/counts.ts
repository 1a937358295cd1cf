// What a network costs: parameters, multiply-adds, steps that wait for each other, numbers kept. The twin of explain/counts.py.

import type { BackwardMemory, LayerParameters, ParameterFacts, WorkFacts } from "../facts";
import type { Structure } from "./structure";

/** Of a float32. */
const BYTES = 4;

/** Returns how many numbers are learned, of each layer and direction and in total. */
export function parametersOf(structure: Structure): ParameterFacts {
  const { sizes, directions, stateSize, skipWidth } = structure;
  const layers = Array.from({ length: sizes.num_layers * directions }, (_, k) =>
    layerOf(structure, Math.floor(k / directions), k % directions === 1),
  );
  const head = sizes.output_size * (directions * stateSize + Number(sizes.head_bias));
  const skip = sizes.output_size * sizes.skip_steps * skipWidth;
  const total = sum(layers.map((one) => one.total)) + head + skip;
  return { layers, head, skip, total, one_bias: total - sum(layers.map((one) => one.bias_hh)) };
}

function layerOf(structure: Structure, layer: number, backward: boolean): LayerParameters {
  const { sizes, gates, stateSize } = structure;
  const rows = gates * sizes.hidden_size;
  const input_size = structure.features(layer);
  const [weight_ih, weight_hh, bias] = [rows * input_size, rows * stateSize, rows * Number(sizes.bias)];
  const weight_hr = sizes.proj_size * sizes.hidden_size;
  const all = weight_ih + weight_hh + 2 * bias;
  return {
    layer, direction: backward ? "backward" : "forward", input_size,
    weight_ih, weight_hh, bias_ih: bias, bias_hh: bias, weight_hr, total: all + weight_hr, per_gate: all / gates,
  };
}

/** Returns the multiply-adds of one pass forward: one for each weight at each step, biases not counted. */
export function workOf(structure: Structure): WorkFacts {
  const { sizes, directions, stateSize, skipWidth, equations } = structure;
  const per_step = sum(parametersOf(structure).layers.map((one) => one.weight_ih + one.weight_hh + one.weight_hr));
  const readings = sizes.head === "every" ? sizes.time : 1;
  const head = readings * sizes.output_size * directions * stateSize;
  const skip = sizes.output_size * sizes.skip_steps * skipWidth;
  const per_sequence = sizes.time * per_step + head + skip;
  return {
    per_step, per_sequence, per_batch: sizes.batch * per_sequence, head, skip,
    pointwise: sizes.time * sizes.num_layers * directions * sizes.hidden_size * equations.pointwise,
    sequential_steps: sizes.time * sizes.num_layers,
  };
}

/** Returns what back-propagation through time keeps of the way forward, the input itself not counted. */
export function memoryOf({ sizes, directions, stateSize, equations }: Structure): BackwardMemory {
  const rows = sizes.batch * sizes.time * directions * sizes.num_layers;
  const gates = rows * sizes.hidden_size * equations.kept;
  const states = rows * sizes.hidden_size * (equations.states.length - 1);
  const outputs = rows * stateSize;
  const total = gates + states + outputs;
  return { gates, states, outputs, total, bytes: BYTES * total };
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
