"""Files cut short, of another kind, or newer: one clear error, and nothing in them is ever run."""

from __future__ import annotations

import json
import os
import pickle
import re
import struct

import numpy as np
import pytest
from safetensors.numpy import save as to_bytes

from tests.forecaster.safetensors_files import changed, refused
from unrolled import Forecaster, artefact
from unrolled.errors import FileError


def test_the_copy_is_whole(model_path):
    assert Forecaster.load(model_path).predict().shape == (2, 2)


class TestCutShort:
    def test_anywhere(self, model_path, saved_bytes):
        for length in [*range(64), *range(64, len(saved_bytes), 23), len(saved_bytes) - 1]:
            model_path.write_bytes(saved_bytes[:length])
            refused(model_path, "cannot be read")

    def test_with_something_behind_it(self, model_path, saved_bytes):
        model_path.write_bytes(saved_bytes + b"\0")
        refused(model_path, "cannot be read")


class TestOfAnotherKind:
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\0",
            b"{}",
            json.dumps({"kind": "forecaster", "schema": 1}).encode(),
            b"unique_id,ds,y\na,2020-01-01,1.0\n",
            b"PK\x03\x04 a zip",
            b"\x93NUMPY\x01\x00",
            struct.pack("<Q", 2**63) + b"{}",
            struct.pack("<Q", 2) + b"{}",
            struct.pack("<Q", 2) + b"[]",
            struct.pack("<Q", 4) + b"null",
            np.random.default_rng(0).bytes(5000),
            pickle.dumps({"a": 1}),
        ],
        ids=lambda content: re.sub(r"\W+", "-", repr(content[:12])),
    )
    def test_content(self, model_path, content):
        model_path.write_bytes(content)
        refused(model_path)

    @pytest.mark.parametrize(
        "metadata",
        [
            None,
            {},
            {"format": "pt"},
            {"unrolled": ""},
            {"unrolled": "not json"},
            {"unrolled": "[]"},
            {"unrolled": "null"},
            {"unrolled": '"forecaster"'},
            {"unrolled": "{}"},
            {"unrolled": '{"kind": "forecaster"}'},
            {"unrolled": '{"kind": "forecaster", "schema": null}'},
            {"unrolled": '{"kind": "forecaster", "schema": "one"}'},
            {"unrolled": '{"kind": "forecaster", "schema": 1e999}'},
            {"unrolled": '{"kind": "forecaster", "schema": 0}'},
            {"unrolled": '{"kind": "scaler", "schema": 1}'},
            {"unrolled": "[" * 100_000},
        ],
        ids=lambda metadata: str(metadata)[:50],
    )
    def test_safetensors_without_our_header(self, model_path, metadata):
        model_path.write_bytes(to_bytes({"weight": np.ones(3, np.float32)}, metadata))
        refused(model_path)

    def test_it_says_what_it_is(self, model_path):
        model_path.write_bytes(
            to_bytes({"weight": np.ones(3)}, {"unrolled": '{"kind": "scaler", "schema": 1}'})
        )
        assert "got: scaler" in refused(model_path, "a file of another kind")

    def test_a_folder(self, tmp_path):
        refused(tmp_path, "folder|no such file")

    def test_a_missing_file(self, tmp_path):
        refused(tmp_path / "nothing", "There is no such file")
        refused(tmp_path / "nothing" / "at all", "There is no such file")

    def test_a_device(self):
        refused(os.devnull)

    def test_a_file_that_may_not_be_read(self, model_path, monkeypatch):
        """The root user may read anything, so the refusal is simulated."""

        def refuse(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("safetensors.safe_open", refuse)
        refused(model_path, "Permission denied")

    @pytest.mark.parametrize("name", ["a" * 5000, "a\0b", ""])
    def test_names_that_no_file_has(self, name):
        with pytest.raises(FileError):
            Forecaster.load(name)


class TestNewer:
    def test_a_newer_schema_is_refused_by_name(self, model_path):
        message = refused(
            changed(
                model_path, header=lambda header: header.update(schema=artefact.SCHEMA + 1, version="9.9")
            )
        )
        assert f"got: schema {artefact.SCHEMA + 1}, version 9.9" in message
        assert "pip install --upgrade unrolled" in message

    def test_whatever_else_it_may_hold(self, model_path):
        def strip(header):
            header.clear()
            header.update(kind="forecaster", schema=99)

        refused(changed(model_path, header=strip), "written by a newer version")

    def test_unknown_parts_of_this_schema_are_refused_too(self, model_path):
        refused(changed(model_path, header=lambda header: header["network"].update(tomorrow=1)))


class TestNeverCode:
    def test_a_pickle_is_not_run(self, model_path, tmp_path):
        class Harmful:
            def __reduce__(self):
                return os.mkdir, (str(tmp_path / "done"),)

        model_path.write_bytes(pickle.dumps(Harmful()))
        refused(model_path)
        assert not (tmp_path / "done").exists()

    def test_names_are_only_names(self, model_path):
        refused(changed(model_path, header=lambda header: header["network"].update(cell="__import__('os')")))
        refused(changed(model_path, header=lambda header: header["panel"].update(times="O")))


def test_the_error_speaks_of_the_file_and_the_way_out(model_path):
    message = refused(changed(model_path, data=lambda data: data[:100]))
    assert message.startswith(f"{model_path} cannot be read: it is cut short")
    assert "try: save the forecaster again" in message
