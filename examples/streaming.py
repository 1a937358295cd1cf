"""A stream of points: docs/examples/streaming.md tells what happens here, and what it prints."""

import tempfile
import time
from pathlib import Path

import numpy as np

from unrolled import Forecaster, datasets

co2 = datasets.load("co2_monthly").values
known, coming = co2[:-36], co2[-36:]
forecaster = Forecaster(12, dtype="float64", season=12, calibration=60).fit(known)

stream = forecaster.stream(known, levels=(80,))
inside = []
for value in coming:
    expected = stream.predict()
    inside.append(expected.lower[80][0] <= value <= expected.upper[80][0])
    stream.push(value)
print(f"{len(inside)} points, {sum(inside)} of them inside the interval of the month before")

follows = stream.predict().y_hat
print("the next months:", np.round(follows[:6].astype(float), 1))
print("the same as predict:", np.array_equal(follows, forecaster.predict(co2)))

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "state.npz"
    np.savez(path, **stream.state)
    print({name: array.shape for name, array in stream.state.items()})
    later = forecaster.stream(known, levels=(80,))
    with np.load(path) as state:
        later.restore(dict(state))

print("the same after restoring:", np.array_equal(later.push(372.0).y_hat, stream.push(372.0).y_hat))

nile = datasets.load("nile").values
for memory in ("window", "all"):
    river = Forecaster(5, dtype="float64", memory=memory).fit(nile[:80])
    stream = river.stream(nile[:80])
    began = time.perf_counter()
    forecasts = [stream.push(value) for value in nile[80:]]
    spent = (time.perf_counter() - began) / len(forecasts)
    missed = np.abs([forecast[0] for forecast in forecasts[:-1]] - nile[81:]).mean()
    same = np.allclose(forecasts[-1], river.predict(nile), rtol=1e-5)
    print(f"{memory:7}{1e6 * spent:6.0f} µs a point, next year missed by {missed:.0f}, as predict: {same}")

print(f"the last value again:  next year missed by {np.abs(np.diff(nile[80:])).mean():.0f}")
