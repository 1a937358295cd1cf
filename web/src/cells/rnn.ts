// The plain cell: n = act(W_ih x + b_ih + W_hh h + b_hh), h' = n. The twin of cells/rnn.py.

import { BENDS, named, type Bend, type Cell } from "./cell";

export function rnn(bend: Bend): Cell {
  const act = BENDS[bend];
  return {
    gates: ["n"],
    states: ["h"],
    bends: [bend],
    step(fromX, fromH, _, to) {
      const n = named(to.values, "n");
      const h = named(to.values, "h");
      for (let k = 0; k < fromX.length; k++) h[to.at + k] = n[to.at + k] = act(fromX[k]! + fromH[k]!);
    },
  };
}
