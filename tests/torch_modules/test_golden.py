"""Numbers that others wrote down: the node cases of ONNX, the GRU of Keras."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

import numpy as np
import onnx
import pytest
import torch

import unrolled.torch as ours
from tests.torch_modules.helpers import TOLERANCES

pytestmark = pytest.mark.torch

GATES = {"LSTM": [0, 2, 3, 1], "RNN": [0], "GRU": [1, 0, 2]}
"""Where torch's gates stand among those of ONNX: i f g o of i o f c; r z n of z r h."""

APPLY = {
    "test_lstm_defaults",
    "test_lstm_with_initial_bias",
    "test_lstm_batchwise",
    "test_lstm_reverse",
    "test_lstm_bidirectional",
    "test_simple_rnn_defaults",
    "test_simple_rnn_with_initial_bias",
    "test_simple_rnn_batchwise",
    "test_simple_rnn_reverse",
    "test_simple_rnn_bidirectional",
    "test_rnn_seq_length",
}
"""The cases that torch's modules can say."""

LEFT_OUT = {
    "test_lstm_with_peepholes": "torch's LSTM has no peepholes",
    "test_gru_defaults": "resets the state before the product (linear_before_reset = 0), torch after it",
    "test_gru_with_initial_bias": "as test_gru_defaults",
    "test_gru_seq_length": "as test_gru_defaults",
    "test_gru_batchwise": "as test_gru_defaults",
    "test_gru_reverse": "as test_gru_defaults",
    "test_gru_bidirectional": "as test_gru_defaults",
}
"""The other cases, and why."""


@pytest.fixture(scope="module")
def all_cases() -> dict[str, Any]:
    """The cases of ONNX for recurrent nodes by their names."""
    module = "onnx.backend.test.case.node"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what ONNX computes while its modules are loaded
        nodes = import_module(module)
        for (
            kind
        ) in GATES:  # each adds its own cases; `collect_testcases` loads hundreds of modules beside them
            import_module(f"{module}.{kind.lower()}")
    every = {case.name: case for case in nodes._NodeTestCases}
    return {name: case for name, case in every.items() if case.model.graph.node[0].op_type in GATES}


def attributes_of(node: Any) -> dict[str, Any]:
    """Return the attributes of a node by name."""
    found = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in found.items()}


def weights_of(kind: str, given: dict[str, np.ndarray], direction: int) -> list[np.ndarray]:
    """Return w_ih, w_hh, b_ih, b_hh of one direction in torch's order of gates."""
    gates, order = len(GATES[kind]), GATES[kind]
    bias = given.get("B", np.zeros((2, 2 * given["W"].shape[1]), np.float32))[direction]
    blocks = [given["W"][direction], given["R"][direction], *np.split(bias, 2)]
    return [np.concatenate([np.split(block, gates)[gate] for gate in order]) for block in blocks]


def answers(case: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return what our module says beside what ONNX expects, for each output that the case has."""
    node = case.model.graph.node[0]
    attributes = attributes_of(node)
    assert set(attributes) <= {"hidden_size", "layout", "direction"}
    inputs, outputs = case.data_sets[0]
    given = dict(zip((name for name in node.input if name), inputs, strict=True))
    way, batch_first = attributes.get("direction", "forward"), attributes.get("layout", 0) == 1
    x = torch.from_numpy(given["X"])
    x = x.transpose(0, 1) if batch_first else x
    module = getattr(ours, node.op_type)(
        x.shape[-1], attributes["hidden_size"], bidirectional=way == "bidirectional"
    )
    parameters = iter(module.parameters())
    with torch.no_grad():
        for direction in range(given["W"].shape[0]):
            for numbers in weights_of(node.op_type, given, direction):
                next(parameters).copy_(torch.from_numpy(numbers))
    lengths = given.get("sequence_lens", np.full(x.shape[1], len(x)))
    if way == "reverse":
        assert (lengths == len(x)).all()
        x = x.flip(0)
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.from_numpy(lengths), enforce_sorted=False)
    said, state = module(packed)
    assert module.last_path.name == "unrolled"
    y = torch.nn.utils.rnn.pad_packed_sequence(said, total_length=len(x))[0]
    y = (y.flip(0) if way == "reverse" else y).unflatten(-1, (given["W"].shape[0], -1)).transpose(1, 2)
    last = state if isinstance(state, tuple) else (state,)
    named = {"Y": y.permute(2, 0, 1, 3) if batch_first else y}
    named |= {
        name: one.transpose(0, 1) if batch_first else one
        for name, one in zip(("Y_h", "Y_c"), last, strict=False)
    }
    wanted = [name for name in node.output if name]
    return [(named[name].detach().numpy(), want) for name, want in zip(wanted, outputs, strict=True)]


def test_every_case_of_onnx_is_run_or_left_out_with_a_reason(all_cases: dict[str, Any]) -> None:
    assert set(all_cases) == APPLY | set(LEFT_OUT)
    kinds = [all_cases[name].model.graph.node[0].op_type for name in APPLY]
    assert (kinds.count("LSTM"), kinds.count("RNN"), kinds.count("GRU")) == (5, 6, 0)
    for name, case in all_cases.items():
        node = case.model.graph.node[0]
        applies = (
            attributes_of(node).get("linear_before_reset", 0) == 1
            if node.op_type == "GRU"
            else "P" not in node.input
        )
        assert applies == (name in APPLY), name


@pytest.mark.parametrize("name", sorted(APPLY))
def test_a_case_of_onnx(name: str, all_cases: dict[str, Any]) -> None:
    found = answers(all_cases[name])
    assert found
    for got, want in found:
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=TOLERANCES["printed"][torch.float32])


@pytest.mark.parametrize("name", ["test_lstm_defaults", "test_lstm_bidirectional", "test_lstm_batchwise"])
def test_weights_of_one_percent_more_are_noticed(
    name: str, all_cases: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cases of ONNX have the same weight everywhere, so no order of gates would be noticed by them."""
    monkeypatch.setattr(np, "split", lambda block, n, split=np.split: [1.01 * one for one in split(block, n)])
    for got, want in answers(all_cases[name]):
        assert not np.allclose(got, want, rtol=1e-4, atol=TOLERANCES["printed"][torch.float32])


def keras_gru(inputs: int, units: int, *, bias: bool = True) -> Any:
    """Return the GRU of Keras' tests: kernels 0.01, recurrent kernels 0.02, biases 0.03; `reset_after`."""
    module = ours.GRU(inputs, units, batch_first=True, bias=bias)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.fill_(0.01 if "weight_ih" in name else 0.02 if "weight_hh" in name else 0.03)
    return module


def numbers(*shape: int) -> torch.Tensor:
    """Return 0, 1, 2, ... in this shape."""
    return torch.arange(float(np.prod(shape))).view(shape)


def close_to_printed(found: torch.Tensor, printed: list[Any]) -> None:
    """Compare with what Keras' tests print."""
    torch.testing.assert_close(
        found, torch.tensor(printed), rtol=0.0, atol=TOLERANCES["printed"][torch.float32]
    )


def test_keras_gru() -> None:
    """keras/src/layers/rnn/gru_test.py, test_correctness: 3 rows of 6 steps of 4 inputs, 3 units."""
    x = numbers(3, 6, 4)
    printed = [0.5217289, 0.6371659, 0.39384964]
    close_to_printed(keras_gru(4, 3)(x)[0][:, -1], [[one] * 3 for one in printed])
    backwards = [0.24406259, 0.611516, 0.3928808]
    close_to_printed(keras_gru(4, 3)(x.flip(1))[0][:, -1], [[one] * 3 for one in backwards])
    without = [0.49988455, 0.64701194, 0.4103359]
    close_to_printed(keras_gru(4, 3, bias=False)(x)[0][:, -1], [[one] * 3 for one in without])


def test_keras_gru_with_a_state() -> None:
    """test_statefulness: the same rows twice; test_pass_initial_state: a state that is given."""
    module, x = keras_gru(4, 4), numbers(2, 3, 4)
    again = module(x, module(x)[1])[0][:, -1]
    close_to_printed(again, [[0.29542392] * 4, [0.5885018] * 4])
    given = keras_gru(3, 2)(numbers(2, 4, 3), numbers(1, 2, 2))[0][:, -1]
    close_to_printed(given, [[0.23774096, 0.33508456], [0.83659905, 1.0227708]])
