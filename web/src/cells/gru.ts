// The GRU whose reset gate acts after the product, torch's nn.GRU. The twin of cells/gru.py.
//
//   r  = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
//   z  = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
//   n  =    tanh(W_in x + b_in + r (W_hn h + b_hn))
//   h' = (h - n) z + n

import { named, sigmoid, type Cell } from "./cell";

export const gru: Cell = {
  gates: ["r", "z", "n"],
  states: ["h"],
  bends: ["sigmoid", "sigmoid", "tanh"],
  step(fromX, fromH, before, to) {
    const H = fromX.length / 3;
    const { at } = to;
    const old = named(before.values, "h");
    const [r, z, n] = this.gates.map((gate) => named(to.values, gate)) as [Float64Array, Float64Array, Float64Array];
    const h = named(to.values, "h");
    for (let k = 0; k < H; k++) {
      r[at + k] = sigmoid(fromX[k]! + fromH[k]!);
      z[at + k] = sigmoid(fromX[H + k]! + fromH[H + k]!);
      n[at + k] = Math.tanh(fromX[2 * H + k]! + r[at + k]! * fromH[2 * H + k]!);
      h[at + k] = (old[before.at + k]! - n[at + k]!) * z[at + k]! + n[at + k]!;
    }
  },
};
