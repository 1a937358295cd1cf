"""The lines of code that make a network and have each of its tensors; run one after the other they work.

PyTorch's lines where PyTorch has the layers, else those of our NumPy reference, whose network this then is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unrolled.explain.structure import Structure

_MODULES = {"rnn": "RNN", "rnn_relu": "RNN", "lstm": "LSTM", "gru": "GRU"}


class Code:
    """The lines of one network.

    Args:
        structure: the network.
        batch: B.
        time: T.

    Example:
        >>> from unrolled.explain.structure import Structure
        >>> Code(Structure(cell="gru", input_size=1, hidden_size=50, num_layers=2), batch=32, time=40).network
        'layer = nn.GRU(1, 50, num_layers=2)'
    """

    def __init__(self, structure: Structure, *, batch: int, time: int) -> None:
        self._one, self._batch, self._time = structure, batch, time

    @property
    def network(self) -> str:
        """The lines that make the network."""
        one = self._one
        if not one.of_torch:
            return f"network = Network(NetworkSpec({_arguments(self._spec())}))"
        options = {
            "num_layers": (one.num_layers, 1),
            "nonlinearity": ("relu" if one.cell == "rnn_relu" else "tanh", "tanh"),
            "bias": (one.bias, True),
            "batch_first": (one.batch_first, False),
            "bidirectional": (one.bidirectional, False),
            "proj_size": (one.proj_size, 0),
        }
        chosen = {name: value for name, (value, usual) in options.items() if value != usual}
        more = f", {_arguments(chosen)}" if chosen else ""
        lines = [f"layer = nn.{_MODULES[one.cell]}({one.input_size}, {one.hidden_size}{more})"]
        if one.output_size:
            bias = "" if one.head_bias else ", bias=False"
            lines.append(f"head = nn.Linear({one.directions * one.state_size}, {one.output_size}{bias})")
        if one.has_skip:
            lines.append(f"skip = nn.Linear({self._time * one.skip_width}, {one.output_size}, bias=False)")
        return "\n".join(lines)

    @property
    def input(self) -> str:
        """The line that has a batch of sequences."""
        first = (self._batch, self._time) if self._one.batch_first else (self._time, self._batch)
        return f"x = {self._zeros(*first, self._one.input_size)}"

    def weight(self, name: str) -> str:
        """Return the line that has a parameter of the layers."""
        return f"layer.{name}" if self._one.of_torch else f'network.weights["{name}"]'

    def head(self, name: str) -> str:
        """Return the line that has a parameter of head or skip."""
        return name if self._one.of_torch else f'network.weights["{name}"]'

    def first_state(self, name: str) -> str:
        """Return the line that has a state before the first step."""
        size = self._one.state_size if name == "h" else self._one.hidden_size
        layers = self._one.directions * self._one.num_layers
        return f"{name}_0 = {self._zeros(layers, self._batch, size)}"

    @property
    def output(self) -> str:
        """The line that has the output of every step."""
        if self._one.of_torch:
            return self._run
        return f"output = {self._run}{'.stack' if self._one.output_size else ''}.output_tbh"

    def last_state(self, name: str) -> str:
        """Return the line that has a state after the last step."""
        if self._one.of_torch:
            return self._run
        return f"{name}_n = {self._run}.state[{self._one.equations.states.index(name)}]"

    @property
    def forecast(self) -> str:
        """The line that has what the head says."""
        one = self._one
        if not one.of_torch:
            return f"forecast = {self._run}.y"
        if one.head == "every":
            read = "output"
        elif one.bidirectional:  # output[-1] of the second direction has read one step
            read = "torch.cat((h_n[-2], h_n[-1]), dim=-1)"
        else:
            read = "h_n[-1]"
        features = "" if one.skip_width == one.input_size else f"[..., :{one.skip_width}]"
        order = "" if one.batch_first else ".transpose(0, 1)"
        skip = f" + skip(x{features}{order}.flatten(1))" if one.has_skip else ""
        return f"forecast = head({read}){skip}"

    @property
    def _run(self) -> str:
        """What runs the network: of torch a line, of the reference a call."""
        one = self._one
        if one.of_torch:
            if len(one.equations.states) == 1:
                return "output, h_n = layer(x, h_0)"
            return "output, (h_n, c_n) = layer(x, (h_0, c_0))"
        options = {"residual": (one.residual, False), "dilations": (one.dilations, ())}
        if one.output_size:
            called, weights = "run_network", "network.weights"
            options |= {
                "every_step": (one.head == "every", False),
                "skip_inputs": (one.skip_inputs, None),
            }
        else:
            called = "run_stack"
            weights = f"[Weights.of_layer(network.weights, k) for k in range({one.num_layers})]"
        chosen = {name: value for name, (value, usual) in options.items() if value != usual}
        more = f", {_arguments(chosen)}" if chosen else ""
        return f'{called}(CELLS["{one.cell}"], x, {weights}{more})'

    def _spec(self) -> dict[str, object]:
        """Return the arguments of our network."""
        one = self._one
        options: dict[str, tuple[object, object]] = {
            "num_layers": (one.num_layers, 1),
            "head": (one.head, "last"),
            "skip_steps": (one.skip_steps, 0),
            "skip_inputs": (one.skip_inputs, None),
            "residual": (one.residual, False),
            "dilations": (one.dilations, ()),
        }
        sizes = {
            "cell": one.cell,
            "input_size": one.input_size,
            "hidden_size": one.hidden_size,
            "output_size": one.output_size,
        }
        return {**sizes, **{name: value for name, (value, usual) in options.items() if value != usual}}

    def _zeros(self, *sizes: int) -> str:
        written = ", ".join(map(str, sizes))
        return f"torch.zeros({written})" if self._one.of_torch else f"np.zeros(({written}))"


def _arguments(values: Mapping[str, object]) -> str:
    return ", ".join(
        f'{name}="{value}"' if isinstance(value, str) else f"{name}={value}" for name, value in values.items()
    )
