// What the lesson's steps are called, what can be guessed, and where the reader is sent. Knows nothing of what is drawn.

import type { LessonFacts, LessonStep, ReportFacts, WindowFacts } from "../../facts";
import { count } from "../../numbers";

/** Returns the short name of a step: "one", "loop", "window" ... */
export function nameOf(step: LessonStep): string {
  return /step-(\w+)\.title$/.exec(step.title.id)?.[1] ?? "";
}

/** Returns the number of the latest window of what was learnt from: the one of the forecast, where the report has it. */
export function lastWindow(lesson: LessonFacts, windows: readonly WindowFacts[]): number {
  return Math.max(windows.findLastIndex(({ start, points }) => start + points <= lesson.known), 0);
}

/** Returns the steps 1, 2, ... that are drawn of a row of so many; 0 stands for those left out. */
export function fewSteps(steps: number, places: number): number[] {
  if (steps <= places) return Array.from({ length: steps }, (_, k) => k + 1);
  return [...Array.from({ length: places - 2 }, (_, k) => k + 1), 0, steps];
}

/** One guess. */
export interface Choice {
  /** Words as they are, or an id of the catalogue. */
  text: string;
  right: boolean;
}

/** Returns what can be guessed at a step; nothing where its answer is no single thing. */
export function choicesOf(step: LessonStep, { lesson, network }: ReportFacts): Choice[] {
  const value = (name: string): number => Number(step.ask.values[name] ?? step.answer.values[name]);
  const numbers = (right: number, ...others: number[]): Choice[] =>
    [...new Set([right, ...others])].sort((one, two) => one - two).map((one) => ({ text: count(one), right: one === right }));
  const words = (right: string, ...others: string[]): Choice[] =>
    [right, ...others].sort().map((one) => ({ text: one, right: one === right }));
  switch (nameOf(step)) {
    case "one": return numbers(1, value("steps"), network?.hidden_size ?? 1);
    case "loop": return words("h3", "h4");
    case "window": return numbers(value("windows"), value("points"), Math.floor(value("points") / value("window")));
    case "input": return words("glass.lesson.value-y", "glass.lesson.position-x");
    case "hidden": return numbers(value("parameters"), value("parameters") - value("rows"), value("parameters") * lesson!.window);
    case "batch": return words("glass.lesson.no", "glass.lesson.yes");
    case "memory": return numbers(value("reach"), value("window"), 1);
    case "forecast": return bestOf(lesson!.mse, ["network", "seasonal_naive", "autoregression_2"]);
    default: return [];
  }
}

function bestOf(errors: Record<string, number>, methods: readonly string[]): Choice[] {
  const error = (method: string): number => errors[method] ?? Infinity;
  const best = methods.reduce((one, two) => (error(two) < error(one) ? two : one));
  return methods.map((method) => ({ text: methodId(method), right: method === best }));
}

/** Returns the message that names a method. */
export function methodId(method: string): string {
  const own: Record<string, string> = {
    network: "glass.lesson.method-closed", network_open: "glass.lesson.method-open", autoregression_2: "glass.lesson.method-two",
  };
  return own[method] ?? `page.method.${method}`;
}

/** Returns the step of the window that the linked view is to show. */
export function cursorOf(step: LessonStep, steps: number): number {
  return { one: 0, loop: 2 }[nameOf(step)] ?? steps - 1;
}
