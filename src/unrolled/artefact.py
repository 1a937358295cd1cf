"""A fitted forecaster as one file: safetensors, with a JSON header. Data, never code.

Tensors: every parameter of every member under torch's name, the end of every series with its covariates, the
scaling of each, the held-out windows that intervals are measured by.
Header (metadata key "unrolled"): schema, version, arguments, settings, histories, encoding, names, times. An
unknown newer schema is refused by name.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unrolled import contents
from unrolled.atomic import replace_file
from unrolled.checks import check_parameters
from unrolled.conformal import Calibration
from unrolled.covariates import pack, unpack
from unrolled.encoding import Encoder
from unrolled.engine import Windowing
from unrolled.errors import FileError, fault
from unrolled.heads import Head
from unrolled.model import Model
from unrolled.network import Network, NetworkSpec
from unrolled.panel import Panel
from unrolled.parts import Columns
from unrolled.rules import Settings
from unrolled.scaling import SeriesScaling
from unrolled.timestep import TimeStep
from unrolled.training import History

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from unrolled.engine import Array

SCHEMA = 3
"""The version of the file's layout; raised when an older reader could misunderstand it."""

_KEY = "unrolled"

_COLUMNS = ("id", "time", "utc", "layout")
"""What is kept of the names of a table's columns."""


class Parts(NamedTuple):
    """All that a file holds."""

    arguments: dict[str, Any]
    settings: Settings
    histories: list[History]
    model: Model
    tail: Panel


def save(path: str | PathLike[str], parts: Parts) -> None:
    """Write a fitted forecaster; the file is replaced at once or not at all.

    Raises:
        FileError: the file cannot be written.
    """
    from safetensors.numpy import save as to_bytes

    model = parts.model
    tensors: dict[str, Array] = {}
    for member, network in enumerate(model.networks):
        tensors |= {_member(member) + name: weight for name, weight in network.weights.items()}
    if model.scaler is not None:
        tensors["scaling.location"] = model.scaler.location
        tensors["scaling.scale"] = model.scaler.scale
    if model.calibration is not None:
        arrays = model.calibration.to_arrays()
        tensors |= {f"calibration.{name}": array for name, array in arrays.items()}
    panel = _panel_header(parts.tail, tensors)
    header = {
        "schema": SCHEMA,
        "kind": "forecaster",
        "version": version("unrolled"),
        "arguments": parts.arguments,
        "settings": asdict(parts.settings),
        "histories": [_history_header(history) for history in parts.histories],
        "network": asdict(model.network.spec),
        "windowing": asdict(model.windowing),
        "windows": list(model.windows),
        "head": _head_header(model.head),
        "encoder": None if model.encoder is None else model.encoder.to_dict(),
        "calibration": None if model.calibration is None else _head_header(model.calibration.head),
        "panel": panel,
    }
    # safetensors writes the memory as it lies: transposed arrays would come back as others.
    tensors = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    data = to_bytes(tensors, {_KEY: json.dumps(header, default=_plain, allow_nan=False)})
    replace_file(path, data)


def _member(number: int) -> str:
    """Return what stands before the names of a member's weights; those of the first are torch's own."""
    return f"member{number}." if number else ""


def _head_header(head: Head) -> dict[str, Any]:
    return {"loss": head.loss, "quantiles": list(head.quantiles)}


def _history_header(history: History) -> dict[str, Any]:
    """Return a history as JSON can hold it."""
    header = asdict(history)
    header["losses"] = [contents.json_number(loss) for loss in history.losses]
    header["checks"] = {step: contents.json_number(loss) for step, loss in history.checks.items()}
    return header


def _panel_header(tail: Panel, tensors: dict[str, Array]) -> dict[str, Any]:
    """Return what the header says of the ends of the series, and put their numbers beside the tensors."""
    tensors["tail.values"] = np.array(tail.values)
    tensors["tail.offsets"] = np.array(tail.offsets)
    if tail.times is not None:
        tensors["tail.times"] = tail.times.astype(np.int64)
    none = np.zeros(tail.n_series, np.int64)
    tensors["tail.left_out"] = none if tail.left_out is None else np.array(tail.left_out)
    columns = tail.columns
    header: dict[str, Any] = {
        "ids": [name if isinstance(name, int) else str(name) for name in tail.ids],
        "channels": list(tail.channels),
        "kind": "list" if tail.kind == "frame" else tail.kind,
        "times": None if tail.times is None else str(tail.times.dtype),
        "steps": [asdict(step) for step in tail.steps],
        "columns": None if columns is None else {name: getattr(columns, name) for name in _COLUMNS},
        "covariates": None,
    }
    if tail.covariates is not None:
        arrays, header["covariates"] = pack(tail.covariates)
        tensors |= {f"covariates.{name}": np.array(array) for name, array in arrays.items()}
    return header


def load(path: str | PathLike[str]) -> Parts:
    """Read what `save` wrote.

    Raises:
        FileError: the file is missing, cut short, of another kind, or of a newer schema.
    """
    tensors, header = _read(Path(path))
    try:
        return _parts(tensors, header)
    except (ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {str(error).split(chr(10))[0]}"
        raise FileError(fault("artefact.damaged", path=path, reason=reason)) from error


def _parts(tensors: Mapping[str, Array], header: Mapping[str, Any]) -> Parts:
    """Put together what a file holds, and believe none of it unchecked."""
    arguments = header["arguments"]
    check_parameters(arguments)
    spec = NetworkSpec(**header["network"])
    contents.need(set(header["windowing"]) == {one.name for one in fields(Windowing)}, "windowing")
    histories = [_history(history) for history in header["histories"]]
    settings = Settings(**_settings(header["settings"]))
    contents.need(1 <= len(histories) <= settings.members, "histories")
    windowing, windows = Windowing(**header["windowing"]), tuple(header["windows"])
    contents.need(isinstance(header["windows"], list) and len(windows) in (0, len(histories)), "windows")
    networks = []
    for member in range(len(histories)):
        prefix = _member(member)
        own = {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}
        shape = spec
        if windows and spec.skip_steps:
            shape = replace(spec, skip_steps=replace(windowing, window=windows[member]).steps)
        networks.append(Network(shape, contents.weights_of(shape, own), dtype=arguments["dtype"]))
    scaler = None
    if "scaling.location" in tensors or "scaling.scale" in tensors:
        scaler = SeriesScaling(tensors["scaling.location"], tensors["scaling.scale"])
    tail = _panel(tensors, header["panel"])
    model = Model(
        tuple(networks),
        windowing,
        arguments["horizon"],
        _head(header["head"]),
        scaler,
        None if header["encoder"] is None else Encoder.from_dict(header["encoder"]),
        arguments["combine"],
        arguments["memory"],
        _calibration(tensors, header["calibration"]),
        windows,
    )
    contents.check_model(model, tail.n_channels)
    contents.check_tail(tail, model)
    contents.need(all(isinstance(line, str) for line in settings.reasons.values()), "reasons")
    return Parts(arguments, settings, histories, model, tail)


def _settings(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as they were; JSON has lists where they have tuples."""
    return {name: tuple(one) if isinstance(one, list) else one for name, one in header.items()}


def _head(header: Mapping[str, Any]) -> Head:
    """Return what the outputs of the networks mean."""
    contents.check_head(header["loss"], header["quantiles"])
    return Head(header["loss"], tuple(header["quantiles"]))


def _calibration(tensors: Mapping[str, Array], header: Mapping[str, Any] | None) -> Calibration | None:
    """Return the held-out windows that intervals are measured by."""
    if header is None:
        return None
    prefix = "calibration."
    arrays = {name.removeprefix(prefix): tensors[name] for name in tensors if name.startswith(prefix)}
    return Calibration.from_arrays(_head(header), arrays)


def _history(header: Mapping[str, Any]) -> History:
    """Return what happened in a training."""
    history = History(**header)
    history.losses = [contents.loss_of(loss) for loss in history.losses]
    history.checks = {int(step): contents.loss_of(loss) for step, loss in history.checks.items()}
    contents.check_history(history)
    return history


def _panel(tensors: Mapping[str, Array], names: Mapping[str, Any]) -> Panel:
    """Return the ends of the series."""
    times = None
    if names["times"]:
        contents.need(tensors["tail.times"].dtype == np.int64, "tail.times")
        times = tensors["tail.times"].view(names["times"])
    columns = names["columns"]
    contents.need(columns is None or set(columns) == set(_COLUMNS), "columns")
    tail = Panel(
        values=tensors["tail.values"],
        offsets=tensors["tail.offsets"],
        ids=tuple(names["ids"]),
        channels=tuple(names["channels"]),
        kind=names["kind"],
        times=times,
        steps=tuple(TimeStep(**step) for step in names["steps"]),
        columns=None if columns is None else Columns(**columns),
        left_out=tensors["tail.left_out"],
    )
    if names["covariates"] is None:
        return tail
    contents.check_series(tail)
    prefix = "covariates."
    arrays = {name.removeprefix(prefix): tensors[name] for name in tensors if name.startswith(prefix)}
    return replace(tail, covariates=unpack(tail, arrays, names["covariates"]))


def _read(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return tensors and header of a file, or say why it is not one of ours."""
    from safetensors import SafetensorError, safe_open

    try:
        there = path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        there = False
    if not there:
        raise FileError(fault("artefact.missing", path=path))
    try:
        with safe_open(str(path), framework="np") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise FileError(fault("artefact.damaged", path=path, reason=error)) from error
    try:
        header = json.loads(metadata[_KEY])
        kind, schema = header["kind"], int(header["schema"])
    except (LookupError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise FileError(fault("artefact.other-kind", path=path, got="safetensors")) from error
    if kind != "forecaster" or schema < 1:
        raise FileError(fault("artefact.other-kind", path=path, got=kind))
    if schema < SCHEMA:
        raise FileError(fault("artefact.older", path=path, schema=schema, known=SCHEMA))
    if schema > SCHEMA:
        raise FileError(
            fault(
                "artefact.newer", path=path, schema=schema, known=SCHEMA, version=header.get("version", "?")
            )
        )
    return tensors, header


def _plain(value: object) -> Any:
    """Turn NumPy numbers and sequences into what JSON knows."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(type(value).__name__)
