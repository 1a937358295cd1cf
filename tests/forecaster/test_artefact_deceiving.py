"""Whole files whose content does not fit together: refused before memory is taken or a number is read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.forecaster.safetensors_files import changed, header_of, refused
from unrolled import Forecaster
from unrolled.errors import FileError


def without(*keys):
    def change(header):
        for key in keys[:-1]:
            header = header[key]
        del header[keys[-1]]

    return change


def put(*keys_and_value):
    *keys, last, value = keys_and_value

    def change(header):
        for key in keys:
            header = header[key]
        header[last] = value

    return change


HARMLESS = (("encoder", None), ("calibration", None), ("windows", []))
"""Values that say no more than that there is nothing."""


class TestHeader:
    @pytest.mark.parametrize(
        "key",
        [
            *("arguments", "settings", "histories", "network", "windowing", "head", "panel"),
            *("encoder", "calibration", "windows"),
        ],
    )
    @pytest.mark.parametrize("value", ["missing", None, 3, "text", [], {}, [1, 2], {"a": 1}])
    def test_parts_of_the_header(self, model_path, key, value):
        if (key, value) in HARMLESS:
            return
        refused(changed(model_path, header=without(key) if value == "missing" else put(key, value)))

    def test_every_entry_of_the_header_that_is_missing(self, model_path, saved_bytes):
        header = header_of(model_path)
        optional = {("settings", "reasons")}
        optional |= {
            ("arguments", name) for name in header["arguments"]
        }  # a later version may have more of them
        optional |= {("network", name) for name in ("num_layers", "head", "skip_steps", "dropout")}
        optional |= {("network", name) for name in ("skip_inputs", "residual", "dilations")}
        for part in ("settings", "network", "windowing", "panel"):
            for name in header[part]:
                if (part, name) not in optional:
                    model_path.write_bytes(saved_bytes)
                    refused(changed(model_path, header=without(part, name)))

    @pytest.mark.parametrize(
        "change",
        [
            put("network", "cell", "lstmm"),
            put("network", "cell", "gru"),
            put("network", "cell", ["lstm"]),
            put("network", "hidden_size", 3),
            put("network", "hidden_size", 0),
            put("network", "hidden_size", -1),
            put("network", "hidden_size", 2.0),
            put("network", "hidden_size", 10**30),
            put("network", "hidden_size", 2_000),
            put("network", "input_size", 2),
            put("network", "num_layers", 2),
            put("network", "num_layers", 1025),
            put("network", "output_size", 3),
            put("network", "output_size", 0),
            put("network", "head", "every"),
            put("network", "skip_steps", 2),
            put("network", "skip_steps", -1),
            put("network", "skip_steps", 2**20 + 1),
            put("network", "dropout", "0.5"),
            put("windowing", "window", 3),
            put("windowing", "window", 0),
            put("windowing", "window", "4"),
            put("windowing", "window", 10**30),
            put("windowing", "horizon", 1),
            put("windowing", "horizon", 3),
            put("windowing", "horizon", 0),
            put("windowing", "patch", 3),
            put("windowing", "patch", 0),
            put("windowing", "scaling", "series"),
            put("windowing", "scaling", 1),
            put("arguments", "dtype", "float16"),
            put("arguments", "dtype", "O"),
            put("arguments", "nonsense", 1),
            put("network", "skip_inputs", 7),
            put("network", "dilations", [0]),
            put("network", "residual", 1),
            put("windowing", "mask", 1),
            put("windowing", "mask", True),
            put("windowing", "ahead", 1),
            put("windowing", "ahead", -1),
            put("head", "loss", "mape"),
            put("head", "loss", "gaussian"),
            put("head", "quantiles", [0.5, 0.1]),
            put("head", "quantiles", [0.1, 0.9]),
            put("head", "quantiles", ["a"]),
            put("encoder", {"calendar": ["months"], "columns": []}),
            put("encoder", {"calendar": ["month"], "columns": []}),
            put("calibration", "loss", "gaussian"),
            put("arguments", "members", 0),
            put("histories", []),
            put("panel", "kind", "vector"),
            put("panel", "kind", "frame"),
            put("panel", "kind", 3),
            put("panel", "ids", ["a"]),
            put("panel", "ids", ["a", "b", "c"]),
            put("panel", "ids", [[1], [2]]),
            put("panel", "channels", []),
            put("panel", "channels", ["y", "z"]),
            put("panel", "times", None),
            put("panel", "times", "int32"),
            put("panel", "times", "datetime64"),
            put("panel", "times", "nonsense"),
            put("panel", "times", 5),
            put("panel", "steps", []),
            put("panel", "steps", [{"count": 1}]),
            put("panel", "steps", [{"count": 1, "unit": "x", "anchor": None}] * 2),
            put("panel", "steps", 7),
            put("panel", "columns", "text"),
            put("panel", "columns", {"id": 3}),
            put("panel", "columns", {"time": ["ds"]}),
            put("panel", "columns", {"utc": 1}),
            put("panel", "columns", {"template": [1]}),
            put("panel", "columns", {"other": None}),
            put("histories", 0, "checks", {"a": 1}),
            put("histories", 0, "checks", [1]),
            put("histories", 0, "losses", 5),
            put("histories", 0, "nonsense", 5),
            put("histories", 0, "averaged", 3),
            put("settings", "nonsense", 5),
        ],
        ids=lambda change: "-".join(str(cell.cell_contents) for cell in change.__closure__)[:60],
    )
    def test_values_of_the_header(self, model_path, change):
        refused(changed(model_path, header=change))

    @pytest.mark.parametrize("size", [60_000, 2**20])
    def test_no_memory_is_taken_for_a_network_that_is_not_there(self, model_path, monkeypatch, size):
        monkeypatch.setattr("unrolled.network.Engine", lambda **_: pytest.fail("an engine was made"))
        refused(changed(model_path, header=put("network", "hidden_size", size)))


class TestTensors:
    @pytest.mark.parametrize(
        "name", ["weight_ih_l0", "head.bias", "skip.weight", "tail.values", "tail.offsets", "tail.times"]
    )
    def test_tensors_that_are_missing(self, model_path, name):
        refused(changed(model_path, tensors=lambda tensors: tensors.pop(name)))

    @pytest.mark.parametrize("name", ["scaling.location", "scaling.scale"])
    def test_half_a_scaling(self, model_path, name):
        refused(changed(model_path, tensors=lambda tensors: tensors.pop(name)))

    @pytest.mark.parametrize(
        ("name", "tensor"),
        [
            ("weight_ih_l0", np.zeros((2, 2), np.float32)),
            ("weight_ih_l0", np.zeros(0, np.float32)),
            ("head.bias", np.zeros((2, 1), np.float32)),
            ("head.bias", np.array([np.nan, 0.0], np.float32)),
            ("head.bias", np.array([np.inf, 0.0], np.float32)),
            ("tail.values", np.zeros((8, 2), np.float32)),
            ("tail.values", np.zeros(8, np.float32)),
            ("tail.values", np.zeros((7, 1), np.float32)),
            ("tail.values", np.zeros((0, 1), np.float32)),
            ("tail.values", np.zeros((8, 1), np.int32)),
            ("tail.values", np.full((8, 1), np.nan, np.float32)),
            ("tail.offsets", np.array([0, 4, 9])),
            ("tail.offsets", np.array([0, 9, 8])),
            ("tail.offsets", np.array([0, 3, 8])),
            ("tail.offsets", np.array([1, 4, 8])),
            ("tail.offsets", np.array([0, 8])),
            ("tail.offsets", np.array([0, -4, 8])),
            ("tail.offsets", np.array([0, 4, 2**62])),
            ("tail.offsets", np.array([[0, 4, 8]])),
            ("tail.offsets", np.array(8)),
            ("tail.offsets", np.array([], np.int64)),
            ("tail.offsets", np.array([0.0, 4.0, 8.0])),
            ("tail.offsets", np.array([0, 4, 8], np.int32)),
            ("tail.times", np.arange(7)),
            ("tail.times", np.zeros(8)),
            ("tail.times", np.arange(8, dtype=np.int16)),
            ("scaling.location", np.zeros((1, 1))),
            ("scaling.location", np.full((2, 1), np.nan)),
            ("scaling.scale", np.zeros((2, 1))),
            ("scaling.scale", np.full((2, 1), -1.0)),
            ("scaling.scale", np.ones((2, 2))),
            ("scaling.scale", np.ones((2, 1), np.int64)),
        ],
        ids=lambda value: value if isinstance(value, str) else f"{value.dtype}{value.tolist()}"[:40],
    )
    def test_tensors(self, model_path, name, tensor):
        refused(changed(model_path, tensors=lambda tensors: tensors.update({name: tensor})))


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_bytes_changed(model_path, saved_bytes, data):
    """A change that no check can see may load; what loads can be asked for a forecast."""
    content = bytearray(saved_bytes)
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(saved_bytes) - 1))] = data.draw(st.integers(0, 255))
    model_path.write_bytes(content)
    try:
        loaded = Forecaster.load(model_path)
    except FileError:
        return
    assert loaded.predict().shape[0] == 2
