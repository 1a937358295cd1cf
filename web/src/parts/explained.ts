// What the inspector says of a number.

/** How a number comes about. */
export interface Explained {
  /** What the number is. */
  title: string;
  value: number;
  /** The equation with letters, one a line. */
  equation: string;
  /** The same with the values in place of the letters. */
  filled: string;
  /** The line of PyTorch that computes it. */
  code: string;
}
