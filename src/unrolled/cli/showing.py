"""How reports leave a command: told on stdout, written to a file, served on this machine until Ctrl-C."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from unrolled.cli.talk import deliver, say
from unrolled.messages import text

if TYPE_CHECKING:
    from unrolled.explain import Report

ReportOption = Annotated[
    str | None,
    typer.Option("--out", metavar="FILE", help="Write the page (.html) or the facts (.json), not to stdout."),
]
OpenOption = Annotated[
    bool, typer.Option("--open", help="Show the page in a browser, from this machine, until Ctrl-C.")
]


def check_report_file(out: str | None) -> None:
    """Refuse, before the work begins, a file that a report could not be written to.

    Raises:
        ArgumentError: it has another suffix.
        FileError: it cannot be written.
    """
    if out is not None:
        from unrolled.cli.outputs import check_writable
        from unrolled.explain.report import check_suffix

        check_suffix(out)
        check_writable(out)


def hand_out(report: Report, out: str | None, *, show: bool) -> None:
    """Write a report, or tell it where it is neither written nor shown; then show it.

    Raises:
        FileError: the file cannot be written.
    """
    if out is not None:
        report.save(out)
        say(
            text("cli.wrote.html", file=out)
            if out.lower().endswith(".html")
            else text("cli.wrote.report", file=out)
        )
    elif not show:
        tell(report)
    if show:
        serve(report, browse=True)


def tell(report: Report) -> None:
    """Print a report on stdout: as wide as the terminal, in colours where it has them."""
    from rich.console import Console

    from unrolled.explain.terminal import report_text

    console = Console(file=sys.stdout)
    width = console.width if console.is_terminal else None
    deliver(
        report_text(report.facts, width=width, colours=bool(console.color_system and console.is_terminal))
    )


def serve(report: Report, *, browse: bool, port: int = 0) -> None:
    """Show the page of a report until Ctrl-C; its address is data, and goes to stdout.

    Raises:
        ArgumentError: the port is taken, or may not be used.
    """
    import webbrowser

    from unrolled.errors import ArgumentError, fault
    from unrolled.page.server import PageServer

    try:
        server = PageServer(report.page(), port=port)
    except (OSError, OverflowError) as error:
        raise ArgumentError(
            fault("cli.port", port=port, reason=getattr(error, "strerror", None) or error)
        ) from None
    with server:
        deliver(server.address)
        say(text("cli.serving"))
        if browse:
            webbrowser.open(server.address)
        try:
            server.wait()
        except KeyboardInterrupt:
            say(text("cli.served"))
