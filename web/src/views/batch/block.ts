// The windows of a batch as a block of time x batch x features, and how it is drawn: no more columns than can be seen.

import type { BatchFacts, ReportFacts, SeriesFacts, WindowFacts } from "../../facts";

/** A batch with its numbers. */
export interface Block {
  /** Numbers of the windows in the report, a row each. */
  rows: readonly number[];
  windows: readonly WindowFacts[];
  /** Of each row, [T, I]. */
  values: readonly Float64Array[];
  steps: number;
  features: number;
}

/** Returns the block of a batch; `input` has the numbers of a window. */
export function blockOf(report: ReportFacts, batch: BatchFacts, input: (window: number) => Float64Array): Block {
  const rows = batch.windows.filter((window) => report.windows?.[window]);
  const windows = rows.map((window) => report.windows![window]!);
  const [steps = 0, features = 0] = windows[0]?.x.shape ?? [];
  return { rows, windows, values: rows.map(input), steps, features };
}

/** Returns the mean of a feature over the steps of a column, where `columns` columns hold all steps. */
export function columnMean(block: Block, row: number, column: number, columns: number, feature: number): number {
  const [from, to] = stepsOf(block, column, columns);
  let sum = 0;
  for (let step = from; step < to; step++) sum += block.values[row]![step * block.features + feature]!;
  return sum / (to - from);
}

/** Returns the first step of a column and the one after its last. */
export function stepsOf({ steps }: Block, column: number, columns: number): [from: number, to: number] {
  return [Math.floor((column * steps) / columns), Math.floor(((column + 1) * steps) / columns)];
}

/** Returns the column that holds a step. */
export function columnOf({ steps }: Block, step: number, columns: number): number {
  return Math.min(Math.floor(((step + 1) * columns - 1) / steps), columns - 1);
}

/** Returns the row whose window is the nearest to one of the report. */
export function rowOf({ rows }: Block, window: number): number {
  return rows.reduce((best, one, k) => (Math.abs(one - window) < Math.abs(rows[best]! - window) ? k : best), 0);
}

/** The part of a series that the windows of a batch were cut out of. */
export interface Cutting {
  first: number;
  last: number;
  /** Positions and values, known ones alone. */
  points: [position: number, value: number][];
  /** The rows of the batch that were cut out of this series. */
  rows: number[];
}

/** Returns what the windows were cut out of, for the series of one row; null where the report has not got it. */
export function cuttingOf(report: ReportFacts, block: Block, row: number): Cutting | null {
  const of = block.windows[row]!.series;
  const series: SeriesFacts | undefined = report.series?.[of * (report.network?.channels ?? 1)];
  if (!series) return null;
  const rows = block.windows.flatMap((one, k) => (one.series === of ? [k] : []));
  const first = Math.min(...rows.map((k) => block.windows[k]!.start));
  const last = Math.max(...rows.map((k) => block.windows[k]!.start + block.windows[k]!.points));
  const points: [number, number][] = [];
  for (let position = Math.max(first, series.first); position < last; position++) {
    const value = series.values[position - series.first];
    if (value !== null && value !== undefined) points.push([position, value]);
  }
  return { first, last, points, rows };
}
