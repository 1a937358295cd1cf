"""JAX's side: the LSTM as a scan, compiled for one processor."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

import jax
from jax import numpy as jnp

Weights = dict[str, Any]


@contextmanager
def one_processor() -> Iterator[None]:
    """Let this thread, and those that it starts, run on one processor alone, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(ours)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, ours)


with (
    one_processor()
):  # XLA starts as many threads as it finds processors, when it is first asked for a device
    jax.config.update("jax_platforms", "cpu")
    jax.devices()


def lstm(weights: Weights, x: Any) -> Any:
    """Return the state h of every step, [T, B, H]: all products of x first, then the scan."""
    rows = weights["weight_hh_l0"].shape[1]
    from_x = x @ weights["weight_ih_l0"].T + weights["bias_ih_l0"] + weights["bias_hh_l0"]

    def step(state: tuple[Any, Any], from_x_t: Any) -> tuple[tuple[Any, Any], Any]:
        h, c = state
        i, f, g, o = jnp.split(from_x_t + h @ weights["weight_hh_l0"].T, 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    zeros = jnp.zeros((x.shape[1], rows), x.dtype)
    return jax.lax.scan(step, (zeros, zeros), from_x)[1]


@jax.jit
def forward_backward(weights: Weights, x: Any, d_out: Any) -> tuple[Any, Weights]:
    """Return the output and the gradients of the weights."""
    output, pull = jax.vjp(lambda own: lstm(own, x), weights)
    return output, pull(d_out)[0]


class JaxLayer:
    """One LSTM layer with given weights and inputs."""

    def __init__(self, weights: Mapping[str, np.ndarray], x: np.ndarray, d_out: np.ndarray) -> None:
        self.arguments = jax.device_put((dict(weights), x, d_out))

    def run(self) -> tuple[Any, Weights]:
        """Run forward and backward, and wait for the end."""
        return jax.block_until_ready(forward_backward(*self.arguments))

    def answers(self) -> dict[str, np.ndarray]:
        """Return the output and the gradients of the parameters."""
        output, gradients = jax.device_get(self.run())
        return {"output": output, **gradients}
