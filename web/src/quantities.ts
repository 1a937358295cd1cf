// What can be drawn of a layer: its gates and states, how each is coloured, and which of its values are saturated.

import type { Scale } from "./colours";
import type { NetworkFacts } from "./facts";

/** A gate or a state. */
export interface Quantity {
  name: string;
  kind: "gate" | "state";
  scale: Scale;
  /** Says whether a value lies so near an end that little gradient passes; null where it has no ends. */
  saturated: ((value: number) => boolean) | null;
}

/** A gate is saturated within this share of its ends. */
export const EDGE = 0.05;

/** Which gates lie between -1 and 1, or have no ends; all others lie between 0 and 1. */
const SIGNED: Record<string, readonly string[]> = {
  rnn: ["n"], rnn_relu: ["n"], lstm: ["g"], gru: ["n"], mingru: ["n"], minlstm: ["n"], slstm: ["z"],
};
const ENDLESS: Record<string, readonly string[]> = { rnn_relu: ["n"], mingru: ["n"], minlstm: ["n"], slstm: ["i", "f"] };

/** What says how much of the state is kept, by cell. */
export const KEEPERS: Record<string, string> = { lstm: "f", gru: "z", minlstm: "f_share" };

export function quantities({ cell, gates, states }: NetworkFacts): Quantity[] {
  const shut = (value: number): boolean => value < EDGE || value > 1 - EDGE;
  const bent = (value: number): boolean => Math.abs(value) > 1 - EDGE;
  const found = gates.map((name): Quantity => {
    const signed = SIGNED[cell]?.includes(name) ?? false;
    const endless = ENDLESS[cell]?.includes(name) ?? false;
    return { name, kind: "gate", scale: signed ? "signed" : "share", saturated: endless ? null : signed ? bent : shut };
  });
  const rest = states.map((name): Quantity => ({ name, kind: "state", scale: "signed", saturated: null }));
  // What the layer gives stands last: c before h.
  return [...found, ...rest.reverse()];
}
