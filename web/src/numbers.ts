// Numbers as a person reads them. The twin of page/numbers.py: both write the same letters.

export const MISSING = "–";
const SMALL = 1e-4;
const LARGE = 1e7;
const SUPERSCRIPT: Record<string, string> = {
  "-": "⁻", "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷", "8": "⁸", "9": "⁹",
};

/** Says whether `value` is there and finite. */
export function isNumber(value: number | null | undefined): value is number {
  return value !== null && value !== undefined && Number.isFinite(value);
}

/** Sets commas between the thousands of written digits. */
function grouped(written: string): string {
  const [whole = "", rest] = written.split(".");
  const apart = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return rest === undefined ? apart : `${apart}.${rest}`;
}

/** Says whether what was cut off is exactly a half: JavaScript rounds that away from zero, Python to even. */
function isHalf(tail: string): boolean {
  return /^\.?50*$/.test(tail);
}

function isEven(written: string): boolean {
  return Number(written.at(-1)) % 2 === 0;
}

/** Returns a value of at least 0 with so many decimals, halves to even. */
function fixed(value: number, decimals: number): string {
  const exact = value.toFixed(decimals + 60);
  const kept = decimals ? exact.length - 60 : exact.indexOf(".");
  const below = exact.slice(0, kept);
  return isHalf(exact.slice(kept)) && isEven(below) ? below : value.toFixed(decimals);
}

/** Returns mantissa and power of ten of a value above 0 with `digits` significant digits, halves to even. */
function scientific(value: number, digits: number): [mantissa: string, power: number] {
  const [written = "", power = ""] = value.toExponential(digits - 1).split("e");
  const [exact = ""] = value.toExponential(digits + 60).split("e");
  const below = exact.slice(0, written.length);
  return [isHalf(exact.slice(written.length)) && isEven(below) ? below : written, Number(power)];
}

/** Returns `value` with `digits` significant digits. */
export function number(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined || Number.isNaN(value)) return MISSING;
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const [mantissa, power] = scientific(size, digits);
  const near = Number(`${mantissa}e${power}`);
  const written =
    near >= SMALL && near < LARGE
      ? grouped(fixed(size, Math.max(digits - 1 - power, 0)))
      : `${mantissa}×10${[...String(power)].map((letter) => SUPERSCRIPT[letter]).join("")}`;
  return value < 0 ? `−${written}` : written;
}

/** Returns a whole number with its thousands apart. */
export function count(value: number): string {
  return value < 0 ? `-${grouped(String(-value))}` : grouped(String(value));
}
