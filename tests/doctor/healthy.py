"""Correct models of different make: nothing is to be found."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from tests.doctor.cases import Gallery
from tests.doctor.planted import LENGTHS, Last, windows

HEALTHY = Gallery()


@HEALTHY.add()
def lstm() -> Any:
    return Last(nn.LSTM(1, 5, batch_first=True)), windows()


@HEALTHY.add(targets=windows(32, 12), targets_range=(-4.0, 4.0))
def gru_of_two_layers_with_twelve_outputs() -> Any:
    return Last(nn.GRU(3, 5, num_layers=2, dropout=0.2, batch_first=True), 12), windows(32, 40, 3)


@HEALTHY.add()
def transposed_rnn() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(x.transpose(0, 1))
            return self.fc(output[-1])

    return Model(nn.RNN(1, 5)), windows()


@HEALTHY.add(batch_first=False)
def time_in_front() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(x)
            return self.fc(output[-1])

    return Model(nn.LSTM(2, 5)), windows(40, 32, 2)


@HEALTHY.add(batch_first=False)
def the_layer_alone() -> Any:
    return nn.LSTM(2, 5, num_layers=2), windows(40, 32, 2)


@HEALTHY.add()
def windows_of_two_axes() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Any:
            return super().forward(x.unsqueeze(-1)).squeeze(-1)

    return Model(nn.LSTM(1, 5, batch_first=True)), windows(32, 40)


@HEALTHY.add()
def last_state() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            _, (h, _) = self.lstm(x)
            return self.fc(h[-1])

    return Model(nn.LSTM(1, 5, num_layers=2, batch_first=True)), windows()


@HEALTHY.add()
def states_of_both_directions() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            _, (h, _) = self.lstm(x)
            return self.fc(torch.cat([h[-2], h[-1]], dim=1))

    return Model(nn.LSTM(1, 5, num_layers=2, bidirectional=True, batch_first=True)), windows()


@HEALTHY.add()
def ends_of_both_directions() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(x)
            return self.fc(torch.cat([output[:, -1, :5], output[:, 0, 5:]], dim=1))

    return Model(nn.GRU(1, 5, bidirectional=True, batch_first=True)), windows()


@HEALTHY.add()
def mean_of_both_directions() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.lstm(x)[0].mean(1))

    return Model(nn.LSTM(1, 5, bidirectional=True, batch_first=True)), windows()


@HEALTHY.add()
def largest_output() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.lstm(x)[0].amax(1))

    return Model(nn.GRU(2, 5, batch_first=True)), windows(32, 40, 2)


@HEALTHY.add()
def attention_over_outputs() -> Any:
    class Model(Last):
        def __init__(self) -> None:
            super().__init__(nn.LSTM(1, 5, bidirectional=True, batch_first=True))
            self.score = nn.Linear(10, 1)

        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(x)
            weights = torch.softmax(self.score(torch.tanh(output)), dim=1)
            return self.fc((weights * output).sum(1))

    return Model(), windows()


@HEALTHY.add()
def every_step_forwards() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.lstm(x)[0])

    return Model(nn.LSTM(2, 5, batch_first=True)), windows(32, 40, 2)


@HEALTHY.add(causal=False)
def labels_of_every_step() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.lstm(x)[0])

    return Model(nn.LSTM(2, 5, bidirectional=True, batch_first=True), 3), windows(32, 40, 2)


class EncoderDecoder(nn.Module):
    """Reads a window and forecasts step by step, each forecast fed back."""

    def __init__(self, horizon: int = 6) -> None:
        super().__init__()
        self.encoder = nn.LSTM(1, 5, batch_first=True)
        self.decoder = nn.LSTM(1, 5, batch_first=True)
        self.fc = nn.Linear(5, 1)
        self.horizon = horizon

    def forward(self, x: Tensor) -> Tensor:
        _, state = self.encoder(x)
        y, given = x[:, -1:], []
        for _ in range(self.horizon):
            output, state = self.decoder(y, state)
            y = self.fc(output)
            given.append(y)
        return torch.cat(given, dim=1)


@HEALTHY.add()
def encoder_and_decoder() -> Any:
    return EncoderDecoder(), windows()


@HEALTHY.add()
def encoder_and_decoder_of_as_many_steps_as_a_probe() -> Any:
    return EncoderDecoder(horizon=11), windows()


@HEALTHY.add()
def encoder_and_decoder_with_attention() -> Any:
    class Model(EncoderDecoder):
        def forward(self, x: Tensor) -> Tensor:
            seen, (h, c) = self.encoder(x)
            weights = torch.softmax((seen * h[-1][:, None]).sum(-1, keepdim=True), dim=1)
            context = (weights * seen).sum(1)
            output, _ = self.decoder(x[:, -1:].expand(-1, self.horizon, -1), (h + context, c))
            return self.fc(output)

    return Model(), windows()


class PackedLast(Last):
    """Packs its rows, and reads the last state."""

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        _, (h, _) = self.lstm(packed)
        return self.fc(h[-1])


@HEALTHY.add()
def packed() -> Any:
    return PackedLast(nn.LSTM(1, 5, batch_first=True)), (windows(), LENGTHS)


@HEALTHY.add()
def packed_by_name() -> Any:
    return PackedLast(nn.LSTM(1, 5, batch_first=True)), {"x": windows(), "lengths": LENGTHS}


@HEALTHY.add()
def packed_with_a_list_of_lengths() -> Any:
    return PackedLast(nn.LSTM(1, 5, batch_first=True)), (windows(), LENGTHS.tolist())


@HEALTHY.add()
def packed_in_order() -> Any:
    class Model(PackedLast):
        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            packed = pack_padded_sequence(x, lengths, batch_first=True)
            _, (h, _) = self.lstm(packed)
            return self.fc(h[-1])

    return Model(nn.LSTM(1, 5, batch_first=True)), (windows(), LENGTHS.sort(descending=True).values)


@HEALTHY.add()
def packed_and_both_directions() -> Any:
    class Model(PackedLast):
        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            _, (h, _) = self.lstm(packed)
            return self.fc(torch.cat([h[-2], h[-1]], dim=1))

    return Model(nn.LSTM(1, 5, bidirectional=True, batch_first=True)), (windows(), LENGTHS)


@HEALTHY.add()
def sorted_and_put_back() -> Any:
    class Model(PackedLast):
        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            lengths, order = lengths.sort(descending=True)
            _, (h, _) = self.lstm(pack_padded_sequence(x[order], lengths, batch_first=True))
            return self.fc(h[-1])[order.argsort()]

    return Model(nn.LSTM(1, 5, batch_first=True)), (windows(), LENGTHS)


@HEALTHY.add()
def gathered_at_the_last_valid_step() -> Any:
    class Model(PackedLast):
        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            output, _ = self.lstm(x)
            return self.fc(output[torch.arange(len(x)), lengths - 1])

    return Model(nn.LSTM(1, 5, batch_first=True)), (windows(), LENGTHS)


@HEALTHY.add()
def masked_mean() -> Any:
    class Model(Last):
        def forward(self, x: Tensor, mask: Tensor) -> Tensor:
            output, _ = self.lstm(x)
            kept = mask.unsqueeze(-1).float()
            return self.fc((output * kept).sum(1) / kept.sum(1))

    return Model(nn.GRU(1, 5, batch_first=True)), (windows(), torch.arange(40)[None] < LENGTHS[:, None])


@HEALTHY.add()
def a_packed_sequence() -> Any:
    class Model(Last):
        def forward(self, x: Any) -> Tensor:
            _, (h, _) = self.lstm(x)
            return self.fc(h[-1])

    packed = pack_padded_sequence(windows(), LENGTHS, batch_first=True, enforce_sorted=False)
    return Model(nn.LSTM(1, 5)), packed


@HEALTHY.add()
def packed_and_padded_again() -> Any:
    class Model(PackedLast):
        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            output, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
            return self.fc(output[torch.arange(len(x)), lengths - 1])

    return Model(nn.GRU(1, 5, batch_first=True)), (windows(), LENGTHS)


class Stateful(Last):
    """Keeps its state by design, and says how it forgets."""

    def __init__(self) -> None:
        super().__init__(nn.LSTM(1, 5, batch_first=True))
        self.state: Any = None

    def reset_state(self) -> None:
        self.state = None

    def forward(self, x: Tensor) -> Tensor:
        output, state = self.lstm(x, self.state)
        self.state = tuple(one.detach() for one in state)
        return self.fc(output[:, -1])


@HEALTHY.add()
def stateful_by_design() -> Any:
    return Stateful(), windows()


@HEALTHY.add()
def state_given_and_returned() -> Any:
    class Model(Last):
        def forward(self, x: Tensor, state: Any) -> Any:
            output, state = self.lstm(x, state)
            return self.fc(output[:, -1]), state

    zeros = torch.zeros(1, 32, 5)
    return Model(nn.LSTM(1, 5, batch_first=True)), (windows(), (zeros, zeros))


@HEALTHY.add()
def state_of_the_right_sizes() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(x, x.new_zeros(2, len(x), 5))
            return self.fc(output[:, -1])

    return Model(nn.GRU(1, 5, num_layers=2, batch_first=True)), windows(2, 40, 1)


@HEALTHY.add()
def a_cell_in_a_loop() -> Any:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell, self.fc = nn.LSTMCell(1, 5), nn.Linear(5, 1)

        def forward(self, x: Tensor) -> Tensor:
            state = None
            for t in range(x.shape[1]):
                state = self.cell(x[:, t], state)
            return self.fc(state[0])

    return Model(), windows()


@HEALTHY.add()
def a_layer_in_a_loop_that_remembers() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            state = x.new_zeros(1, len(x), 5)
            for t in range(x.shape[1]):
                output, state = self.lstm(x[:, t : t + 1], state)
            return self.fc(output[:, -1])

    return Model(nn.GRU(1, 5, batch_first=True)), windows()


@HEALTHY.add()
def layers_of_different_widths() -> Any:
    class Model(Last):
        def __init__(self) -> None:
            super().__init__(nn.LSTM(8, 5, batch_first=True))
            self.first, self.dropout = nn.LSTM(1, 8, batch_first=True), nn.Dropout(0.5)

        def forward(self, x: Tensor) -> Any:
            return super().forward(self.dropout(self.first(x)[0]))

    return Model(), windows()


@HEALTHY.add()
def with_batch_norm() -> Any:
    class Model(Last):
        def __init__(self) -> None:
            super().__init__(nn.LSTM(1, 5, batch_first=True))
            self.norm = nn.BatchNorm1d(5)

        def forward(self, x: Tensor) -> Any:
            output, _ = self.lstm(x)
            return self.fc(self.norm(output[:, -1]))

    return Model(), windows()


@HEALTHY.add()
def convolution_before_the_layer() -> Any:
    class Model(Last):
        def __init__(self) -> None:
            super().__init__(nn.LSTM(4, 5, batch_first=True))
            self.conv, self.norm = nn.Conv1d(1, 4, 3), nn.BatchNorm1d(4)

        def forward(self, x: Tensor) -> Any:
            seen = self.norm(self.conv(functional.pad(x.transpose(1, 2), (2, 0))))
            return super().forward(functional.relu(seen).transpose(1, 2))

    return Model(), windows()


@HEALTHY.add()
def a_tuple() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Any:
            output, state = self.lstm(x)
            return self.fc(output[:, -1]), output, state

    return Model(nn.LSTM(1, 5, batch_first=True)), windows()


@HEALTHY.add()
def a_dict_of_mean_and_spread() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Any:
            mean, spread = super().forward(x).chunk(2, dim=-1)
            return {"mean": mean, "spread": functional.softplus(spread)}

    return Model(nn.GRU(1, 5, batch_first=True), 2), windows()


@HEALTHY.add()
def a_distribution() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Any:
            mean, spread = super().forward(x).chunk(2, dim=-1)
            return torch.distributions.Normal(mean, functional.softplus(spread))

    return Model(nn.GRU(1, 5, batch_first=True), 2), windows()


class Answer(NamedTuple):
    forecast: Tensor
    state: Tensor


@HEALTHY.add()
def a_named_tuple() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Any:
            output, state = self.lstm(x)
            return Answer(self.fc(output[:, -1]), state)

    return Model(nn.GRU(1, 5, batch_first=True)), windows()


@dataclass
class Told:
    loss: Tensor | None
    forecast: Tensor


@HEALTHY.add()
def a_data_class() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Any:
            return Told(None, super().forward(x))

    return Model(nn.GRU(1, 5, batch_first=True)), windows()


@HEALTHY.add()
def temporal_convolutions() -> Any:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convs = nn.ModuleList(nn.Conv1d(1 if i == 0 else 8, 8, 2, dilation=2**i) for i in range(6))
            self.fc = nn.Linear(8, 1)

        def forward(self, x: Tensor) -> Tensor:
            seen = x.transpose(1, 2)
            for i, conv in enumerate(self.convs):
                seen = torch.tanh(conv(functional.pad(seen, (2**i, 0))))
            return self.fc(seen.transpose(1, 2))

    return Model(), windows()


class Transformer(nn.Module):
    """Attention over the steps of a window, with or without the steps that come."""

    def __init__(self, causal: bool) -> None:
        super().__init__()
        self.embed = nn.Linear(1, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.encoder, self.fc = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False), nn.Linear(8, 1)
        self.causal = causal

    def forward(self, x: Tensor) -> Tensor:
        steps = x.shape[1]
        place = torch.arange(steps)[:, None] / torch.exp(torch.arange(8) * math.log(100.0) / 8)
        mask = torch.full((steps, steps), float("-inf")).triu(1) if self.causal else None
        seen = self.encoder(self.embed(x) + torch.sin(place), mask=mask)
        return self.fc(seen if self.causal else seen.mean(1))


@HEALTHY.add()
def transformer_of_every_step() -> Any:
    return Transformer(causal=True), windows()


@HEALTHY.add()
def transformer_with_mean_pooling() -> Any:
    return Transformer(causal=False), windows()


@HEALTHY.add()
def a_linear_layer_over_the_window() -> Any:
    return nn.Sequential(nn.Flatten(), nn.Linear(40, 12)), windows()


@HEALTHY.add()
def tokens() -> Any:
    class Model(Last):
        def __init__(self) -> None:
            super().__init__(nn.LSTM(4, 5, batch_first=True), 20)
            self.embed = nn.Embedding(20, 4)

        def forward(self, x: Tensor) -> Any:
            return self.fc(self.lstm(self.embed(x))[0])

    return Model(), torch.randint(20, (32, 40), generator=torch.Generator().manual_seed(3))


@HEALTHY.add()
def tokens_and_a_state() -> Any:
    class Model(Last):
        def __init__(self) -> None:
            super().__init__(nn.LSTM(4, 5, batch_first=True), 20)
            self.embed = nn.Embedding(20, 4)

        def forward(self, x: Tensor, state: Any) -> Any:
            output, state = self.lstm(self.embed(x), state)
            return self.fc(output.reshape(-1, 5)), state

    zeros = torch.zeros(1, 32, 5)
    words = torch.randint(20, (32, 40), generator=torch.Generator().manual_seed(3))
    return Model(), (words, (zeros, zeros))


@HEALTHY.add()
def a_category_beside_the_series() -> Any:
    class Model(Last):
        def __init__(self) -> None:
            super().__init__(nn.LSTM(1, 5, batch_first=True), width=9)
            self.embed = nn.Embedding(3, 4)

        def forward(self, x: Tensor, store: Tensor) -> Any:
            output, _ = self.lstm(x)
            return self.fc(torch.cat([output[:, -1], self.embed(store)], dim=1))

    return Model(), (windows(), torch.arange(32) % 3)


@HEALTHY.add()
def known_covariates_of_the_future() -> Any:
    class Model(Last):
        def __init__(self) -> None:
            super().__init__(nn.LSTM(1, 5, batch_first=True), width=7)

        def forward(self, x: Tensor, known: Tensor) -> Any:
            output, _ = self.lstm(x)
            rows = output[:, -1:].expand(-1, known.shape[1], -1)
            return self.fc(torch.cat([rows, known], dim=-1))

    return Model(), (windows(), windows(32, 6, 2))


@HEALTHY.add()
def projected() -> Any:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(1, 8, proj_size=3, num_layers=2, batch_first=True)
            self.fc = nn.Linear(3, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.lstm(x)[0][:, -1])

    return Model(), windows()


@HEALTHY.add()
def in_double_precision() -> Any:
    return Last(nn.LSTM(1, 5, batch_first=True)).double(), windows().double()


@HEALTHY.add()
def a_script() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.trace(Last(nn.LSTM(1, 5, batch_first=True)).eval(), windows()), windows()


@HEALTHY.add(targets=windows(32, 1), targets_range=(0.0, 1.0))
def shares() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Any:
            return torch.sigmoid(super().forward(x))

    return Model(nn.LSTM(1, 5, batch_first=True)), windows().abs()


@HEALTHY.add()
def not_differentiable() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Any:
            return super().forward(x).detach()

    return Model(nn.LSTM(1, 5, batch_first=True)), windows()
