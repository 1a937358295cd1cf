"""The command `python -m benchmarks.accuracy`."""

from __future__ import annotations

import os
import sys

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # read when NumPy is loaded: only the threads asked for may work

from .command import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
