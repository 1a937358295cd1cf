// Where the numbers of a network come from: equations with letters, with values, and the line of PyTorch.

import type { GateTerms, UnitTerms } from "./cells/terms";
import type { Network, Trace } from "./cells/network";
import { answer } from "./cells/network";
import { before, zeroState } from "./cells/stack";
import { number } from "./numbers";
import type { Explained } from "./parts/explained";

/** At most so many products of a sum are written out. */
const MOST_PRODUCTS = 6;

/** Where a unit stands. */
export interface Cursor {
  layer: number;
  step: number;
  unit: number;
}

export const SIGNS: Record<string, string> = { sigmoid: "σ", tanh: "tanh", relu: "relu" };

/** Returns the name under which code calls the layers: "lstm", "gru", "rnn". */
export function called(network: Network): string {
  return network.facts.cell.replace("_relu", "");
}

/** Writes a sum of products, the first few of them. */
export function products(weights: ArrayLike<number>, values: ArrayLike<number>, wFrom: number, vFrom: number, count: number): string {
  const shown = Array.from({ length: Math.min(count, MOST_PRODUCTS) }, (_, j) =>
    `${number(weights[wFrom + j]!)}·${number(values[vFrom + j]!)}`,
  );
  if (count > MOST_PRODUCTS) shown.push(`… (+${count - MOST_PRODUCTS})`);
  return shown.join(" + ");
}

function vectors(network: Network, trace: Trace, { layer, step }: Cursor) {
  const run = trace.layers[layer]!;
  const H = network.facts.hidden_size;
  const old = before(run, step, H, zeroState(network.stack!.cell, H));
  return { run, H, weights: network.stack!.layers[layer]!, h: old.values["h"]!, at: old.at };
}

/** Says how one product of a gate comes about: W_ih x or W_hh h. */
export function explainProduct(network: Network, trace: Trace, cursor: Cursor, term: GateTerms, which: "ih" | "hh"): Explained {
  const { run, H, weights, h, at } = vectors(network, trace, cursor);
  const { layer, step } = cursor;
  const name = `${called(network)}.weight_${which}_l${layer}[${term.row}]`;
  const x = layer ? `h_l${layer - 1}[${step}]` : `x[${step}]`;
  return which === "ih"
    ? {
        title: `(W_i${term.gate} ${layer ? "y" : "x"})[${cursor.unit}]`,
        value: term.wx,
        equation: `Σ_j W_i${term.gate}[${cursor.unit}, j] · ${layer ? "y" : "x"}ₜ[j]`,
        filled: products(weights.weight_ih, run.input, term.row * run.inputSize, step * run.inputSize, run.inputSize),
        code: `${name} @ ${x}`,
      }
    : {
        title: `(W_h${term.gate} h)[${cursor.unit}]`,
        value: term.wh,
        equation: `Σ_j W_h${term.gate}[${cursor.unit}, j] · hₜ₋₁[j]`,
        filled: products(weights.weight_hh, h, term.row * H, at, H),
        code: `${name} @ h`,
      };
}

/** Says that a number is a learned one. */
export function explainBias(network: Network, cursor: Cursor, term: GateTerms, which: "ih" | "hh"): Explained {
  const title = `b_${which[0]}${term.gate}[${cursor.unit}]`.replace("b_h", which === "hh" ? "b_h" : "b_i");
  const value = which === "ih" ? term.biasX : term.biasH;
  const code = `${called(network)}.bias_${which}_l${cursor.layer}[${term.row}]`;
  return { title, value, equation: title, filled: number(value), code };
}

/** Says how a gate comes about. */
export function explainGate(network: Network, cursor: Cursor, term: GateTerms): Explained {
  const { layer, step, unit } = cursor;
  const [sign, g, name] = [SIGNS[term.bend]!, term.gate, called(network)];
  const reset = network.facts.cell === "gru" && g === "n";
  const [x, r] = [layer ? `h_l${layer - 1}[${step}]` : `x[${step}]`, term.row];
  const inner = `${name}.weight_hh_l${layer}[${r}] @ h + ${name}.bias_hh_l${layer}[${r}]`;
  return {
    title: `${g}[${unit}]`,
    value: term.value,
    equation: reset
      ? `${g} = ${sign}(W_i${g} x + b_i${g} + r (W_h${g} h + b_h${g}))`
      : `${g} = ${sign}(W_i${g} x + b_i${g} + W_h${g} h + b_h${g})`,
    filled: `${sign}(${number(term.wx)} + ${number(term.biasX)} + ${reset ? `${number(term.reset)} · (` : ""}${number(term.wh)} + ${number(term.biasH)}${reset ? ")" : ""}) = ${sign}(${number(term.sum)}) = ${number(term.value)}`,
    code: `torch.${term.bend}(${name}.weight_ih_l${layer}[${r}] @ ${x} + ${name}.bias_ih_l${layer}[${r}] + ${reset ? `r[${unit}] * (${inner})` : inner})`,
  };
}

/** Says how a state comes about from the gates. */
export function explainState(network: Network, cursor: Cursor, unit: UnitTerms, state: string): Explained {
  const g = Object.fromEntries(unit.gates.map(({ gate, value }) => [gate, number(value)]));
  const old = Object.fromEntries(Object.entries(unit.before).map(([name, value]) => [name, number(value)]));
  const value = unit.after[state]!;
  const k = cursor.unit;
  const known: Record<string, [equation: string, filled: string, code: string]> = {
    "lstm c": ["cₜ = f cₜ₋₁ + i g", `${g["f"]} · ${old["c"]} + ${g["i"]} · ${g["g"]}`, `f[${k}] * c[${k}] + i[${k}] * g[${k}]`],
    "lstm h": ["hₜ = o tanh(cₜ)", `${g["o"]} · tanh(${number(unit.after["c"] ?? null)})`, `o[${k}] * torch.tanh(c[${k}])`],
    "gru h": ["hₜ = (1 − z) n + z hₜ₋₁", `(1 − ${g["z"]}) · ${g["n"]} + ${g["z"]} · ${old["h"]}`, `(1 - z[${k}]) * n[${k}] + z[${k}] * h[${k}]`],
    "rnn h": ["hₜ = n", `${g["n"]}`, `n[${k}]`],
  };
  const [equation, filled, code] = known[`${called(network)} ${state}`]!;
  return { title: `${state}ₜ[${k}]`, value, equation, filled: `${filled} = ${number(value)}`, code };
}

/** Says how one number of the answer comes about. */
export function explainAnswer(network: Network, trace: Trace, output: number): Explained {
  const { facts, weights } = network;
  const parts = answer(network, trace);
  const H = facts.hidden_size;
  const top = trace.layers.at(-1)!.output;
  const skip = facts.skip_steps > 0;
  const value = parts.y[output]!;
  return {
    title: `y[${output}]`,
    value,
    equation: `y = W_head h_T + b_head${skip ? " + W_skip [x_1 … x_T]" : ""}`,
    filled: `${products(weights["head.weight"]!, top, output * H, (trace.steps - 1) * H, H)}\n= ${number(parts.recurrent[output]!)} + ${number(parts.bias[output]!)}${skip ? ` + ${number(parts.skip[output]!)}` : ""} = ${number(value)}`,
    code: `head(${called(network)}(x)[0][-1])[${output}]${skip ? ` + skip(window)[${output}]` : ""}`,
  };
}
