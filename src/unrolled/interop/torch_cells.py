"""The recurrent layers in PyTorch: torch's own modules, and the cells that torch lacks in plain code.

A layer takes x [T, B, I] and a state (h [L, B, H], c [L, B, E H] or None), and returns what it gives at every
step [T, B, H] and the state after the last one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.engine import CELLS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unrolled.network import NetworkSpec

    State = tuple[Tensor, Tensor | None]


class TorchLayers(nn.Module):  # type: ignore[misc]
    """Layers of one of torch's own cells.

    Args:
        spec: the network.
        inputs: I of the first of the layers.
        layers: how many.
        dropout: between them, in training.
    """

    def __init__(self, spec: NetworkSpec, inputs: int, layers: int, dropout: float = 0.0) -> None:
        super().__init__()
        made: dict[str, Any] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN, "rnn_relu": nn.RNN}
        options = {"nonlinearity": "relu"} if spec.cell == "rnn_relu" else {}
        self.rnn = made[spec.cell](inputs, spec.hidden_size, layers, dropout=dropout, **options)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Read a sequence."""
        h, c = state
        if c is not None:
            y, (h, c) = self.rnn(x, (h, c))
        else:
            y, h = self.rnn(x, h)
        return y, (h, c)

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Take the weights of these layers, under torch's names."""
        self.rnn.load_state_dict(dict(weights))


class PlainLayer(nn.Module):  # type: ignore[misc]
    """One layer of a cell that torch has not, read step by step.

    Args:
        spec: the network.
        inputs: I.
    """

    gates: int
    recurrent = False

    def __init__(self, spec: NetworkSpec, inputs: int) -> None:
        super().__init__()
        rows = self.gates * spec.hidden_size
        self.weight_ih_l0 = nn.Parameter(torch.empty(rows, inputs))
        self.bias_ih_l0 = nn.Parameter(torch.empty(rows))
        if self.recurrent:
            self.weight_hh_l0 = nn.Parameter(torch.empty(rows, spec.hidden_size))
            self.bias_hh_l0 = nn.Parameter(torch.empty(rows))

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Read a sequence."""
        from_x = functional.linear(x, self.weight_ih_l0, self.bias_ih_l0)
        h, c = state[0][0], None if state[1] is None else state[1][0]
        outputs = []
        for gates in from_x:
            h, c = self.step(gates, h, c)
            outputs.append(h)
        return torch.stack(outputs), (h[None], None if c is None else c[None])

    def step(self, gates: Tensor, h: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the state after one step.

        Shapes:
            gates: [B, G H], W_ih x + b_ih; h: [B, H]; c: [B, E H].
        """
        raise NotImplementedError

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Take the weights of the layer."""
        self.load_state_dict(dict(weights))


class MinGRU(PlainLayer):
    """The minimal GRU; see `cells.mingru`."""

    gates = 2

    def step(self, gates: Tensor, h: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the state after one step."""
        z, n = gates.chunk(2, dim=-1)
        return (n - h) * torch.sigmoid(z) + h, c


class MinLSTM(PlainLayer):
    """The minimal LSTM; see `cells.minlstm`. f / (f + i) is sigmoid(log f - log i)."""

    gates = 3

    def step(self, gates: Tensor, h: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the state after one step."""
        f, i, n = gates.chunk(3, dim=-1)
        share = torch.sigmoid(functional.logsigmoid(f) - functional.logsigmoid(i))
        return (h - n) * share + n, c


class SLSTM(PlainLayer):
    """The sLSTM as its paper has it; see `cells.slstm`, whose m is another but whose h is the same."""

    gates = 4
    recurrent = True

    def step(self, gates: Tensor, h: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the state after one step; c is [c, n, m] side by side."""
        if c is None:
            raise AssertionError
        i, f, z, o = (gates + functional.linear(h, self.weight_hh_l0, self.bias_hh_l0)).chunk(4, dim=-1)
        memory, n, m = c.chunk(3, dim=-1)
        kept = torch.where(n == 0, -torch.inf, m + functional.logsigmoid(f))  # nothing was written yet
        m_next = torch.maximum(kept, i)
        write, keep = torch.exp(i - m_next), torch.exp(kept - m_next)
        memory = keep * memory + write * torch.tanh(z)
        n = keep * n + write
        return torch.sigmoid(o) * memory / n, torch.cat([memory, n, m_next], dim=-1)


_PLAIN: dict[str, type[PlainLayer]] = {"mingru": MinGRU, "minlstm": MinLSTM, "slstm": SLSTM}


class TorchNetwork(nn.Module):  # type: ignore[misc]
    """One network: layers, a linear head on the last state, a linear skip from what is read.

    Args:
        spec: its shape.
        weights: its parameters by name.
    """

    def __init__(self, spec: NetworkSpec, weights: Mapping[str, Any]) -> None:
        super().__init__()
        self.spec = spec
        given = {name: torch.as_tensor(array) for name, array in weights.items()}
        layers, hidden = spec.num_layers, spec.hidden_size
        self.dilations = spec.dilations or (1,) * layers
        self.together = spec.cell not in _PLAIN and not spec.residual and not spec.dilated
        parts: list[Any]
        if self.together:
            parts = [TorchLayers(spec, spec.input_size, layers, spec.dropout if layers > 1 else 0.0)]
        else:
            sizes = [spec.input_size] + [hidden] * (layers - 1)
            plain = _PLAIN.get(spec.cell)
            parts = [plain(spec, size) if plain else TorchLayers(spec, size, 1) for size in sizes]
        self.layers = nn.ModuleList(parts)
        self.head = nn.Linear(hidden, spec.output_size)
        self.skip = None
        if spec.skip_steps:
            self.skip = nn.Linear(given["skip.weight"].shape[1], spec.output_size, bias=False)
        self.to(given["head.weight"].dtype)
        self._load(given)

    def _load(self, weights: Mapping[str, Tensor]) -> None:
        recurrent = {name: array for name, array in weights.items() if "_l" in name}
        if self.together:
            self.layers[0].load(recurrent)
        else:
            for number, layer in enumerate(self.layers):
                own = {name: array for name, array in recurrent.items() if name.endswith(f"_l{number}")}
                layer.load({name.rsplit("_l", 1)[0] + "_l0": array for name, array in own.items()})
        self.head.load_state_dict({"weight": weights["head.weight"], "bias": weights["head.bias"]})
        if self.skip is not None:
            self.skip.load_state_dict({"weight": weights["skip.weight"]})

    def zero_state(self, x: Tensor) -> State:
        """Return the state before anything was read."""
        layers, hidden, kept = self.spec.num_layers, self.spec.hidden_size, CELLS[self.spec.cell].states
        c = x.new_zeros(layers, x.shape[1], kept * hidden) if kept else None
        return x.new_zeros(layers, x.shape[1], hidden), c

    def read(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return what the top layer gives at every step, and the state of all layers after the last one.

        Shapes:
            x: [T, B, I]; the first: [T, B, H].
        """
        h, c = self.zero_state(x) if state is None else state
        if self.together:
            y, after = self.layers[0](x, (h, c))
            return y, after
        states = []
        for number, (layer, dilation) in enumerate(zip(self.layers, self.dilations, strict=True)):
            if number:
                x = functional.dropout(x, self.spec.dropout, self.training)
            own = (h[number : number + 1], None if c is None else c[number : number + 1])
            if dilation == 1:
                y, own = layer(x, own)
            else:
                y, own = _dilated(layer, x, own, dilation)
            x = x + y if self.spec.residual and number else y
            states.append(own)
        hidden = torch.cat([one for one, _ in states])
        beside = [one for _, one in states if one is not None]
        return x, (hidden, torch.cat(beside) if beside else None)

    def forward(self, x: Tensor, state: State | None = None, ahead: int = 0) -> tuple[Tensor, State]:
        """Return the raw outputs, and the state before the last `ahead` steps.

        Shapes:
            x: [T, B, I]; the outputs: [B, O].
        """
        if ahead and not self.spec.dilated:
            _, state = self.read(x[:-ahead], state)
            y, _ = self.read(x[-ahead:], state)
        else:
            y, state = self.read(x, state)
        raw = self.head(y[-1])
        if self.skip is not None:
            read = x[..., : self.spec.skip_inputs or self.spec.input_size]
            raw = raw + self.skip(read.transpose(0, 1).flatten(1))
        return raw, state


def _dilated(layer: Any, x: Tensor, state: State, dilation: int) -> tuple[Tensor, State]:
    """Read every `dilation`-th step as a sequence of its own, all from zeros."""
    steps, batch = x.shape[:2]
    turns = -(-steps // dilation)
    padded = functional.pad(x, (0, 0, 0, 0, 0, turns * dilation - steps))
    h, c = state
    fresh = (
        h.new_zeros(1, dilation * batch, h.shape[2]),
        None if c is None else c.new_zeros(1, dilation * batch, c.shape[2]),
    )
    y, _ = layer(padded.reshape(turns, dilation * batch, -1), fresh)
    return y.reshape(turns * dilation, batch, -1)[:steps], state
