"""A saved forecaster answers everything as before: members, encoder, calibration, covariates, streams."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load

from tests.forecaster.beside import COLUMNS, HORIZON, LOSSES, USES, days_after, frame, needs, told
from tests.forecaster.helpers import CELLS, SCALINGS, small, wave
from tests.forecaster.safetensors_files import changed, refused
from unrolled import Forecaster
from unrolled.errors import FileError


def loaded(forecaster, folder):
    """Return a forecaster, saved and loaded; saved again it has the same bytes."""
    forecaster.save(folder / "one")
    again = forecaster.load(folder / "one")
    again.save(folder / "two")
    assert (folder / "one").read_bytes() == (folder / "two").read_bytes()
    return again


def answers(forecaster, y=None, **beside):
    """Return all that a forecaster says, as one row of numbers each."""
    intervals = forecaster.predict(y, levels=(50, 80), **beside)
    said = [forecaster.predict(y, **beside), intervals.y_hat]
    said += [*intervals.lower.values(), *intervals.upper.values()]
    if forecaster.loss != "mae":
        said.append(forecaster.predict_quantiles(y, quantiles=(0.1, 0.5, 0.9), **beside))
    if forecaster.loss != "mae" and forecaster.strategy == "recursive":
        said.append(forecaster.sample(6, y, seed=4, **beside))
    return [np.ravel(one) for one in said]


def same(one, other):
    """Compare two lists of arrays bit by bit."""
    assert len(one) == len(other)
    for there, here in zip(one, other, strict=True):
        assert there.dtype == here.dtype
        np.testing.assert_array_equal(there, here)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("strategy", "memory"), USES)
def test_every_use_and_loss_with_covariates_of_all_parts(strategy, memory, loss, dtype, tmp_path):
    panel = told(40, 50, 60, loss=loss)
    panel.series[1][[4, 45]] = np.nan
    how = {
        "strategy": strategy,
        "memory": memory,
        "dtype": dtype,
        "members": 2,
        "calibration": 9,
        "window": 8,
    }
    forecaster = small(HORIZON, **how, **needs(loss)).fit(panel.series, **panel.beside())
    other = loaded(forecaster, tmp_path)
    same(answers(other, panel.series, **panel.beside()), answers(forecaster, panel.series, **panel.beside()))
    same(answers(other), answers(forecaster))
    after = [known[len(y) :] + 1 for known, y in zip(panel.known, panel.series, strict=True)]
    same(answers(other, future=after), answers(forecaster, future=after))
    assert other.spans() == forecaster.spans()
    assert other.spans(panel.series) == forecaster.spans(panel.series)
    assert other.describe() == forecaster.describe()
    assert other.settings_ == forecaster.settings_
    assert other.histories_ == forecaster.histories_
    assert plain(other.get_params()) == plain(forecaster.get_params())


def plain(arguments):
    """Return arguments with lists in the place of tuples, which a file does not tell apart."""
    return {name: list(one) if isinstance(one, tuple) else one for name, one in arguments.items()}


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("scaling", SCALINGS)
def test_every_cell_and_scaling(cell, scaling, tmp_path):
    how = {
        "cell": cell,
        "scaling": scaling,
        "num_layers": 2,
        "dilations": (1, 2),
        "residual": True,
        "window": 8,
    }
    forecaster = small(HORIZON, **how, calibration=9, steps=3).fit(wave())
    other = loaded(forecaster, tmp_path)
    same(answers(other), answers(forecaster))
    same(answers(other, wave(seed=8)), answers(forecaster, wave(seed=8)))
    stream, original = other.stream(wave()), forecaster.stream(wave())
    for value in (9.0, 12.0):
        np.testing.assert_array_equal(stream.push(value), original.push(value))


@pytest.mark.parametrize("calendar", [(), ("weekday", "month")])
def test_one_that_was_fitted_on_a_frame_answers_frames(calendar, tmp_path):
    data = frame(40, 50)
    how = {"window": 8, "calibration": 9, "calendar": calendar, "scaling": "series"}
    forecaster = small(HORIZON, **how, **COLUMNS).fit(data)
    other = loaded(forecaster, tmp_path)
    after = days_after(data)
    for levels in (None, (50,)):
        one, two = (each.predict(data, future=after, levels=levels) for each in (forecaster, other))
        assert one.equals(two)
    one, two = forecaster.predict(future=after), other.predict(future=after)
    np.testing.assert_array_equal(np.ravel(two), one["y_hat"].to_numpy())
    assert [str(span) for span in other.spans()] == [str(span) for span in forecaster.spans()]
    with pytest.raises(ValueError, match=r"no row of series 'b' at 2024-02-22"):
        other.predict(future=after[:-1])


@pytest.mark.parametrize("memory", ["window", "all"])
def test_streams_with_intervals(memory, tmp_path):
    forecaster = small(HORIZON, memory=memory, window=8, calibration=9, loss="student_t").fit(wave())
    one, two = (each.stream(wave(), levels=(50,)) for each in (forecaster, loaded(forecaster, tmp_path)))
    for value in wave(4, seed=7):
        there, here = one.push(value), two.push(value)
        same(
            [there.y_hat, there.lower[50], there.upper[50]],
            [here.y_hat, here.lower[50], here.upper[50]],
        )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return a saved forecaster with every part that a file can have."""
    path = tmp_path_factory.mktemp("whole") / "model"
    panel = told(20, 24)
    how = {"window": 4, "members": 2, "calibration": 6, "hidden_size": 2, "scaling": "series"}
    how |= {"strategy": "recursive", **needs("gaussian")}
    small(HORIZON, **how).fit(panel.series, **panel.beside()).save(path)
    return path.read_bytes()


class TestDamaged:
    """One part of a file changed."""

    @pytest.fixture
    def path(self, whole, tmp_path):
        (tmp_path / "model").write_bytes(whole)
        return tmp_path / "model"

    def tensors(self, path):
        return load(path.read_bytes())

    def test_it_is_whole(self, path):
        assert len(Forecaster.load(path).histories_) == 2
        names = set(self.tensors(path))
        assert {
            "calibration.outputs",
            "calibration.actual",
            "covariates.known_offsets",
            "covariates.past.0",
        } <= names
        assert any(name.startswith("member1.") for name in names)

    def test_without_a_tensor(self, path, whole):
        for name in self.tensors(path):
            path.write_bytes(whole)
            refused(changed(path, tensors=lambda all_, name=name: all_.pop(name)))

    @pytest.mark.parametrize(
        "change",
        [
            lambda one: one[:-1],
            lambda one: one[None],
            lambda one: np.zeros(one.shape, np.int16 if one.dtype.kind == "f" else np.float32),
            lambda one: np.full_like(one, np.inf) if one.dtype.kind == "f" else -one - 1,
        ],
        ids=["shorter", "another axis", "another dtype", "infinite or negative"],
    )
    def test_a_tensor_of_another_shape_kind_or_content(self, path, whole, change):
        accepted = []
        for name, one in self.tensors(path).items():
            path.write_bytes(whole)
            changed(path, tensors=lambda all_, name=name, one=one: all_.update({name: change(one)}))
            try:
                refused(path)
            except pytest.fail.Exception:
                accepted.append(name)
        assert accepted == []

    @pytest.mark.parametrize("key", ["histories", "head", "encoder", "calibration", "panel", "network"])
    @pytest.mark.parametrize("value", [3, "text", [], {}, [1, 2], {"a": 1}], ids=repr)
    def test_a_part_of_the_header_that_is_another(self, path, key, value):
        refused(changed(path, header=lambda header: header.update({key: value})))

    def test_without_the_encoder_the_network_does_not_fit(self, path):
        refused(changed(path, header=lambda header: header.update(encoder=None)), "input_size")

    def test_more_members_than_there_are(self, path):
        refused(changed(path, header=lambda header: header["histories"].append(header["histories"][0])))
        refused(changed(path, header=lambda header: header["arguments"].update(members=1)))

    @pytest.mark.parametrize(
        "change",
        [
            {"name": 3},
            {"part": "future"},
            {"labels": [1, 2]},
            {"labels": ["a", "a"]},
            {"labels": ["a", "b", "c"]},
            {"mean": None},
            {"mean": "x"},
            {"scale": 0.0},
            {"scale": -1.0},
            {"gaps": 1},
            {"gaps": True},
            {"more": 1},
        ],
        ids=repr,
    )
    def test_codes_that_cannot_be(self, path, change):
        refused(changed(path, header=lambda header: header["encoder"]["columns"][0].update(change)))

    def test_codes_twice_or_in_another_order(self, path, whole):
        def twice(header):
            header["encoder"]["columns"][1] = header["encoder"]["columns"][0]

        refused(changed(path, header=twice))
        path.write_bytes(whole)
        refused(changed(path, header=lambda header: header["encoder"]["columns"].reverse()))
        path.write_bytes(whole)
        refused(changed(path, header=lambda header: header["encoder"].update(calendar=["fortnight"])))

    @pytest.mark.parametrize(
        "head", [{"loss": "mae", "quantiles": []}, {"loss": "x", "quantiles": []}, {}, None, 3]
    )
    def test_a_head_that_the_outputs_do_not_fit(self, path, head):
        refused(changed(path, header=lambda header: header.update(head=head)))

    @pytest.mark.parametrize("labels", [[1, 2], ["a"], "ab", {"a": 1}, [["a"], ["b"]], 3], ids=repr)
    def test_labels_that_are_none(self, path, labels):
        def change(header):
            header["panel"]["covariates"]["static"][1]["labels"] = labels

        refused(changed(path, header=change))

    @pytest.mark.parametrize("part", ["past", "known", "static"])
    def test_covariates_without_a_part(self, path, part):
        refused(changed(path, header=lambda header: header["panel"]["covariates"].pop(part)))

    def test_every_byte_cut_off_is_noticed(self, path, whole):
        for share in np.linspace(0, 0.999, 25):
            path.write_bytes(whole[: int(share * len(whole))])
            with pytest.raises(FileError, match="model"):
                Forecaster.load(path)
