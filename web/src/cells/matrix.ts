// Products of a matrix and a vector, row after row.

/** Adds up W[row] . v, where W is [R, C] row after row and v begins at `from`. */
export function dot(W: Float64Array, row: number, columns: number, v: Float64Array, from = 0): number {
  let sum = 0;
  const start = row * columns;
  for (let j = 0; j < columns; j++) sum += W[start + j]! * v[from + j]!;
  return sum;
}

/** Writes W v + b into `to`. */
export function affine(W: Float64Array, b: Float64Array, v: Float64Array, from: number, to: Float64Array): void {
  const columns = W.length / to.length;
  for (let row = 0; row < to.length; row++) to[row] = dot(W, row, columns, v, from) + b[row]!;
}
