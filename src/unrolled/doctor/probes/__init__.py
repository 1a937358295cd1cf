"""Probes of PyTorch models: what is changed, what must not move, and what that says.

Nothing else in the package imports these; they need the extra `unrolled[torch]`.
"""

from importlib.util import find_spec

from unrolled.errors import ExtraError, fault

if find_spec("torch") is None:
    raise ExtraError(fault("doctor.torch"))
