"""What an installed unrolled must be able to do without its sources, from an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> int:
    """Forecast in Python and on the command line; 0 when all is well."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        in_python()
        on_the_command_line()
        os.chdir(tempfile.gettempdir())  # Windows removes no folder that somebody is in
    print("smoke: all is well")
    return 0


def in_python() -> None:
    """Fit, forecast with intervals, keep and load, explain."""
    import unrolled

    where = Path(unrolled.__file__).resolve()
    if "site-packages" not in where.parts:
        raise SystemExit(f"expected the installed package; got {where}")
    import numpy as np

    from unrolled import Forecaster, datasets
    from unrolled.engine import isa

    print(f"unrolled {unrolled.__version__}, {isa()}, Python {sys.version.split()[0]}")
    air = datasets.load("airline_passengers").values
    forecaster = Forecaster(12, season=12, steps=50, calibration=36).fit(air)
    answer = forecaster.predict(levels=(80,))
    if not (answer.lower[80] <= answer.upper[80]).all():
        raise SystemExit("expected intervals whose lower end is below the upper")
    forecaster.save("air.safetensors")
    again = Forecaster.load("air.safetensors").predict(air)
    if not np.array_equal(again, forecaster.predict(air)):
        raise SystemExit("expected a loaded forecaster to say the same")
    forecaster.explain(air).save("air.html")


def on_the_command_line() -> None:
    """Run the commands that a new user runs."""
    from unrolled import datasets

    source = Path(datasets.__file__).with_name("airline_passengers.csv")
    series = [str(source), "--time", "month", "--target", "passengers", "--horizon", "12", "--season", "12"]
    for words in (
        ["--version"],
        ["demo", "--out", "out"],
        ["forecast", *series, "--steps", "50", "--out", "forecast.csv", "--html", "forecast.html"],
        ["lesson", "--lang", "zh", "--out", "lesson.html"],
    ):
        command = [sys.executable, "-m", "unrolled.cli", *words]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(words)}: {done.stderr.decode(errors='replace')}")
    for name in ("forecast.csv", "forecast.html", "lesson.html", "air.html"):
        if not Path(name).stat().st_size:
            raise SystemExit(f"expected {name}; it is empty")


if __name__ == "__main__":
    sys.exit(main())
