// The facts of a report, made from report.schema.json by npm run facts.

/**
 * All facts of one report.
 */
export interface ReportFacts {
  format: "unrolled.report";
  version: 1;
  kind: "network" | "lesson" | "shapes" | "checkup";
  title: string;
  unrolled: string;
  member: number;
  ledger?: LedgerFacts;
  network?: NetworkFacts;
  windows?: WindowFacts[];
  steps?: StepFacts[];
  series?: SeriesFacts[];
  memory?: MemoryFacts;
  learning?: LearningFacts;
  forecast?: ForecastFacts;
  split?: SplitFacts;
  batch?: BatchFacts;
  lesson?: LessonFacts;
  checkup?: CheckupFacts;
  sentences: Said[];
}
/**
 * The shapes, parameters and work of one network.
 */
export interface LedgerFacts {
  cell: string;
  input_size: number;
  hidden_size: number;
  num_layers: number;
  bidirectional: boolean;
  batch_first: boolean;
  proj_size: number;
  bias: boolean;
  batch: number;
  time: number;
  code: string;
  tensors: TensorFact[];
  parameters: ParameterFacts;
  work: WorkFacts;
  memory: BackwardMemory;
  equal_axes: EqualAxes[];
}
/**
 * One tensor: its axes have names.
 */
export interface TensorFact {
  name: string;
  role: "data" | "weight" | "output" | "state" | "forecast";
  axes: Axis[];
  count: number;
  code: string;
  gates: string[];
}
/**
 * One axis of a tensor.
 */
export interface Axis {
  letter: string;
  size: number;
}
/**
 * The parameters of a network.
 */
export interface ParameterFacts {
  layers: LayerParameters[];
  head: number;
  skip: number;
  total: number;
  one_bias: number;
}
/**
 * The parameters of one layer in one direction.
 */
export interface LayerParameters {
  layer: number;
  direction: "forward" | "backward";
  input_size: number;
  weight_ih: number;
  weight_hh: number;
  bias_ih: number;
  bias_hh: number;
  weight_hr: number;
  total: number;
  per_gate: number;
}
/**
 * Multiply-adds of the weights, biases not counted.
 */
export interface WorkFacts {
  per_step: number;
  per_sequence: number;
  per_batch: number;
  head: number;
  skip: number;
  pointwise: number;
  sequential_steps: number;
}
/**
 * Numbers kept for the way back, and bytes of float32.
 */
export interface BackwardMemory {
  gates: number;
  states: number;
  outputs: number;
  total: number;
  bytes: number;
}
/**
 * Axes of one tensor that happen to have the same size.
 */
export interface EqualAxes {
  size: number;
  tensor: string;
  letters: string[];
}
/**
 * One network with its weights: all that is needed to compute it.
 */
export interface NetworkFacts {
  cell: string;
  gates: string[];
  states: string[];
  input_size: number;
  hidden_size: number;
  num_layers: number;
  output_size: number;
  skip_steps: number;
  skip_inputs: number;
  residual: boolean;
  dilations: number[];
  parameters: number;
  scaling: string;
  patch: number;
  horizon: number;
  channels: number;
  parts: number;
  anchor: number;
  weights: {
    [k: string]: Block;
  };
  input_names: string[];
}
/**
 * An array of float32: little-endian, C order, base64.
 */
export interface Block {
  shape: number[];
  data: string;
}
/**
 * One window as the network reads it.
 */
export interface WindowFacts {
  series: number;
  start: number;
  points: number;
  x: Block;
  said: Block;
  location: number[];
  scale: number[];
  affine: boolean;
}
/**
 * All numbers of one window, of a network that the page does not compute itself.
 */
export interface StepFacts {
  window: number;
  layers: {
    [k: string]: Block;
  }[];
}
/**
 * One series as it is drawn.
 */
export interface SeriesFacts {
  id: string;
  channel: string;
  unit: string | null;
  first: number;
  values: (number | null)[];
  times: string[] | null;
}
/**
 * How far back a network looks.
 */
export interface MemoryFacts {
  window: number;
  patch: number;
  gradient: number[];
  recurrent: number[];
  skip: number[];
  lag95: number;
  recurrent_lag95: number;
  truncation: number[][];
  warm_up: number | null;
  layers: LayerMemory[];
}
/**
 * What one layer keeps, and for how long.
 */
export interface LayerMemory {
  half_life: (number | null)[];
  keep: (number | null)[];
  saturation: {
    [k: string]: number[];
  };
  eigenvalues: number[][];
  eigenvalues_of: "weight_hh" | "state_jacobian";
  spectral_radius: number;
  jacobian: number[];
  effective_rank: number;
  dead: number;
  twins: number;
}
/**
 * How the network learnt.
 */
export interface LearningFacts {
  losses: (number | null)[];
  steps: number;
  moments: GradientMoment[];
}
/**
 * The gradient through time at one step of training.
 */
export interface GradientMoment {
  step: number;
  loss: number | null;
  norms: number[];
}
/**
 * Forecasts, and how good they are.
 */
export interface ForecastFacts {
  horizon: number;
  season: number | null;
  strategy: "direct" | "recursive";
  members: number;
  origins: OriginFacts[];
  errors: HorizonError[];
  copy: CopyMeter;
  contributions: Contribution[];
}
/**
 * A forecast from one origin: the points before `origin` were known.
 */
export interface OriginFacts {
  series: number;
  channel: number;
  origin: number;
  closed: (number | null)[];
  open: (number | null)[];
  baselines: {
    [k: string]: (number | null)[];
  };
  intervals: {
    [k: string]: (number | null)[][];
  };
  window: number | null;
  seen: boolean | null;
}
/**
 * The error of one method, by how far ahead.
 */
export interface HorizonError {
  method: string;
  rmse: (number | null)[];
  skill: (number | null)[];
}
/**
 * Whether the first forecast is yesterday's value.
 */
export interface CopyMeter {
  skill: number | null;
  best_lag: number | null;
  correlations: (number | null)[];
  slope: number | null;
  move: (number | null)[];
  flagged: boolean;
}
/**
 * What a forecast is made of: the parts add up to it.
 */
export interface Contribution {
  window: number;
  channel: number;
  bias: number[];
  skip: number[];
  recurrent: number[];
}
/**
 * Which points are for what, and what scales them.
 */
export interface SplitFacts {
  series: number;
  points: number;
  window: number;
  horizon: number;
  count: number;
  counts: {
    [k: string]: number;
  };
  spans: Span[];
  refit: boolean;
  scaler: "window" | "series" | "none";
  scaler_span: number[] | null;
  overlap: number;
  ranges: RangeFacts[];
}
/**
 * Points of one role in a split.
 */
export interface Span {
  role: "train" | "validation" | "calibration" | "test";
  begin: number;
  end: number;
}
/**
 * Least and greatest value of a span.
 */
export interface RangeFacts {
  role: string;
  least: number | null;
  greatest: number | null;
}
/**
 * One batch: its gradient is the mean of its windows' gradients, and its rows do not touch.
 */
export interface BatchFacts {
  windows: number[];
  losses: number[];
  mean_loss: number;
  gradient_names: string[];
  gradient_of_mean: number[];
  mean_of_gradients: number[];
  largest_difference: number;
  influence: number[][];
  swapped: number[][];
}
/**
 * The tutorial, computed.
 */
export interface LessonFacts {
  window: number;
  known: number;
  pairs: string[][];
  letters: {
    [k: string]: number[];
  };
  letter_states: number[][];
  letter_batch: BatchFacts;
  products: Product[];
  slips: Slip[];
  steps: LessonStep[];
  mse: {
    [k: string]: number;
  };
  seconds: number;
}
/**
 * One value on the way through a step.
 */
export interface Product {
  name: string;
  shape: number[];
  values: number[];
}
/**
 * A sentence of the tutorial, put right by a number.
 */
export interface Slip {
  letter: string;
  said: Said;
  computed: Said;
}
/**
 * A sentence of the catalogue with its values: it is written in the reader's language.
 */
export interface Said {
  id: string;
  values: {
    [k: string]: number | string | null;
  };
}
/**
 * One step of the lesson's story: what to look at, what to guess first, and what is so.
 */
export interface LessonStep {
  view: "one" | "shapes" | "batch" | "gates" | "memory" | "forecast" | "windows";
  title: Said;
  text: Said;
  ask: Said;
  answer: Said;
}
/**
 * What was asked of a model, a training step, windows or a forecast, and what was found.
 */
export interface CheckupFacts {
  checks: CheckFacts[];
  findings: Finding[];
  layers: LayerReading[];
  notes: Said[];
}
/**
 * One question that was asked, and what came out.
 */
export interface CheckFacts {
  id: string;
  area: "model" | "step" | "data" | "forecast";
  result: "passed" | "failed" | "not_applicable";
  said: Said;
}
/**
 * Something that is wrong, and what shows it.
 */
export interface Finding {
  id: string;
  wrong: Said;
  proof: Said;
  lines: string[];
  measured: number | null;
  place: string;
  fix: Fix;
  sure: "proved" | "exact" | "evidence";
  mistakes: number[];
  cursor: Cursor | null;
}
/**
 * A correction, as lines of code.
 */
export interface Fix {
  before: string | null;
  after: string;
}
/**
 * Where on the page a finding can be seen.
 */
export interface Cursor {
  view: "one" | "shapes" | "batch" | "gates" | "memory" | "forecast" | "windows";
  window: number | null;
  step: number | null;
  layer: number | null;
}
/**
 * What one recurrent layer read and gave when it was called: axes by their names.
 */
export interface LayerReading {
  place: string;
  layer: string;
  read: Axis[];
  output: Axis[];
  states: {
    [k: string]: Axis[];
  };
  calls: number;
}
