// The views in the order of their tabs. Another joins by one file beside this one and one line here.

import type { Component } from "svelte";
import { CELLS } from "../cells/index";
import type { ReportFacts } from "../facts";
import Batch from "./Batch.svelte";
import Doctor from "./Doctor.svelte";
import Forecast from "./Forecast.svelte";
import Gates from "./Gates.svelte";
import Lesson from "./Lesson.svelte";
import Memory from "./Memory.svelte";
import One from "./One.svelte";
import Shapes from "./Shapes.svelte";
import Windows from "./Windows.svelte";

export interface View {
  /** Its name in the address and in the messages: glass.NAME.tab is the word on its tab. */
  name: string;
  component: Component;
  /** Whether the report has the facts that it draws. */
  has(report: ReportFacts): boolean;
  /** Whether it is read page by page: no sentences or cursor stand above it, and the keys turn its pages. */
  story?: boolean;
}

/** A network can be shown at work where there is a window to read, and its steps are known or can be computed. */
const readable = ({ network, windows = [], steps = [] }: ReportFacts): boolean =>
  network !== undefined && windows.length > 0 && (network.cell in CELLS || steps.length > 0);

const VIEWS: readonly View[] = [
  { name: "one", component: One, has: readable },
  { name: "shapes", component: Shapes, has: (report) => report.ledger !== undefined },
  { name: "batch", component: Batch, has: (report) => report.batch !== undefined && report.windows !== undefined },
  { name: "gates", component: Gates, has: readable },
  { name: "memory", component: Memory, has: (report) => report.memory !== undefined },
  { name: "forecast", component: Forecast, has: (report) => report.forecast !== undefined },
  { name: "windows", component: Windows, has: (report) => report.split !== undefined },
  { name: "doctor", component: Doctor, has: (report) => report.checkup !== undefined },
  { name: "lesson", component: Lesson, has: (report) => report.lesson !== undefined, story: true },
];

/** Returns the views that a report has the facts for; the page opens on the first. */
export function viewsOf(report: ReportFacts): readonly View[] {
  const views = VIEWS.filter((view) => view.has(report));
  const opening = (view: View): boolean => report.kind === "lesson" && view.name === "lesson";
  return [...views.filter(opening), ...views.filter((view) => !opening(view))];
}
