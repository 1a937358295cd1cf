// The cursor as the address keeps it: "#view=gates&window=2&step=13". Knows nothing of what is drawn.

/** Numbers changed by the user: name of the array, then index in it (row after row), then value. */
export type Edits = Record<string, Record<number, number>>;

/** All that an address says. */
export interface Place {
  view: string;
  window: number;
  step: number;
  layer: number;
  unit: number;
  /** Of the lesson. */
  chapter: number;
  language: string;
  theme: Theme;
  /** Of weights by torch's names, of inputs by "x0", "x1", ... for the numbers of windows. */
  edits: Edits;
}

export type Theme = "auto" | "light" | "dark";

/** What there is: everything that an address says is brought within. */
export interface Limits {
  views: readonly string[];
  windows: number;
  /** Steps of a window. */
  steps(window: number): number;
  layers: number;
  units: number;
  chapters: number;
  languages: readonly string[];
  /** How many numbers an array that can be edited has; 0 where there is none. */
  size(name: string): number;
}

const THEMES: readonly Theme[] = ["auto", "light", "dark"];
const MOST_EDITS = 64;

function clamped(text: string | null, count: number): number {
  const value = Number.parseInt(text ?? "", 10);
  return Number.isFinite(value) ? Math.min(Math.max(value, 0), Math.max(count - 1, 0)) : 0;
}

function oneOf<T extends string>(text: string | null, known: readonly T[], otherwise: T): T {
  return known.find((one) => one === text) ?? otherwise;
}

/** Returns the place that an address says, the nearest that there is. */
export function read(hash: string, limits: Limits, language: string): Place {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const window = clamped(said.get("window"), limits.windows);
  const steps = limits.steps(window);
  const edits: Edits = {};
  for (const one of (said.get("edits") ?? "").split(",").slice(0, MOST_EDITS)) {
    const [name = "", index = "", value = ""] = one.split("~");
    const [at, to] = [Number(index), Number(value)];
    if (index && value && Number.isInteger(at) && at >= 0 && at < limits.size(name) && Number.isFinite(to))
      (edits[name] ??= {})[at] = to;
  }
  return {
    view: oneOf(said.get("view"), limits.views, limits.views[0] ?? ""),
    window,
    step: said.has("step") ? clamped(said.get("step"), steps) : Math.max(steps - 1, 0),
    layer: clamped(said.get("layer"), limits.layers),
    unit: clamped(said.get("unit"), limits.units),
    chapter: clamped(said.get("chapter"), limits.chapters),
    language: oneOf(said.get("lang"), limits.languages, language),
    theme: oneOf(said.get("theme"), THEMES, "auto"),
    edits,
  };
}

/** Returns the address of a place. */
export function write(place: Place): string {
  const { view, window, step, layer, unit, chapter, language, theme } = place;
  const edits = Object.entries(place.edits).flatMap(([name, values]) =>
    Object.entries(values).map(([index, value]) => `${name}~${index}~${value}`),
  );
  const said: Record<string, string> = {
    view, window: `${window}`, step: `${step}`, layer: `${layer}`, unit: `${unit}`, lang: language,
    ...(chapter ? { chapter: `${chapter}` } : {}),
    ...(theme === "auto" ? {} : { theme }),
    ...(edits.length ? { edits: edits.slice(0, MOST_EDITS).join(",") } : {}),
  };
  return `#${new URLSearchParams(said)}`;
}
