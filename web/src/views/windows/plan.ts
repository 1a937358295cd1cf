// Which windows a split has, as arithmetic: no window is listed, there may be many. Knows nothing of what is drawn.

import type { Span, SplitFacts } from "../../facts";

export type Role = Span["role"];

/** Windows of one role: starts first ... first + count - 1. */
export interface Group {
  role: Role;
  first: number;
  count: number;
}

/** All windows of a split. */
export interface Plan {
  window: number;
  horizon: number;
  points: number;
  /** Points that the fit was given; those behind them test it. */
  fitted: number;
  /** Where the points that were held out begin; null where none were. */
  border: number | null;
  groups: Group[];
  /** The least start of all, and the start of the window that ends with the series. */
  least: number;
  greatest: number;
}

function spanOf(split: SplitFacts, role: Role): Span | undefined {
  return split.spans.find((span) => span.role === role);
}

/** Returns the windows of a split: of every role those whose targets lie in its span. */
export function planOf(split: SplitFacts): Plan {
  const { window, horizon, counts, overlap } = split;
  const fitted = spanOf(split, "test")?.begin ?? split.points;
  const learnt = spanOf(split, "train")?.end ?? fitted;
  const groups: Group[] = [];
  const add = (role: Role, first: number, count: number): void => {
    if (count > 0) groups.push({ role, first, count });
  };
  const trained = counts["train"] ?? 0;
  add("train", learnt - window - horizon + 1 + overlap - trained, trained);
  for (const role of ["validation", "calibration"] as const) {
    const span = spanOf(split, role);
    if (span) add(role, span.begin - window, counts[role] ?? 0);
  }
  if (fitted < split.points) add("test", fitted - window, Math.max(split.points - fitted - horizon + 1, 1));
  return {
    window, horizon, points: split.points, fitted, groups,
    border: learnt < split.points ? learnt : null,
    least: Math.min(...groups.map((group) => group.first)),
    greatest: Math.max(split.points - window, ...groups.map((group) => group.first + group.count - 1)),
  };
}

/** Returns what the window that begins at a point is for; null where there is none. */
export function roleOf(plan: Plan, start: number): Role | null {
  return plan.groups.find(({ first, count }) => start >= first && start < first + count)?.role ?? null;
}

/** Says whether a window with its targets has points on both sides of the border. */
export function crosses(plan: Plan, start: number): boolean {
  return plan.border !== null && start < plan.border && start + plan.window + plan.horizon > plan.border;
}

/** Returns the windows with points on both sides of the border, if all were cut before the series was divided. */
export function cutFirst(plan: Plan): Group | null {
  if (plan.border === null) return null;
  const first = Math.max(plan.border - plan.window - plan.horizon + 1, plan.least);
  const last = Math.min(plan.border - 1, plan.points - plan.window - plan.horizon);
  return { role: "train", first, count: Math.max(last - first + 1, 0) };
}
