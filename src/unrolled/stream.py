"""A network run one step at a time: for data that arrive while they are watched.

A sequence that is fed step by step gives the very bits that `Engine.forward` gives for all of it at once.
Knows the engine. Must not know where the steps come from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.engine import State
from unrolled.errors import ArgumentError, DataError, Fault, KindError, fault, raise_any

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from unrolled.engine import Array, Engine


class Stream:
    """A network and the state that it is in; `Network.stream` makes one.

    Several streams of one network do not know of each other. Weights that the network gets later count from
    the next step on. Threads may share a stream: each step is whole.

    Args:
        engine: the network; it has no skip, which would have to see a whole window.
        batch: B, how many sequences go on side by side.

    Attributes:
        batch: B.

    Example:
        >>> from unrolled import Network, NetworkSpec
        >>> network = Network(NetworkSpec(cell="gru", input_size=1, hidden_size=2, output_size=3))
        >>> stream = network.stream()
        >>> for x in (0.5, 0.25):
        ...     y = stream.step(x)
        >>> y.shape
        (1, 3)
        >>> whole, _ = network.engine.forward(np.array([0.5, 0.25]).reshape(2, 1, 1))
        >>> bool((y == whole).all())
        True
    """

    def __init__(self, engine: Engine, *, batch: int = 1) -> None:
        self._engine = engine
        self._dtype = engine.dtype
        self._reads = (batch, engine.input_size)
        self._writes = (batch, engine.output_width)
        self._core = engine.make_stream(batch)

    @property
    def batch(self) -> int:
        """B, how many sequences go on side by side."""
        return self._reads[0]

    def step(self, x: ArrayLike) -> Array:
        """Read one step of every sequence, and return what the network says of it.

        Shapes:
            x: [B, I]; where B or I is 1 that axis may be left out, so that a number does where both are. The
            output: [B, O] with either head, [B, H] without one.

        Args:
            x: finite numbers. What is an array of the network's dtype already is read where it lies.

        Returns:
            A new array.

        Raises:
            ArgumentError: x has another shape.
            KindError: x holds what is no number.
            DataError: x is not finite; the state is as it was, since no later step would recover.
        """
        # One look, so that the common case costs next to nothing.
        ready = (
            type(x) is np.ndarray
            and x.dtype == self._dtype
            and x.shape == self._reads
            and x.flags.c_contiguous
        )
        values: Array = x if ready else self._read(x)  # type: ignore[assignment]
        out = np.empty(self._writes, self._dtype)
        if not self._core.step(values, out):
            row, feature = np.argwhere(~np.isfinite(values))[0].tolist()
            value = values[row, feature]
            raise DataError(fault("stream.not-finite", row=row, feature=feature, value=value))
        return out

    @property
    def state(self) -> State:
        """A copy of the state after the last step; assign one to go on from there.

        Raises:
            ArgumentError: on assigning: a shape does not fit.
        """
        state = self._engine.zero_state(self.batch)
        self._core.read(state.h, state.c)
        return state

    @state.setter
    def state(self, state: State) -> None:
        own = self._engine.zero_state(self.batch)
        faults: list[Fault] = []
        for name, given, mine in zip(State._fields, state, own, strict=True):
            got, expected = (None if one is None else list(np.shape(one)) for one in (given, mine))
            if got != expected:
                faults.append(fault("engine.shape", name=f"state.{name}", expected=expected, got=got))
        raise_any(ArgumentError, faults)
        for given, mine in zip(state, own, strict=True):
            if mine is not None:
                mine[...] = given
        self._core.write(own.h, own.c)

    def reset(self) -> None:
        """Begin anew: set the state to zeros."""
        self._core.reset()

    def _read(self, x: Any) -> Array:
        """Return x as the core reads it."""
        if isinstance(x, np.ma.MaskedArray):  # asarray would lose the mask; what it covers is missing
            x = np.ma.filled(x.astype(np.float64), np.nan)
        try:
            given = np.asarray(x)
        except ValueError as error:
            raise KindError(fault("stream.kind", got=type(x).__name__)) from error
        if given.dtype.kind not in "biuf":
            raise KindError(fault("stream.kind", got=type(x).__name__))
        with np.errstate(over="ignore"):  # what does not fit into float32 becomes infinite and is named then
            values = given.astype(self._dtype, order="C")
        batch, features = self._reads
        shortened = values.ndim < 2 and 1 in self._reads and values.size == batch * features
        if values.shape != self._reads and not shortened:
            raise ArgumentError(
                fault("engine.shape", name="x", expected=[batch, features], got=list(values.shape))
            )
        return values.reshape(self._reads)
