"""`unrolled shapes [MODEL]`: every shape, parameter and multiply-add of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from unrolled.cli.steps import JsonOption, LangOption  # noqa: TC001 - typer reads them
from unrolled.cli.talk import deliver, deliver_json, guarded

if TYPE_CHECKING:
    from unrolled.explain.facts import LedgerFacts

EXAMPLES = """Examples:

\b
  unrolled shapes --cell lstm --input-size 1 --hidden-size 50 --batch 32 --time 40
  unrolled shapes --cell gru --input-size 3 --hidden-size 8 --num-layers 2 --bidirectional
  unrolled shapes --input-size 1 --hidden-size 50 --output-size 1 --batch 32 --time 32 --json
  unrolled shapes air.safetensors
"""

_BATCH, _TIME = 32, 40
"""What is taken where nothing is said: the tutorial's window, and a usual batch."""

_WIDTH = 160
"""Columns of a table that no terminal shows."""


@guarded
def shapes(
    model: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", help="A model that was kept; left out: the network of the options."),
    ] = None,
    *,
    cell: Annotated[
        str | None,
        typer.Option(help="rnn, rnn_relu, lstm, gru, mingru, minlstm or slstm; left out: lstm."),
    ] = None,
    input_size: Annotated[int | None, typer.Option(help="I, numbers in a step.")] = None,
    hidden_size: Annotated[int | None, typer.Option(help="H, size of the hidden state.")] = None,
    num_layers: Annotated[int | None, typer.Option(help="L, layers; left out: 1.")] = None,
    bidirectional: Annotated[
        bool, typer.Option("--bidirectional", help="A second direction reads from the end.")
    ] = False,
    batch_first: Annotated[
        bool, typer.Option("--batch-first", help="Input and output are [B, T, ...].")
    ] = False,
    proj_size: Annotated[
        int | None, typer.Option(help="R, the size that an LSTM's h is projected to; left out: none.")
    ] = None,
    no_bias: Annotated[bool, typer.Option("--no-bias", help="Layers without biases.")] = False,
    output_size: Annotated[
        int | None, typer.Option(help="O, outputs of a linear head; left out: no head.")
    ] = None,
    head: Annotated[
        str | None, typer.Option(help="last or every: the steps that the head reads; left out: last.")
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(help="B, sequences side by side; left out: 32, of a model what it was trained with."),
    ] = None,
    time: Annotated[
        int | None, typer.Option(help="T, steps of a sequence; left out: 40, of a model what it reads.")
    ] = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Say every shape, parameter and multiply-add of a network.

    Each tensor with named axes, the rows of each gate and the line of PyTorch;
    parameters as PyTorch and as Keras count them; the true multiply-adds; the
    memory of back-propagation; and where axes happen to be equal, so that a swap
    raises no error. A model that was kept: the network of its first member.
    """
    given = {
        "cell": cell,
        "input_size": input_size,
        "hidden_size": hidden_size,
        "num_layers": num_layers,
        "bidirectional": bidirectional or None,
        "batch_first": batch_first or None,
        "proj_size": proj_size,
        "bias": False if no_bias else None,
        "output_size": output_size,
        "head": head,
    }
    numbers = {name: value for name, value in given.items() if value is not None}
    facts = _of_numbers(numbers, batch, time) if model is None else _of_model(model, numbers, batch, time)
    if as_json:
        deliver_json(dict(facts))
    else:
        deliver(_shown(facts))


def _of_numbers(numbers: dict[str, Any], batch: int | None, time: int | None) -> LedgerFacts:
    """Return the ledger of bare numbers.

    Raises:
        ArgumentError: a size is missing, or a number cannot work.
    """
    from unrolled.errors import ArgumentError, fault, raise_any
    from unrolled.explain import ledger

    needed = {"input_size": 1, "hidden_size": 50}
    raise_any(
        ArgumentError,
        [
            fault("cli.shapes-missing", option="--" + name.replace("_", "-"), example=example)
            for name, example in needed.items()
            if name not in numbers
        ],
    )
    cell = numbers.pop("cell", "lstm")
    return ledger(
        cell, batch=_BATCH if batch is None else batch, time=_TIME if time is None else time, **numbers
    )


def _of_model(file: str, numbers: dict[str, Any], batch: int | None, time: int | None) -> LedgerFacts:
    """Return the ledger of a model that was kept.

    Raises:
        ArgumentError: sizes are given, which the model has.
        FileError: the file is missing, damaged or of another kind.
    """
    from unrolled import artefact
    from unrolled.explain import ledger

    parts = artefact.load(file)
    batch = parts.settings.batch_size if batch is None else batch
    return ledger(parts.model, batch=batch, time=time, **numbers)


def _shown(facts: LedgerFacts) -> str:
    """Return a ledger as text: in colour and as wide as the terminal, plain and wide elsewhere."""
    from rich.console import Console

    from unrolled.explain.terminal import ledger_table

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    with console.capture() as captured:
        console.print(ledger_table(facts))
    return captured.get().rstrip("\n")
