// The cells that the page computes itself; the steps of others come with the report.

import type { Cell } from "./cell";
import { gru } from "./gru";
import { lstm } from "./lstm";
import { rnn } from "./rnn";

export const CELLS: Record<string, Cell> = { rnn: rnn("tanh"), rnn_relu: rnn("relu"), lstm, gru };
