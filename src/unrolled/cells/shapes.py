"""Whether arrays fit each other: sizes are bound to the letters of the axes, and every misfit is collected.

NumPy would stretch an axis of size 1 without a word, and an oracle must not. Knows nothing of cells.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from unrolled.errors import ArgumentError, Fault, fault, raise_any

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from unrolled.cells.activations import Array


class Sizes:
    """The sizes of the axes, learned from the first array that shows them and asked of all others.

    Args:
        known: sizes given beforehand: `Sizes(G=4)`.

    Example:
        >>> sizes = Sizes(G=4)
        >>> h = sizes.fit("h", [[1.0, 2.0]], "B H")
        >>> w = sizes.fit("weight_hh", np.ones((8, 2)), "G*H H")
        >>> sizes.settle()
        >>> sizes["H"]
        2
    """

    def __init__(self, **known: int) -> None:
        """Start from the sizes that are known."""
        self._known = known
        self._faults: list[Fault] = []

    def __getitem__(self, axis: str) -> int:
        """Return the size of the axis called by one letter."""
        return self._known[axis]

    def divide(self, axis: str, shape: tuple[int, ...], *, by: str) -> None:
        """Learn the size of `axis` from rows that are so many blocks of it; no multiple misfits later."""
        if shape:
            self._known.setdefault(axis, shape[0] // self[by])

    def suppose(self, axis: str, size: int | None, *, otherwise: str) -> int:
        """Learn that `axis` has `size`, at most that of another, or that of the other where it is None."""
        most = self._known.get(otherwise, 0)
        self._known[axis] = most if size is None else min(size, most)
        return self._known[axis]

    def fit(self, name: str, array: ArrayLike, axes: str) -> Array:
        """Return a float64 copy of `array` and remember a fault where its shape is not that of `axes`.

        It is a copy, so that a trace stays true when its caller goes on to change the array.

        Args:
            name: what the message calls the array.
            array: anything NumPy can read.
            axes: the axes, outermost first: "T B I"; a product of sizes is written "G*H".
        """
        floats = np.array(array, dtype=np.float64)
        wanted = axes.split()
        if floats.ndim == len(wanted):
            for axis, size in zip(wanted, floats.shape, strict=True):
                if "*" not in axis:
                    self._known.setdefault(axis, size)
        expected = tuple(self._size(axis) for axis in wanted)
        if floats.shape != expected:
            self._refuse(name, wanted=wanted, expected=expected, got=floats.shape)
        return floats

    def fit_state(
        self, name: str, state: tuple[ArrayLike, ...], *, names: tuple[str, ...], axes: str
    ) -> tuple[Array, ...]:
        """Return a copy of a state and remember a fault where its arrays do not fit or miscount."""
        if len(state) != len(names):
            self._faults.append(
                fault("cells.state", name=name, expected=", ".join(names), count=len(names), got=len(state))
            )
        return tuple(self.fit(f"{name} {one}", array, axes) for one, array in zip(names, state, strict=False))

    def settle(self) -> None:
        """Raise one `ArgumentError` with every fault found so far, or return where all arrays fit."""
        raise_any(ArgumentError, self._faults)

    def _size(self, axis: str) -> int | str:
        letters = axis.split("*")
        if all(letter in self._known for letter in letters):
            return prod(self._known[letter] for letter in letters)
        return axis

    def _refuse(self, name: str, *, wanted: list[str], expected: tuple[int | str, ...], got: object) -> None:
        letters, numbers = (f"({', '.join(map(str, one))})" for one in (wanted, expected))
        shown = letters if letters == numbers else f"{letters} = {numbers}"
        self._faults.append(fault("cells.shape", name=name, expected=shown, got=got))
