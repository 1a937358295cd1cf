// The runs of windows through the network: computed when first asked for, a few milliseconds a frame, the latest kept.

import { unpacked } from "./blocks";
import { advance, begin, makeNetwork, withWeights, type Network, type Trace } from "./cells/network";
import type { ReportFacts, StepFacts } from "./facts";
import type { Edits } from "./hash";
import type { State } from "./state.svelte";

/** Milliseconds of one frame that computing may take: 60 frames a second leave 16, and drawing needs its part. */
const SLICE = 6;
/** Numbers that are kept, of all runs together. */
const MOST_NUMBERS = 24_000_000;

export class Traces {
  /** The network of the report, and the one with the reader's weights. */
  readonly original: Network | null;
  readonly edited: Network | null = $derived.by(() => this.#editedNetwork());

  readonly #report: ReportFacts;
  readonly #state: State;
  /** By window and what was edited; the latest asked for stands last. */
  readonly #kept = new Map<string, Trace>();
  readonly #inputs = new Map<number, Float64Array>();
  #running: { network: Network; trace: Trace }[] = [];
  /** Counts what was computed, so that views draw again. */
  #progress = $state(0);

  constructor(report: ReportFacts, state: State) {
    this.#report = report;
    this.#state = state;
    this.original = report.network ? makeNetwork(report.network) : null;
  }

  /** Whether numbers can be edited: the page computes this cell itself. */
  get live(): boolean {
    return this.original?.stack != null;
  }

  /** The inputs of a window, [T, I], with the reader's edits. */
  input(window: number, edits: Edits = this.#state.edits): Float64Array {
    let x = this.#inputs.get(window);
    if (!x) this.#inputs.set(window, (x = unpacked(this.#report.windows![window]!.x)));
    const changed = edits[`x${window}`];
    if (!changed) return x;
    const copy = x.slice();
    for (const [index, value] of Object.entries(changed)) copy[Number(index)] = value;
    return copy;
  }

  /**
   * The run of a window, with the reader's edits unless `edited` is false. It may be under way: `done` says how far,
   * and what reads it in a view is drawn again as it grows. null where there is no such window or no steps of it.
   */
  of(window: number, { edited = true } = {}): Trace | null {
    void this.#progress;
    const trace = this.#find(window, edited);
    return trace && { ...trace }; // another object each time, so that what was derived from it is derived again
  }

  /** Computes a window at once, whatever it takes: for those who check. */
  compute(window: number): Trace | null {
    const trace = this.#find(window, true);
    if (trace && this.edited?.stack) advance(this.edited.stack, trace);
    return trace;
  }

  #find(window: number, edited: boolean): Trace | null {
    const facts = this.#report.windows?.[window];
    const network = edited ? this.edited : this.original;
    if (!facts || !network) return null;
    if (!network.stack) return this.#given(network, window);
    const edits = edited ? this.#state.edits : {};
    const key = `${window} ${JSON.stringify(edits)}`;
    let trace = this.#kept.get(key);
    this.#kept.delete(key);
    if (!trace) {
      trace = begin(network.stack, this.input(window, edits), network.facts.input_size);
      advance(network.stack, trace, performance.now() + SLICE);
    }
    if (trace.done < trace.steps) this.#later(network, trace);
    this.#kept.set(key, trace);
    this.#forget();
    return trace;
  }

  #editedNetwork(): Network | null {
    const { original } = this;
    if (!original?.stack) return original;
    const changed = Object.entries(this.#state.edits).filter(([name]) => name in original.weights);
    if (!changed.length) return original;
    const weights = { ...original.weights };
    for (const [name, values] of changed) {
      const copy = weights[name]!.slice();
      for (const [index, value] of Object.entries(values)) copy[Number(index)] = value;
      weights[name] = copy;
    }
    return withWeights(original.facts, weights);
  }

  /** The run as the report has it, of a cell whose equations the page does not know. */
  #given(network: Network, window: number): Trace | null {
    const key = `${window} given`;
    const steps = this.#report.steps?.find((one) => one.window === window);
    if (!steps) return null;
    let trace = this.#kept.get(key);
    if (!trace) this.#kept.set(key, (trace = givenTrace(network, steps, this.input(window, {}))));
    return trace;
  }

  /** Goes on with a run in the frames to come; the one asked for last goes first. */
  #later(network: Network, trace: Trace): void {
    if (this.#running.some((job) => job.trace === trace)) return;
    this.#running.push({ network, trace });
    if (this.#running.length === 1) requestAnimationFrame(() => this.#slice());
  }

  #slice(): void {
    const wanted = [this.edited, this.original]; // not the weights that a moving slider has passed
    this.#running = this.#running.filter(({ network, trace }) => wanted.includes(network) && trace.done < trace.steps);
    const job = this.#running.at(-1);
    if (!job) return;
    advance(job.network.stack!, job.trace, performance.now() + SLICE);
    this.#progress++;
    requestAnimationFrame(() => this.#slice());
  }

  #forget(): void {
    const size = (trace: Trace): number =>
      trace.layers.reduce((sum, layer) => sum + layer.output.length * Object.keys(layer.values).length, 0);
    let numbers = [...this.#kept.values()].reduce((sum, trace) => sum + size(trace), 0);
    for (const [key, trace] of this.#kept) {
      if (numbers <= MOST_NUMBERS || this.#kept.size <= 2) return;
      this.#kept.delete(key);
      numbers -= size(trace);
    }
  }
}

function givenTrace(network: Network, steps: StepFacts, x: Float64Array): Trace {
  const { facts } = network;
  let input = x;
  let inputSize = facts.input_size;
  const layers = steps.layers.map((blocks, k) => {
    const values = Object.fromEntries(Object.entries(blocks).map(([name, block]) => [name, unpacked(block)]));
    const h = values["h"]!;
    const output = facts.residual && k > 0 ? h.map((value, at) => value + input[at]!) : h;
    const layer = { input, inputSize, values, output, dilation: facts.dilations[k] ?? 1 };
    input = output;
    inputSize = facts.hidden_size;
    return layer;
  });
  const T = x.length / facts.input_size;
  return { x, steps: T, done: T, layers };
}
