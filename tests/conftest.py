"""What every test stands on: the language of messages, hypothesis, and two rules about leaving tests out."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING, TypeVar

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

# A shell that starts us in the background has us ignore Ctrl-C, which some tests press.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["UNROLLED_LANG"] = "en"  # messages are compared word by word, whatever the machine speaks

# No deadline: a shared machine may stop for a second. On CI the same examples come at every run.
hypothesis.settings.register_profile(
    "unrolled", deadline=None, derandomize="CI" in os.environ, print_blob=True
)
hypothesis.settings.load_profile("unrolled")

NEEDS = ("torch", "page")
"""The marks of modules that need more than the base environment, set as `pytestmark = pytest.mark.torch`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--no-skips`."""
    parser.addoption("--no-skips", action="store_true", help="a skipped test counts as a failed one")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave modules alone whose mark this run does not select, since what they import may not be there."""
    if collection_path.suffix != ".py" or not collection_path.name.startswith("test_"):
        return None
    chosen: str = config.option.markexpr
    source = collection_path.read_text(encoding="utf-8")
    needed = [mark for mark in NEEDS if re.search(rf"^pytestmark = .*\bmark\.{mark}\b", source, re.MULTILINE)]
    left_out = any(f"not {mark}" in chosen for mark in needed) or (chosen in NEEDS and chosen not in needed)
    return left_out or None


Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def _refused(report: Report, config: pytest.Config) -> Report:
    """Return the report, failed if it tells of a skip and none is allowed; an expected failure is no skip."""
    if config.getoption("no_skips") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and --no-skips allows none: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Refuse the skip of one test."""
    report = yield
    return _refused(report, item.config)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Refuse the skip of a whole module."""
    report = yield
    return _refused(report, collector.config)
