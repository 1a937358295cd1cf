"""A fitted forecaster as one file: safetensors, with a JSON header. Data, never code.

Tensors: every parameter of the network under torch's name, the last window of every series, the scaling of
each.
Header (metadata key "unrolled"): schema, version, arguments, settings, history, names, times. An unknown
newer schema is refused by name.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unrolled import contents
from unrolled.atomic import replace_file
from unrolled.checks import check_parameters
from unrolled.engine import Windowing
from unrolled.errors import FileError, fault
from unrolled.model import Model
from unrolled.network import Network, NetworkSpec
from unrolled.panel import Columns, Panel
from unrolled.rules import Settings
from unrolled.scaling import SeriesScaling
from unrolled.timestep import TimeStep
from unrolled.training import History

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from unrolled.engine import Array

SCHEMA = 1
"""The version of the file's layout; raised when an older reader could misunderstand it."""

_KEY = "unrolled"


class Parts(NamedTuple):
    """All that a file holds."""

    arguments: dict[str, Any]
    settings: Settings
    history: History
    model: Model
    tail: Panel


def save(path: str | PathLike[str], parts: Parts) -> None:
    """Write a fitted forecaster; the file is replaced at once or not at all.

    Raises:
        FileError: the file cannot be written.
    """
    from safetensors.numpy import save as to_bytes

    model, tail = parts.model, parts.tail
    tensors: dict[str, Array] = dict(model.network.weights)
    tensors["tail.values"] = np.array(tail.values)
    tensors["tail.offsets"] = np.array(tail.offsets)
    if tail.times is not None:
        tensors["tail.times"] = tail.times.astype(np.int64)
    if model.scaler is not None:
        tensors["scaling.location"] = model.scaler.location
        tensors["scaling.scale"] = model.scaler.scale
    history = asdict(parts.history)
    history["losses"] = [contents.json_number(loss) for loss in history["losses"]]
    history["checks"] = {step: contents.json_number(loss) for step, loss in history["checks"].items()}
    header = {
        "schema": SCHEMA,
        "kind": "forecaster",
        "version": version("unrolled"),
        "arguments": parts.arguments,
        "settings": asdict(parts.settings),
        "history": history,
        "network": asdict(model.network.spec),
        "windowing": asdict(model.windowing),
        "quantiles": list(model.quantiles),
        "panel": {
            "ids": [name if isinstance(name, int) else str(name) for name in tail.ids],
            "channels": list(tail.channels),
            "kind": "list" if tail.kind == "frame" else tail.kind,
            "times": None if tail.times is None else str(tail.times.dtype),
            "steps": [asdict(step) for step in tail.steps],
            "columns": _column_names(tail),
        },
    }
    data = to_bytes(tensors, {_KEY: json.dumps(header, default=_plain, allow_nan=False)})
    replace_file(path, data)


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
    network = Network(spec, contents.weights_of(spec, tensors), dtype=arguments["dtype"])
    scaler = None
    if "scaling.location" in tensors or "scaling.scale" in tensors:
        scaler = SeriesScaling(tensors["scaling.location"], tensors["scaling.scale"])
    windowing, quantiles = Windowing(**header["windowing"]), tuple(header["quantiles"])
    model = Model(network, windowing, arguments["horizon"], quantiles, scaler)
    tail = _panel(tensors, header["panel"])
    contents.check_model(model, tail.n_channels)
    contents.check_tail(tail, model)
    history = History(**header["history"])
    history.losses = [contents.loss_of(loss) for loss in history.losses]
    history.checks = {int(step): contents.loss_of(loss) for step, loss in history.checks.items()}
    contents.check_history(history)
    settings = Settings(**header["settings"])
    contents.need(all(isinstance(line, str) for line in settings.reasons.values()), "reasons")
    return Parts(arguments, settings, history, model, tail)


def _panel(tensors: Mapping[str, Array], names: Mapping[str, Any]) -> Panel:
    """Return the ends of the series."""
    times = None
    if names["times"]:
        contents.need(tensors["tail.times"].dtype == np.int64, "tail.times")
        times = tensors["tail.times"].view(names["times"])
    return Panel(
        values=tensors["tail.values"],
        offsets=tensors["tail.offsets"],
        ids=tuple(names["ids"]),
        channels=tuple(names["channels"]),
        kind=names["kind"],
        times=times,
        steps=tuple(TimeStep(**step) for step in names["steps"]),
        columns=Columns(**names["columns"]) if names.get("columns") else None,
    )


def _column_names(tail: Panel) -> dict[str, Any] | None:
    """Return what the columns of the table were called, all but the rows that show its library."""
    columns = tail.columns
    return None if columns is None else {"id": columns.id, "time": columns.time, "utc": columns.utc}


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
