"""Run PyTorch's own tests of modules on the drop-in modules of `unrolled.torch`.

usage: python tools/torch_suite.py [FOLDER]

FOLDER, or TORCH_TESTS in the environment, holds the `test_modules.py` of the installed release of PyTorch.
Without it the file is downloaded from PyTorch's repository on GitHub, at the release's tag, into
`build/torch-suite`.

PyTorch ships the table that those tests go over, `torch.testing._internal.common_modules`, but not the tests.
The table is cut down to our six classes, each in the place of torch's, and the tests run on the CPU. At the
end it is said which tests were skipped and why, and how many calls the native core answered.
"""

from __future__ import annotations

import copy
import hashlib
import importlib.util
import os
import sys
import unittest
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

from unrolled.atomic import replace_file

ROOT = Path(__file__).resolve().parents[1]
SOURCE = "https://raw.githubusercontent.com/pytorch/pytorch/v{release}/test/test_modules.py"
NAME = "test_modules.py"


def tests_of(release: str, folder: str | None) -> Path:
    """Return where the release's tests are, downloaded if no folder is given.

    Raises:
        SystemExit: they are not there, or cannot be had.
    """
    if folder:
        path = Path(folder) / NAME
        if not path.is_file():
            sys.exit(f"{path} is not there: TORCH_TESTS is a folder that holds PyTorch's {NAME}")
        return path
    path, source = ROOT / "build" / "torch-suite" / release / NAME, SOURCE.format(release=release)
    if not path.is_file():
        try:
            with urllib.request.urlopen(source, timeout=60) as answer:
                text: bytes = answer.read()
        except (urllib.error.URLError, TimeoutError) as error:
            sys.exit(
                f"{source} cannot be read: {error}\nwithout a connection, name a folder that holds the file: "
                "make test-torch-suite TORCH_TESTS=FOLDER"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text)
    return path


def replace_modules() -> None:
    """Leave in PyTorch's table our six classes alone, each with the entry of torch's own."""
    from torch import nn
    from torch.testing._internal import common_modules

    import unrolled.torch as ours

    entries = []
    for entry in common_modules.module_db:
        name = entry.module_cls.__name__
        if entry.module_cls is getattr(nn, name, None) and name in ours.__all__:
            entry = copy.copy(entry)
            entry.module_cls = getattr(ours, name)
            common_modules.MODULE_CLASS_NAMES[entry.module_cls] = f"unrolled.{name}"
            entries.append(entry)
    found = sorted(entry.module_cls.__name__ for entry in entries)
    expected = ["GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "RNNCell"]
    if found != expected:
        sys.exit(f"PyTorch's table of modules has {found}, expected {expected}")
    common_modules.module_db[:] = entries


def count_paths() -> Counter[str]:
    """Return a table that every call of a module of ours adds to: what answered it."""
    from torch.nn.modules.module import register_module_forward_hook

    calls: Counter[str] = Counter()

    def note(module: Any, inputs: object, result: object) -> None:
        path = getattr(module, "last_path", None)
        if path is not None:
            calls[f"{path.name}: {path.reason}" if path.reason else path.name] += 1

    register_module_forward_hook(note)
    return calls


def load(path: Path) -> unittest.TestSuite:
    """Return the tests of a file."""
    spec = importlib.util.spec_from_file_location("torch_test_modules", path)
    if spec is None or spec.loader is None:
        sys.exit(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # PyTorch's test cases look themselves up there
    spec.loader.exec_module(module)
    return unittest.defaultTestLoader.loadTestsFromModule(module)


def main(arguments: list[str]) -> int:
    """Run the tests and say what came out; 0 where none failed and some passed."""
    os.environ["PYTORCH_TESTING_DEVICE_ONLY_FOR"] = "cpu"
    os.environ.setdefault("UNROLLED_LANG", "en")
    import torch

    release = torch.__version__.split("+")[0]
    path = tests_of(release, arguments[0] if arguments else os.environ.get("TORCH_TESTS"))
    replace_modules()
    calls = count_paths()
    result = unittest.TextTestRunner(verbosity=1).run(load(path))

    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    passed = result.testsRun - failed - len(result.skipped) - len(result.expectedFailures)
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    print(f"\nPyTorch {torch.__version__}, {NAME} {checksum}")
    skipped, foreseen = len(result.skipped), len(result.expectedFailures)
    print(f"passed {passed}, skipped {skipped}, expected to fail {foreseen}, failed {failed}")
    for reason, count in Counter(reason for _, reason in result.skipped).most_common():
        names = sorted(
            {test.id().split(".")[-1].split("_unrolled_")[0] for test, why in result.skipped if why == reason}
        )
        print(f"  skipped {count}: {reason} ({', '.join(names)})")
    for answer, count in calls.most_common():
        print(f"  calls {count}: {answer}")
    return int(failed > 0 or passed == 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
