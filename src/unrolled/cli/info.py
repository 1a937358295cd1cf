"""`unrolled info MODEL|FILE`: what a kept network is, or what a file of series holds."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unrolled.cli.steps import (  # noqa: TC001 - typer reads them
    IdOption,
    JsonOption,
    LangOption,
    TimeOption,
)
from unrolled.cli.talk import deliver, deliver_json, guarded
from unrolled.messages import text

if TYPE_CHECKING:
    from unrolled.forecaster import Forecaster

EXAMPLES = """Examples:

\b
  unrolled info air.csv --time month
  unrolled info air.safetensors
  unrolled info air.safetensors --json
  unrolled info air.safetensors --spans
"""


@guarded
def info(
    file: Annotated[
        str, typer.Argument(metavar="MODEL|FILE", help="A model that was kept, or a CSV or Parquet file.")
    ],
    *,
    time: TimeOption = None,
    ids: IdOption = None,
    spans: Annotated[
        bool,
        typer.Option(
            "--spans", help="Of a model: from when to when it needs each covariate to forecast, as CSV."
        ),
    ] = False,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Say what a model is, or what a file of series holds.

    A model: arguments, what was chosen by rule, sizes, training. A file: its
    columns and what is missing there; with --time and --id its series, too. With
    --spans: for each series and covariate the first and the last time that
    `predict` needs, up to when it is there, and whether that is enough.
    """
    from unrolled.errors import ArgumentError, fault
    from unrolled.files.source import KINDS
    from unrolled.forecaster import Forecaster

    if file.lower().endswith(KINDS):
        if spans:
            raise ArgumentError(fault("cli.spans-of-file", file=file))
        from unrolled.files import overview

        found = overview(file, time=time, ids=ids)
        told = found if as_json else _file_lines(found)
    else:
        if time or ids:
            raise ArgumentError(fault("cli.columns-without-file"))
        forecaster = Forecaster.load(file)
        told = _model_facts(forecaster, spans=spans) if as_json else _model_lines(forecaster, spans=spans)
    if isinstance(told, dict):
        deliver_json(told)
    else:
        deliver("\n".join(told))


def _model_facts(forecaster: Forecaster, *, spans: bool = False) -> dict[str, Any]:
    """Return what `--json` says of a model, with spans what it needs of each covariate, too."""
    from unrolled.reports import network_report

    ends, history = forecaster.ends_, forecaster.history_
    columns = ends.columns
    return {
        "kind": "model",
        "arguments": {name: _plain(value) for name, value in forecaster.get_params().items()},
        "settings": {name: _plain(getattr(forecaster.settings_, name)) for name in _SETTINGS},
        "reasons": forecaster.settings_.reasons,
        "network": network_report(forecaster),
        "series": ends.n_series,
        "channels": list(ends.channels),
        "columns": None if columns is None else {"id": columns.id, "time": columns.time},
        "step": str(ends.steps[0]) if ends.steps else None,
        "training": {
            "steps": len(history.losses),
            "best_step": history.best_step,
            "stopped": history.stopped,
            "seconds": history.seconds,
            "loss": _finite(history.losses[-1]) if history.losses else None,
            "validation_loss": _finite(min(history.checks.values())) if history.checks else None,
        },
        **({"spans": _spans(forecaster)} if spans else {}),
    }


_SETTINGS = (
    "window",
    "windows",
    "members",
    "patch",
    "hidden_size",
    "skip",
    "scaling",
    "mask",
    "ahead",
    "optimizer",
    "lr",
    "batch_size",
    "steps",
    "refit",
    "held_out",
    "calibration",
)


def _spans(forecaster: Forecaster) -> list[dict[str, Any]]:
    """Return what a model needs of each covariate, as plain values."""
    return [
        {name: one if isinstance(one, int | str | None) else str(one) for name, one in asdict(span).items()}
        for span in forecaster.spans()
    ]


def _model_lines(forecaster: Forecaster, *, spans: bool = False) -> list[str]:
    """Return what is said of a model, line by line; with spans only these."""
    if spans:
        from unrolled.files import csv_text
        from unrolled.spans import Span

        found, names = _spans(forecaster), [one.name for one in fields(Span)]
        return csv_text({name: [one[name] for one in found] for name in names}).splitlines()
    facts = _model_facts(forecaster)
    training, history = facts["training"], forecaster.history_
    lines = [
        repr(forecaster),
        text("cli.info.series", series=facts["series"], channels=", ".join(facts["channels"])),
    ]
    if facts["step"]:
        ends = forecaster.ends_
        assert ends.times is not None
        last = ends.times[ends.offsets[1:] - 1]
        lines.append(text("cli.info.times", step=facts["step"], last=last.max()))
    lines += forecaster.describe().splitlines()
    lines.append(
        text(
            "cli.info.training",
            steps=training["steps"],
            seconds=training["seconds"],
            best=training["best_step"],
            stopped=text(f"cli.stopped.{history.stopped}"),
        )
    )
    if training["validation_loss"] is not None:
        lines.append(text("cli.info.validation", loss=training["validation_loss"]))
    return lines


def _file_lines(found: dict[str, Any]) -> list[str]:
    """Return what is said of a file, line by line."""
    lines = [text("cli.info.rows", rows=found["rows"], columns=len(found["columns"]))]
    width = max(len(name) for name in found["columns"])
    for name, column in found["columns"].items():
        words = {key: "" if value is None else value for key, value in column.items()}
        lines.append(text("cli.info.column", name=name.ljust(width), **words))
    series = found["series"]
    if series is not None:
        lines.append(text("cli.info.lengths", **series))
    if found["step"] is not None:
        lines.append(text("cli.info.step", step=found["step"]))
    return lines


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _finite(loss: float) -> float | None:
    return loss if loss == loss and abs(loss) != float("inf") else None
