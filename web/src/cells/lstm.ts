// The LSTM, torch's nn.LSTM. The twin of cells/lstm.py.
//
//   i  = sigmoid(W_ii x + b_ii + W_hi h + b_hi)      c' = f c + i g
//   f  = sigmoid(W_if x + b_if + W_hf h + b_hf)      h' = o tanh(c')
//   g  =    tanh(W_ig x + b_ig + W_hg h + b_hg)
//   o  = sigmoid(W_io x + b_io + W_ho h + b_ho)

import { named, sigmoid, type Cell } from "./cell";

export const lstm: Cell = {
  gates: ["i", "f", "g", "o"],
  states: ["h", "c"],
  bends: ["sigmoid", "sigmoid", "tanh", "sigmoid"],
  step(fromX, fromH, before, to) {
    const H = fromX.length / 4;
    const { at } = to;
    const old = named(before.values, "c");
    const [i, f, g, o] = this.gates.map((gate) => named(to.values, gate)) as [
      Float64Array, Float64Array, Float64Array, Float64Array,
    ];
    const c = named(to.values, "c");
    const h = named(to.values, "h");
    for (let k = 0; k < H; k++) {
      i[at + k] = sigmoid(fromX[k]! + fromH[k]!);
      f[at + k] = sigmoid(fromX[H + k]! + fromH[H + k]!);
      g[at + k] = Math.tanh(fromX[2 * H + k]! + fromH[2 * H + k]!);
      o[at + k] = sigmoid(fromX[3 * H + k]! + fromH[3 * H + k]!);
      c[at + k] = f[at + k]! * old[before.at + k]! + i[at + k]! * g[at + k]!;
      h[at + k] = o[at + k]! * Math.tanh(c[at + k]!);
    }
  },
};
