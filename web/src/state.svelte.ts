// Where the reader is and what the reader changed: one cursor for all views, kept in the address.

import type { ReportFacts } from "./facts";
import * as hash from "./hash";
import type { Edits, Limits, Place, Theme } from "./hash";
import type { Explained } from "./parts/explained";

/** Milliseconds between two writes of the address: browsers refuse more than a few a second. */
const PATIENCE = 250;

export class State implements Place {
  view = $state("");
  window = $state(0);
  step = $state(0);
  layer = $state(0);
  unit = $state(0);
  chapter = $state(0);
  language = $state("en");
  theme = $state<Theme>("auto");
  /** Replaced whole at every change, never changed inside. */
  edits = $state.raw<Edits>({});
  /** What the inspector shows. */
  explained = $state.raw<Explained | null>(null);
  /** What a screen reader is told. */
  news = $state("");
  /** Whether the page is drawn dark. */
  readonly dark = $derived.by(() => (this.theme === "auto" ? this.#system : this.theme === "dark"));

  readonly limits: Limits;
  readonly #addressed: boolean;
  readonly #first: string;
  #system = $state(false);
  #written = "";
  #waiting: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param report the facts.
   * @param views the names of the views that can be shown.
   * @param language what is spoken until the reader chooses.
   * @param addressed whether the address of the document is ours to read and write.
   */
  constructor(report: ReportFacts, views: readonly string[], languages: readonly string[], language: string, addressed: boolean) {
    const { network, lesson, windows = [] } = report;
    const points = (window: number): number => windows[window]?.x.shape[0] ?? 0;
    this.limits = {
      views,
      languages,
      windows: windows.length,
      steps: points,
      layers: network?.num_layers ?? 0,
      units: network?.hidden_size ?? 0,
      chapters: lesson ? lesson.steps.length + 1 : 0,
      size: (name) => {
        const block = /^x\d+$/.test(name) ? windows[Number(name.slice(1))]?.x : network?.weights[name];
        return block ? block.shape.reduce((product, size) => product * size, 1) : 0;
      },
    };
    this.#first = language;
    this.#addressed = addressed;
    this.#go(hash.read(addressed ? location.hash : "", this.limits, language));
    this.#written = hash.write(this);
  }

  /** How many steps the window at the cursor has. */
  get steps(): number {
    return this.limits.steps(this.window);
  }

  /** Goes to a place, the nearest that there is; what is not named stays. */
  move(to: Partial<Pick<Place, "window" | "step" | "layer" | "unit" | "chapter">>): void {
    const within = (value: number, size: number): number => Math.min(Math.max(Math.round(value), 0), Math.max(size - 1, 0));
    const { windows, layers, units, chapters } = this.limits;
    if (to.window !== undefined) this.window = within(to.window, windows);
    this.step = within(to.step ?? this.step, this.steps);
    if (to.layer !== undefined) this.layer = within(to.layer, layers);
    if (to.unit !== undefined) this.unit = within(to.unit, units);
    if (to.chapter !== undefined) this.chapter = within(to.chapter, chapters);
  }

  /** Changes one number; null puts the report's back. */
  edit(name: string, index: number, value: number | null): void {
    const { [name]: old = {}, ...others } = this.edits;
    const { [index]: _, ...rest } = old;
    const values = value === null ? rest : { ...rest, [index]: value };
    this.edits = Object.keys(values).length ? { ...others, [name]: values } : others;
  }

  reset(): void {
    this.edits = {};
  }

  /** Keeps the address and the state together while the page lives; returns what ends that. Call in an effect. */
  follow(): () => void {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const dark = (): void => void (this.#system = system.matches);
    const moved = (): void => {
      if (location.hash === this.#written) return;
      clearTimeout(this.#waiting);
      this.#go(hash.read(location.hash, this.limits, this.#first));
      this.#written = hash.write(this);
    };
    dark();
    system.addEventListener("change", dark);
    if (this.#addressed) addEventListener("popstate", moved);
    return () => {
      system.removeEventListener("change", dark);
      removeEventListener("popstate", moved);
      clearTimeout(this.#waiting);
    };
  }

  /** Writes the address: a new view or chapter is a new entry of the history, a moved cursor is not. Call in an effect. */
  record(): void {
    const place = hash.write(this);
    if (!this.#addressed || place === this.#written) return;
    clearTimeout(this.#waiting);
    const old = hash.read(this.#written, this.limits, this.#first);
    const turned = old.view !== this.view || old.chapter !== this.chapter;
    if (turned) {
      history.pushState(null, "", place);
      this.#written = place;
      return;
    }
    this.#waiting = setTimeout(() => {
      history.replaceState(null, "", place);
      this.#written = place;
    }, PATIENCE);
  }

  #go(place: Place): void {
    Object.assign(this, place);
  }
}
