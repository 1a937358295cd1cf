"""The ledger of a network: every tensor with named axes, every parameter, the work and the memory it takes.

Knows structures alone: no weight is read and nothing is computed but sizes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unrolled.checks import faults_of_whole
from unrolled.errors import ArgumentError, fault, raise_any
from unrolled.explain.code import Code
from unrolled.explain.counts import memory_of, parameters_of, work_of
from unrolled.explain.modules import structure_of
from unrolled.explain.structure import MOST, Structure
from unrolled.explain.tensors import equal_axes_of, tensors_of
from unrolled.model import Model
from unrolled.network import Network, NetworkSpec

if TYPE_CHECKING:
    from unrolled.explain.facts import LedgerFacts


def ledger(subject: Any = "lstm", *, batch: int, time: int | None = None, **numbers: Any) -> LedgerFacts:
    """Return the shapes, parameters, work and memory of a network for a batch of sequences.

    Args:
        subject: the name of a cell, with `numbers`; or a `NetworkSpec`, `Network`, fitted `Model` (its first
            member), `Structure`, or a PyTorch module with one RNN, LSTM or GRU.
        batch: B, sequences side by side.
        time: T, steps of each; a model and a network with a skip know their own.
        numbers: beside a cell's name, the arguments of `Structure`: input_size, hidden_size, num_layers,
            bidirectional, batch_first, proj_size, bias, output_size, head, ...

    Raises:
        ArgumentError: a number cannot work, or the subject has no recurrent layer, or several.

    Example:
        >>> facts = ledger("lstm", input_size=1, hidden_size=50, output_size=1, batch=32, time=40)
        >>> facts["code"]
        'layer = nn.LSTM(1, 50)\\nhead = nn.Linear(50, 1)'
        >>> facts["parameters"]["total"], facts["work"]["per_step"], facts["memory"]["bytes"]
        (10651, 10200, 1536000)
    """
    structure, own_time = _read(subject, numbers)
    time = own_time if time is None else time
    if time is None:
        raise ArgumentError(fault("explain.time"))
    faults = faults_of_whole(1, MOST, batch=batch, time=time)
    if structure.has_skip and structure.skip_steps != time:
        faults.append(fault("explain.skip-time", expected=structure.skip_steps, got=time))
    raise_any(ArgumentError, faults)
    tensors = tensors_of(structure, batch=batch, time=time)
    return {
        "cell": structure.cell,
        "input_size": structure.input_size,
        "hidden_size": structure.hidden_size,
        "num_layers": structure.num_layers,
        "bidirectional": structure.bidirectional,
        "batch_first": structure.batch_first,
        "proj_size": structure.proj_size,
        "bias": structure.bias,
        "batch": batch,
        "time": time,
        "code": Code(structure, batch=batch, time=time).network,
        "tensors": tensors,
        "parameters": parameters_of(structure),
        "work": work_of(structure, batch=batch, time=time),
        "memory": memory_of(structure, batch=batch, time=time),
        "equal_axes": equal_axes_of(tensors),
    }


def _read(subject: Any, numbers: dict[str, Any]) -> tuple[Structure, int | None]:
    """Return the structure of a subject, and how many steps it reads where it knows."""
    if isinstance(subject, str):
        structure = Structure(cell=subject, **numbers)
        return structure, structure.skip_steps or None
    if numbers:
        raise ArgumentError(fault("explain.numbers", got=", ".join(numbers)))
    if isinstance(subject, Model):
        return Structure.of_spec(subject.network.spec), subject.windowings[0].steps
    if isinstance(subject, Network):
        subject = subject.spec
    if isinstance(subject, NetworkSpec):
        subject = Structure.of_spec(subject)
    structure = subject if isinstance(subject, Structure) else structure_of(subject)
    return structure, structure.skip_steps or None
