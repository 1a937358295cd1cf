// What the page's own network says of a window: the parts of its answer, in units, fed back where it feeds back.

import { advance, answer, begin, type Network, type Trace } from "../../cells/network";
import type { NetworkFacts, WindowFacts } from "../../facts";

/** The point forecasts of one channel, and what they are made of; scaled as the window is. */
export interface Parts {
  bias: number[];
  skip: number[];
  recurrent: number[];
  y: number[];
  /** The output of each point. */
  outputs: number[];
}

/** Returns what the network's answer to a window is made of, by point ahead; null while the run is under way. */
export function partsOf(network: Network, trace: Trace, channel: number): Parts | null {
  const { facts } = network;
  if (trace.done < trace.steps || !network.weights["head.weight"]) return null;
  const all = answer(network, trace);
  const outputs = Array.from({ length: facts.horizon }, (_, k) => (k * facts.channels + channel) * facts.parts + facts.anchor);
  const of = (values: Float64Array): number[] => outputs.map((output) => values[output]!);
  return { bias: of(all.bias), skip: of(all.skip), recurrent: of(all.recurrent), y: of(all.y), outputs };
}

/** Returns scaled forecasts in the units of the series; null where the scaling of the window is not a straight line. */
export function inUnits(window: WindowFacts, channel: number, scaled: readonly number[]): number[] | null {
  if (!window.affine) return null;
  const [location, scale] = [window.location[channel] ?? 0, window.scale[channel] ?? 1];
  return scaled.map((value) => location + scale * value);
}

/** Multiply-adds that feeding back may cost at once, so that the page stays fluid. */
const MOST_WORK = 120_000_000;

/** Whether the page can feed the network's answers back: one value a step, whose scaling stays as it is. */
export function feedsBack(facts: NetworkFacts, steps: number, horizon: number): boolean {
  const plain = facts.input_size === 1 && facts.patch === 1 && ["none", "series"].includes(facts.scaling);
  const turns = Math.ceil(horizon / facts.horizon);
  return plain && turns > 1 && turns * steps * facts.parameters <= MOST_WORK;
}

/** Returns the forecast of a window in closed loop: the answers drop into the window, and it moves on. */
export function fedBack(network: Network, x: Float64Array, horizon: number): number[] {
  const { stack } = network;
  const told: number[] = [];
  let window = x;
  while (stack && told.length < horizon) {
    const trace = begin(stack, window, 1);
    advance(stack, trace);
    const y = partsOf(network, trace, 0)!.y;
    told.push(...y);
    window = Float64Array.from([...window, ...y].slice(y.length));
  }
  return told.slice(0, horizon);
}
