// The one entry. A document that holds a report is drawn at once; others call `render`.

import { mount, unmount } from "svelte";
import Shell from "./Shell.svelte";
import type { Network, Trace } from "./cells/network";
import type { ReportFacts } from "./facts";
import "./glass.css";
import { ledger } from "./ledger";
import { number } from "./numbers";
import { State } from "./state.svelte";
import { Traces } from "./traces.svelte";
import { viewsOf } from "./views/index";
import { filled, type Messages } from "./words";

export interface Given {
  el: HTMLElement;
  report: ReportFacts;
  messages: Messages;
  /** The language until the reader chooses another. */
  language: string;
  /** Whether the address of the document is ours. */
  addressed?: boolean;
}

/** What tests and other scripts of a document can reach as `window.unrolled`. */
export interface Face {
  report: ReportFacts;
  state: State;
  /** The network with the reader's weights; null where the report has none. */
  network(): Network | null;
  /** A window, run to its last step with the reader's edits. */
  compute(window: number): Trace | null;
  /** The shapes, parameters and work of a network from bare numbers. */
  ledger: typeof ledger;
  number: typeof number;
  filled: typeof filled;
  /** Takes the page away. */
  remove(): void;
}

/** Draws a report into an element. */
export function render({ el, report, messages, language, addressed = false }: Given): Face {
  const views = viewsOf(report);
  const state = new State(report, views.map((view) => view.name), Object.keys(messages), language, addressed);
  const traces = new Traces(report, state);
  el.replaceChildren();
  const shell = mount(Shell, { target: el, props: { report, state, traces, messages, views } });
  return {
    report,
    state,
    network: () => traces.edited,
    compute: (window) => traces.compute(window),
    ledger,
    number,
    filled,
    remove: () => void unmount(shell),
  };
}

function held<T>(id: string): T | null {
  const text = document.getElementById(id)?.textContent;
  return text ? (JSON.parse(text) as T) : null;
}

const el = document.getElementById("glass");
const report = held<ReportFacts>("report");
const messages = held<Messages>("messages");
if (el && report && messages) {
  const language = document.documentElement.lang.slice(0, 2);
  Object.assign(window, { unrolled: render({ el, report, messages, language, addressed: true }) });
}
