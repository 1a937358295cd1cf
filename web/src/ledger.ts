// The ledger of a network from bare numbers: every tensor, every parameter, the work and the memory. The twin of explain/ledger.py.

import type { LedgerFacts } from "./facts";
import { Code } from "./ledger/code";
import { memoryOf, parametersOf, workOf } from "./ledger/counts";
import { CELLS, Structure, type Cell, type Said, type Sizes } from "./ledger/structure";
import { equalAxesOf, tensorsOf } from "./ledger/tensors";

export { CELLS, type Cell, type Sizes };

/** Returns the shapes, parameters, work and memory of a layer of PyTorch, with a head where it has outputs. */
export function ledger(said: Said): LedgerFacts {
  const structure = new Structure(said);
  const { cell, input_size, hidden_size, num_layers, bidirectional, batch_first, proj_size, bias, batch, time } = structure.sizes;
  const tensors = tensorsOf(structure);
  return {
    cell, input_size, hidden_size, num_layers, bidirectional, batch_first, proj_size, bias, batch, time,
    code: new Code(structure).network,
    tensors,
    parameters: parametersOf(structure),
    work: workOf(structure),
    memory: memoryOf(structure),
    equal_axes: equalAxesOf(tensors),
  };
}

/** Says whether the page can compute the ledgers of a cell. */
export function isKnown(cell: string): cell is Cell {
  return cell in CELLS;
}

/**
 * Returns the sizes that a ledger was made from. What PyTorch has not is left out: another cell is an LSTM,
 * and layers are neither dilated nor residual.
 */
export function sizesOf(facts: LedgerFacts): Sizes {
  const { input_size, hidden_size, num_layers, bidirectional, batch_first, proj_size, bias, batch, time } = facts;
  const axes = (name: string) => facts.tensors.find((tensor) => tensor.name === name)?.axes;
  const skip = axes("skip.weight")?.[1];
  return {
    cell: isKnown(facts.cell) ? facts.cell : "lstm",
    input_size, hidden_size, num_layers, bidirectional, batch_first, proj_size, bias, batch, time,
    output_size: axes("head.weight")?.[0]?.size ?? 0,
    head: axes("forecast")?.length === 3 ? "every" : "last",
    head_bias: axes("head.bias") !== undefined,
    skip_steps: skip ? time : 0,
    skip_inputs: skip && skip.letter === "T*J" ? skip.size / time : null,
  };
}

/** Returns the nearest sizes that go together: a projection is an LSTM's and smaller than H, a skip reads the whole window. */
export function fitting(sizes: Sizes): Sizes {
  const { cell, proj_size, hidden_size, skip_steps, skip_inputs, input_size, time } = sizes;
  return {
    ...sizes,
    proj_size: cell === "lstm" ? Math.min(proj_size, hidden_size - 1) : 0,
    skip_steps: skip_steps ? time : 0,
    skip_inputs: skip_inputs === null || skip_inputs >= input_size ? null : skip_inputs,
  };
}
