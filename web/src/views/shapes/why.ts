// Where the numbers of a ledger come from: equations of its own numbers.

import type { LayerParameters, LedgerFacts, TensorFact } from "../../facts";
import { count } from "../../numbers";
import type { Explained } from "../../parts/explained";

type Term = readonly [name: string, value: number];

const PARTS = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"] as const;

function explained(title: string, value: number, operator: string, terms: readonly Term[], code: string): Explained {
  const [equation, filled] = [0, 1].map((at) =>
    terms.map((term) => (at ? count(term[1]) : term[0])).join(` ${operator} `),
  ) as [string, string];
  return { title, value, equation, filled: `${filled} = ${count(value)}`, code };
}

/** How many numbers a tensor has. */
export function tensorWhy(title: string, tensor: TensorFact): Explained {
  const name = tensor.role === "data" ? "x" : tensor.role === "weight" ? tensor.code : tensor.name;
  return explained(title, tensor.count, "·", tensor.axes.map(({ letter, size }) => [letter, size]), `${name}.numel()`);
}

/** The parts of a layer's parameters that there are. */
export function partsOf(layers: readonly LayerParameters[]): readonly (typeof PARTS)[number][] {
  return PARTS.filter((name) => layers.some((one) => one[name]));
}

function termsOf(one: LayerParameters): Term[] {
  return partsOf([one]).map((name) => [name, one[name]]);
}

/** The name that torch puts behind the weights of a layer. */
export function suffix(one: LayerParameters): string {
  return `_l${one.layer}${one.direction === "backward" ? "_reverse" : ""}`;
}

export function layerWhy(title: string, one: LayerParameters): Explained {
  const names = partsOf([one]).map((name) => `layer.${name}${suffix(one)}`);
  return explained(title, one.total, "+", termsOf(one), `sum(p.numel() for p in (${names.join(", ")}))`);
}

export function gateWhy(title: string, one: LayerParameters, gates: number): Explained {
  const terms = termsOf(one).filter(([name]) => name !== "weight_hr");
  const [names, values] = [terms.map(([name]) => name), terms.map(([, value]) => count(value))];
  return {
    title, value: one.per_gate,
    equation: `(${names.join(" + ")}) / G`,
    filled: `(${values.join(" + ")}) / ${gates} = ${count(one.per_gate)}`,
    code: `sum(p.numel() for p in (${names.map((name) => `layer.${name}${suffix(one)}`).join(", ")})) // ${gates}`,
  };
}

export function totalWhy(title: string, { parameters }: LedgerFacts): Explained {
  const { layers, head, skip, total } = parameters;
  const terms: Term[] = layers.map((one) => [suffix(one).slice(1), one.total]);
  if (head) terms.push(["head", head]);
  if (skip) terms.push(["skip", skip]);
  const modules = ["layer", ...(head ? ["head"] : []), ...(skip ? ["skip"] : [])].join(", ");
  return explained(title, total, "+", terms, `sum(p.numel() for m in (${modules}${modules.includes(",") ? "" : ","}) for p in m.parameters())`);
}

export function oneBiasWhy(title: string, { parameters }: LedgerFacts): Explained {
  const { layers, total, one_bias } = parameters;
  const terms: Term[] = [["total", total], ...layers.map((one): Term => [`bias_hh${suffix(one)}`, one.bias_hh])];
  return explained(title, one_bias, "−", terms, `total - sum(p.numel() for n, p in layer.named_parameters() if "bias_hh" in n)`);
}

const WEIGHTS = `sum(p.numel() for n, p in layer.named_parameters() if "weight" in n)`;

/** How a number of the work or of the memory comes about; the title is the reader's. */
export function costWhy(name: Cost, title: string, facts: LedgerFacts): Explained {
  const { work, memory, parameters, batch, time, num_layers, hidden_size, bidirectional } = facts;
  const directions = bidirectional ? 2 : 1;
  const units = num_layers * directions * hidden_size;
  const rows: Term[] = [["B", batch], ["T", time], ["D", directions], ["L", num_layers]];
  const of = (value: number, operator: string, terms: readonly Term[], code: string): Explained => explained(title, value, operator, terms, code);
  switch (name) {
    case "per_step": {
      const terms = parameters.layers.flatMap((one) =>
        termsOf(one).filter(([part]) => part.startsWith("weight")).map(([part, value]): Term => [part + suffix(one), value]),
      );
      return of(work.per_step, "+", terms, WEIGHTS);
    }
    case "per_sequence": {
      const terms: Term[] = [["T · step", time * work.per_step]];
      if (work.head) terms.push(["head", work.head]);
      if (work.skip) terms.push(["skip", work.skip]);
      return of(work.per_sequence, "+", terms, `${time} * ${WEIGHTS}${work.head ? ` + ${work.head}` : ""}${work.skip ? ` + ${work.skip}` : ""}`);
    }
    case "per_batch":
      return of(work.per_batch, "·", [["B", batch], ["sequence", work.per_sequence]], `${batch} * ${work.per_sequence}`);
    case "pointwise":
      return of(work.pointwise, "·", [["T", time], ["L·D·H", units], ["unit", work.pointwise / (time * units)]], `${time} * ${units} * ${work.pointwise / (time * units)}`);
    case "gates":
      return of(memory.gates, "·", [...rows, ["H", hidden_size], ["gates", memory.gates / (batch * time * units)]], `${memory.gates / (batch * time)} * x[..., 0].numel()`);
    case "states":
      return of(memory.states, "·", [...rows, ["H", hidden_size], ["states", memory.states / (batch * time * units)]], `${memory.states / (batch * time)} * x[..., 0].numel()`);
    case "outputs":
      return of(memory.outputs, "·", [...rows, ["h", memory.outputs / (batch * time * num_layers * directions)]], `${num_layers} * output.numel()`);
    case "bytes":
      return of(memory.bytes, "·", [["numbers", memory.total], ["float32", 4]], `${memory.total} * torch.float32.itemsize`);
  }
}

export type Cost = "per_step" | "per_sequence" | "per_batch" | "pointwise" | "gates" | "states" | "outputs" | "bytes";
