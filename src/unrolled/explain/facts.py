"""The facts of a report: plain values that JSON can hold, as Python writes them and the page reads them.

One source for three readers: `report.schema.json` and the page's TypeScript types are made from this file.
Axes have the letters of DESIGN section 4. Every number is finite or None. Knows nothing of the rest.
"""

from __future__ import annotations

from typing import Final, Literal, NotRequired, TypedDict

FORMAT: Final = "unrolled.report"
VERSION: Final = 1

Number = float | None


class Block(TypedDict):
    """An array of float32: little-endian, C order, base64."""

    shape: list[int]
    data: str


class Said(TypedDict):
    """A sentence of the catalogue with its values: it is written in the reader's language."""

    id: str
    values: dict[str, float | int | str | None]


# ---- shapes -----------------------------------------------------------------------------------------------


class Axis(TypedDict):
    """One axis of a tensor."""

    letter: str  # B, T, I, H, ... as DESIGN section 4; R: projected; O: outputs; a product is "G*H"
    size: int


class TensorFact(TypedDict):
    """One tensor: its axes have names."""

    name: str  # input, weight_ih_l0, output, h_n, c_n, head.weight, forecast ...
    role: Literal["data", "weight", "output", "state", "forecast"]
    axes: list[Axis]
    count: int  # of numbers
    code: str  # the line that has it: PyTorch's, else that of our NumPy reference
    gates: list[str]  # of weights: the names of their row blocks; else empty


class LayerParameters(TypedDict):
    """The parameters of one layer in one direction."""

    layer: int
    direction: Literal["forward", "backward"]
    input_size: int
    weight_ih: int
    weight_hh: int
    bias_ih: int
    bias_hh: int
    weight_hr: int
    total: int
    per_gate: int  # without weight_hr


class ParameterFacts(TypedDict):
    """The parameters of a network."""

    layers: list[LayerParameters]
    head: int
    skip: int
    total: int
    one_bias: int  # the total with one bias vector a gate, as Keras counts; its GRU keeps two (reset_after)


class WorkFacts(TypedDict):
    """Multiply-adds of the weights, biases not counted."""

    per_step: int  # of one sequence, all layers
    per_sequence: int  # T steps, the head and the skip
    per_batch: int
    head: int  # of one sequence
    skip: int  # of one sequence
    pointwise: int  # products and sums between gates, one sequence
    sequential_steps: int  # one layer after the other: T * L, less where layers are dilated


class BackwardMemory(TypedDict):
    """Numbers kept for the way back, and bytes of float32."""

    gates: int
    states: int
    outputs: int
    total: int
    bytes: int


class EqualAxes(TypedDict):
    """Axes of one tensor that happen to have the same size."""

    size: int
    tensor: str
    letters: list[str]  # axes of this tensor of that size, more than 1: a swap cannot raise an error


class LedgerFacts(TypedDict):
    """The shapes, parameters and work of one network."""

    cell: str
    input_size: int
    hidden_size: int
    num_layers: int
    bidirectional: bool
    batch_first: bool
    proj_size: int
    bias: bool
    batch: int
    time: int
    code: str  # the lines that make layer, head and skip: PyTorch's, else ours
    tensors: list[TensorFact]
    parameters: ParameterFacts
    work: WorkFacts
    memory: BackwardMemory
    equal_axes: list[EqualAxes]


# ---- the network and its windows ---------------------------------------------------------------------------


class NetworkFacts(TypedDict):
    """One network with its weights: all that is needed to compute it."""

    cell: str
    gates: list[str]
    states: list[str]
    input_size: int
    hidden_size: int
    num_layers: int
    output_size: int
    skip_steps: int
    skip_inputs: int
    residual: bool
    dilations: list[int]  # one a layer
    parameters: int  # how many numbers
    scaling: str  # how a window is scaled, as of the Forecaster
    patch: int  # points of a series in one step
    horizon: int  # points that are forecast at once
    channels: int
    parts: int  # numbers that tell one point: 1, or those of a distribution, or the quantiles
    anchor: int  # which of the parts is the point forecast: output (k*C + c)*parts + anchor
    weights: dict[str, Block]  # by torch's names
    input_names: list[str]  # what each of the I inputs of a step is, such as "y[t-1]"


class WindowFacts(TypedDict):
    """One window as the network reads it."""

    series: int
    start: int  # the point of its series at which it begins; may lie before the first
    points: int  # how many points it has
    x: Block  # [T, I], as the network reads it
    said: Block  # [O], what the core's network answers
    location: list[float]  # [C]: units = location + scale * scaled, where `affine`
    scale: list[float]
    affine: bool


class StepFacts(TypedDict):
    """All numbers of one window, of a network that the page does not compute itself."""

    window: int
    layers: list[dict[str, Block]]  # name of gate, state or product -> [T, H]


class SeriesFacts(TypedDict):
    """One series as it is drawn."""

    id: str
    channel: str
    unit: str | None
    first: int  # the position in the series of values[0]; more than 0 where only its end is shown
    values: list[Number]
    times: list[str] | None


# ---- memory ------------------------------------------------------------------------------------------------


class LayerMemory(TypedDict):
    """What one layer keeps, and for how long."""

    # of each unit, median over windows and steps, in steps; None: forgets nothing, or no such gate
    half_life: list[Number]
    keep: list[
        Number
    ]  # of each unit: mean of what keeps the state (f of an LSTM, z of a GRU); None: no such gate
    saturation: dict[str, list[float]]  # gate -> share of values at the low end, at the high end
    eigenvalues: list[list[float]]  # [re, im], by falling size
    eigenvalues_of: Literal["weight_hh", "state_jacobian"]
    spectral_radius: float
    jacobian: list[
        float
    ]  # by lag in steps: mean over windows of ||d h_T / d state_{T-lag}||, Frobenius / sqrt(H)
    effective_rank: float  # of the states over time: exp of the entropy of the squared singular values
    dead: int  # units whose state hardly changes
    twins: int  # units that follow another one


class MemoryFacts(TypedDict):
    """How far back a network looks."""

    window: int  # points
    patch: int  # points a step
    gradient: list[
        float
    ]  # by lag in points, 0 is the newest: mean over windows of sum_k |d y_hat_k / d y_{t-lag}|
    recurrent: list[float]  # the part of it through the recurrent layers
    skip: list[float]  # the part through the linear skip
    lag95: int  # points that hold 95 % of it
    recurrent_lag95: int
    truncation: list[list[float]]  # [points given, error, error of all points given]; RMSE in scaled units
    warm_up: (
        int | None
    )  # steps until two first states give the same output to 1 %; None: not within the window
    layers: list[LayerMemory]


class GradientMoment(TypedDict):
    """The gradient through time at one step of training."""

    step: int  # of training
    loss: Number
    norms: list[float]  # by step of the window, oldest first: mean over windows of ||dL/dh_t||


class LearningFacts(TypedDict):
    """How the network learnt."""

    losses: list[Number]  # at most 500, evenly
    steps: int
    moments: list[GradientMoment]


# ---- forecasts ---------------------------------------------------------------------------------------------


class OriginFacts(TypedDict):
    """A forecast from one origin: the points before `origin` were known."""

    series: int
    channel: int
    origin: int  # position in the series of the first forecast point
    closed: list[Number]  # [K] all from the origin: own forecasts fed back, or all K at once
    open: list[Number]  # [K] each from the true points before it, where they are known
    baselines: dict[str, list[Number]]
    intervals: dict[str, list[list[Number]]]  # "80" -> [[lower], [upper]]
    window: int | None  # the number of the window that was read, if it is in the report
    seen: bool | None  # whether the network learnt from the points that it forecasts; None: not known


class HorizonError(TypedDict):
    """The error of one method, by how far ahead."""

    method: str  # network, network_open, naive, seasonal_naive, drift, autoregression ...
    rmse: list[Number]  # [K]
    skill: list[Number]  # [K]: 1 - MSE / MSE of naive


class CopyMeter(TypedDict):
    """Whether the first forecast is yesterday's value."""

    skill: Number  # against repeating the last value, first forecast point
    best_lag: (
        int | None
    )  # the k with the highest correlation of y_hat_t and y_{t-k}; 0: what it should forecast
    correlations: list[Number]  # of k = 0 ... 10
    slope: Number  # of y_hat_t on y_{t-1}
    move: list[Number]  # [K]: how far the forecasts move from the last value, over how far the series does
    flagged: bool


class Contribution(TypedDict):
    """What a forecast is made of: the parts add up to it."""

    window: int
    channel: int
    bias: list[float]  # of each point forecast at once, in scaled units of the window
    skip: list[float]
    recurrent: list[float]


class ForecastFacts(TypedDict):
    """Forecasts, and how good they are."""

    horizon: int
    season: int | None
    strategy: Literal["direct", "recursive"]
    members: int
    origins: list[OriginFacts]
    errors: list[HorizonError]
    copy: CopyMeter
    contributions: list[Contribution]


# ---- windows, batches --------------------------------------------------------------------------------------


class Span(TypedDict):
    """Points of one role in a split."""

    role: Literal["train", "validation", "calibration", "test"]
    begin: int
    end: int  # one past the last


class RangeFacts(TypedDict):
    """Least and greatest value of a span."""

    role: str
    least: Number
    greatest: Number


class SplitFacts(TypedDict):
    """Which points are for what, and what scales them."""

    series: int
    points: int
    window: int
    horizon: int  # points that are forecast at once: the targets of a window
    count: int  # windows: points of the fit - window - horizon + 1
    counts: dict[str, int]  # windows by role: train, validation, calibration
    spans: list[Span]
    refit: bool  # the points held out were hidden from a rehearsal; then the members learnt from all points
    scaler: Literal["window", "series", "none"]
    scaler_span: list[int] | None  # [begin, end] of what scaled a series once
    overlap: int  # training windows that share points with a held-out target
    ranges: list[RangeFacts]


class BatchFacts(TypedDict):
    """One batch: its gradient is the mean of its windows' gradients, and its rows do not touch."""

    windows: list[int]  # numbers of the windows in it
    losses: list[float]
    mean_loss: float
    gradient_names: list[str]
    gradient_of_mean: list[float]  # some numbers of it: the first of each parameter
    mean_of_gradients: list[float]
    largest_difference: float  # over all parameters
    influence: list[list[float]]  # [B, B]: ||d y_i / d x_j||; must be diagonal
    swapped: list[list[float]]  # the same where batch and time are mixed up


# ---- the lesson --------------------------------------------------------------------------------------------


class Slip(TypedDict):
    """A sentence of the tutorial, put right by a number."""

    letter: str  # a ... g
    said: Said  # what the tutorial says
    computed: Said  # what the numbers say


class Product(TypedDict):
    """One value on the way through a step."""

    name: str  # x, W_ih x, W_hh h, sum, i, f, g, o, c, h, head
    shape: list[int]
    values: list[float]  # the first few


class LessonStep(TypedDict):
    """One step of the lesson's story: what to look at, what to guess first, and what is so."""

    view: Literal["one", "shapes", "batch", "gates", "memory", "forecast", "windows"]
    title: Said
    text: Said
    ask: Said
    answer: Said


class LessonFacts(TypedDict):
    """The tutorial, computed."""

    window: int
    known: int  # points of the series that the network learnt from; the others are the truth
    pairs: list[list[str]]  # ABCDE: ["AB", "C"], ...
    letters: dict[str, list[float]]  # A -> 1 1 1 1 1
    letter_states: list[list[float]]  # h after A, after B, of a small network with I = 5
    letter_batch: BatchFacts  # AB -> C and BC -> D together, in the same network
    products: list[Product]  # the flow of one step of the sine's network
    slips: list[Slip]
    steps: list[LessonStep]
    mse: dict[str, float]  # network, seasonal_naive, autoregression ... in closed loop
    seconds: float


# ---- what the doctor found ---------------------------------------------------------------------------------


class Fix(TypedDict):
    """A correction, as lines of code."""

    before: str | None  # what stands there, as far as it can be told
    after: str  # what should stand there


class Cursor(TypedDict):
    """Where on the page a finding can be seen."""

    view: Literal["one", "shapes", "batch", "gates", "memory", "forecast", "windows"]
    window: int | None
    step: int | None
    layer: int | None


class Finding(TypedDict):
    """Something that is wrong, and what shows it."""

    id: str  # stable: batch-read-as-time, target-misaligned ...
    wrong: Said
    proof: Said
    lines: list[str]  # Python that measures the number again and prints it
    measured: Number  # what these lines print
    place: str  # the path of the module or parameter; "" is the whole
    fix: Fix
    sure: Literal["proved", "exact", "evidence"]  # a probe shows it; code or data say it; numbers suggest it
    mistakes: list[int]  # numbers of rows in docs/mistakes.md
    cursor: Cursor | None


class CheckFacts(TypedDict):
    """One question that was asked, and what came out."""

    id: str  # of the finding that it looks for
    area: Literal["model", "step", "data", "forecast"]
    result: Literal["passed", "failed", "not_applicable"]
    said: Said  # what was measured, or why it could not be asked


class LayerReading(TypedDict):
    """What one recurrent layer read and gave when it was called: axes by their names."""

    place: str  # the path of the module
    layer: str  # as code: LSTM(3, 5, batch_first=True)
    read: list[Axis]
    output: list[Axis]
    states: dict[str, list[Axis]]  # h_n, c_n
    calls: int  # of one answer


class CheckupFacts(TypedDict):
    """What was asked of a model, a training step, windows or a forecast, and what was found."""

    checks: list[CheckFacts]
    findings: list[Finding]
    layers: list[LayerReading]
    notes: list[Said]  # how it was asked: sizes, gradients or changed inputs, modes


# ---- the whole ---------------------------------------------------------------------------------------------


class ReportFacts(TypedDict):
    """All facts of one report."""

    format: Literal["unrolled.report"]
    version: Literal[1]
    kind: Literal["network", "lesson", "shapes", "checkup"]
    title: str
    unrolled: str  # the version that made it
    member: int
    ledger: NotRequired[LedgerFacts]  # all but a checkup have it
    network: NotRequired[NetworkFacts]
    windows: NotRequired[list[WindowFacts]]
    steps: NotRequired[list[StepFacts]]
    series: NotRequired[list[SeriesFacts]]
    memory: NotRequired[MemoryFacts]
    learning: NotRequired[LearningFacts]
    forecast: NotRequired[ForecastFacts]
    split: NotRequired[SplitFacts]
    batch: NotRequired[BatchFacts]
    lesson: NotRequired[LessonFacts]
    checkup: NotRequired[CheckupFacts]
    sentences: list[Said]
