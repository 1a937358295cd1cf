// What every view reads, handed down by the shell.

import { getContext, setContext } from "svelte";
import type { ReportFacts } from "./facts";
import type { State } from "./state.svelte";
import type { Traces } from "./traces.svelte";
import type { Say } from "./words";

export interface App {
  report: ReportFacts;
  state: State;
  traces: Traces;
  /** Says a message in the reader's language; what reads it is drawn again when that changes. */
  say: Say;
}

const KEY = Symbol("app");

export function provideApp(app: App): App {
  return setContext(KEY, app);
}

export function useApp(): App {
  return getContext<App>(KEY);
}
