// What a ledger is made of: the numbers that fix every shape of a layer of PyTorch with a head. The twin of explain/structure.py.

/** The shape of a network, and how it is read. */
export interface Sizes {
  cell: Cell;
  input_size: number;
  hidden_size: number;
  num_layers: number;
  bidirectional: boolean;
  batch_first: boolean;
  /** R, the size that h of an LSTM is projected to; 0 for none. */
  proj_size: number;
  bias: boolean;
  /** O, outputs of a linear head; 0 for no head. */
  output_size: number;
  /** "last" reads the state after the last step, "every" the output of every step. */
  head: "last" | "every";
  head_bias: boolean;
  /** T of a linear skip from the whole window to the outputs; 0 for none. */
  skip_steps: number;
  /** The skip reads the first so many features of each step; all where it is null. */
  skip_inputs: number | null;
  batch: number;
  time: number;
}

interface Equations {
  module: string;
  gates: readonly string[];
  states: readonly string[];
  /** Of one hidden unit at one step: products and sums of gates and states. */
  pointwise: number;
  /** Numbers kept for the way back, beside states and outputs. */
  kept: number;
}

/** The cells that PyTorch has. */
export const CELLS = {
  rnn: { module: "RNN", gates: ["n"], states: ["h"], pointwise: 0, kept: 0 },
  rnn_relu: { module: "RNN", gates: ["n"], states: ["h"], pointwise: 0, kept: 0 },
  lstm: { module: "LSTM", gates: ["i", "f", "g", "o"], states: ["h", "c"], pointwise: 4, kept: 4 },
  gru: { module: "GRU", gates: ["r", "z", "n"], states: ["h"], pointwise: 4, kept: 4 },
} as const satisfies Record<string, Equations>;

export type Cell = keyof typeof CELLS;

const USUAL = {
  cell: "lstm", num_layers: 1, bidirectional: false, batch_first: false, proj_size: 0, bias: true,
  output_size: 0, head: "last", head_bias: true, skip_steps: 0, skip_inputs: null,
} as const;

/** What has to be said; the rest is as usual. */
export type Said = Pick<Sizes, "input_size" | "hidden_size" | "batch" | "time"> & Partial<Sizes>;

/** The sizes with what follows from them. */
export class Structure {
  readonly sizes: Sizes;
  readonly equations: Equations;

  constructor(said: Said) {
    const sizes = { ...USUAL, ...said };
    const { cell, proj_size, hidden_size, skip_steps, time } = sizes;
    if (!(cell in CELLS)) throw new RangeError(`cell ${cell}`);
    if (proj_size && (cell !== "lstm" || proj_size >= hidden_size)) throw new RangeError(`proj_size ${proj_size}`);
    if (skip_steps && skip_steps !== time) throw new RangeError(`skip_steps ${skip_steps}`);
    this.sizes = sizes;
    this.equations = CELLS[cell];
  }

  /** G, how many blocks of rows the weights have. */
  get gates(): number {
    return this.equations.gates.length;
  }

  /** D, 1 or 2. */
  get directions(): number {
    return this.sizes.bidirectional ? 2 : 1;
  }

  /** The size of h: R where it is projected, else H. */
  get stateSize(): number {
    return this.sizes.proj_size || this.sizes.hidden_size;
  }

  /** How many features of each step a skip reads. */
  get skipWidth(): number {
    return this.sizes.skip_inputs || this.sizes.input_size;
  }

  /** How many numbers a layer reads of each step. */
  features(layer: number): number {
    return layer === 0 ? this.sizes.input_size : this.directions * this.stateSize;
  }
}
