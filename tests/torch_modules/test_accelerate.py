"""A model whose recurrent modules are replaced in place: the same objects, the same numbers, all told."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize

import unrolled.torch as ours
from tests.torch_modules.helpers import SIX, assert_close, drawn, six_classes
from unrolled import messages

pytestmark = pytest.mark.torch


class Net(nn.Module):
    """Recurrent modules at several depths."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict({"rnn": nn.GRU(3, 4, 2, bidirectional=True), "line": nn.Linear(8, 4)})
        self.layers = nn.ModuleList([nn.LSTM(4, 4, dropout=0.0), nn.RNN(4, 4, nonlinearity="relu")])
        self.step = nn.Sequential(nn.LSTMCell(4, 4))
        self.double()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return one vector for each row."""
        y = self.encoder["line"](self.encoder["rnn"](x)[0])
        for layer in self.layers:
            y = layer(y)[0]
        last: torch.Tensor = self.step[0](y[-1])[0]
        return last


NAMES = {"encoder.rnn": ours.GRU, "layers.0": ours.LSTM, "layers.1": ours.RNN, "step.0": ours.LSTMCell}


def test_every_module_inside_a_model() -> None:
    model = Net()
    x = drawn(5, 2, 3)
    expected = model(x)
    objects = {name: (module, list(module.parameters())) for name, module in model.named_modules()}
    kept = copy.deepcopy(model.state_dict())
    report = ours.accelerate(model)
    assert report.replaced == NAMES
    assert report.left == {}
    for name, (module, parameters) in objects.items():
        assert dict(model.named_modules())[name] is module
        assert all(a is b for a, b in zip(module.parameters(), parameters, strict=True))
    assert list(model.state_dict()) == list(kept)
    for name, kind in NAMES.items():
        assert type(objects[name][0]) is kind
    assert_close(model(x), expected)
    assert all(objects[name][0].last_path.name == "unrolled" for name in NAMES)
    model.load_state_dict(kept)


@six_classes
def test_a_model_that_is_one_module(our: Any, their: Any) -> None:
    module = their(3, 5).double()
    expected = module(drawn(4, 3))
    report = ours.accelerate(module)
    assert report.replaced == {"": our}
    assert type(module) is our
    assert isinstance(module, their)
    found, want = (
        one if isinstance(one, torch.Tensor) else one[0] for one in (module(drawn(4, 3)), expected)
    )
    assert_close(found, want)


def test_again_there_is_nothing_to_do() -> None:
    model = Net()
    first = ours.accelerate(model)
    again = ours.accelerate(model)
    assert first.replaced
    assert again.replaced == {}
    assert again.left == {}
    mine = nn.Sequential(ours.LSTM(3, 5))
    assert ours.accelerate(mine).replaced == {}


def test_a_model_without_any() -> None:
    report = ours.accelerate(nn.Sequential(nn.Linear(2, 2), nn.ReLU()))
    assert (report.replaced, report.left) == ({}, {})


def test_a_module_with_two_names_is_told_once() -> None:
    shared = nn.GRU(3, 3)
    model = nn.ModuleDict({"first": shared, "second": shared, "other": nn.GRU(3, 3)})
    model["other"].weight_hh_l0 = shared.weight_hh_l0
    report = ours.accelerate(model)
    assert report.replaced == {"first": ours.GRU, "other": ours.GRU}
    assert model["first"] is model["second"]
    assert model["other"].weight_hh_l0 is shared.weight_hh_l0


def test_optimizers_and_hooks_go_on() -> None:
    found = []
    for fast in (False, True):
        torch.manual_seed(2)
        model = Net()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        seen: list[int] = []
        model.layers[0].register_forward_hook(lambda *_, seen=seen: seen.append(1))
        model.encoder["rnn"].register_full_backward_hook(lambda *_, seen=seen: seen.append(2))
        for turn in range(6):
            if turn == 3 and fast:
                assert len(ours.accelerate(model).replaced) == 4
            loss = model(drawn(5, 4, 3, seed=turn).requires_grad_()).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        assert seen == [1, 2] * 6
        found.append({name: parameter.detach() for name, parameter in model.named_parameters()})
    for name, want in found[1].items():
        assert_close(found[0][name], want, to="trained", name=name)


def test_what_was_accelerated_is_copied_and_stored() -> None:
    model = Net()
    ours.accelerate(model)
    x = drawn(5, 2, 3)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert type(other.layers[0]) is ours.LSTM
        assert_close(other(x), model(x))
    plain = Net()
    plain.load_state_dict(model.state_dict())
    assert_close(plain(x), model(x))


def test_training_and_evaluation_stay_as_they_were() -> None:
    model = nn.Sequential(nn.GRU(3, 4, 2, dropout=0.5)).eval()
    model[0].requires_grad_(False)
    ours.accelerate(model)
    assert not model[0].training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert torch.equal(model[0](torch.ones(3, 3))[0], model[0](torch.ones(3, 3))[0])


@pytest.mark.parametrize(("our", "their"), SIX[:3], ids=["RNN", "LSTM", "GRU"])
def test_parametrized_modules(our: Any, their: Any) -> None:
    module = their(3, 5, dtype=torch.float64)
    parametrizations.weight_norm(module, "weight_hh_l0")
    parametrizations.spectral_norm(module, "weight_ih_l0")
    module.eval()
    names = [name for name, _ in module.named_parameters()]
    expected = module(drawn(4, 2, 3))[0]
    report = ours.accelerate(module)
    assert report.replaced == {"": our}
    assert isinstance(module, our)
    assert parametrize.is_parametrized(module, "weight_hh_l0")
    assert [name for name, _ in module.named_parameters()] == names
    assert_close(module(drawn(4, 2, 3))[0], expected)
    assert module.last_path.name == "unrolled"
    with torch.no_grad():
        module.parametrizations.weight_hh_l0.original0.mul_(0.5)
    assert not torch.equal(module(drawn(4, 2, 3))[0], expected)
    assert ours.accelerate(module).replaced == {}
    module(drawn(4, 2, 3))[0].sum().backward()
    assert all(parameter.grad is not None for parameter in module.parameters())
    parametrize.remove_parametrizations(module, "weight_hh_l0")
    parametrize.remove_parametrizations(module, "weight_ih_l0")
    assert type(module) is our


@pytest.mark.filterwarnings("ignore:.*weight_norm.*is deprecated:FutureWarning")
def test_weight_norm_of_old() -> None:
    module = nn.LSTM(3, 5, dtype=torch.float64)
    nn.utils.weight_norm(module, "weight_hh_l0")
    expected = module(drawn(4, 2, 3))[0]
    assert ours.accelerate(module).replaced == {"": ours.LSTM}
    assert_close(module(drawn(4, 2, 3))[0], expected)
    with torch.no_grad():
        module.weight_hh_l0_g.mul_(0.5)
    assert not torch.equal(module(drawn(4, 2, 3))[0], expected)


class Own(nn.LSTM):
    """A subclass that does something else."""

    def forward(self, input: torch.Tensor, hx: Any = None) -> Any:
        """Return the outputs twice as large."""
        output, state = super().forward(input, hx)
        return 2.0 * output, state


class Named(nn.GRU):
    """A subclass that adds nothing but a method."""

    def last(self, x: torch.Tensor) -> torch.Tensor:
        """Return the last output."""
        output: torch.Tensor = self(x)[0][-1]
        return output


def test_subclasses_are_left_with_a_reason() -> None:
    model = nn.ModuleDict({"own": Own(3, 5), "named": Named(3, 5), "plain": nn.GRU(3, 5)})
    expected = model["own"](torch.ones(2, 3))[0]
    report = ours.accelerate(model)
    assert report.replaced == {"plain": ours.GRU}
    assert set(report.left) == {"own", "named"}
    assert all(str(reason) for reason in report.left.values())
    assert type(model["own"]) is Own
    assert torch.equal(model["own"](torch.ones(2, 3))[0], expected)


def test_a_forward_that_was_put_on_the_object_is_left() -> None:
    module = nn.LSTM(3, 5)
    module.forward = lambda x: x  # as some tools do
    report = ours.accelerate(module)
    assert report.replaced == {}
    assert list(report.left) == [""]


def test_torchscript_is_left() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted = torch.jit.script(nn.Sequential(nn.LSTM(3, 5), nn.Identity())[0])
        model = nn.ModuleDict({"scripted": scripted, "plain": nn.LSTM(3, 5)})
        report = ours.accelerate(model)
    assert report.replaced == {"plain": ours.LSTM}
    assert list(report.left) == ["scripted"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_quantized_modules_are_left() -> None:
    if "qnnpack" not in torch.backends.quantized.supported_engines and "fbgemm" not in (
        torch.backends.quantized.supported_engines
    ):
        pytest.fail("this build of torch has no engine for quantized modules")
    model = torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.LSTM(3, 5)), {nn.LSTM}, dtype=torch.qint8)
    kind = type(model[0])
    report = ours.accelerate(model)
    assert report.replaced == {}
    assert list(report.left) == ["0"]
    assert type(model[0]) is kind


def test_a_report_in_words() -> None:
    model = nn.ModuleDict({"own": Own(3, 5), "plain": nn.GRU(3, 5)})
    report = ours.accelerate(model)
    text = str(report)
    assert "plain" in text
    assert "own" in text
    assert "GRU" in text
    with messages.speaking("zh"):
        chinese = str(report)
    assert chinese != text
    assert any("一" <= letter <= "鿿" for letter in chinese)
    assert str(ours.accelerate(nn.GRU(3, 5)))
    assert str(ours.accelerate(nn.Linear(3, 5)))


@pytest.mark.parametrize(("our", "their"), SIX, ids=[one.__name__ for one, _ in SIX])
def test_questions_that_users_ask_of_a_class(our: Any, their: Any) -> None:
    module = their(3, 5)
    ours.accelerate(module)
    assert isinstance(module, (our, their))
    assert type(module).__name__ == their.__name__
    assert issubclass(type(module), nn.RNNBase if hasattr(module, "mode") else nn.RNNCellBase)
    assert repr(module) == repr(their(3, 5))
