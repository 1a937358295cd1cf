"""A forecaster as a PyTorch module: the same numbers, a state that goes on, gradients through all of it."""

from __future__ import annotations

import doctest
import pickle

import numpy as np
import pytest
import torch

from tests.forecaster.helpers import small, wave, waves
from tests.interop.cases import CASES, NEAR, difference, fitted, odd_windows, said_of_windows
from tests.meta.repository import ROOT
from tests.meta.test_documents import FENCE
from unrolled.errors import ArgumentError
from unrolled.interop import readings

pytestmark = pytest.mark.torch


def tensors(forecaster, y=None):
    return {name: torch.as_tensor(one) for name, one in forecaster.readings(y).inputs().items()}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_says_what_the_forecaster_says(case, dtype):
    forecaster = fitted(case, dtype)
    with torch.no_grad():
        forecast, _ = forecaster.to_torch()(**tensors(forecaster))
    assert str(forecast.dtype) == f"torch.{dtype}"
    assert difference(forecast.numpy(), forecaster) <= NEAR[dtype]


@pytest.mark.parametrize("scaling", ["standard", "last", "mean_abs", "asinh", "adaptive"])
def test_windows_that_nothing_was_trained_on_are_scaled_alike(scaling):
    y = wave()
    y[5] = np.nan
    windows = odd_windows()
    forecaster = small(3, window=24, scaling=scaling, mask=True, skip=True, dtype="float64").fit(y)
    said = []
    for sign in (1.0, -1.0):  # the same network, and one that says the opposite of all that it says
        for network in forecaster._model.networks:
            last = ("head.weight", "head.bias", "skip.weight")
            network.weights = {name: sign * w if name in last else w for name, w in network.weights.items()}
        forecast, _ = forecaster.to_torch()(torch.as_tensor(windows)[..., None])
        outcome = said_of_windows(forecaster, windows)
        np.testing.assert_allclose(forecast.detach(), outcome.point(), rtol=1e-11, atol=1e-12)
        said.append(outcome.scaling.apply(outcome.point())[4:7])
    z = np.stack(said)
    assert scaling != "adaptive" or (z.max() > 100.0 and z.min() < -100.0)  # beyond what is read in logs


def test_a_point_forecast_is_that_of_predict():
    forecaster = small(4, dtype="float64", members=2).fit(waves(60, 70))
    forecast, _ = forecaster.to_torch()(**tensors(forecaster))
    np.testing.assert_allclose(forecast[..., 0].detach(), forecaster.predict(), rtol=1e-12)


def test_short_series_are_missing_before_their_first_point():
    forecaster = small(3, dtype="float64", window=20, mask=True).fit(waves(60, 70))
    y = waves(9, 30)
    assert np.isnan(forecaster.readings(y).values[0, :11]).all()
    forecast, _ = forecaster.to_torch()(**tensors(forecaster, y))
    np.testing.assert_allclose(forecast[..., 0].detach(), forecaster.predict(y), rtol=1e-12)


@pytest.mark.parametrize("scaling", ["last", "mean_abs", "adaptive"])
def test_members_that_read_different_windows_of_short_series(scaling):
    options = {"season": 4, "members": 3, "mask": True, "scaling": scaling, "dtype": "float64"}
    forecaster = small(3, **options).fit(waves(60, 70))
    assert forecaster.to_torch().windows == (16, 12, 8)
    y = [*waves(3, 9, 13, 30), np.r_[np.full(7, np.nan), 5.0, np.full(9, np.nan)]]  # read by two of them
    forecast, _ = forecaster.to_torch()(**tensors(forecaster, y))
    np.testing.assert_allclose(forecast[..., 0].detach(), forecaster.predict(y), rtol=1e-12)


def test_a_window_without_any_value_is_forecast_too():
    module = small(3, dtype="float64", window=8, mask=True).fit(waves(60, 70)).to_torch()
    forecast, _ = module(torch.full((1, 8, 1), torch.nan))
    assert forecast.isfinite().all()


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "mingru", "minlstm", "slstm"])
@pytest.mark.parametrize("residual", [False, True])
def test_a_state_goes_on(cell, residual):
    options = {"memory": "all", "members": 2, "num_layers": 2, "residual": residual}
    module = small(3, cell=cell, dtype="float64", **options).fit(wave()).to_torch()
    y = torch.as_tensor(wave(40))[None, :, None]
    whole, end = module(y)
    _, state = module(y[:, :25])
    parts, after = module(y[:, 25:], state=state)
    torch.testing.assert_close(parts, whole, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(after[0], end[0], rtol=1e-12, atol=1e-12)
    assert end[0].shape == (4, 1, 4)


def test_the_state_is_that_of_the_core():
    forecaster = small(3, cell="lstm", memory="all", scaling="none", dtype="float64").fit(wave())
    y = wave(40)
    _, state = forecaster.network_.engine.forward(y[:, None, None])
    _, (h, c) = forecaster.to_torch()(torch.as_tensor(y)[None, :, None])
    np.testing.assert_allclose(h.detach(), state.h, rtol=1e-12)
    np.testing.assert_allclose(c.detach(), state.c, rtol=1e-12)


def test_torch_has_its_own_modules_inside_where_it_can():
    plain = small(3, cell="gru", num_layers=2, members=1).fit(wave())
    (network,) = plain.to_torch().networks
    assert isinstance(network.layers[0].rnn, torch.nn.GRU)
    for name, array in plain.network_.weights.items():
        if "_l" in name:
            np.testing.assert_array_equal(getattr(network.layers[0].rnn, name).detach(), array)
    apart = small(3, cell="lstm", num_layers=2, residual=True).fit(wave()).to_torch().networks[0]
    assert [type(one.rnn) for one in apart.layers] == [torch.nn.LSTM] * 2


class TestTraining:
    @pytest.mark.parametrize("strategy", ["direct", "recursive"])
    @pytest.mark.parametrize("scaling", ["standard", "last", "mean_abs", "log", "asinh", "adaptive", "none"])
    @pytest.mark.parametrize("cell", ["lstm", "slstm"])
    def test_gradients_reach_every_parameter_though_values_are_missing(self, strategy, scaling, cell):
        y = wave()
        y[[3, 40, -2]] = np.nan
        options = {"strategy": strategy, "scaling": scaling, "cell": cell, "mask": True, "window": 12}
        forecaster = small(3, dtype="float64", **options).fit(y)
        module = forecaster.to_torch()
        forecast, _ = module(**tensors(forecaster))
        forecast.square().sum().backward()
        gradients = {name: one.grad for name, one in module.named_parameters()}
        assert all(one is not None and one.isfinite().all() for one in gradients.values())
        assert all((one != 0).any() for name, one in gradients.items() if "bias_hh" not in name)

    @pytest.mark.parametrize("scaling", ["last", "adaptive"])
    def test_gradients_are_slopes(self, scaling):
        y = np.exp(3 * (wave() - wave().mean())) if scaling == "adaptive" else wave()
        forecaster = small(2, strategy="recursive", scaling=scaling, window=6, dtype="float64").fit(y)
        module = forecaster.to_torch()
        inputs = tensors(forecaster)
        values = inputs["values"].requires_grad_()
        assert torch.autograd.gradcheck(lambda x: module(x)[0], (values,))

    def test_training_it_on_lowers_the_error(self):
        y = wave(noise=0.0)
        module = small(3, window=12, dtype="float64").fit(y).to_torch().train()
        windows = torch.as_tensor(np.lib.stride_tricks.sliding_window_view(y, 15).copy())[..., None]
        optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
        errors = []
        for _ in range(20):
            loss = (module(windows[:, :12])[0] - windows[:, 12:]).abs().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            errors.append(loss.item())
        assert errors[-1] < 0.7 * errors[0]

    @pytest.mark.parametrize("cell", ["lstm", "mingru"])
    def test_dropout_is_on_only_while_training(self, cell):
        forecaster = small(3, cell=cell, num_layers=2, dropout=0.5, hidden_size=16).fit(wave())
        module, inputs = forecaster.to_torch(), tensors(forecaster)
        assert torch.equal(module(**inputs)[0], module(**inputs)[0])
        module.train()
        assert not torch.equal(module(**inputs)[0], module(**inputs)[0])


def test_it_can_be_pickled_and_moved_to_float64():
    forecaster = small(3, members=2).fit(wave())
    module, inputs = forecaster.to_torch(), tensors(forecaster)
    again = pickle.loads(pickle.dumps(module))
    assert torch.equal(again(**inputs)[0], module(**inputs)[0])
    assert module.double()(**inputs)[0].dtype == torch.float64


def test_the_forecaster_stays_as_it_was():
    forecaster = small(3).fit(wave())
    before = forecaster.predict()
    with torch.no_grad():
        for parameter in forecaster.to_torch().parameters():
            parameter.zero_()
    np.testing.assert_array_equal(forecaster.predict(), before)


def test_the_document_runs(tmp_path):
    """`make check` runs the page without torch; here its session of Python runs too."""
    page = (ROOT / "docs" / "interop.md").read_text(encoding="utf-8")
    names = {}
    for language, body in FENCE.findall(page):
        if language == "python" and "sklearn" not in body:
            exec(body, names)
    (session,) = [body for language, body in FENCE.findall(page) if language == "pycon"]
    test = doctest.DocTestParser().get_doctest(session, names, "interop.md", None, None)
    assert test.examples
    assert not doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test).failed


class TestRefused:
    def test_shapes_that_do_not_fit(self):
        module = small(3, window=12).fit(wave(), known=np.zeros((75, 2))).to_torch()
        with pytest.raises(ArgumentError, match=r"does not fit: values"):
            module(torch.zeros(1, 11, 1))
        with pytest.raises(ArgumentError, match=r"features\n.*\[1, 15, 2\]\n.*None") as caught:
            module(torch.zeros(1, 12, 1), static=torch.zeros(1, 2), state=(torch.zeros(1), None))
        assert len(caught.value.faults) == 3

    def test_series_that_have_no_number(self):
        module = small(3, window=12, scaling="series").fit(waves(50, 60)).to_torch()
        with pytest.raises(ArgumentError, match="does not fit: series"):
            module(torch.zeros(1, 12, 1))

    def test_counts_that_are_fed_back(self):
        counts = np.random.default_rng(0).poisson(4.0, 60)
        options = {"loss": "negative_binomial", "scaling": "mean_abs", "strategy": "recursive"}
        with pytest.raises(ArgumentError, match="medians of counts"):
            small(3, **options).fit(counts).to_torch()


def test_another_series_is_scaled_as_it_was():
    forecaster = small(3, window=12, scaling="series", dtype="float64").fit(waves(50, 60))
    panel = forecaster.ends_.select(np.array([1]))
    reading = readings(forecaster._model, panel, known_as=np.array([1]))
    inputs = {name: torch.as_tensor(one) for name, one in reading.inputs().items()}
    forecast, _ = forecaster.to_torch()(**inputs)
    np.testing.assert_allclose(forecast[0, :, 0].detach(), forecaster.predict()[1], rtol=1e-12)
