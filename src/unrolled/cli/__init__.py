"""The command line: parse, call one public function, print.

    unrolled demo
    unrolled forecast sales.csv --time month --target sales --horizon 12
    unrolled fit sales.csv --time month --target sales --horizon 12 --save sales.safetensors
    unrolled predict sales.safetensors

Data goes to stdout, talk to stderr. Exit codes: 0 done, 1 failed, 2 misuse, 130 interrupted with nothing
to show.
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line on the arguments of the process, and leave with its exit code."""
    from unrolled.cli.app import make_app, wants_all_options
    from unrolled.cli.talk import open_streams

    open_streams()
    make_app(all_options=wants_all_options())(prog_name="unrolled")
