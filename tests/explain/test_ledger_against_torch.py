"""Shapes, parameters and multiply-adds of torch's modules, over a grid of their arguments."""

from __future__ import annotations

from itertools import chain, product
from typing import Any

import pytest
import torch
from torch import nn

from tests.explain.lines import shapes_of, written
from unrolled.explain import ledger
from unrolled.explain.modules import recurrent_layers

pytestmark = pytest.mark.torch

MODULES: dict[str, Any] = {
    "rnn": nn.RNN,
    "rnn_relu": lambda *sizes, **options: nn.RNN(*sizes, nonlinearity="relu", **options),
    "lstm": nn.LSTM,
    "gru": nn.GRU,
}
FLAGS = (False, True)
projected = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
"""torch says once a process that it computes a projection without oneDNN."""

every_cell = pytest.mark.parametrize("cell", MODULES)


@projected
@every_cell
def test_shapes_and_parameters_over_the_grid(cell: str) -> None:
    projections = (0, 2) if cell == "lstm" else (0,)
    grid = product((1, 3), (3, 4), (1, 2, 3), FLAGS, FLAGS, FLAGS, projections, (1, 5), (1, 3))
    for inputs, hidden, layers, bidirectional, batch_first, bias, projection, time, batch in grid:
        options: dict[str, Any] = {
            "num_layers": layers,
            "bidirectional": bidirectional,
            "batch_first": batch_first,
            "bias": bias,
        }
        if projection:
            options["proj_size"] = projection
        module = MODULES[cell](inputs, hidden, **options)
        facts = ledger(cell, input_size=inputs, hidden_size=hidden, **options, batch=batch, time=time)
        assert facts == ledger(module, batch=batch, time=time)
        x = torch.zeros((batch, time, inputs) if batch_first else (time, batch, inputs))
        with torch.no_grad():
            output, last = module(x)
        states = last if cell == "lstm" else (last,)
        expected = {"input": x, **dict(module.named_parameters()), "output": output}
        expected |= {f"{name}_{when}": one for name, one in zip("hc", states, strict=False) for when in "0n"}
        assert written(facts) == {name: tuple(one.shape) for name, one in expected.items()}, options
        _check_parameters(facts, module)
        assert facts["memory"]["outputs"] == layers * output.numel()
        assert facts["memory"]["states"] == sum(time * one.numel() for one in states[1:])


def _check_parameters(facts: Any, module: nn.Module) -> None:
    """Compare the counts of each layer and direction with those of torch's own tensors."""
    named = {name: one.numel() for name, one in module.named_parameters()}
    parameters = facts["parameters"]
    assert parameters["total"] == sum(named.values())
    for one in parameters["layers"]:
        suffix = f"_l{one['layer']}" + ("_reverse" if one["direction"] == "backward" else "")
        own = [name for name in named if name.removesuffix(suffix) in one and name.endswith(suffix)]
        assert one["total"] == sum(named[name] for name in own)
        assert all(one[name.removesuffix(suffix)] == named[name] for name in own)
        gates = sum(named[name] for name in own if not name.startswith("weight_hr"))
        assert one["per_gate"] * len(facts["tensors"][1]["gates"]) == gates


@every_cell
@pytest.mark.parametrize("head", ["last", "every"])
def test_the_lines_of_code_run_in_torch(cell: str, head: str) -> None:
    for bidirectional, batch_first, bias, skip in product(FLAGS, FLAGS, FLAGS, (0, 1, 2)):
        sizes = {"input_size": 2, "hidden_size": 4, "num_layers": 2, "output_size": 5, "head": head}
        options = {"bidirectional": bidirectional, "batch_first": batch_first, "bias": bias}
        if skip and head == "last":
            sizes |= {"skip_steps": 3, "skip_inputs": skip}
        facts = ledger(cell, **sizes, **options, head_bias=bias, batch=6, time=3)
        assert shapes_of(facts, nn=nn, torch=torch) == written(facts)


class Loops:
    """A module of torch's computed number by number; every multiply-add with a weight is counted."""

    def __init__(self, module: Any, cell: str) -> None:
        self.module, self.cell, self.count = module, cell, 0

    def times(self, name: str, x: list[Any]) -> list[Any]:
        """Return a product with a weight, row by row."""
        sums = []
        for row in getattr(self.module, name).tolist():
            total = 0.0
            for weight, number in zip(row, x, strict=True):
                total += weight * number
                self.count += 1
            sums.append(total)
        return sums

    def run(self, x: list[list[float]]) -> list[list[float]]:
        """Return what one sequence gives at every step."""
        for layer in range(self.module.num_layers):
            lanes = [self._lane(x, f"_l{layer}")]
            if self.module.bidirectional:
                lanes.append(self._lane(x[::-1], f"_l{layer}_reverse")[::-1])
            x = [list(chain(*parts)) for parts in zip(*lanes, strict=True)]
        return x

    def _lane(self, x: list[list[float]], suffix: str) -> list[list[float]]:
        hidden = self.module.hidden_size
        h, c = [0.0] * (self.module.proj_size or hidden), torch.zeros(hidden, dtype=torch.float64)
        found = []
        for x_t in x:
            from_x = torch.tensor(self.times("weight_ih" + suffix, x_t), dtype=torch.float64)
            from_h = torch.tensor(self.times("weight_hh" + suffix, h), dtype=torch.float64)
            if self.module.bias:
                from_x = from_x + getattr(self.module, "bias_ih" + suffix)
                from_h = from_h + getattr(self.module, "bias_hh" + suffix)
            h_next, c = self._gated(from_x, from_h, torch.tensor(h, dtype=torch.float64), c)
            h = h_next.tolist()
            if self.module.proj_size:
                h = self.times("weight_hr" + suffix, h)
            found.append(h)
        return found

    def _gated(self, from_x: Any, from_h: Any, h: Any, c: Any) -> tuple[Any, Any]:
        if self.cell == "lstm":
            i, f, g, o = (from_x + from_h).chunk(4)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            return o.sigmoid() * c.tanh(), c
        if self.cell == "gru":
            (r_x, z_x, n_x), (r_h, z_h, n_h) = from_x.chunk(3), from_h.chunk(3)
            z, n = (z_x + z_h).sigmoid(), (n_x + (r_x + r_h).sigmoid() * n_h).tanh()
            return (1 - z) * n + z * h, c
        a = from_x + from_h
        return (a.relu() if self.cell == "rnn_relu" else a.tanh()), c


@projected
@every_cell
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", FLAGS)
@pytest.mark.parametrize("bias", FLAGS)
def test_multiply_adds_are_those_of_counted_loops(
    cell: str, layers: int, bidirectional: bool, bias: bool
) -> None:
    torch.manual_seed(0)
    for projection in (0, 2) if cell == "lstm" else (0,):
        options = {"num_layers": layers, "bidirectional": bidirectional, "bias": bias}
        if projection:
            options["proj_size"] = projection
        module = MODULES[cell](2, 3, **options).double()
        x = torch.randn(4, 5, 2, dtype=torch.float64)
        loops = Loops(module, cell)
        with torch.no_grad():
            said = torch.tensor([loops.run(x[:, row].tolist()) for row in range(5)], dtype=torch.float64)
            assert torch.allclose(said.transpose(0, 1), module(x)[0], rtol=1e-12, atol=1e-13)
        work = ledger(module, batch=5, time=4)["work"]
        assert loops.count == work["per_batch"] == 5 * work["per_sequence"] == 20 * work["per_step"]


def test_the_only_recurrent_layer_of_a_module_with_its_head() -> None:
    class Tutorial(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(1, 50, batch_first=True)
            self.linear = nn.Linear(50, 1)

    module = Tutorial()
    facts = ledger(module, batch=32, time=40)
    assert facts["parameters"]["total"] == sum(one.numel() for one in module.parameters()) == 10_651
    assert list(recurrent_layers(module)) == ["lstm"]
    assert list(recurrent_layers(module.lstm)) == [""]
    assert [*recurrent_layers(nn.Sequential(nn.GRU(1, 2), nn.Linear(2, 1), nn.RNN(1, 2)))] == ["0", "2"]
