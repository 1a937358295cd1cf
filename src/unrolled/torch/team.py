"""PyTorch's own threads, for our work: the address by which GCC's OpenMP runs a function on its team.

The threads of OpenMP wait in a loop for a while after each parallel operation. A second set of threads would
have to share processors with them: between operations of PyTorch, two threads were hardly faster than one.
"""

from __future__ import annotations

import ctypes

import torch


def find_team() -> int:
    """Return the address of `GOMP_parallel` in this process; 0 where PyTorch has another OpenMP, or none."""
    if not torch.backends.openmp.is_available():
        return 0
    try:
        function = ctypes.CDLL(None).GOMP_parallel  # PyTorch loads its libraries for all to see
    except (AttributeError, OSError, TypeError):
        return 0
    return ctypes.cast(function, ctypes.c_void_p).value or 0
