"""A fitted model as one ONNX file with the same numbers, checked in onnxruntime before it is kept.

    values -> scaled by the window itself -> steps -> layers -> head -> mapped -> units of the series

The file computes in float32, but for the scaling, which is float64 as in the core. The same model gives the
same bytes.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper

from unrolled.atomic import replace_file
from unrolled.errors import FileError, fault
from unrolled.heads import POINT_LOSSES
from unrolled.interop.onnx_graph import FLOAT
from unrolled.interop.onnx_model import OnnxModel
from unrolled.interop.reading import OUTPUTS, expected, lengthened, readings, refuse

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    from numpy.typing import NDArray

    from unrolled.engine import Array
    from unrolled.model import Model
    from unrolled.panel import Panel

OPSET, IR = 17, 8
"""The versions of the operators and of the format: those of ONNX 1.12, which other tools read since 2022."""

TOLERANCE = 1e-4
"""How far a forecast of the file may be from the model's, as a share of the larger of the forecast and the
scale of its window. Both round to float32 in other orders, and onnxruntime's tanh and sigmoid are other
polynomials."""

_TRIED = 8
"""Series that a file is tried on at the most."""


def to_onnx(
    model: Model,
    path: str | PathLike[str],
    *,
    sample: Panel,
    known_as: NDArray[np.int64] | None = None,
) -> None:
    """Write a model as an ONNX file.

    Shapes:
        inputs: values [B, T, C] float32, NaN where a point is missing; features [B, T + K, F] (or [B, T, F]
        where none is known ahead); static [B, E]; series [B] int64; of memory "all" h0 [M L, B, H] and c0
        [M L, B, E H], zeros where they are not given. B is free, and T too with memory "all".
        outputs: forecast [B, K, C], or with several numbers a target [B, K, C, W]; of memory "all" hN, cN.

    Args:
        model: fitted.
        path: of the file; it is replaced at once or not at all.
        sample: series that the file is tried on before it is kept.
        known_as: where series were scaled once, the number that each of the sample had when fitting.

    Raises:
        ArgumentError: the model feeds back the medians of counts, which no operator of ONNX gives.
        FileError: the file gives other numbers than the model, or cannot be written.
    """
    refuse(model)
    content = build(model).SerializeToString(deterministic=True)
    check(content, model, sample, known_as, path)
    replace_file(path, content)


def build(model: Model) -> Any:
    """Return a model as ONNX's `ModelProto`."""
    made = OnnxModel(model)
    forecast, ends = made.forecast()
    graph = made.graph
    graph.rename(forecast, "forecast")
    shape = ["batch", model.horizon, made.channels]
    outputs = [helper.make_tensor_value_info("forecast", FLOAT, shape + made.several)]
    for name, value, size in zip(("hN", "cN"), ends, made.state_sizes, strict=False):
        graph.rename(value, name)
        outputs.append(helper.make_tensor_value_info(name, FLOAT, [made.state_layers, "batch", size]))
    proto = helper.make_graph(
        graph.nodes,
        "unrolled",
        [helper.make_tensor_value_info(*one) for one in made.inputs],
        outputs,
        [*made.defaults, *graph.initializers],
    )
    opsets = [helper.make_opsetid("", OPSET)]
    result = helper.make_model(proto, opset_imports=opsets, ir_version=IR, producer_name="unrolled")
    result.producer_version = version("unrolled")
    helper.set_model_props(result, {name: json.dumps(value) for name, value in facts(model).items()})
    onnx.checker.check_model(result, full_check=True)
    return result


def facts(model: Model) -> dict[str, Any]:
    """Return what a file says of itself in its metadata, each as JSON."""
    windowing, head, encoder = model.windowing, model.head, model.encoder
    outputs: tuple[Any, ...] = ("forecast",)
    if not model.recursive and head.loss not in POINT_LOSSES:
        outputs = head.quantiles or OUTPUTS[head.loss]
    return {
        "unrolled": version("unrolled"),
        "cell": model.network.spec.cell,
        "members": len(model.networks),
        "window": None if model.memory == "all" else windowing.window,
        "horizon": model.horizon,
        "patch": windowing.patch,
        "scaling": "series" if model.scaler is not None else windowing.scaling,
        "missing": windowing.mask,
        "strategy": "recursive" if model.recursive else "direct",
        "loss": head.loss,
        "outputs": list(outputs),
        "calendar": [] if encoder is None else list(encoder.calendar),
        "columns": {} if encoder is None else _columns(model),
    }


def _columns(model: Model) -> dict[str, list[str]]:
    """Return the names of the features behind each part of the covariates."""
    encoder = model.encoder
    if encoder is None:
        return {}
    return {
        part: [name for code in encoder.codes if code.part == part for name in code.features]
        for part in ("known", "past", "static")
    }


def check(
    content: bytes,
    model: Model,
    sample: Panel,
    known_as: NDArray[np.int64] | None,
    path: str | PathLike[str] | Path,
) -> float:
    """Compare what a file says of some series with what the model says, and return the largest difference.

    Covariates known ahead go on with their last values where the series do not say them.

    Raises:
        FileError: it is larger than `TOLERANCE`.
    """
    session = onnxruntime.InferenceSession(content, _options(), providers=["CPUExecutionProvider"])
    largest = 0.0
    numbers = np.arange(min(sample.n_series, _TRIED), dtype=np.int64)
    groups = [numbers[one : one + 1] for one in numbers] if model.memory == "all" else [numbers]
    for group in groups:
        panel = lengthened(sample.select(group), model.horizon)
        known = group if known_as is None else known_as[group]
        wanted = expected(model, panel, known_as=known)
        got = session.run(["forecast"], as_inputs(readings(model, panel, known_as=known).inputs()))[0]
        largest = max(largest, _difference(got, wanted, model, panel, known))
    if not largest <= TOLERANCE:
        difference = f"{largest:.1e}"
        raise FileError(fault("interop.differs", file=path, tolerance=TOLERANCE, difference=difference))
    return largest


def as_inputs(arrays: dict[str, Array]) -> dict[str, Array]:
    """Return arrays of the dtypes that a file reads."""
    return {name: one.astype(np.int64 if name == "series" else np.float32) for name, one in arrays.items()}


def _options() -> Any:
    """Return onnxruntime's options: one thread, and silent but for errors."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return options


def _difference(got: Array, wanted: Array, model: Model, panel: Panel, known_as: NDArray[np.int64]) -> float:
    """Return the largest difference as a share of the forecast or the scale of its window."""
    if got.shape != wanted.shape:
        return float("inf")
    outcome = model.outcome(panel, threads=1, known_as=known_as)
    size = outcome.scaling.scale[:, None] * np.ones((1, wanted.shape[1], 1))
    if outcome.scaler is not None:
        size = size * outcome.scaler.scale[:, None]
    size = size.reshape(*size.shape, *[1] * (wanted.ndim - 3))
    same = (got == wanted) | (np.isnan(got) & np.isnan(wanted))  # what is infinite has no difference
    with np.errstate(invalid="ignore"):
        differences = np.abs(got - wanted) / np.maximum(np.abs(wanted), size)
    return float(np.where(same, 0.0, np.nan_to_num(differences, nan=np.inf)).max())
