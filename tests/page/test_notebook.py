"""A notebook that shows a report, executed, exported, opened without a connection: the frame is alive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from tests.explain.samples import HOSTILE
from unrolled.explain import Report, ledger, shapes

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = pytest.mark.page

CODE = """import numpy as np
from unrolled import Forecaster
y = np.sin(np.arange(120) / 3) + 5
forecaster = Forecaster(3, window=12, steps=5, hidden_size=4, members=1, progress=False).fit(y)
forecaster.explain(y, windows=2, title={title!r})"""


# What the libraries of notebooks warn of among themselves is theirs.
@pytest.mark.filterwarnings("ignore")
def test_a_report_survives_its_notebook(browser: Browser, tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE.format(title=HOSTILE))])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    written, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    file = tmp_path / "notebook.html"
    file.write_text(f"<!DOCTYPE html><meta charset='utf-8'>{written}", encoding="utf-8")
    asked: list[str] = []
    errors: list[str] = []
    with browser.new_page() as page:
        page.context.set_offline(True)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", lambda dialog: errors.append(f"dialog: {dialog.message}"))
        page.goto(file.as_uri())
        frame = page.frame_locator("iframe")
        frame.locator("#glass h1").first.wait_for()
        assert HOSTILE in frame.locator("#glass").inner_text()
        assert frame.locator("#glass button").count() > 3, "its script runs"
    assert not errors
    assert [url for url in asked if url not in (file.as_uri(), "about:srcdoc")] == []


def test_an_open_report_is_served(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """The served page runs its script under the policy of the server, and asks for nothing else."""
    report = shapes(ledger("lstm", input_size=1, hidden_size=5, batch=2, time=3), title=HOSTILE)
    assert isinstance(report, Report)
    shown: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: shown.append(address) and False)
    complaints: list[str] = []
    with report.open("zh") as server, browser.new_page() as page:
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url))
        page.goto(shown[0])
        page.locator("#glass h1").first.wait_for()
        assert page.locator("html").get_attribute("lang") == "zh-Hans"
        assert server.wait_until_delivered(1)
    assert complaints == [shown[0]]
