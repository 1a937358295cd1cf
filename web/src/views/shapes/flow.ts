// The tensors of a ledger in the order of the hand-offs; weights of the same shapes stand together.

import type { LedgerFacts, TensorFact } from "../../facts";

/** One hand-off: tensors that are made, read or learned at the same place. */
export interface Stop {
  kind: "input" | "first" | "weights" | "output" | "last" | "head" | "forecast";
  /** The first and the last layer whose weights these are. */
  layers: readonly [number, number];
  /** How many sets of weights have these shapes. */
  sets: number;
  tensors: TensorFact[];
}

const LAYER = /_l(\d+)(_reverse)?$/;

/** Returns the hand-offs of a ledger. */
export function flowOf(facts: LedgerFacts): Stop[] {
  const { tensors, num_layers, bidirectional } = facts;
  const directions = bidirectional ? 2 : 1;
  const named = (test: (one: TensorFact) => boolean): TensorFact[] => tensors.filter(test);
  const ofLayer = (layer: number): TensorFact[] =>
    named(({ name }) => {
      const [, at, reverse] = LAYER.exec(name) ?? [];
      return at === `${layer}` && !reverse;
    });
  const stop = (kind: Stop["kind"], of: TensorFact[], layers: Stop["layers"] = [0, 0], sets = 1): Stop => ({ kind, layers, sets, tensors: of });
  const stops = [
    stop("input", named(({ role }) => role === "data")),
    stop("first", named(({ role, name }) => role === "state" && name.endsWith("_0"))),
    stop("weights", ofLayer(0), [0, 0], directions),
    stop("weights", ofLayer(1), [1, num_layers - 1], directions * (num_layers - 1)),
    stop("output", named(({ role }) => role === "output")),
    stop("last", named(({ role, name }) => role === "state" && name.endsWith("_n"))),
    stop("head", named(({ name, role }) => role === "weight" && !LAYER.test(name))),
    stop("forecast", named(({ role }) => role === "forecast")),
  ];
  return stops.filter((one) => one.tensors.length);
}

/** The axes that are equal, and the tensors in which they are. */
export interface Coincidence {
  letters: string[];
  size: number;
  tensors: string[];
}

/** Returns what a ledger says of equal axes, once for each set of axes; those of data and states first. */
export function coincidencesOf(facts: LedgerFacts): Coincidence[] {
  const found = new Map<string, Coincidence>();
  for (const { letters, size, tensor } of facts.equal_axes) {
    const key = [...letters].sort().join(" ");
    const known = found.get(key);
    if (known) known.tensors.push(tensor);
    else found.set(key, { letters, size, tensors: [tensor] });
  }
  const weights = new Set(facts.tensors.filter((one) => one.role === "weight").map((one) => one.name));
  const late = (one: Coincidence): number => Number(one.tensors.every((name) => weights.has(name)));
  return [...found.values()].sort((a, b) => late(a) - late(b));
}
