"""The recurrent layers of a PyTorch module, read from its attributes; PyTorch is not imported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from unrolled.errors import ArgumentError, fault
from unrolled.explain.structure import Structure
from unrolled.network import TORCH_MODES


def recurrent_layers(module: Any) -> dict[str, Structure]:
    """Return every RNN, LSTM and GRU in a module by its name, "" for the module itself.

    Args:
        module: a `torch.nn.Module`, or whatever has `named_modules` and the attributes of torch's layers.
    """
    return {name: _structure(one) for name, one in _named(module).items() if _is_recurrent(one)}


def structure_of(module: Any) -> Structure:
    """Return the structure of the one recurrent layer of a module, with its head where there is one.

    The head is the one `Linear` that reads as many numbers as the layer gives. Whether it is called on the
    last step or on every one, attributes do not tell: it is taken as called once.

    Args:
        module: as for `recurrent_layers`.

    Raises:
        ArgumentError: there is no such layer, or there are several.
    """
    found = recurrent_layers(module)
    if not found:
        raise ArgumentError(fault("explain.no-recurrent", got=type(module).__name__))
    if len(found) > 1:
        raise ArgumentError(fault("explain.recurrents", known=", ".join(found), first=next(iter(found))))
    (structure,) = found.values()
    given = structure.directions * structure.state_size
    heads = [one for one in _named(module).values() if getattr(one, "in_features", None) == given]
    if len(heads) != 1 or not hasattr(heads[0], "out_features"):
        return structure
    return replace(
        structure, output_size=heads[0].out_features, head_bias=getattr(heads[0], "bias", None) is not None
    )


def _named(module: Any) -> dict[str, Any]:
    """Return a module and all within it by name."""
    return dict(module.named_modules()) if hasattr(module, "named_modules") else {}


def _is_recurrent(module: Any) -> bool:
    return getattr(module, "mode", None) in TORCH_MODES and hasattr(module, "hidden_size")


def _structure(module: Any) -> Structure:
    return Structure(
        cell=TORCH_MODES[module.mode],
        input_size=module.input_size,
        hidden_size=module.hidden_size,
        num_layers=module.num_layers,
        bidirectional=module.bidirectional,
        batch_first=module.batch_first,
        proj_size=getattr(module, "proj_size", 0),
        bias=module.bias,
    )
