"""Covariates as arrays of numbers and a header that JSON knows, and back: data, never code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.covariates.beside import Covariates, from_columns
from unrolled.covariates.columns import Column, is_categorical

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from unrolled.panel import Panel

_PARTS = ("past", "known", "static")


def pack(covariates: Covariates) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return covariates as arrays by name, and a header with the names of the columns and their labels.

    Example:
        >>> from unrolled.panel import to_panel
        >>> pack(from_columns(to_panel([1.0, 2.0]), past={"sky": ["blue", None]}))
        ({'past.0': array([ 0, -1], dtype=int32)},
         {'past': [{'name': 'sky', 'labels': ['blue']}], 'known': [], 'static': []})
    """
    arrays: dict[str, NDArray[Any]] = {}
    header: dict[str, Any] = {}
    for part in _PARTS:
        columns: Mapping[str, Column] = getattr(covariates, part)
        header[part] = []
        for index, (name, column) in enumerate(columns.items()):
            labels = None
            if is_categorical(column):
                labels = sorted({one for one in column.tolist() if one is not None})
                numbers = {None: -1, **{label: number for number, label in enumerate(labels)}}
                column = np.array([numbers[one] for one in column.tolist()], np.int32)
            arrays[f"{part}.{index}"] = np.array(column)
            header[part].append({"name": name, "labels": labels})
    if covariates.known:
        arrays["known_offsets"] = np.array(covariates.known_offsets)
    return arrays, header


def unpack(panel: Panel, arrays: Mapping[str, NDArray[Any]], header: Mapping[str, Any]) -> Covariates:
    """Return what `pack` was given, and believe none of it unchecked.

    Args:
        panel: the series that the covariates stand beside.
        arrays: from `pack`.
        header: from `pack`.

    Raises:
        ValueError: something does not fit; or what Python raises by itself where a type is wrong.
    """
    parts = {
        part: {
            _name(one): _column(arrays[f"{part}.{index}"], one["labels"])
            for index, one in enumerate(header[part])
        }
        for part in _PARTS
    }
    need(all(len(parts[part]) == len(header[part]) for part in _PARTS), "covariates")
    offsets = None
    if parts["known"]:
        offsets = arrays["known_offsets"]
        need(offsets.shape == (panel.n_series + 1,) and offsets.dtype == np.int64, "known_offsets")
        need(offsets[0] == 0 and (np.diff(offsets) >= 1).all(), "known_offsets")
    return from_columns(panel, **parts, known_offsets=offsets)


def _name(one: Mapping[str, Any]) -> str:
    need(isinstance(one["name"], str), "covariates")
    name: str = one["name"]
    return name


def _column(column: NDArray[Any], labels: Any) -> Column:
    """Return a column from its numbers and its labels."""
    need(column.ndim == 1, "covariates")
    if labels is None:
        need(column.dtype == np.float64, "covariates")
        return column
    need(isinstance(labels, list) and all(isinstance(label, str) for label in labels), "labels")
    need(column.dtype == np.int32 and (column >= -1).all() and (column < len(labels)).all(), "labels")
    names = np.empty(len(labels) + 1, object)
    names[:-1] = labels  # the last one is None, and -1 is the last
    result: Column = names[column]
    return result


def need(fits: object, what: str) -> None:
    """Raise `ValueError` about `what` where a saved description does not fit."""
    if not fits:
        raise ValueError(what)
