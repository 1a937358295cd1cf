// Arrays as text that JSON can hold: little-endian float32, C order, base64. The twin of explain/blocks.py.

import type { Block } from "./facts";

/** Returns the numbers of a block, row after row. */
export function unpacked(block: Block): Float64Array {
  const text = atob(block.data);
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const values = new Float64Array(bytes.length / 4);
  for (let i = 0; i < values.length; i++) values[i] = view.getFloat32(4 * i, true);
  return values;
}
