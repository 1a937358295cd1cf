"""What the compiled core offers; `engine` is its face."""

from typing import Any

def isa() -> str: ...
def available_isas() -> list[str]: ...
def cells() -> list[tuple[str, int, int, bool]]: ...
def losses() -> list[tuple[str, int]]: ...
def scalings() -> list[str]: ...
def loss(
    name: str,
    raw: Any,
    target: Any,
    delta: float,
    quantiles: list[float],
    d_raw: Any,
    scale: Any,
    missing: bool,
) -> float: ...
def map_outputs(name: str, raw: Any, quantiles: list[float], out: Any) -> None: ...
def activate(name: str, x: Any, y: Any) -> None: ...

class _Network:
    def __init__(self, **spec: Any) -> None: ...
    @property
    def parameter_count(self) -> int: ...
    def parameters(self) -> list[tuple[str, int, int]]: ...
    def read(self, flat: Any) -> None: ...
    def write(self, flat: Any) -> None: ...
    def apply(
        self,
        x: Any,
        h: Any,
        c: Any,
        out: Any,
        train: bool,
        seed: int,
        threads: int,
        lengths: Any = None,
    ) -> None: ...
    def apply_backward(
        self,
        x: Any,
        h: Any,
        c: Any,
        d_out: Any,
        d_h: Any,
        d_c: Any,
        parameters: Any,
        d_x: Any,
        train: bool,
        seed: int,
        threads: int,
        lengths: Any = None,
    ) -> None: ...
    def forecast(
        self,
        table: _Table,
        windowing: Windowing,
        loss: str,
        quantiles: list[float],
        unscale: bool,
        series: Any,
        starts: Any,
        out: Any,
        scaling: Any,
        threads: int,
    ) -> None: ...

class NetworkF32(_Network): ...
class NetworkF64(_Network): ...

class Windowing:
    def __init__(
        self, window: int, horizon: int, patch: int, scaling: str, mask: bool, ahead: int
    ) -> None: ...

class _Table:
    def __init__(
        self,
        values: Any,
        offsets: Any,
        features: Any = None,
        feature_offsets: Any = None,
        known: int = 0,
        static: Any = None,
    ) -> None: ...
    def gather(self, windowing: Windowing, series: Any, starts: Any, out: Any, scaling: Any) -> None: ...

class TableF32(_Table): ...
class TableF64(_Table): ...

class _Trainer:
    def __init__(self, network: _Network, table: _Table, windowing: Windowing, **settings: Any) -> None: ...
    def run(self, series: Any, starts: Any, batch: int, rates: Any, losses: Any) -> int: ...
    def evaluate(self, series: Any, starts: Any, losses: Any) -> None: ...
    def gradients(self, flat: Any) -> None: ...
    def state_sizes(self) -> tuple[int, int]: ...
    def read_state(self, first: Any, second: Any) -> int: ...
    def restore_state(self, step: int, first: Any, second: Any) -> None: ...
    @property
    def gradient_norm(self) -> float: ...

class TrainerF32(_Trainer): ...
class TrainerF64(_Trainer): ...

class _Stream:
    def __init__(self, network: _Network, batch: int) -> None: ...
    def step(self, x: Any, y: Any) -> bool: ...
    def read(self, h: Any, c: Any) -> None: ...
    def write(self, h: Any, c: Any) -> None: ...
    def reset(self) -> None: ...

class StreamF32(_Stream): ...
class StreamF64(_Stream): ...

class Recurrence:
    def __init__(
        self, *, cell: str, input_size: int, hidden_size: int, num_layers: int, directions: int
    ) -> None: ...
    @property
    def row_size(self) -> int: ...
    @property
    def end_size(self) -> int: ...
    def forward(
        self,
        steps: int,
        rows: int,
        total: int,
        x: int,
        x_step: int,
        x_row: int,
        batch_sizes: int,
        h_0: int,
        c_0: int,
        resets: int,
        masks: int,
        weights: list[int],
        out: int,
        h_n: int,
        c_n: int,
        reserve: int,
        threads: int,
        team: int,
        /,
    ) -> None: ...
    def backward(
        self,
        steps: int,
        rows: int,
        total: int,
        batch_sizes: int,
        from_zero: bool,
        resets: int,
        masks: int,
        weights: list[int],
        reserve: int,
        d_out: int,
        d_h_n: int,
        d_c_n: int,
        d_x: int,
        d_h_0: int,
        d_c_0: int,
        d_weights: list[int],
        threads: int,
        team: int,
        /,
    ) -> None: ...

class RecurrenceF32(Recurrence): ...
class RecurrenceF64(Recurrence): ...
