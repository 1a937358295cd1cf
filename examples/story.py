"""One network, unrolled: docs/examples/story.md tells what happens here, and what it prints."""

import numpy as np

from unrolled import Forecaster, Network, NetworkSpec
from unrolled.evaluation import BASELINES, mse
from unrolled.explain import ledger
from unrolled.network import initial_weights

spec = NetworkSpec(cell="lstm", input_size=1, hidden_size=50, output_size=1)
network = Network(spec, initial_weights(spec, 42))
for name, weight in network.weights.items():
    print(f"{name:14} {weight.shape!s:10} {weight.size:6,}")
print(f"together       {'':10} {spec.parameter_count:6,}")

t = np.arange(800)
y = np.sin(t * 2 * np.pi / 40).astype(np.float32)

stream = network.stream()
for step in range(3):
    stream.step(y[step : step + 1])
    h = stream.state[0].ravel()
    print(f"step {step}: reads {y[step]:.3f}, keeps {h.size} numbers, the first {h[0]:+.4f}")

for hidden in (10, 50, 100):
    facts = ledger("lstm", input_size=1, hidden_size=hidden, batch=1, time=40)
    numbers = facts["parameters"]["total"]
    print(f"hidden_size {hidden:3}: {numbers:6,} parameters")

windows = np.stack([y[start : start + 40] for start in range(8)])[..., None]
engine = network.engine
together, _ = engine.forward(np.ascontiguousarray(windows.swapaxes(0, 1)))
alone = [engine.forward(np.ascontiguousarray(one[:, None]))[0] for one in windows]
print(f"8 windows at once: {together.shape}, one at a time: {alone[0].shape}")
print(f"the same numbers: {np.array_equal(together, np.concatenate(alone))}")

forecaster = Forecaster(
    40,
    window=40,
    cell="lstm",
    hidden_size=50,
    strategy="recursive",
    scaling="none",
    patch=1,
    skip=False,
    loss="mse",
    optimizer="sgd",
    lr=0.01,
    momentum=0.0,
    weight_decay=0.0,
    clip=None,
    batch_size=1,
    epochs=10,
    schedule="constant",
    shuffle=False,
    validation=0,
    refit=False,
    members=1,
    seed=42,
)
forecaster.fit(y[:760])
losses = np.array(forecaster.history_.losses)
print("loss of the last window of each epoch:")
print(np.round(losses[719::720], 5))

forecast = forecaster.predict()
error = (forecast - y[760:]) ** 2
for first in (0, 10, 20, 30):
    print(f"points {first:2} to {first + 9:2}: mean squared error {error[first : first + 10].mean():.5f}")
print(f"all 40: {mse(y[760:], forecast):.5f}")

for name in ("seasonal_naive", "autoregression"):
    answer = BASELINES[name](y[:760].astype(float), 40, season=40)
    print(f"{name:15} mean squared error below 1e-12: {mse(y[760:], answer) < 1e-12}")
