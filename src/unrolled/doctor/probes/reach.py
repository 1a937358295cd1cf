"""Whether a model's answers can reach the targets, and have their shape."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from unrolled.doctor.copies import copied, undisturbed
from unrolled.doctor.probes.asking import answer, ask, fresh, picked, restart, tensors
from unrolled.doctor.probes.inputs import probe, sizes

if TYPE_CHECKING:
    from torch import Tensor

    from unrolled.doctor.examination import Examination
    from unrolled.doctor.probes.listening import Listening
    from unrolled.doctor.probes.patient import Patient

_BOUNDS = {
    "Relu": (0.0, math.inf),
    "Sigmoid": (0.0, 1.0),
    "Tanh": (-1.0, 1.0),
    "Softmax": (0.0, 1.0),
    "Softplus": (0.0, math.inf),
    "Exp": (0.0, math.inf),
    "Abs": (0.0, math.inf),
}
"""Between which numbers what an operation gives lies."""

_VIEWS = (
    "View",
    "Squeeze",
    "Unsqueeze",
    "Select",
    "Slice",
    "Transpose",
    "Permute",
    "T",
    "Reshape",
    "Clone",
    "Expand",
)
"""Operations that only arrange numbers."""


def check_reach(
    exam: Examination, patient: Patient, targets: Tensor | None, span: tuple[float, float] | None
) -> None:
    """Compare what the last operation can give with what the targets are."""
    if targets is not None and span is None and targets.is_floating_point():
        span = float(targets.min()), float(targets.max())
    if span is None:
        exam.skipped("range-out-of-reach", "no-targets")
        return
    own = fresh(patient.model).eval()
    listening = patient.listen(patient.inputs())
    low, high, name = _reach(own, patient, listening)
    for bound, wanted, is_out, side in (
        (high, span[1], span[1] > high, "max"),
        (low, span[0], span[0] < low, "min"),
    ):
        if is_out:
            extreme = answer(
                patient.model,
                probe(
                    patient.example,
                    patient.batch or 1,
                    patient.steps,
                    scale=1e3,
                    batch_first=patient.batch_first,
                    ordered=patient.ordered,
                ),
                batch_first=patient.batch_first,
            )
            exam.failed(
                "range-out-of-reach",
                measured=float(getattr(extreme, side)()),
                lines=[
                    f"x = {patient.probe_line(', scale=1e3')}",
                    f"print({patient.answer_line('x')}.{side}().item())",
                ],
                before=f"return {name}(y)",
                after="return y  # a linear head; or scale the targets to what it can give",
                bound=bound,
                wanted=wanted,
                operation=name,
            )
    exam.passed("range-out-of-reach")


def check_shapes(exam: Examination, patient: Patient, targets: Tensor | None) -> None:
    """See that a loss would compare each answer with its own target."""
    if targets is None:
        exam.skipped("loss-broadcast", "no-targets")
        return
    own = fresh(patient.model).eval()
    with undisturbed(), torch.no_grad():
        restart(own)
        torch.manual_seed(0)
        (given,) = copied(patient.example)
        told = picked(
            ask(own, given), *sizes(patient.example, batch_first=patient.batch_first), patient.batch_first
        )
    if told.shape == targets.shape or not targets.is_floating_point() or told.numel() != targets.numel():
        exam.passed("loss-broadcast")
        return
    try:
        perfect = float(((targets.reshape(told.shape) - targets) ** 2).mean())
    except RuntimeError:
        exam.passed("loss-broadcast")
        return
    if tuple(told.shape) == tuple(targets.shape) or perfect == 0:
        exam.passed("loss-broadcast")
        return
    exam.failed(
        "loss-broadcast",
        measured=perfect,
        lines=[
            f"perfect = targets.reshape({tuple(told.shape)})",
            "print(((perfect - targets) ** 2).mean().item())",
        ],
        before="loss = ((model(x) - y) ** 2).mean()",
        after="loss = ((model(x) - y.reshape(model(x).shape)) ** 2).mean()"
        if targets.ndim < told.ndim
        else "loss = ((model(x).reshape(y.shape) - y) ** 2).mean()",
        answers=str(list(told.shape)),
        targets=str(list(targets.shape)),
    )


def _reach(own: Any, patient: Patient, listening: Listening) -> tuple[float, float, str]:
    """Return between which numbers every answer lies, and which operation sees to that."""
    nowhere = (-math.inf, math.inf, "")
    with undisturbed(), torch.enable_grad():
        for weight in own.parameters():
            weight.requires_grad_(weight.is_floating_point())
        restart(own)
        torch.manual_seed(0)
        raw = ask(own, patient.inputs())
        try:
            node = picked(raw, patient.batch, patient.steps, patient.batch_first).grad_fn
        except TypeError:
            return nowhere
    while node is not None and _name(node) in _VIEWS and node.next_functions:
        node = node.next_functions[0][0]
    if node is None:
        return nowhere
    name = _name(node).removeprefix("_")
    if name in _BOUNDS:
        return (*_BOUNDS[name], f"torch.{name.lower()}")
    return _of_layer(patient, listening) or nowhere


def _of_layer(patient: Patient, listening: Listening) -> tuple[float, float, str] | None:
    """Return the bounds of a recurrent layer whose output is the answer itself."""
    first = next(tensors(listening.raw), None)
    for heard in listening.layers.values():
        if first is None or heard.module.proj_size:
            continue
        for given in (heard.output, heard.h_n):
            if isinstance(given, torch.Tensor) and _base(first) is _base(given):
                kind = f"nn.{type(heard.module).__name__}"
                return (0.0, math.inf, kind) if heard.module.mode == "RNN_RELU" else (-1.0, 1.0, kind)
    return None


def _base(one: Tensor) -> Any:
    """Return the tensor that a view is of."""
    return one if one._base is None else one._base


def _name(node: Any) -> str:
    """Return what the operation is called that made a tensor."""
    return type(node).__name__.rstrip("0123456789").removesuffix("Backward").removeprefix("Unsafe")
