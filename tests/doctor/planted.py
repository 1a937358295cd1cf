"""Models with a mistake each, as people write them: all of them run, or nearly all."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from tests.doctor.cases import Gallery

PLANTED = Gallery()
X = (32, 40, 1)


def windows(*sizes: int) -> Tensor:
    return torch.randn(*(sizes or X), generator=torch.Generator().manual_seed(3))


class Last(nn.Module):
    """A recurrent layer whose last output a linear layer reads; what is made of both is left to others."""

    def __init__(self, layer: nn.Module, outputs: int = 1, width: int | None = None) -> None:
        super().__init__()
        self.lstm = layer
        given = layer.hidden_size * (2 if layer.bidirectional else 1)
        self.fc = nn.Linear(given if width is None else width, outputs)

    def forward(self, x: Tensor) -> Any:
        output, _ = self.lstm(x)
        return self.fc(output[:, -1])


# ---- batch and time ----------------------------------------------------------------------------------------


@PLANTED.add("batch-read-as-time")
def forgot_batch_first() -> Any:
    return Last(nn.LSTM(1, 5)), windows()


@PLANTED.add("batch-read-as-time")
def forgot_batch_first_gru_of_two_layers() -> Any:
    return Last(nn.GRU(3, 5, num_layers=2)), windows(16, 20, 3)


@PLANTED.add("batch-read-as-time")
def the_layer_alone() -> Any:
    return nn.LSTM(2, 5), windows(8, 12, 2)


@PLANTED.add("batch-read-as-time")
def transposed_for_a_layer_with_batch_first() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(x.transpose(0, 1))
            return self.fc(output[-1])

    return Model(nn.RNN(1, 5, batch_first=True)), windows()


@PLANTED.add("batch-read-as-time", batch_first=False)
def batch_first_for_an_example_of_steps() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(x)
            return self.fc(output[-1])

    return Model(nn.LSTM(1, 5, batch_first=True)), windows(40, 32, 1)


@PLANTED.add("batch-read-as-time", batch_first=False)
def batch_first_and_the_last_step_for_an_example_of_steps() -> Any:
    return Last(nn.LSTM(1, 5, batch_first=True)), windows(40, 32, 1)


@PLANTED.add("batch-mixed")
def view_for_transpose() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(x.reshape(x.shape[1], x.shape[0], x.shape[2]))
            return self.fc(output[-1])

    return Model(nn.LSTM(3, 5)), windows(16, 20, 3)


@PLANTED.add("batch-mixed")
def view_of_the_output() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(x.transpose(0, 1))
            return self.fc(output.reshape(x.shape[0], x.shape[1], -1)[:, -1])

    return Model(nn.GRU(1, 5)), windows()


@PLANTED.add("batch-mixed")
def view_of_the_state() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            _, (h, _) = self.lstm(x)
            return self.fc(h.view(x.shape[0], -1))

    return Model(nn.LSTM(1, 5, num_layers=2, batch_first=True), width=10), windows()


@PLANTED.add("batch-mixed")
def view_of_the_state_of_two_directions() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            _, h = self.lstm(x)
            return self.fc(h.reshape(-1, 10))

    return Model(nn.GRU(2, 5, bidirectional=True, batch_first=True)), windows(16, 20, 2)


@PLANTED.add("batch-size-matters")
def softmax_over_the_batch() -> Any:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.score, self.fc = nn.LSTM(1, 5, batch_first=True), nn.Linear(5, 1), nn.Linear(5, 1)

        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(x)
            weights = torch.softmax(self.score(output), dim=0)
            return self.fc((weights * output).sum(1))

    return Model(), windows()


@PLANTED.add("batch-size-matters")
def normalised_by_the_batch() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Any:
            return super().forward((x - x.mean(0)) / x.std(0))

    return Model(nn.LSTM(1, 5, batch_first=True)), windows()


@PLANTED.add("batch-size-matters")
def batch_norm_without_running_statistics() -> Any:
    class Model(Last):
        def __init__(self) -> None:
            super().__init__(nn.LSTM(1, 5, batch_first=True))
            self.norm = nn.BatchNorm1d(5, track_running_stats=False)

        def forward(self, x: Tensor) -> Any:
            output, _ = self.lstm(x)
            return self.fc(self.norm(output[:, -1]))

    return Model(), windows()


@PLANTED.add("windows-read-as-steps")
def windows_of_two_axes() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(x)
            return self.fc(output)

    return Model(nn.LSTM(10, 5)), windows(64, 10)


@PLANTED.add("windows-read-as-steps")
def features_squeezed_away() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(x.squeeze(-1))
            return self.fc(output)

    return Model(nn.GRU(24, 5)), windows(64, 24, 1)


@PLANTED.add("batch-hard-coded")
def the_official_tutorial() -> Any:
    class Model(Last):
        def forward(self, seq: Tensor) -> Tensor:
            output, _ = self.lstm(seq.view(len(seq), 1, -1))
            return self.fc(output.view(len(seq), -1))[-1]

    return Model(nn.LSTM(1, 5)), windows(40)


@PLANTED.add("batch-hard-coded")
def the_tutorials_view_with_a_batch() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(x.view(len(x), 1, -1))
            return self.fc(output[:, 0])

    return Model(nn.LSTM(12, 5)), windows(32, 12, 1)


@PLANTED.add("batch-hard-coded")
def a_state_of_32_rows() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            state = torch.zeros(1, 32, 5)
            output, _ = self.lstm(x, (state, state))
            return self.fc(output[:, -1])

    return Model(nn.LSTM(1, 5, batch_first=True)), windows()


@PLANTED.add("sequence-length-one")
def lags_as_features() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(x.reshape(x.shape[0], 1, -1))
            return self.fc(output[:, -1])

    return Model(nn.LSTM(12, 5, batch_first=True)), windows(32, 12, 1)


@PLANTED.add("sequence-length-one")
def an_example_of_one_step() -> Any:
    return Last(nn.LSTM(4, 5, batch_first=True)), windows(1000, 1, 4)


@PLANTED.add("sequence-length-one")
def a_loop_that_forgets() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            for t in range(x.shape[1]):
                output, _ = self.lstm(x[:, t : t + 1])
            return self.fc(output[:, -1])

    return Model(nn.GRU(1, 5, batch_first=True)), windows()


# ---- calls that fail ---------------------------------------------------------------------------------------


@PLANTED.add("input-size")
def wrong_input_size() -> Any:
    return Last(nn.LSTM(40, 5, batch_first=True)), windows()


@PLANTED.add("input-size")
def no_axis_of_features() -> Any:
    return Last(nn.LSTM(3, 5, batch_first=True)), windows(32, 40)


@PLANTED.add("state-batch-first")
def state_with_the_batch_in_front() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            state = torch.zeros(x.shape[0], 2, 5)
            output, _ = self.lstm(x, (state, state))
            return self.fc(output[:, -1])

    return Model(nn.LSTM(1, 5, num_layers=2, batch_first=True)), windows(2, 40, 1)


@PLANTED.add("state-batch-first")
def state_with_the_batch_in_front_of_a_gru() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(x, x.new_zeros(x.shape[0], 1, 5))
            return self.fc(output[:, -1])

    return Model(nn.GRU(1, 5, batch_first=True)), windows()


@PLANTED.add("tuple-in-sequential")
def lstm_in_a_sequential() -> Any:
    return nn.Sequential(nn.LSTM(1, 5, batch_first=True), nn.Linear(5, 1)), windows()


@PLANTED.add("call-fails")
def a_model_that_fails() -> Any:
    return nn.Sequential(nn.Linear(3, 5), nn.Linear(4, 1)), windows(32, 40, 3)


# ---- output and state --------------------------------------------------------------------------------------


@PLANTED.add("state-read-as-output")
def state_for_output() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            _, (h, _) = self.lstm(x)
            return self.fc(h)

    return Model(nn.LSTM(1, 5, batch_first=True)), windows()


@PLANTED.add("state-read-as-output")
def state_of_two_layers_for_output() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            _, h = self.lstm(x)
            return self.fc(h)

    return Model(nn.GRU(1, 5, num_layers=2, batch_first=True)), windows()


@PLANTED.add("last-row-for-last-step")
def last_row() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(x)
            return self.fc(output[-1])

    return Model(nn.LSTM(1, 5, batch_first=True)), windows()


@PLANTED.add("state-read-batch-first")
def last_column_of_the_state() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            _, (h, _) = self.lstm(x)
            return self.fc(h[:, -1])

    return Model(nn.LSTM(1, 5, batch_first=True)), windows()


@PLANTED.add("reverse-reads-one-step")
def last_step_of_two_directions() -> Any:
    return Last(nn.LSTM(1, 5, bidirectional=True, batch_first=True)), windows()


@PLANTED.add("reverse-reads-one-step")
def last_step_of_two_directions_of_a_gru() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(x.transpose(0, 1))
            return self.fc(output[-1])

    return Model(nn.GRU(1, 5, num_layers=2, bidirectional=True)), windows()


@PLANTED.add("state-of-wrong-layer")
def first_layers_state() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            _, (h, _) = self.lstm(x)
            return self.fc(h[0])

    return Model(nn.LSTM(1, 5, num_layers=2, batch_first=True)), windows()


@PLANTED.add("state-of-wrong-layer")
def first_layers_state_of_two_directions() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            _, h = self.lstm(x)
            return self.fc(torch.cat([h[0], h[1]], dim=1))

    return Model(nn.GRU(1, 5, num_layers=2, bidirectional=True, batch_first=True)), windows()


@PLANTED.add("state-of-one-direction")
def last_state_of_two_directions() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            _, (h, _) = self.lstm(x)
            return self.fc(h[-1])

    return Model(nn.LSTM(1, 5, bidirectional=True, batch_first=True), width=5), windows()


# ---- what is seen ------------------------------------------------------------------------------------------


@PLANTED.add("future-read")
def every_step_of_two_directions() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(x)
            return self.fc(output)

    return Model(nn.LSTM(1, 5, bidirectional=True, batch_first=True)), windows()


@PLANTED.add("future-read")
def convolution_that_looks_ahead() -> Any:
    class Model(Last):
        def __init__(self) -> None:
            super().__init__(nn.LSTM(4, 5, batch_first=True))
            self.conv = nn.Conv1d(1, 4, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(self.conv(x.transpose(1, 2)).transpose(1, 2))
            return self.fc(output)

    return Model(), windows()


@PLANTED.add("future-read")
def scaled_by_the_whole_window() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(x / x.abs().amax(1, keepdim=True))
            return self.fc(output)

    return Model(nn.LSTM(1, 5, batch_first=True)), windows()


@PLANTED.add("last-observation-unseen")
def last_step_cut_off() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Any:
            return super().forward(x[:, :-1])

    return Model(nn.LSTM(1, 5, batch_first=True)), windows()


@PLANTED.add("last-observation-unseen")
def first_step_of_the_output() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(x)
            return self.fc(output[:, 0])

    return Model(nn.GRU(1, 5, batch_first=True)), windows()


@PLANTED.add("input-ignored")
def the_same_for_every_input() -> Any:
    class Model(Last):
        def __init__(self) -> None:
            super().__init__(nn.LSTM(1, 5, batch_first=True))
            nn.init.constant_(self.fc.bias, -50.0)

        def forward(self, x: Tensor) -> Any:
            return functional.relu(super().forward(x))

    return Model(), windows()


@PLANTED.add("input-ignored")
def zeros_for_the_input() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Any:
            return super().forward(torch.zeros_like(x))

    return Model(nn.LSTM(1, 5, batch_first=True)), windows()


@PLANTED.add("negative-inputs-lost")
def relu_on_the_input() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Any:
            return super().forward(functional.relu(x))

    return Model(nn.LSTM(1, 5, batch_first=True)), windows()


@PLANTED.add("range-out-of-reach", targets_range=(-1.0, 3.0))
def relu_on_the_output() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Any:
            return functional.relu(super().forward(x))

    return Model(nn.LSTM(1, 5, batch_first=True)), windows()


@PLANTED.add("range-out-of-reach", targets_range=(112.0, 622.0))
def sigmoid_for_passengers() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Any:
            return torch.sigmoid(super().forward(x)).squeeze(-1)

    return Model(nn.GRU(1, 5, batch_first=True)), windows()


@PLANTED.add("range-out-of-reach", targets_range=(-4.0, 4.0))
def the_layers_output_for_the_forecast() -> Any:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(1, 1, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            return self.lstm(x)[0][:, -1]

    return Model(), windows()


@PLANTED.add("loss-broadcast", targets=windows(32))
def a_column_against_a_row() -> Any:
    return Last(nn.LSTM(1, 5, batch_first=True)), windows()


@PLANTED.add("loss-broadcast", targets=windows(32, 1))
def a_row_against_a_column() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Any:
            return super().forward(x).squeeze(-1)

    return Model(nn.LSTM(1, 5, batch_first=True)), windows()


# ---- state, graph, mode ------------------------------------------------------------------------------------


class Carrying(Last):
    """Keeps its state from one call to the next."""

    def __init__(self, detached: bool) -> None:
        super().__init__(nn.LSTM(1, 5, batch_first=True))
        self.detached = detached
        self.state: Any = None

    def forward(self, x: Tensor) -> Tensor:
        state = self.state if self.state is not None and self.state[0].shape[1] == len(x) else None
        output, self.state = self.lstm(x, state)
        if self.detached:
            self.state = tuple(one.detach() for one in self.state)
        return self.fc(output[:, -1])


@PLANTED.add("state-carried")
def state_carried_over_windows() -> Any:
    return Carrying(detached=True), windows()


@PLANTED.add("graph-kept", "state-carried")
def state_kept_with_its_graph() -> Any:
    return Carrying(detached=False), windows()


@PLANTED.add("graph-kept", "state-carried")
def state_kept_with_its_graph_after_a_call() -> Any:
    model = Carrying(detached=False)
    model(windows())
    return model, windows()


@PLANTED.add("mode-flipped")
def train_in_forward() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Any:
            self.train()  # for cudnn
            return super().forward(x)

    return Model(nn.LSTM(1, 5, batch_first=True)), windows()


@PLANTED.add("dropout-in-eval")
def dropout_that_never_ends() -> Any:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.lstm(x)
            return self.fc(functional.dropout(output[:, -1], 0.2))

    return Model(nn.LSTM(1, 5, batch_first=True)), windows()


@PLANTED.add("dropout-one-layer")
def dropout_of_one_layer() -> Any:
    layer = nn.LSTM(1, 5, batch_first=True)
    layer.dropout = 0.3  # as the argument sets it, but without torch's warning
    return Last(layer), windows()


@PLANTED.add("weights-not-flat")
def weights_beside_the_ones_in_use() -> Any:
    layer = nn.LSTM(1, 5, batch_first=True)
    layer._parameters["weight_hh_l0"] = nn.Parameter(torch.randn(20, 5))
    return Last(layer), windows()


# ---- padding -----------------------------------------------------------------------------------------------

LENGTHS = torch.tensor([40, 31, 22, 40, 25, 37, 20, 33] * 4)


@PLANTED.add("padding-read")
def last_column_of_a_padded_batch() -> Any:
    class Model(Last):
        def forward(self, x: Tensor, lengths: Tensor) -> Any:
            return super().forward(x)

    return Model(nn.LSTM(1, 5, batch_first=True)), (windows(), LENGTHS)


@PLANTED.add("padding-read", pad_value=0.0)
def padded_without_lengths() -> Any:
    return Last(nn.LSTM(1, 5, batch_first=True)), windows()


@PLANTED.add("padding-read")
def mean_over_padding() -> Any:
    class Model(Last):
        def forward(self, x: Tensor, mask: Tensor) -> Tensor:
            output, _ = self.lstm(x)
            return self.fc(output.mean(1))

    mask = torch.arange(40)[None] < LENGTHS[:, None]
    return Model(nn.GRU(1, 5, batch_first=True)), (windows(), mask)


@PLANTED.add("short-rows-ignored")
def last_column_of_a_packed_batch() -> Any:
    class Model(Last):
        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            output, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
            return self.fc(output[:, -1])

    return Model(nn.LSTM(1, 5, batch_first=True)), (windows(), LENGTHS)


@PLANTED.add("order-lost")
def sorted_and_left_so() -> Any:
    class Model(Last):
        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            lengths, order = lengths.sort(descending=True)
            packed = pack_padded_sequence(x[order], lengths, batch_first=True)
            _, (h, _) = self.lstm(packed)
            return self.fc(h[-1])

    return Model(nn.LSTM(1, 5, batch_first=True)), (windows(), LENGTHS)
