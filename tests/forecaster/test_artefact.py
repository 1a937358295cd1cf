"""One file: what was saved comes back and forecasts the same; a failed save leaves the old file whole."""

from __future__ import annotations

import ast
import errno
import inspect
import json
import os

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file

from tests.forecaster.helpers import CELLS, SCALINGS, STRATEGIES, small, wave, waves
from tests.forecaster.safetensors_files import changed, header_of, header_text, outer_header
from unrolled import Forecaster, artefact
from unrolled.errors import FileError
from unrolled.panel import Columns, to_panel

KINDS = {
    "vector": wave(),
    "matrix": np.stack([wave(seed=1), wave(seed=2)], axis=1),
    "list": waves(40, 60, 50),
    "cube": np.stack(waves(40, 40, 40))[:, :, None],
    "cube of channels": np.stack([np.stack(waves(40, 40), axis=1)] * 3),
    "list of matrices": [np.stack([wave(points), wave(points, seed=3)], axis=1) for points in (40, 50)],
}


def round_trip(forecaster, folder) -> Forecaster:
    forecaster.save(folder / "model.safetensors")
    return Forecaster.load(folder / "model.safetensors")


def assert_same(one: Forecaster, other: Forecaster, y=None) -> None:
    for series in (None, y):
        np.testing.assert_array_equal(one.predict(series), other.predict(series))
    assert one.predict().dtype == other.predict().dtype
    if one.loss == "quantile":
        np.testing.assert_array_equal(one.predict_quantiles(), other.predict_quantiles())


class TestRoundTrip:
    @pytest.mark.parametrize("cell", CELLS)
    @pytest.mark.parametrize("strategy", STRATEGIES)
    @pytest.mark.parametrize("scaling", SCALINGS)
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_cells_strategies_scalings(self, tmp_path, cell, strategy, scaling, dtype):
        forecaster = small(3, cell=cell, strategy=strategy, scaling=scaling, dtype=dtype).fit(waves(50, 60))
        assert_same(forecaster, round_trip(forecaster, tmp_path), waves(40, 45))

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("quantiles", [None, (0.1, 0.5, 0.9)])
    def test_kinds(self, tmp_path, kind, quantiles):
        loss = "mae" if quantiles is None else "quantile"
        forecaster = small(3, loss=loss, quantiles=quantiles).fit(KINDS[kind])
        assert_same(forecaster, round_trip(forecaster, tmp_path), KINDS[kind])

    def test_what_the_columns_were_called(self, tmp_path):
        frame = pl.DataFrame({"shop": ["a"] * 40, "day": np.arange(40), "sales": wave()[:40]})
        panel = to_panel(frame, id_col="shop", time_col="day", target_col="sales")
        ends = round_trip(small(3).fit(panel), tmp_path).ends_
        assert ends.columns == Columns(id="shop", time="day", utc=False)
        assert ends.channels == ("sales",)
        assert round_trip(small(3).fit(wave()), tmp_path).ends_.columns is None

    def test_layers_patches_and_skip(self, tmp_path):
        forecaster = small(4, num_layers=3, dropout=0.1, patch=4, window=12, skip=True).fit(wave())
        assert_same(forecaster, round_trip(forecaster, tmp_path), wave(20))

    @pytest.mark.parametrize("scaling", ["standard", "series"])
    def test_a_frame_answers_with_arrays_and_new_frames_with_frames(self, tmp_path, scaling):
        days = np.arange("2020-01-01", "2020-03-01", dtype="datetime64[D]")
        frame = pl.DataFrame(
            {"unique_id": ["a"] * 60 + ["b"] * 60, "ds": np.tile(days, 2), "y": np.concatenate(waves(60, 60))}
        )
        forecaster = small(3, scaling=scaling).fit(frame)
        loaded = round_trip(forecaster, tmp_path)
        expected = forecaster.predict(frame)
        np.testing.assert_array_equal(loaded.predict().ravel(), expected["y_hat"].to_numpy())
        assert loaded.predict(frame).equals(expected)

    def test_what_was_learned_and_chosen_is_there(self, tmp_path):
        forecaster = small(3, season=12, hidden_size=None).fit(wave())
        loaded = round_trip(forecaster, tmp_path)
        assert loaded.settings_ == forecaster.settings_
        assert loaded.history_ == forecaster.history_
        assert loaded.report_ is None
        assert loaded.describe() == forecaster.describe()
        assert loaded.get_params() == forecaster.get_params()
        for name, weights in forecaster.network_.weights.items():
            np.testing.assert_array_equal(loaded.network_.weights[name], weights)

    def test_it_can_be_fitted_again(self, tmp_path):
        forecaster = small(3).fit(wave())
        np.testing.assert_array_equal(
            round_trip(forecaster, tmp_path).fit(wave()).predict(), forecaster.predict()
        )

    def test_saved_again_it_is_the_same_file(self, tmp_path):
        small(3, quantiles=(0.1, 0.9), loss="quantile", scaling="series").fit(waves(40, 50)).save(
            tmp_path / "one"
        )
        Forecaster.load(tmp_path / "one").save(tmp_path / "two")
        assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()

    def test_parameters_changed_after_fitting_do_not_change_what_is_saved(self, tmp_path):
        forecaster = small(3).fit(wave())
        before = forecaster.predict()
        forecaster.set_params(horizon=5, dtype="float64", strategy="recursive")
        np.testing.assert_array_equal(round_trip(forecaster, tmp_path).predict(), before)

    def test_numbers_of_numpy_as_arguments(self, tmp_path):
        forecaster = small(np.int64(3), seed=np.uint32(1), lr=np.float32(0.01), season=np.int32(12)).fit(
            wave()
        )
        assert_same(forecaster, round_trip(forecaster, tmp_path))

    def test_a_copied_file_under_any_name(self, tmp_path):
        forecaster = small(3).fit(wave())
        forecaster.save(str(tmp_path / "one"))
        (tmp_path / "模型 1").write_bytes((tmp_path / "one").read_bytes())
        assert_same(forecaster, Forecaster.load(str(tmp_path / "模型 1")))

    def test_the_file_may_go_once_it_is_loaded(self, tmp_path):
        forecaster = small(3).fit(wave())
        loaded = round_trip(forecaster, tmp_path)
        changed(tmp_path / "model.safetensors", data=lambda data: bytes(len(data)))
        (tmp_path / "model.safetensors").unlink()
        assert_same(forecaster, loaded)


class TestFile:
    @pytest.fixture
    def path(self, tmp_path):
        small(3, scaling="series", cell="gru", members=1).fit(waves(40, 50)).save(tmp_path / "model")
        return tmp_path / "model"

    def test_it_is_safetensors_with_the_names_of_torch(self, path):
        tensors = load_file(path)
        assert {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "head.weight", "head.bias"} < set(
            tensors
        )
        assert tensors["weight_hh_l0"].shape == (12, 4)
        assert tensors["scaling.location"].shape == (2, 1)

    def test_the_header_is_strict_json(self, path):
        def refuse(constant):
            raise AssertionError(constant)

        header = json.loads(header_text(path), parse_constant=refuse)
        assert header["kind"] == "forecaster"
        assert header["schema"] == artefact.SCHEMA
        assert header["network"]["cell"] == "gru"
        assert set(outer_header(path)["__metadata__"]) == {"unrolled"}

    @pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
    def test_it_is_strict_json_whatever_a_loss_was(self, path, number):
        forecaster = small(3).fit(wave())
        forecaster.history_.checks[5] = number
        forecaster.history_.losses[-1] = number
        forecaster.save(path)
        json.loads(header_text(path), parse_constant=pytest.fail)
        Forecaster.load(path).predict()

    def test_it_holds_no_more_of_the_series_than_their_last_windows(self, path):
        window = header_of(path)["windowing"]["window"]
        assert load_file(path)["tail.values"].shape == (2 * window, 1)

    def test_it_is_small(self, path):
        assert path.stat().st_size < 12_000


class TestSaving:
    @pytest.fixture
    def old(self, tmp_path):
        """Return a file saved before, and a forecaster to be saved in its place."""
        small(3).fit(wave()).save(tmp_path / "model")
        return tmp_path / "model", small(3, seed=9).fit(wave())

    def test_the_old_file_is_replaced(self, old):
        path, forecaster = old
        forecaster.save(path)
        assert_same(forecaster, Forecaster.load(path))
        assert [one.name for one in path.parent.iterdir()] == ["model"]

    @pytest.mark.parametrize("step", ["replace", "fsync"])
    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES])
    def test_a_full_disk_leaves_the_old_file_whole(self, old, monkeypatch, step, number):
        path, forecaster = old
        before = path.read_bytes()

        def fail(*_):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, step, fail)
        with pytest.raises(FileError, match=os.strerror(number)):
            forecaster.save(path)
        monkeypatch.undo()
        assert path.read_bytes() == before
        assert [one.name for one in path.parent.iterdir()] == ["model"]
        assert_same(small(3).fit(wave()), Forecaster.load(path))

    def test_interrupted_it_leaves_the_old_file_whole(self, old, monkeypatch):
        path, forecaster = old
        before = path.read_bytes()

        def interrupt(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            forecaster.save(path)
        assert path.read_bytes() == before
        assert [one.name for one in path.parent.iterdir()] == ["model"]

    def test_a_folder_that_is_not_there(self, old):
        path, forecaster = old
        with pytest.raises(FileError, match="nowhere"):
            forecaster.save(path.parent / "nowhere" / "model")
        assert not (path.parent / "nowhere").exists()

    def test_a_folder_in_its_place(self, old):
        path, forecaster = old
        with pytest.raises(FileError, match="folder"):
            forecaster.save(path.parent)

    def test_a_file_where_a_folder_should_be(self, old):
        path, forecaster = old
        with pytest.raises(FileError, match="model"):
            forecaster.save(path / "model")

    def test_a_device(self, old):
        with pytest.raises(FileError, match=os.devnull):
            old[1].save(os.devnull)

    def test_a_folder_in_which_nothing_may_be_written(self, old, monkeypatch):
        """The root user may write anywhere, so the refusal is simulated."""
        path, forecaster = old

        def refuse(*_, **__):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

        monkeypatch.setattr("builtins.open", refuse)
        with pytest.raises(FileError, match="Permission denied"):
            forecaster.save(path)
        monkeypatch.undo()
        assert [one.name for one in path.parent.iterdir()] == ["model"]


def test_no_module_that_runs_what_it_reads_is_imported():
    imported = {
        alias.name
        for node in ast.walk(ast.parse(inspect.getsource(artefact)))
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {
        node.module
        for node in ast.walk(ast.parse(inspect.getsource(artefact)))
        if isinstance(node, ast.ImportFrom)
    }
    assert not imported & {
        "pickle",
        "marshal",
        "shelve",
        "dill",
        "cloudpickle",
        "joblib",
        "runpy",
        "importlib",
    }
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(inspect.getsource(artefact)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not calls & {"eval", "exec", "compile", "__import__"}
