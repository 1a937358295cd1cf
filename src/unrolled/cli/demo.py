"""`unrolled demo`: the tutorial's job and a real forecast, printed and drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unrolled.cli.talk import LANG_HELP, deliver, deliver_json, guarded, say, speak
from unrolled.messages import text

if TYPE_CHECKING:
    from collections.abc import Callable

    from unrolled.demo import RealForecast
    from unrolled.page import DemoReport, TutorialReport

EXAMPLES = """Examples:

\b
  unrolled demo
  unrolled demo --out pictures --open
  unrolled demo --series co2_monthly --lang zh
  unrolled demo --json > demo.json
"""


@guarded
def demo(
    out: Annotated[str, typer.Option("--out", metavar="DIR", help="Folder of the pictures.")] = "out",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON on stdout; the talk goes to stderr.")
    ] = False,
    show: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    seed: Annotated[
        int, typer.Option(help="Of the tutorial's network: the weights that PyTorch gives for it.")
    ] = 42,
    epochs: Annotated[int, typer.Option(help="Passes over the tutorial's windows.")] = 10,
    series: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The real series: airline_passengers, co2_monthly or nile."),
    ] = None,
    lang: Annotated[str | None, typer.Option("--lang", callback=speak, is_eager=True, help=LANG_HELP)] = None,
) -> None:
    """Do the tutorial's job, then forecast a real series; draw both into one HTML file.

    The tutorial: a sine of 800 points, 720 windows of 40, an LSTM with 50 hidden
    units, ten epochs, the last 40 points forecast one by one. The real series: its
    last year held out, and forecast.
    """
    from unrolled import datasets
    from unrolled.demo import REAL, real, tutorial

    name = series or REAL
    datasets.load(name)  # a wrong name is told before anything is done
    folder = _folder(out)
    tell = say if as_json else deliver
    sine = tutorial(seed=seed, epochs=epochs)
    _tell_tutorial(sine, tell)
    forecast = real(name)
    tell("")
    tell(text("cli.demo.real", title=forecast.report["title"], points=forecast.report["horizon"]))
    tell(str(forecast.comparison))
    tell("")
    page = _draw(
        {"version": sine["version"], "kind": "demo", "tutorial": sine, "real": forecast.report}, folder, tell
    )
    if as_json:
        deliver_json({"tutorial": _tutorial_facts(sine), "real": _real_facts(name, forecast)})
    if show:
        import webbrowser

        webbrowser.open(page.as_uri())


def _folder(out: str) -> Path:
    """Make the folder of the pictures where it is not there, and see that the page can be written.

    Raises:
        FileError: it cannot be made, or not be written to.
    """
    from unrolled.cli.outputs import check_writable
    from unrolled.errors import FileError, fault

    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(fault("cli.folder", folder=out, reason=reason)) from error
    check_writable(folder / "demo.html")
    return folder


def _tell_tutorial(report: TutorialReport, tell: Callable[[str], None]) -> None:
    """Print the loss of every epoch, and the network's error beside the baselines'."""
    tell(text("cli.demo.tutorial", points=len(report["series"]), parameters=report["parameters"]))
    for epoch, loss in enumerate(report["losses"], start=1):
        tell(text("cli.demo.epoch", epoch=epoch, loss=_value(loss)))
    tell(text("cli.demo.seconds", seconds=report["seconds"]))
    if len(report["losses"]) < report["epochs"]:
        tell(text("cli.demo.interrupted", done=len(report["losses"]), epochs=report["epochs"]))
    tell("")
    tell(text("cli.demo.mse", points=report["n_test"]))
    rows = {"network": (report["test_mse"], report["parameters"])}
    rows |= {name: (one["mse"], one.get("parameters", 0)) for name, one in report["baselines"].items()}
    for name, (error, parameters) in rows.items():
        tell(text("cli.demo.mse-row", name=name, mse=f"{_value(error):.5g}", parameters=parameters))
    best = min(report["baselines"], key=lambda name: _value(report["baselines"][name]["mse"]))
    best_mse, mse = _value(report["baselines"][best]["mse"]), _value(report["test_mse"])
    if mse <= best_mse:
        tell(text("cli.demo.network-better"))
    else:
        tell(text("cli.demo.baseline-better", baseline=best, baseline_mse=best_mse, network_mse=mse))


def _value(number: float | None) -> float:
    """Return a number of a report; what is not finite there counts as infinite."""
    return float("inf") if number is None else number


def _draw(report: DemoReport, folder: Path, tell: Callable[[str], None]) -> Path:
    """Write the page, and the PNG files where matplotlib is there; say where they are."""
    from unrolled.atomic import replace_file
    from unrolled.page import demo_page, plot_png

    page = (folder / "demo.html").resolve()
    replace_file(page, demo_page(report))
    pictures = plot_png(report, folder)
    tell(text("cli.demo.page", file=page))
    tell(text("cli.demo.png", count=len(pictures)) if pictures else text("cli.demo.no-png"))
    return page


def _tutorial_facts(report: TutorialReport) -> dict[str, Any]:
    """Return what `--json` says of the tutorial."""
    return {
        "losses": report["losses"],
        "test_mse": report["test_mse"],
        "baselines": {name: one["mse"] for name, one in report["baselines"].items()},
        "seconds": report["seconds"],
    }


def _real_facts(name: str, forecast: RealForecast) -> dict[str, Any]:
    """Return what `--json` says of the real forecast."""
    only = forecast.report["series"][0]
    return {
        "series": name,
        "seconds": forecast.report["network"]["seconds"],
        "times": only["forecast_times"],
        "forecast": only["forecast"],
        "actual": only["actual"],
        "comparison": forecast.comparison.to_dict(),
    }
