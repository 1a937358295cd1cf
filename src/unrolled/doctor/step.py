"""Whether a training step does what it should.

    model, batch, loss, optimizer -> a few steps of copies, watched -> findings

The user's own objects are never trained: copies are, for three steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from unrolled.doctor.checkup import Checkup
from unrolled.doctor.copies import copied, undisturbed
from unrolled.doctor.examination import Examination
from unrolled.doctor.gates import saturation_of
from unrolled.errors import ArgumentError, KindError, fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor

STEPS = 3
"""Training steps of the copies."""

LONG = 1000
"""Time steps of one sequence above which a batch of one is told."""

_FULL = 0.9
_VANISHED = 1e-12
_EXPLODED = 1e3
_FAST, _SLOW = 0.5, 1e-8


@dataclass
class Step:
    """What was seen of one training step.

    Attributes:
        loss: what the loss function gave.
        leftover: parameters whose gradient was not empty when the step's first gradient came.
        nodes: of the graph that the loss hangs on.
    """

    loss: float = float("nan")
    leftover: int = 0
    nodes: int = 0


@dataclass
class Watched:
    """What was seen of some steps.

    Attributes:
        steps: those that ended.
        failure: what the last one raised.
        compared: the shapes that the loss function was given, and what it gives for perfect answers.
        updates: size of each parameter's change in the first step, over its own size.
        unused: parameters that never had a gradient.
        left_out: parameters with a gradient that the optimizer does not change.
        loss_after: of the first batch after the first step.
    """

    steps: list[Step] = field(default_factory=list)
    failure: str = ""
    compared: tuple[tuple[int, ...], tuple[int, ...], float] | None = None
    updates: dict[str, float] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def growth(self) -> int:
        """By how many nodes the graph grew from the second step to the last."""
        return self.steps[-1].nodes - self.steps[1].nodes if len(self.steps) > 2 else 0


def check_step(
    model: nn.Module,
    batch: Any,
    loss_fn: Callable[..., Any],
    optimizer: Any,
    *,
    step: Callable[..., Any] | None = None,
    ignore: Iterable[str] = (),
) -> Checkup:
    """Return what is wrong with a training step; copies take three of them.

    Args:
        model: any `torch.nn.Module`.
        batch: (x, y), or (first, second, ..., y): what the model reads, and the targets.
        loss_fn: called with answers and targets.
        optimizer: of `torch.optim`, over the model's parameters.
        step: your own training step, called with model, batch, loss function and optimizer, that returns the
            loss; None: one that empties gradients, goes back, and steps.
        ignore: ids of findings that are not looked for.

    Raises:
        KindError: the model is no module, or the optimizer is none.
        ArgumentError: a batch is no pair, or there is no finding of an id.

    Example:
        >>> model = torch.nn.Linear(3, 1)  # doctest: +SKIP
        >>> batch = torch.randn(8, 3), torch.randn(8)  # doctest: +SKIP
        >>> adam = torch.optim.Adam(model.parameters())  # doctest: +SKIP
        >>> check_step(model, batch, torch.nn.MSELoss(), adam).findings[0]["id"]  # doctest: +SKIP
        'loss-broadcast'
    """
    if not isinstance(model, nn.Module):
        raise KindError(fault("doctor.model", got=type(model).__name__))
    if not hasattr(optimizer, "param_groups"):
        raise KindError(fault("doctor.optimizer", got=type(optimizer).__name__))
    if not isinstance(batch, tuple | list) or len(batch) < 2:
        raise ArgumentError(fault("doctor.batch", got=type(batch).__name__))
    exam = Examination(ignore)
    with undisturbed():
        watched = watch(model, batch, loss_fn, optimizer, step=step)
        _broadcast(exam, watched, own=step is not None)
        _graphs(exam, watched, own=step is not None)
        _gradients(exam, watched, own=step is not None)
        _rates(exam, watched, own=step is not None)
        if not watched.failure:
            _by_step(exam, model, batch, loss_fn)
        _gates(exam, model, batch)
        _sizes(exam, model, batch)
    return Checkup(exam.facts(), type(model).__name__)


def watch(
    model: nn.Module,
    batch: Any,
    loss_fn: Callable[..., Any],
    optimizer: Any,
    *,
    step: Callable[..., Any] | None = None,
) -> Watched:
    """Return what is seen of three training steps of copies.

    Args:
        model: it is not changed, nor is anything else.
        batch: as for `check_step`.
        loss_fn: as for `check_step`.
        optimizer: as for `check_step`.
        step: as for `check_step`.
    """
    with undisturbed():
        torch.manual_seed(0)
        own, given, loss, steps, take = copied(model, batch, loss_fn, optimizer, step or one_step)
        told = Watched()
        names = {id(weight): name for name, weight in own.named_parameters()}
        changed = {id(weight) for group in steps.param_groups for weight in group["params"]}
        got: set[int] = set()
        fresh: dict[int, bool] = {}

        def arrived(weight: Tensor) -> Callable[[Tensor], None]:
            def hook(gradient: Tensor) -> None:
                if bool(gradient.any()):
                    got.add(id(weight))
                if fresh.pop(id(weight), False) and weight.grad is not None and bool(weight.grad.any()):
                    told.steps[-1].leftover += 1

            return hook

        for weight in own.parameters():
            if weight.requires_grad:
                weight.register_hook(arrived(weight))
        for i in range(STEPS):
            told.steps.append(Step())
            fresh.update({id(weight): i > 0 for weight in own.parameters()})
            before = {name: one.detach().clone() for name, one in own.named_parameters()}
            try:
                value = take(own, given, _listening(loss, told), steps)
            except RuntimeError as error:
                told.steps.pop()
                told.failure = str(error)
                break
            if isinstance(value, torch.Tensor):
                told.steps[-1].loss = float(value.detach())
            if i == 0:
                told.updates = {
                    name: float((one.detach() - before[name]).norm() / before[name].norm().clamp(min=1e-12))
                    for name, one in own.named_parameters()
                    if id(one) in changed and one.requires_grad
                }
        told.unused = [
            name for i, name in names.items() if i not in got and own.get_parameter(name).requires_grad
        ]
        told.left_out = [name for i, name in names.items() if i in got and i not in changed]
    return told


def one_step(model: nn.Module, batch: Any, loss_fn: Callable[..., Any], optimizer: Any) -> Tensor:
    """Take one training step, as it should be, and return the loss."""
    optimizer.zero_grad()
    loss = loss_fn(answer_of(model(*batch[:-1])), batch[-1])
    loss.backward()
    optimizer.step()
    return loss


def answer_of(raw: Any) -> Any:
    """Return the first part of an answer of several."""
    return raw[0] if isinstance(raw, tuple | list) else raw


def _listening(loss_fn: Callable[..., Any], told: Watched) -> Callable[..., Any]:
    """Return a loss function that tells what it is given, and how large the graph is that it hangs on."""

    def listened(*args: Any, **kwargs: Any) -> Any:
        value = loss_fn(*args, **kwargs)
        given = [one for one in (*args, *kwargs.values()) if isinstance(one, torch.Tensor)]
        if len(given) > 1:
            answer, target = given[:2]
            if told.compared is None and answer.numel() == target.numel() and target.is_floating_point():
                told.compared = (tuple(answer.shape), tuple(target.shape), _perfect(loss_fn, answer, target))
        if isinstance(value, torch.Tensor) and told.steps:
            told.steps[-1].nodes = _nodes(value)
            told.steps[-1].loss = float(value.detach().mean())
        return value

    return listened


def _perfect(loss_fn: Callable[..., Any], answer: Tensor, target: Tensor) -> float:
    """Return what the loss function gives where every answer is its target."""
    with torch.no_grad():
        try:
            return float(torch.as_tensor(loss_fn(target.reshape(answer.shape), target)).mean())
        except RuntimeError:
            return float("nan")


def _nodes(value: Tensor) -> int:
    """Return how many operations a value hangs on."""
    seen: set[Any] = set()
    waiting = [value.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            waiting += [one for one, _ in node.next_functions]
    return len(seen)


# ---- findings ----------------------------------------------------------------------------------------------

_SEEN = "seen = doctor.watch(model, batch, loss_fn, optimizer{more})"


def _lines(last: str, own: bool) -> list[str]:
    return [_SEEN.format(more=", step=step" if own else ""), last]


def _broadcast(exam: Examination, watched: Watched, *, own: bool) -> None:
    """See that each answer is compared with its own target."""
    if watched.compared is None:
        exam.skipped("loss-broadcast", "no-shapes")
        return
    answers, targets, perfect = watched.compared
    if answers != targets and perfect > 0:
        exam.failed(
            "loss-broadcast",
            measured=perfect,
            lines=_lines("print(seen.compared[2])", own),
            before="loss = loss_fn(model(x), y)",
            after="loss = loss_fn(model(x), y.reshape(model(x).shape))",
            answers=str(list(answers)),
            targets=str(list(targets)),
        )
    exam.passed("loss-broadcast")


def _graphs(exam: Examination, watched: Watched, *, own: bool) -> None:
    """See that a step ends at itself."""
    if "second time" in watched.failure or "inplace operation" in watched.failure:
        exam.failed(
            "graph-kept",
            measured=len(watched.steps),
            lines=_lines("print(len(seen.steps))", own),
            before="output, self.state = self.lstm(x, self.state)",
            after="self.state = tuple(one.detach() for one in self.state)",
            wording="step",
        )
    elif watched.failure:
        exam.note("step-fails", error=watched.failure.splitlines()[0])
    if watched.growth > 0:
        exam.failed(
            "graph-grows",
            measured=watched.growth,
            lines=_lines("print(seen.growth)", own),
            before="loss.backward(retain_graph=True)",
            after="state = state.detach(); loss.backward()",
            first=watched.steps[1].nodes,
            last=watched.steps[-1].nodes,
        )
    exam.passed("graph-kept")
    exam.passed("graph-grows")


def _gradients(exam: Examination, watched: Watched, *, own: bool) -> None:
    """See that gradients are emptied, arrive everywhere, and are used."""
    leftover = max((one.leftover for one in watched.steps), default=0)
    if not own:
        exam.skipped("no-zero-grad", "no-step")
    elif leftover:
        exam.failed(
            "no-zero-grad",
            measured=leftover,
            lines=_lines("print(max(one.leftover for one in seen.steps))", own),
            before="loss.backward(); optimizer.step()",
            after="optimizer.zero_grad(); loss.backward(); optimizer.step()",
        )
    else:
        exam.passed("no-zero-grad")
    if not watched.steps:
        return
    adam = "optimizer = torch.optim.Adam(model.parameters())"
    for kind, attribute, after in (
        ("parameter-unused", "unused", "# use {name} in forward, or leave it out"),
        ("parameter-not-optimized", "left_out", adam),
    ):
        names = getattr(watched, attribute)
        if names:
            exam.failed(
                kind,
                measured=len(names),
                lines=_lines(f"print(len(seen.{attribute}))", own),
                after=after.format(name=names[0]),
                place=names[0],
                names=", ".join(names[:6]) + (" ..." if len(names) > 6 else ""),
            )
        exam.passed(kind)


def _rates(exam: Examination, watched: Watched, *, own: bool) -> None:
    """Look at what one step does to the loss and to the weights."""
    if not watched.steps:
        return
    losses = [one.loss for one in watched.steps]
    if not torch.isfinite(torch.tensor(losses[0])):
        exam.failed(
            "loss-not-finite",
            measured=losses[0],
            lines=_lines("print(seen.steps[0].loss)", own),
            after="# look for NaN in the batch, for log(0) or a division by zero",
        )
        return
    exam.passed("loss-not-finite")
    if not watched.updates:
        return
    name = max(watched.updates, key=lambda one: watched.updates[one])
    weights = {one: size for one, size in watched.updates.items() if "weight" in one} or watched.updates
    name = max(weights, key=lambda one: weights[one])
    later = losses[1] if len(losses) > 1 else losses[0]
    rose = not torch.isfinite(torch.tensor(later)) or later > 2 * max(losses[0], 1e-12)
    if rose or weights[name] > _FAST:
        exam.failed(
            "learning-rate-high",
            measured=weights[name],
            lines=_lines(f"print(seen.updates[{name!r}])", own),
            after="optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)",
            place=name,
            first=losses[0],
            later=str(float(f"{later:.4g}")),
        )
    exam.passed("learning-rate-high")
    largest = max(watched.updates.values())
    if largest < _SLOW:
        exam.failed(
            "learning-rate-low",
            measured=largest,
            lines=_lines("print(max(seen.updates.values()))", own),
            after="optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)",
        )
    exam.passed("learning-rate-low")


def gradients_by_step(model: nn.Module, batch: Any, loss_fn: Callable[..., Any]) -> Tensor | None:
    """Return the size of the loss's gradient at each time step of the input [T]; None where there is none.

    Args:
        model: it is not changed.
        batch: as for `check_step`.
        loss_fn: as for `check_step`.
    """
    with undisturbed():
        torch.manual_seed(0)
        own, given, loss = copied(model, batch, loss_fn)
        own.eval()
        x = given[0]
        if not isinstance(x, torch.Tensor) or not x.is_floating_point() or x.ndim != 3:
            return None
        x = x.requires_grad_(True)
        value = loss(answer_of(own(x, *given[1:-1])), given[-1])
        value = value.mean() if isinstance(value, torch.Tensor) else None
        if value is None or not value.requires_grad:
            return None
        (slope,) = torch.autograd.grad(value, x, allow_unused=True)
    if slope is None:
        return None
    time_first = any(isinstance(one, nn.RNNBase) and not one.batch_first for one in model.modules())
    return slope.abs().amax((1, 2) if time_first else (0, 2)).double().detach()


def _by_step(exam: Examination, model: nn.Module, batch: Any, loss_fn: Callable[..., Any]) -> None:
    """Tell how gradients change along the window."""
    try:
        sizes = gradients_by_step(model, batch, loss_fn)
    except (RuntimeError, TypeError):
        sizes = None
    if sizes is None or len(sizes) < 4 or not bool(sizes.any()) or not bool(sizes.isfinite().all()):
        exam.skipped("gradient-vanishes", "no-gradient")
        exam.skipped("gradient-explodes", "no-gradient")
        return
    half = len(sizes) // 2
    early, late = float(sizes[:half].max()), float(sizes[half:].max())
    lines = ["sizes = doctor.gradients_by_step(model, batch, loss_fn)"]
    if early < _VANISHED * late:
        exam.failed(
            "gradient-vanishes",
            measured=early / late,
            lines=[*lines, f"print((sizes[:{half}].max() / sizes[{half}:].max()).item())"],
            after="# a shorter window, a larger forget bias, or a skip: the first half is not learnt from",
            half=half,
        )
    if early > _EXPLODED * float(sizes[-1]) > 0:
        exam.failed(
            "gradient-explodes",
            measured=early / float(sizes[-1]),
            lines=[*lines, f"print((sizes[:{half}].max() / sizes[-1]).item())"],
            after="torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)",
            half=half,
        )
    exam.passed("gradient-vanishes")
    exam.passed("gradient-explodes")


def gates_of(model: nn.Module, batch: Any) -> dict[str, float]:
    """Return the share of full gates of each LSTM and GRU, by its path.

    Args:
        model: it is not changed.
        batch: as for `check_step`.
    """
    told: dict[str, float] = {}
    with undisturbed(), torch.no_grad():
        torch.manual_seed(0)
        own, given = copied(model, batch)
        own.eval()

        def heard(place: str) -> Callable[..., None]:
            def hook(layer: Any, args: tuple[Any, ...], output: Any) -> None:
                if isinstance(args[0], torch.Tensor):
                    share = saturation_of(layer, args[0])
                    if share is not None:
                        told[place] = share

            return hook

        for place, layer in own.named_modules():
            if isinstance(layer, nn.RNNBase):
                layer.register_forward_hook(heard(place))
        own(*given[:-1])
    return told


def _gates(exam: Examination, model: nn.Module, batch: Any) -> None:
    """Tell how full gates are."""
    try:
        shares = gates_of(model, batch)
    except (RuntimeError, TypeError, ValueError):
        shares = {}
    for place, share in shares.items():
        if share > _FULL:
            exam.failed(
                "gates-saturated",
                measured=share,
                lines=[f"print(doctor.gates_of(model, batch)[{place!r}])"],
                after="x = (x - mean) / std  # of the training part",
                place=place,
                largest=float(batch[0].abs().max()),
            )
    if shares:
        exam.passed("gates-saturated")
    else:
        exam.skipped("gates-saturated", "no-gates")


def _sizes(exam: Examination, model: nn.Module, batch: Any) -> None:
    """Tell of one sequence that is learnt from whole."""
    x = batch[0]
    layers = [one for one in model.modules() if isinstance(one, nn.RNNBase)]
    if not layers or not isinstance(x, torch.Tensor) or x.ndim not in (2, 3):
        exam.skipped("one-long-sequence", "no-recurrent")
        return
    rows, steps = (1, x.shape[0]) if x.ndim == 2 else x.shape[:2]
    if x.ndim == 3 and not layers[0].batch_first:
        rows, steps = steps, rows
    if rows == 1 and steps > LONG:
        exam.failed(
            "one-long-sequence",
            measured=int(steps),
            lines=["print(max(batch[0].shape))"],
            before=f"x = series.view(1, {steps}, -1)",
            after="x = series.unfold(0, 48, 1).transpose(1, 2)  # windows of 48 steps, many in a batch",
        )
    exam.passed("one-long-sequence")
