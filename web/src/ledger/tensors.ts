// Every tensor of a network with named axes. The twin of explain/tensors.py.

import type { Axis, EqualAxes, TensorFact } from "../facts";
import { Code } from "./code";
import type { Structure } from "./structure";

type Role = TensorFact["role"];

/** Returns every tensor of a network, in the order in which they are met. */
export function tensorsOf(structure: Structure): TensorFact[] {
  const { sizes, directions, equations, stateSize } = structure;
  const code = new Code(structure);
  const letters: Record<string, number> = {
    T: sizes.time, B: sizes.batch, I: sizes.input_size, H: sizes.hidden_size, R: sizes.proj_size,
    L: sizes.num_layers, D: directions, G: structure.gates, O: sizes.output_size, J: structure.skipWidth,
  };
  const h = stateSize === sizes.hidden_size ? "H" : "R";
  const both = directions > 1 ? "D*" : "";
  const above = both + h;
  const axes = (...names: string[]): Axis[] =>
    names.map((letter) => ({ letter, size: product(letter.split("*").map((one) => letters[one]!)) }));
  const sequence = (features: string): Axis[] => axes(...(sizes.batch_first ? "BT" : "TB"), features);
  const state = (name: string): Axis[] => axes(`${both}L`, "B", name === "h" ? h : "H");

  const found = [tensor("input", "data", sequence("I"), code.input)];
  for (let layer = 0; layer < sizes.num_layers; layer++)
    for (let direction = 0; direction < directions; direction++) {
      const suffix = `_l${layer}${direction ? "_reverse" : ""}`;
      for (const [name, ...letters] of weightsOf(structure, layer === 0 ? "I" : above, h))
        found.push(tensor(name + suffix, "weight", axes(...letters), code.weight(name + suffix), letters[0] === "G*H" ? equations.gates : []));
    }
  for (const name of equations.states) found.push(tensor(`${name}_0`, "state", state(name), code.firstState(name)));
  found.push(tensor("output", "output", sequence(above), code.run));
  for (const name of equations.states) found.push(tensor(`${name}_n`, "state", state(name), code.run));
  if (!sizes.output_size) return found;

  found.push(tensor("head.weight", "weight", axes("O", above), "head.weight"));
  if (sizes.head_bias) found.push(tensor("head.bias", "weight", axes("O"), "head.bias"));
  const read = structure.skipWidth === sizes.input_size ? "T*I" : "T*J";
  if (sizes.skip_steps) found.push(tensor("skip.weight", "weight", axes("O", read), "skip.weight"));
  found.push(tensor("forecast", "forecast", sizes.head === "every" ? sequence("O") : axes("B", "O"), code.forecast));
  return found;
}

/** Returns where axes of one tensor have the same size, so that a swap cannot raise an error. */
export function equalAxesOf(tensors: readonly TensorFact[]): EqualAxes[] {
  return tensors.flatMap(({ name, axes }) =>
    [...new Set(axes.map((axis) => axis.size))]
      .map((size) => ({ size, tensor: name, letters: axes.filter((axis) => axis.size === size).map((axis) => axis.letter) }))
      .filter(({ size, letters }) => size > 1 && letters.length > 1),
  );
}

/** Returns name and axes of the weights of a layer in one direction, in torch's order. */
function weightsOf({ sizes }: Structure, below: string, h: string): [string, ...string[]][] {
  return [
    ["weight_ih", "G*H", below],
    ["weight_hh", "G*H", h],
    ...(sizes.bias ? ([["bias_ih", "G*H"], ["bias_hh", "G*H"]] as [string, string][]) : []),
    ...(sizes.proj_size ? ([["weight_hr", "R", "H"]] as [string, string, string][]) : []),
  ];
}

function tensor(name: string, role: Role, axes: Axis[], code: string, gates: readonly string[] = []): TensorFact {
  return { name, role, axes, count: product(axes.map((axis) => axis.size)), code, gates: [...gates] };
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}
