// The lines of PyTorch that make a network and have each of its tensors. The twin of explain/code.py.

import type { Structure } from "./structure";

export class Code {
  readonly #one: Structure;

  constructor(structure: Structure) {
    this.#one = structure;
  }

  /** The lines that make the network. */
  get network(): string {
    const { sizes, equations, directions, stateSize, skipWidth } = this.#one;
    const options: [string, string | number | boolean, string | number | boolean][] = [
      ["num_layers", sizes.num_layers, 1],
      ["nonlinearity", sizes.cell === "rnn_relu" ? "relu" : "tanh", "tanh"],
      ["bias", sizes.bias, true],
      ["batch_first", sizes.batch_first, false],
      ["bidirectional", sizes.bidirectional, false],
      ["proj_size", sizes.proj_size, 0],
    ];
    const chosen = options.filter(([, value, usual]) => value !== usual).map(([name, value]) => `, ${name}=${python(value)}`);
    const lines = [`layer = nn.${equations.module}(${sizes.input_size}, ${sizes.hidden_size}${chosen.join("")})`];
    if (sizes.output_size)
      lines.push(`head = nn.Linear(${directions * stateSize}, ${sizes.output_size}${sizes.head_bias ? "" : ", bias=False"})`);
    if (sizes.skip_steps) lines.push(`skip = nn.Linear(${sizes.time * skipWidth}, ${sizes.output_size}, bias=False)`);
    return lines.join("\n");
  }

  /** The line that has a batch of sequences. */
  get input(): string {
    const { batch, time, batch_first, input_size } = this.#one.sizes;
    return `x = ${zeros(...(batch_first ? [batch, time] : [time, batch]), input_size)}`;
  }

  weight(name: string): string {
    return `layer.${name}`;
  }

  /** The line that has a state before the first step. */
  firstState(name: string): string {
    const { sizes, directions, stateSize } = this.#one;
    return `${name}_0 = ${zeros(directions * sizes.num_layers, sizes.batch, name === "h" ? stateSize : sizes.hidden_size)}`;
  }

  /** The line that runs the layers. */
  get run(): string {
    return this.#one.equations.states.length === 1 ? "output, h_n = layer(x, h_0)" : "output, (h_n, c_n) = layer(x, (h_0, c_0))";
  }

  /** The line that has what the head says. */
  get forecast(): string {
    const { sizes, skipWidth } = this.#one;
    // output[-1] of the second direction has read one step
    const last = sizes.bidirectional ? "torch.cat((h_n[-2], h_n[-1]), dim=-1)" : "h_n[-1]";
    const features = skipWidth === sizes.input_size ? "" : `[..., :${skipWidth}]`;
    const order = sizes.batch_first ? "" : ".transpose(0, 1)";
    const skip = sizes.skip_steps ? ` + skip(x${features}${order}.flatten(1))` : "";
    return `forecast = head(${sizes.head === "every" ? "output" : last})${skip}`;
  }
}

function python(value: string | number | boolean): string {
  if (typeof value === "string") return `"${value}"`;
  return typeof value === "boolean" ? (value ? "True" : "False") : `${value}`;
}

function zeros(...sizes: number[]): string {
  return `torch.zeros(${sizes.join(", ")})`;
}
