"""How a window scales itself, in PyTorch: in float64, as the core does, whatever the dtype of the network."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

_LESS_SKEW = 1e-6
"""By how much logs must lower the skewness, as in the core."""

_MOST_IN_LOGS = 10.0
"""The largest deviation of logs, as in the core."""


class Scaled(NamedTuple):
    """How windows are scaled: (u - location) / scale, where u = log(y), asinh(y / pre) or y.

    Of adaptive, pre > 0 is the smallest value of a channel read in logs: they go on straight below it, and
    above exp(location + scale).

    Shapes:
        pre, location, scale: [B, 1, C], in float64.
    """

    pre: Tensor
    location: Tensor
    scale: Tensor


def fit_scaling(kind: str, values: Tensor) -> Scaled:
    """Return how windows scale themselves, from their observed values alone; see `engine.Windowing`.

    Shapes:
        values: [B, T, C]
    """
    dtype, exact = values.dtype, values.double()
    one = torch.ones_like(exact[:, :1])
    if kind == "none":
        return Scaled(one, torch.zeros_like(one), one)
    seen = ~values.isnan()
    count = seen.sum(dim=1, keepdim=True).clamp(min=1)
    exact = torch.where(seen, exact, 1.0 if kind == "log" else 0.0)
    size = torch.where(seen, exact.abs(), 0.0).sum(dim=1, keepdim=True) / count
    pre = torch.where(size > 0, size, 1.0).to(dtype).double()
    if kind == "mean_abs":
        return Scaled(one, torch.zeros_like(one), pre)
    if kind == "adaptive":
        pre = _smallest(exact, seen, count)
    elif kind != "asinh":
        pre = one
    u = _bent(kind, exact, pre)
    mean = torch.where(seen, u, 0.0).sum(dim=1, keepdim=True) / count
    variance = torch.where(seen, (u - mean) ** 2, 0.0).sum(dim=1, keepdim=True) / count
    least = 1e-6 if dtype == torch.float32 else 1e-13
    if kind in ("log", "asinh", "adaptive"):
        size = torch.where(seen, u.abs(), 0.0).sum(dim=1, keepdim=True) / count
    if kind in ("log", "asinh"):
        size = size.clamp(min=1.0)
    flat = variance.detach().sqrt() <= least * size.detach()
    scale = torch.where(flat, 1.0, variance).sqrt().to(dtype).double()
    location = mean
    if kind not in ("standard", "adaptive"):
        order = torch.arange(values.shape[1], device=values.device)[None, :, None]
        last = torch.where(seen, order, -1).amax(dim=1, keepdim=True).clamp(min=0)
        location = u.gather(1, last)
    return Scaled(pre, location.to(dtype).double(), scale)


def _bent(kind: str, values: Tensor, pre: Tensor) -> Tensor:
    """Return log(y), asinh(y / pre), or y; of adaptive, log(y) where pre > 0, straight on below it."""
    if kind == "log":
        return values.log()
    if kind == "adaptive":
        return torch.where(pre > 0, _logs(values, torch.where(pre > 0, pre, 1.0)), values)
    return (values / pre).asinh() if kind == "asinh" else values


def _bent_by(kind: str, values: Tensor, by: Scaled) -> Tensor:
    """Return `_bent` of values, which of adaptive goes on straight above the top too."""
    u = _bent(kind, values, by.pre)
    if kind != "adaptive":
        return u
    _, _, top, high = _ends(by)
    return torch.where((by.pre > 0) & (values > top), high + (values - top) / top, u)


def _ends(by: Scaled) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return between which values u is a logarithm: the least and its log, the top and its log."""
    least = torch.where(by.pre > 0, by.pre, 1.0)
    low = least.log()
    high = torch.maximum(torch.where(by.pre > 0, by.location + by.scale, 0.0), low)
    return least, low, high.exp(), high


def _logs(values: Tensor, pre: Tensor) -> Tensor:
    """Return log(y), and below pre the straight line that goes on from there."""
    return torch.maximum(values, pre).log() + (torch.minimum(values, pre) - pre) / pre


def _smallest(values: Tensor, seen: Tensor, count: Tensor) -> Tensor:
    """Return the smallest value above 0 of each channel that reads itself in logs, and 0 of any other."""
    low = torch.where(values > 0, values, torch.inf).amin(dim=1, keepdim=True)
    high = values.amax(dim=1, keepdim=True)
    fit = (values.amin(dim=1, keepdim=True) >= 0) & (high > 10 * low)
    low = torch.where(fit, low, 1.0)
    skew, _ = _skewness(torch.where(fit, values / high, values), seen, count)
    skew_of_logs, deviation = _skewness(_logs(values, low), seen, count)
    fit = fit & (deviation <= _MOST_IN_LOGS) & (skew_of_logs.abs() + _LESS_SKEW < skew.abs())
    return torch.where(fit, low, 0.0)


def _skewness(values: Tensor, seen: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    """Return the skewness of the values seen, NaN of a constant, and their deviation."""
    mean = torch.where(seen, values, 0.0).sum(dim=1, keepdim=True) / count
    away = torch.where(seen, values - mean, 0.0)
    deviation = ((away**2).sum(dim=1, keepdim=True) / count).sqrt()
    return ((away / deviation) ** 3).sum(dim=1, keepdim=True) / count, deviation


def apply(kind: str, values: Tensor, by: Scaled, seen: Tensor | None = None) -> Tensor:
    """Return values scaled, in float64, and 0 where one is not seen."""
    exact = values.double()
    if seen is None:
        return (_bent_by(kind, exact, by) - by.location) / by.scale
    exact = torch.where(seen, exact, 1.0 if kind == "log" else 0.0)  # so that no gradient is NaN
    return torch.where(seen, (_bent_by(kind, exact, by) - by.location) / by.scale, 0.0)


def invert(kind: str, scaled: Tensor, by: Scaled) -> Tensor:
    """Return scaled values in the units of their series, in float64: the inverse of `apply`."""
    u = scaled.double() * by.scale + by.location
    if kind == "log":
        return u.exp()
    if kind == "adaptive":
        least, low, top, high = _ends(by)
        in_logs = (by.pre > 0) & (u >= low) & (u <= high)
        straight = torch.where(u > high, top * (1.0 + (u - high)), least * (1.0 + (u - low)))
        values = torch.where(in_logs, torch.where(in_logs, u, 0.0).exp(), straight)
        return torch.where(by.pre > 0, values, u)
    return u.sinh() * by.pre if kind == "asinh" else u
