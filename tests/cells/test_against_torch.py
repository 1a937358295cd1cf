"""The same numbers as PyTorch in float64: layers, losses, optimizers and clipping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from tests.cells.helpers import (
    assert_close,
    draw_masks,
    draw_parameters,
    draw_state,
    draw_weights,
)
from unrolled.cells import (
    CELLS,
    LOSSES,
    OPTIMIZERS,
    Cell,
    Weights,
    clip_by_global_norm,
    run,
    run_backward,
    run_network,
    run_network_backward,
    run_stack,
    run_stack_backward,
)

if TYPE_CHECKING:
    from tests.cells.helpers import Array

pytestmark = pytest.mark.torch

MODULES: dict[str, Any] = {
    "rnn": torch.nn.RNN,
    "rnn_relu": lambda *sizes, **options: torch.nn.RNN(*sizes, nonlinearity="relu", **options),
    "lstm": torch.nn.LSTM,
    "gru": torch.nn.GRU,
}
"""Every cell of the table that torch has too."""

every_cell = pytest.mark.parametrize("cell", [CELLS[name] for name in MODULES], ids=MODULES)


def tensor(array: Array, *, grad: bool = True) -> torch.Tensor:
    """Return a copy of an array as a float64 tensor that collects its gradient."""
    return torch.tensor(array, dtype=torch.float64, requires_grad=grad)


def module_with(
    cell: Cell[Any], layers: list[Weights], *, input_size: int, hidden_size: int
) -> torch.nn.Module:
    """Return torch's module with our weights, each under its own name."""
    module: torch.nn.Module = MODULES[cell.name](input_size, hidden_size, num_layers=len(layers)).double()
    ours = {name: tensor(a) for k, weights in enumerate(layers) for name, a in weights.named(k).items()}
    module.load_state_dict(ours, strict=True)
    return module


def torch_state(cell: Cell[Any], state: tuple[torch.Tensor, ...]) -> Any:
    """Return a state as torch's module takes it: h alone, or the pair of h and c."""
    return state[0] if len(cell.states) == 1 else state


def torch_states(cell: Cell[Any], state: Any) -> tuple[torch.Tensor, ...]:
    """Return what torch's module hands back as a tuple: the inverse of `torch_state`."""
    return (state,) if len(cell.states) == 1 else tuple(state)


@every_cell
@pytest.mark.parametrize("hidden", [1, 7, 15, 16, 17, 31, 33])
@pytest.mark.parametrize("batch", [1, 3, 8])
@pytest.mark.parametrize("steps", [1, 5])
def test_a_layer(cell: Cell[Any], hidden: int, batch: int, steps: int) -> None:
    rng = np.random.default_rng([hidden, batch, steps])
    inputs = 1 if hidden % 2 else 4
    weights = draw_weights(cell, rng, input_size=inputs, hidden_size=hidden)
    x, state = rng.standard_normal((steps, batch, inputs)), draw_state(cell, rng, batch, hidden)
    d_output, d_state = rng.standard_normal((steps, batch, hidden)), draw_state(cell, rng, batch, hidden)

    module = module_with(cell, [weights], input_size=inputs, hidden_size=hidden)
    their_x, their_state0 = tensor(x), tuple(tensor(array[np.newaxis]) for array in state)
    output, their_state = module(their_x, torch_state(cell, their_state0))
    ends = torch_states(cell, their_state)
    loss = (output * tensor(d_output)).sum()
    for end, d in zip(ends, d_state, strict=True):
        loss = loss + (end[0] * tensor(d)).sum()
    loss.backward()

    trace = run(cell, x, weights, state=state)
    back = run_backward(trace, d_output, d_state=d_state)
    assert_close(trace.output_tbh, output.detach(), to="torch")
    assert_close(back.dx_tbi, their_x.grad, to="torch", name="x")
    for k, name in enumerate(cell.states):
        assert_close(trace.state[k], ends[k][0].detach(), to="torch", name=name)
        assert_close(back.d_state0[k][np.newaxis], their_state0[k].grad, to="torch", name=f"d{name}0")
    for name, gradient in back.d_weights.named(0).items():
        assert_close(gradient, getattr(module, name).grad, to="torch", name=name)


@every_cell
@pytest.mark.parametrize("layers", [2, 3])
@pytest.mark.parametrize("given", [False, True], ids=["from-zero", "from-a-state"])
def test_a_stack(cell: Cell[Any], layers: int, given: bool) -> None:
    rng = np.random.default_rng(layers)
    steps, batch, inputs, hidden = 5, 3, 2, 7
    stack = [
        draw_weights(cell, rng, input_size=inputs if k == 0 else hidden, hidden_size=hidden)
        for k in range(layers)
    ]
    x, d_output = rng.standard_normal((steps, batch, inputs)), rng.standard_normal((steps, batch, hidden))
    state = draw_state(cell, rng, layers, batch, hidden) if given else None

    module = module_with(cell, stack, input_size=inputs, hidden_size=hidden)
    their_x = tensor(x)
    their_state0 = None if state is None else tuple(map(tensor, state))
    output, their_state = module(their_x, None if their_state0 is None else torch_state(cell, their_state0))
    output.backward(tensor(d_output))

    trace = run_stack(cell, x, stack, state=state)
    back = run_stack_backward(trace, d_output)
    assert_close(trace.output_tbh, output.detach(), to="torch")
    assert_close(back.dx_tbi, their_x.grad, to="torch")
    for ours, theirs in zip(trace.state, torch_states(cell, their_state), strict=True):
        assert_close(ours, theirs.detach(), to="torch")
    for ours, theirs in zip(back.d_state0, their_state0 or (), strict=given):
        assert_close(ours, theirs.grad, to="torch")
    for k, d_weights in enumerate(back.d_layers):
        for name, gradient in d_weights.named(k).items():
            assert_close(gradient, getattr(module, name).grad, to="torch", name=name)


@every_cell
def test_dropout_between_the_layers(cell: Cell[Any]) -> None:
    """A stack with masks is two of torch's layers with the product between them."""
    rng = np.random.default_rng(0)
    steps, batch, inputs, hidden = 5, 3, 2, 7
    stack = [draw_weights(cell, rng, input_size=size, hidden_size=hidden) for size in (inputs, hidden)]
    x, masks = rng.standard_normal((steps, batch, inputs)), draw_masks(rng, 1, steps, batch, hidden)

    below = module_with(cell, stack[:1], input_size=inputs, hidden_size=hidden)
    above = module_with(cell, stack[1:], input_size=hidden, hidden_size=hidden)
    their_x = tensor(x)
    output = above(below(their_x)[0] * tensor(masks[0]))[0]
    output.sum().backward()

    trace = run_stack(cell, x, stack, masks=masks)
    back = run_stack_backward(trace, np.ones_like(trace.output_tbh))
    assert_close(trace.output_tbh, output.detach(), to="torch")
    assert_close(back.dx_tbi, their_x.grad, to="torch")
    for module, d_weights in zip((below, above), back.d_layers, strict=True):
        for name, gradient in d_weights.named(0).items():
            assert_close(gradient, getattr(module, name).grad, to="torch", name=name)


@every_cell
@pytest.mark.parametrize(("every_step", "skip"), [(False, False), (False, True), (True, False)])
def test_a_network(cell: Cell[Any], every_step: bool, skip: bool) -> None:
    rng = np.random.default_rng(0)
    steps, batch, inputs, hidden, outputs = 5, 3, 2, 7, 4
    sizes = {"input_size": inputs, "hidden_size": hidden, "layers": 2, "outputs": outputs}
    parameters = draw_parameters(cell, rng, **sizes, skip_window=steps if skip else 0)
    x = rng.standard_normal((steps, batch, inputs))
    trace = run_network(cell, x, parameters, every_step=every_step)
    y_true = rng.standard_normal(trace.y.shape)
    value, dy = LOSSES["mse"](y_true, trace.y)
    back = run_network_backward(trace, dy)

    theirs = {name: tensor(array) for name, array in parameters.items()}
    layers = [Weights.of_layer(parameters, k) for k in range(2)]
    module = module_with(cell, layers, input_size=inputs, hidden_size=hidden)
    their_x = tensor(x)
    output, _ = torch.func.functional_call(module, {n: t for n, t in theirs.items() if "_l" in n}, (their_x,))
    y = torch.nn.functional.linear(
        output if every_step else output[-1], theirs["head.weight"], theirs["head.bias"]
    )
    if skip:
        y = y + torch.nn.functional.linear(their_x.transpose(0, 1).flatten(1), theirs["skip.weight"])
    loss = torch.nn.functional.mse_loss(y, tensor(y_true))
    loss.backward()

    assert_close(trace.y, y.detach(), to="torch")
    assert_close(value, loss.detach(), to="torch")
    assert_close(back.dx_tbi, their_x.grad, to="torch")
    assert back.parameters.keys() == theirs.keys()
    for name, gradient in back.parameters.items():
        assert_close(gradient, theirs[name].grad, to="torch", name=name)


@every_cell
@pytest.mark.parametrize("name", Weights._fields)
def test_one_percent_is_noticed(cell: Cell[Any], name: str) -> None:
    rng = np.random.default_rng(0)
    weights = draw_weights(cell, rng, input_size=2, hidden_size=3)
    x = rng.standard_normal((4, 2, 2))
    output, _ = module_with(cell, [weights], input_size=2, hidden_size=3)(tensor(x))
    assert_close(run(cell, x, weights).output_tbh, output.detach(), to="torch")
    bent = weights._replace(**{name: 1.01 * getattr(weights, name)})
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_close(run(cell, x, bent).output_tbh, output.detach(), to="torch")


def torch_pinball(y_pred: torch.Tensor, y_true: torch.Tensor, quantiles: list[float]) -> torch.Tensor:
    """Return the quantile loss as it is usually written, max(q u, (q - 1) u) with u = y_true - y_pred."""
    u, q = y_true[..., None] - y_pred, torch.tensor(quantiles, dtype=torch.float64)
    return torch.maximum(q * u, (q - 1) * u).mean()


THEIR_LOSSES: dict[str, tuple[dict[str, Any], Any]] = {
    "mse": ({}, torch.nn.MSELoss()),
    "mae": ({}, torch.nn.L1Loss()),
    "huber": ({"delta": 0.7}, torch.nn.HuberLoss(delta=0.7)),
    "pinball": ({"quantiles": [0.1, 0.5, 0.8]}, lambda p, t: torch_pinball(p, t, [0.1, 0.5, 0.8])),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name: str) -> None:
    rng = np.random.default_rng(0)
    options, theirs = THEIR_LOSSES[name]
    y_true = rng.standard_normal((6, 5))
    y_pred = rng.standard_normal((6, 5, len(options.get("quantiles", ())) or 1))
    y_pred = y_pred if "quantiles" in options else y_pred[..., 0]
    if name != "pinball":
        y_pred[0] = y_true[0]  # corners
        y_pred[1] = y_true[1] + 0.7
    their_pred = tensor(y_pred)
    loss = theirs(their_pred, tensor(y_true, grad=False))
    loss.backward()
    value, gradient = LOSSES[name](y_true, y_pred, **options)
    assert_close(value, loss.detach(), to="torch")
    assert_close(gradient, their_pred.grad, to="torch")


THEIR_OPTIMIZERS: list[tuple[str, dict[str, Any], Any]] = [
    ("sgd", {}, torch.optim.SGD),
    ("sgd", {"momentum": 0.9}, torch.optim.SGD),
    ("sgd", {"momentum": 0.5, "weight_decay": 0.1}, torch.optim.SGD),
    ("adam", {}, torch.optim.Adam),
    ("adam", {"weight_decay": 0.1, "betas": (0.8, 0.95), "eps": 1e-4}, torch.optim.Adam),
    ("adamw", {}, torch.optim.AdamW),
    ("adamw", {"weight_decay": 0.3, "betas": (0.8, 0.95)}, torch.optim.AdamW),
]


@pytest.mark.parametrize(("name", "options", "theirs"), THEIR_OPTIMIZERS)
@pytest.mark.parametrize("max_norm", [None, 0.5])
def test_five_steps(name: str, options: dict[str, Any], theirs: Any, max_norm: float | None) -> None:
    rng = np.random.default_rng(0)
    w = {"matrix": rng.standard_normal((4, 3)), "vector": rng.standard_normal(5)}
    their_w = {key: tensor(array) for key, array in w.items()}
    ours, their_optimizer = OPTIMIZERS[name](lr=0.1, **options), theirs(their_w.values(), lr=0.1, **options)
    for t in range(5):
        dw = {key: (t + 1) * rng.standard_normal(array.shape) for key, array in w.items()}
        for key, gradient in dw.items():
            their_w[key].grad = tensor(gradient, grad=False)
        if max_norm is not None:
            their_norm = torch.nn.utils.clip_grad_norm_(their_w.values(), max_norm)
            dw, norm = clip_by_global_norm(dw, max_norm)
            assert_close(norm, their_norm, to="torch")
        rate = 0.1 / (t + 1)
        ours.lr = their_optimizer.param_groups[0]["lr"] = rate
        their_optimizer.step()
        w = ours.step(w, dw)
    for key, array in w.items():
        assert_close(array, their_w[key].detach(), to="torch", name=key)


def test_every_optimizer_is_compared() -> None:
    assert {name for name, _, _ in THEIR_OPTIMIZERS} == OPTIMIZERS.keys()
    assert THEIR_LOSSES.keys() == LOSSES.keys()


@pytest.mark.parametrize("max_norm", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("value", [0.0, 1e-9, 1.0, np.nan, np.inf])
def test_clipping(max_norm: float, value: float) -> None:
    gradients = {"a": np.array([1.0, -2.0]), "b": np.array([[value]])}
    theirs = [tensor(array) for array in gradients.values()]
    for one, array in zip(theirs, gradients.values(), strict=True):
        one.grad = tensor(array, grad=False)
    their_norm = torch.nn.utils.clip_grad_norm_(theirs, max_norm)
    clipped, norm = clip_by_global_norm(gradients, max_norm)
    assert_close(norm, their_norm, to="torch")
    for ours, one in zip(clipped.values(), theirs, strict=True):
        assert_close(ours, one.grad, to="torch")
