"""RNN, LSTM and GRU: torch's own modules, computed by the native core."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from unrolled.network import TORCH_MODES
from unrolled.torch.compiling import outside
from unrolled.torch.drop_in import DropIn, fits, is_sizes, must_leave_graph
from unrolled.torch.function import draw, run
from unrolled.torch.paths import EMPTY, MISFIT, NATIVE, TRANSFORM, choose, is_traced, ready_resets
from unrolled.torch.shapes import Call, Network, network


class Recurrent(DropIn, nn.RNNBase):  # type: ignore[misc]
    """What RNN, LSTM and GRU share: a forward pass on the core, and torch's own where that cannot be."""

    __setattr__ = nn.Module.__setattr__  # RNNBase's own keeps a second list of the weights in step

    @property
    def _flat_weights(self) -> list[Any]:
        """The weights that the module has now."""
        return self._read(self._flat_weights_names, False)

    @_flat_weights.setter
    def _flat_weights(self, weights: object) -> None:
        """Keep nothing: torch's constructor and `_apply` set what is read anew in every call."""

    def __prepare_scriptable__(self) -> nn.Module:
        """Return torch's own module with these parameters."""
        twin = super().__prepare_scriptable__()
        twin._flat_weights = self._flat_weights
        return twin

    def forward(self, input: Any, hx: Any = None, resets: Tensor | None = None) -> Any:
        """Run a sequence; arguments and answers are those of torch's module, and `resets`.

        Args:
            input: [T, B, I]; with batch_first [B, T, I]; without a batch [T, I]; or a PackedSequence.
            hx: the first state, [L D, B, H] or without a batch [L D, H]; of an LSTM (h, c). None is zeros.
            resets: bool or uint8, the first two axes of the input: True where the state is set to zero before
                that step is read. In the first step that is the given state; the reverse direction passes no
                state from such a step to the one before it. Not with a PackedSequence.

        Returns:
            The outputs [T, B, D H], in the layout of the input, and the last state, shaped as hx.

        Raises:
            ArgumentError: resets do not fit. All else that does not fit is refused by torch, in its words.
        """
        traced = is_traced()
        net = self._network(traced)
        batch_sizes = order = back = None
        x, rows, layout, axes = input, 0, "time", (3, 2)
        if isinstance(input, PackedSequence):
            x, batch_sizes = input.data, input.batch_sizes
            order, back = input.sorted_indices, input.unsorted_indices
            layout, axes = "packed", (2, 2) if is_sizes(batch_sizes) else (0, 0)
            rows = _packed_rows(batch_sizes, order, hx, traced)
            if rows < 0:
                return outside(self.forward, input, hx, resets=resets)
        elif self.batch_first and isinstance(input, Tensor) and input.dim() == 3:
            layout = "batch"
        states = hx if hx is None or net.has_c else (hx,)
        weights = self._read(self._flat_weights_names, traced)
        path = choose(net, layout, rows, x, states, weights, traced) if fits(x, axes, states) else MISFIT
        if path is not NATIVE:
            if must_leave_graph(path, traced):
                return outside(self.forward, input, hx, resets=resets)
            if path is EMPTY or (resets is None and (path is not TRANSFORM or layout == "packed")):
                return self._by_torch(path, input, hx, traced)
            if path is MISFIT:
                self._by_torch(path, input, hx, traced)  # refuses it
        if resets is not None:
            resets = ready_resets(resets, layout, x)
        if order is not None and states is not None:
            states = [state.index_select(1, order) for state in states]
        masks = draw(net, self.dropout, x, traced) if self.training and self.dropout else None
        call = Call(net, layout, rows, batch_sizes, resets, masks)
        try:
            out, h_n, c_n = run(call, x, states, weights, native_path=path is NATIVE, traced=traced)
        except ValueError:
            if batch_sizes is None or traced:
                raise
            return self._by_torch(MISFIT, input, hx, traced)  # batch sizes that no packing makes
        self._remember(path, traced)
        if batch_sizes is not None:
            out = PackedSequence(out, batch_sizes, order, back)
        if back is not None:
            h_n, c_n = (one if one is None else one.index_select(1, back) for one in (h_n, c_n))
        return out, (h_n if c_n is None else (h_n, c_n))

    def _network(self, traced: bool) -> Network:
        make = Network if traced else network
        return make(
            TORCH_MODES[self.mode],
            self.input_size,
            self.hidden_size,
            self.num_layers,
            self.bidirectional,
            self.bias,
            self.proj_size,
        )


def _packed_rows(batch_sizes: Tensor, order: Tensor | None, hx: Any, traced: bool) -> int:
    """Return how many rows a PackedSequence has; -1 where only a number in a traced tensor would tell."""
    if not traced:
        return int(batch_sizes[0]) if batch_sizes.numel() else 0
    if order is not None:
        return order.shape[0]  # type: ignore[no-any-return]
    state = hx[0] if isinstance(hx, (tuple, list)) else hx
    return state.shape[1] if isinstance(state, Tensor) and state.dim() == 3 else -1


class RNN(Recurrent, nn.RNN):  # type: ignore[misc]
    r"""`torch.nn.RNN` on the native core: the same arguments, parameters, first values and answers.

        h_t = act(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh)    act: tanh, or relu by `nonlinearity`

    The arguments are those of `torch.nn.RNN`, in their order: input_size, hidden_size, num_layers,
    nonlinearity, bias, batch_first, dropout, bidirectional, device, dtype.

    Native: float32 and float64 on the CPU; layers, directions, dropout, batch_first, PackedSequence, states,
    `resets`, gradients of any subset, torch.compile. All else is computed by torch's own implementation;
    `last_path` says which it was, and why.

    Shapes:
        input: [T, B, I], with batch_first [B, T, I], without a batch [T, I]; or a PackedSequence
        hx: [L D, B, H] or [L D, H]; resets: the first two axes of the input
        outputs: [T, B, D H], in the layout of the input; and the last state, shaped as hx

    References:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.RNN.html

    Example:
        >>> import torch
        >>> rnn = RNN(1, 1, nonlinearity="relu", bias=False)
        >>> with torch.no_grad():
        ...     for weight in rnn.parameters():
        ...         _ = weight.fill_(0.5)
        ...     outputs, last = rnn(torch.tensor([[2.0], [4.0]]))
        >>> outputs.flatten().tolist(), last.item(), rnn.last_path.name
        ([1.0, 2.5], 2.5, 'unrolled')
    """

    plain = nn.RNN


class LSTM(Recurrent, nn.LSTM):  # type: ignore[misc]
    r"""`torch.nn.LSTM` on the native core: the same arguments, parameters, first values and answers.

        i, f, o = sigmoid(W x_t + b + U h_(t-1) + d)    each with W, b, U, d of its own; rows: i f g o
        g = tanh(W x_t + b + U h_(t-1) + d)
        c_t = f c_(t-1) + i g
        h_t = o tanh(c_t)

    The arguments are those of `torch.nn.LSTM`, in their order: input_size, hidden_size, num_layers, bias,
    batch_first, dropout, bidirectional, proj_size, device, dtype.

    Native: float32 and float64 on the CPU; layers, directions, dropout, batch_first, PackedSequence, states,
    `resets`, gradients of any subset, torch.compile. All else, `proj_size` among it, is computed by torch's
    own implementation; `last_path` says which it was, and why.

    Shapes:
        input: [T, B, I], with batch_first [B, T, I], without a batch [T, I]; or a PackedSequence
        hx: (h, c), each [L D, B, H] or [L D, H]; resets: the first two axes of the input
        outputs: [T, B, D H], in the layout of the input; and the last (h, c), shaped as hx

    References:
        Hochreiter and Schmidhuber, Long Short-Term Memory, Neural Computation 9 (8), 1997, with forget gates;
        https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html

    Example:
        >>> import torch
        >>> episodes = torch.zeros(4, 1, 3)
        >>> ended = torch.tensor([False, False, True, False])[:, None]
        >>> outputs, (h, c) = LSTM(3, 5)(episodes, resets=ended)
        >>> torch.equal(outputs[:2], outputs[2:])  # the second episode knows nothing of the first
        True
        >>> h.shape, isinstance(LSTM(3, 5), torch.nn.LSTM)
        (torch.Size([1, 1, 5]), True)
    """

    plain = nn.LSTM


class GRU(Recurrent, nn.GRU):  # type: ignore[misc]
    r"""`torch.nn.GRU` on the native core: the same arguments, parameters, first values and answers.

        r, z = sigmoid(W x_t + b + U h_(t-1) + d)    each with W, b, U, d of its own; rows: r z n
        n = tanh(W x_t + b + r (U h_(t-1) + d))
        h_t = (1 - z) n + z h_(t-1)

    The arguments are those of `torch.nn.GRU`, in their order: input_size, hidden_size, num_layers, bias,
    batch_first, dropout, bidirectional, device, dtype.

    Native: float32 and float64 on the CPU; layers, directions, dropout, batch_first, PackedSequence, states,
    `resets`, gradients of any subset, torch.compile. All else is computed by torch's own implementation;
    `last_path` says which it was, and why.

    Shapes:
        input: [T, B, I], with batch_first [B, T, I], without a batch [T, I]; or a PackedSequence
        hx: [L D, B, H] or [L D, H]; resets: the first two axes of the input
        outputs: [T, B, D H], in the layout of the input; and the last state, shaped as hx

    References:
        Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, EMNLP 2014, with the reset gate
        behind the product; https://docs.pytorch.org/docs/stable/generated/torch.nn.GRU.html

    Example:
        >>> import torch
        >>> gru = GRU(3, 5, batch_first=True)
        >>> outputs, last = gru(torch.zeros(2, 4, 3))
        >>> outputs.shape, torch.equal(outputs[:, -1], last[0]), gru.last_path
        (torch.Size([2, 4, 5]), True, Path(name='unrolled', reason=''))
    """

    plain = nn.GRU
