"""`python -m unrolled.cli` is `unrolled`."""

from unrolled.cli import main

main()
