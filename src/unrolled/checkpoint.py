"""A training that is under way as one file: safetensors, with a JSON header. Data, never code.

Tensors, for member m: m.weights, m.first and m.second (the optimizer's), m.losses, m.check_steps,
m.check_losses, m.best, m.snapshot.0, m.snapshot.1, ...
Header (metadata key "unrolled"): schema, kind, version, fingerprint, and the numbers of every member (null
where it has not begun). Knows training states; must not know how they come about.
"""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.atomic import replace_file
from unrolled.engine import TrainerState
from unrolled.errors import FileError, fault
from unrolled.plans import History
from unrolled.training import Snapshot, TrainingState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from os import PathLike

    from unrolled.engine import Array

SCHEMA = 1
"""The version of the file's layout; raised when an older reader could misunderstand it."""

_KEY, _KIND = "unrolled", "training"

_WITHOUT_EFFECT = ("threads", "progress")
"""Arguments that do not change what is learned."""

_BLOCK = 1 << 20
"""Rows that are hashed together, so that a large panel is never copied."""


def fingerprint(arguments: Mapping[str, Any], arrays: Iterable[Array | None], *rest: object) -> str:
    """Return a name for a training: trainings of one name learn the same, step by step.

    Args:
        arguments: of the forecaster; `threads` and `progress` have no part in the name.
        arrays: all numbers that it learns from: values, offsets, features, statics; None for what is not
            there.
        rest: whatever else decides, such as the network's spec and the windowing: anything whose `repr` says
            all.

    Returns:
        32 hexadecimal digits.

    Example:
        >>> one = fingerprint({"seed": 0, "threads": 1}, [np.arange(3.0)])
        >>> one == fingerprint({"seed": 0, "threads": 8}, [np.arange(3.0)])
        True
        >>> one == fingerprint({"seed": 1, "threads": 1}, [np.arange(3.0)])
        False
    """
    facts = sorted((name, repr(value)) for name, value in arguments.items() if name not in _WITHOUT_EFFECT)
    hashed = hashlib.blake2b(repr((SCHEMA, facts, rest)).encode(), digest_size=16)
    for array in arrays:
        if array is None:
            hashed.update(b"none;")
            continue
        hashed.update(f"{array.dtype.str}{array.shape};".encode())
        for begin in range(0, len(array), _BLOCK):
            block = np.ascontiguousarray(array[begin : begin + _BLOCK])
            hashed.update(block.view(np.uint8).data)
    return hashed.hexdigest()


class Checkpoint:
    """Where the members of a training are kept, so that it can go on after the process has ended.

    The file is replaced at once or not at all, whenever the process ends. It stays when training is done:
    who calls again with the same arguments gets the result without a step, and a file is never deleted that
    somebody may still want. A file of anything else is never overwritten.

    Args:
        path: the file; it need not exist.
        every_s: seconds between two times that it is written, at the least about that.
        fingerprint: the name of the training, see `fingerprint`.
    """

    def __init__(self, path: str | PathLike[str], every_s: float, fingerprint: str) -> None:
        self.path = Path(path)
        self.every_s = every_s
        self.fingerprint = fingerprint

    def save(self, states: Sequence[TrainingState | None]) -> None:
        """Write the states of all members; None for one that has not begun.

        Raises:
            FileError: the file cannot be written; what was there before is unchanged.
        """
        from safetensors.numpy import save as to_bytes

        tensors: dict[str, Array] = {}
        members = []
        for number, state in enumerate(states):
            members.append(None if state is None else _facts(state))
            if state is not None:
                tensors |= {f"{number}.{name}": array for name, array in _arrays(state).items()}
        header = {
            "schema": SCHEMA,
            "kind": _KIND,
            "version": version("unrolled"),
            "fingerprint": self.fingerprint,
            "members": members,
        }
        replace_file(self.path, to_bytes(tensors, {_KEY: json.dumps(header, allow_nan=False)}))

    def load(self) -> list[TrainingState | None] | None:
        """Return the states of all members, or None where there is no file.

        Raises:
            FileError: the file is damaged, of another kind, of another training or of a newer schema.
        """
        if not self.path.exists():
            return None
        tensors, header = self._read()
        try:
            return [
                None if facts is None else _state(facts, str(number), tensors)
                for number, facts in enumerate(header["members"])
            ]
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise self._damaged(f"{type(error).__name__}: {error}") from error

    def _read(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return tensors and header, or say why the file is not ours."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(self.path), framework="np") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError, ValueError) as error:
            raise self._damaged(error) from error
        try:
            header = json.loads(metadata[_KEY])
            kind, schema, found = header["kind"], int(header["schema"]), str(header.get("fingerprint"))
        except (LookupError, TypeError, ValueError, OverflowError, RecursionError, AttributeError) as error:
            raise FileError(fault("checkpoint.other-kind", path=self.path, got="safetensors")) from error
        if kind != _KIND or schema < 1:
            raise FileError(fault("checkpoint.other-kind", path=self.path, got=kind))
        if schema > SCHEMA:
            wrote = header.get("version", "?")
            raise FileError(
                fault("checkpoint.newer", path=self.path, schema=schema, known=SCHEMA, version=wrote)
            )
        if found != self.fingerprint:
            expected = self.fingerprint
            raise FileError(fault("checkpoint.other-training", path=self.path, expected=expected, got=found))
        return tensors, header

    def _damaged(self, reason: object) -> FileError:
        return FileError(fault("checkpoint.damaged", path=self.path, reason=reason))


def _facts(state: TrainingState) -> dict[str, Any]:
    """Return the numbers of a member that stand in the header."""
    best = state.best
    return {
        "steps_per_epoch": state.history.steps_per_epoch,
        "seconds": state.history.seconds,
        "optimizer_step": state.optimizer.step,
        "best": None if best is None else _step_and_loss(best),
        "looks_since": state.looks_since,
        "snapshots": [_step_and_loss(one) for one in state.snapshots],
    }


def _step_and_loss(snapshot: Snapshot) -> list[float | None]:
    """Return a snapshot without its weights; strict JSON has no number for "none"."""
    return [snapshot.step, snapshot.loss if np.isfinite(snapshot.loss) else None]


def _arrays(state: TrainingState) -> dict[str, Array]:
    """Return the arrays of a member by name."""
    checks = state.history.checks
    arrays = {
        "weights": state.weights,
        "first": state.optimizer.first,
        "second": state.optimizer.second,
        "losses": np.array(state.history.losses, np.float64),
        "check_steps": np.array(list(checks), np.int64),
        "check_losses": np.array(list(checks.values()), np.float64),
    }
    if state.best is not None:
        arrays["best"] = state.best.weights
    return arrays | {f"snapshot.{index}": one.weights for index, one in enumerate(state.snapshots)}


def _state(facts: Mapping[str, Any], member: str, tensors: Mapping[str, Array]) -> TrainingState:
    """Put the state of a member together again; raise what Python raises where something does not fit."""
    weights = tensors[f"{member}.weights"]

    def like_weights(name: str) -> Array:
        array = tensors[f"{member}.{name}"]
        if array.dtype != weights.dtype or array.shape not in (weights.shape, (0,)):
            raise ValueError(f"{member}.{name}")
        return array

    def snapshot(step_and_loss: Sequence[float | None], name: str) -> Snapshot:
        step, loss = step_and_loss
        return Snapshot(int(step or 0), np.nan if loss is None else float(loss), like_weights(name))

    steps, check_losses = (tensors[f"{member}.check_{name}"].tolist() for name in ("steps", "losses"))
    history = History(
        losses=tensors[f"{member}.losses"].tolist(),
        steps_per_epoch=int(facts["steps_per_epoch"]),
        checks=dict(zip(steps, check_losses, strict=True)),
        seconds=float(facts["seconds"]),
    )
    best, snapshots = facts["best"], facts["snapshots"]
    return TrainingState(
        history=history,
        weights=weights,
        optimizer=TrainerState(int(facts["optimizer_step"]), like_weights("first"), like_weights("second")),
        best=None if best is None else snapshot(best, "best"),
        looks_since=int(facts["looks_since"]),
        snapshots=tuple(snapshot(one, f"snapshot.{index}") for index, one in enumerate(snapshots)),
    )
