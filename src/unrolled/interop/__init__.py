"""A fitted model in the forms that other tools read: PyTorch modules and ONNX files.

    Model -> readings(panel) -> arrays     what both take, by name
    Model -> to_torch -> torch.nn.Module   the same numbers, trainable
    Model -> to_onnx -> file               the same numbers, anywhere

The libraries are loaded when they are asked for, not before.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from unrolled.errors import ArgumentError, fault
from unrolled.interop.reading import OUTPUTS, Reading, expected, readings

if TYPE_CHECKING:
    from os import PathLike

    import numpy as np
    from numpy.typing import NDArray

    from unrolled.model import Model
    from unrolled.panel import Panel

__all__ = ["OUTPUTS", "Reading", "expected", "readings", "to_onnx", "to_torch"]


def to_torch(model: Model) -> Any:
    """Return a model as a `torch.nn.Module` that gives the same numbers; see `interop.torch`.

    Raises:
        ArgumentError: PyTorch is not installed, or the forecast cannot be said in its operations.
    """
    if find_spec("torch") is None:
        raise ArgumentError(fault("interop.torch-missing"))
    from unrolled.interop.torch import to_torch as convert

    return convert(model)


def to_onnx(
    model: Model,
    path: str | PathLike[str],
    *,
    sample: Panel,
    known_as: NDArray[np.int64] | None = None,
) -> None:
    """Write a model as an ONNX file that gives the same numbers; see `interop.onnx`.

    Args:
        model: fitted.
        path: of the file; it is replaced at once or not at all.
        sample: series that the file is tried on, in onnxruntime, before it is kept.
        known_as: where series were scaled once, the number that each of the sample had when fitting.

    Raises:
        ArgumentError: onnx or onnxruntime is not installed, or the forecast cannot be said in its operations.
        FileError: the file gives other numbers than the model, or cannot be written.
    """
    for library in ("onnx", "onnxruntime"):
        if find_spec(library) is None:
            raise ArgumentError(fault("interop.onnx-missing", module=library))
    from unrolled.interop.onnx import to_onnx as write

    write(model, path, sample=sample, known_as=known_as)
