// The colours of the axes: each the same everywhere.

const COLOURS: Record<string, string> = {
  B: "b", T: "t", I: "i", J: "i", H: "h", R: "h", O: "o", K: "o", G: "g", L: "l", C: "c",
};

/** Returns the colour of an axis; a product such as "G*H" has that of its last letter. */
export function axisColour(letter: string): string {
  const known = [...letter].findLast((one) => one in COLOURS);
  return known ? `var(--axis-${COLOURS[known]})` : "var(--zero)";
}
