"""A fitted model as a `torch.nn.Module` with the same numbers: to read, to train on, to build upon.

    values -> scaled by the window itself -> steps -> layers -> head -> mapped -> units of the series

Everything that `Forecaster.predict` does between a window and its forecast is here in PyTorch's operations,
so gradients flow through all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.errors import ArgumentError, Fault, fault, raise_any
from unrolled.heads import COUNTS
from unrolled.interop.reading import LEAST, refuse
from unrolled.interop.torch_cells import TorchNetwork
from unrolled.interop.torch_scaling import Scaled, apply, fit_scaling, invert

if TYPE_CHECKING:
    from unrolled.interop.torch_cells import State
    from unrolled.model import Model

__all__ = ["TorchModel", "to_torch"]


class TorchModel(nn.Module):  # type: ignore[misc]
    """What `to_torch` returns: all members, scaling, masks and strategy inside.

    Shapes:
        values: [B, T, C]; features: [B, T + K, F], or [B, T, F] where none is known ahead; static: [B, E];
        series: [B]; the forecast: [B, K, C], or with several numbers a target [B, K, C, W];
        state: h [M L, B, H], c [M L, B, E H] or None: all layers of the first member, then of the next.

    What several numbers a target are, `interop.OUTPUTS` and `interop.expected` say. A state goes in and comes
    out where the model reads whole series (memory "all"); else it is None.

    Args:
        model: fitted; the module has copies of its weights.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        refuse(model)
        self.windowing, self.horizon, self.recursive = model.windowing, model.horizon, model.recursive
        self.windows = model.windows
        self.loss, self.quantiles, self.anchor = model.head.loss, model.head.quantiles, model.head.anchor
        self.width, self.combine, self.carries = model.head.width, model.combine, model.memory == "all"
        encoder = model.encoder
        self.known = 0 if encoder is None else encoder.known
        self.sizes = {
            "features": encoder.width if encoder else 0,
            "static": encoder.statics if encoder else 0,
        }
        self.networks = nn.ModuleList(TorchNetwork(one.spec, one.weights) for one in model.networks)
        self.channels = model.network.spec.output_size // (self.windowing.horizon * self.width)
        scaler = model.scaler
        for name in ("location", "scale"):
            array = None if scaler is None else torch.as_tensor(np.array(getattr(scaler, name)))
            self.register_buffer(f"series_{name}", array)
        self.eval()

    def forward(
        self,
        values: Tensor,
        features: Tensor | None = None,
        static: Tensor | None = None,
        state: State | None = None,
        *,
        series: Tensor | None = None,
    ) -> tuple[Tensor, State | None]:
        """Forecast what follows windows, in the units of their series.

        Args:
            values: points, NaN where one is missing.
            features: encoded covariates, as `readings` gives them.
            static: encoded statics.
            state: to go on from; None for zeros.
            series: the number that each series had when fitting, where many were scaled once each.

        Raises:
            ArgumentError: a shape does not fit; all misfits are named at once.
        """
        self._check(values, features, static, state, series)
        values, features, static = (self._cast(one) for one in (values, features, static))
        by = self._series(series)
        if by is not None:
            values = ((values.double() - by.location) / by.scale).to(self._dtype)
        if self.recursive:
            outputs, scaling = self._fed_back(values, features, static)
            after = None
        else:
            outputs, scaling, after = self.outputs(values, features, static, state)
        return self._units(outputs, scaling, by), after

    def outputs(
        self,
        values: Tensor,
        features: Tensor | None = None,
        static: Tensor | None = None,
        state: State | None = None,
    ) -> tuple[Tensor, Scaled, State | None]:
        """Return mapped outputs in scaled units, which a loss can compare with scaled targets.

        Shapes:
            values: [B, T, C], scaled already where series were scaled once; the outputs: [B, K, C, W], K the
            points that the networks forecast at once.

        Returns:
            The outputs, how the windows were scaled, and the state.
        """
        reads = self._reads(values, features, static)
        common = reads[0][1]
        each, states = [], []
        layers = self.networks[0].spec.num_layers
        for number, (network, (x, scaling)) in enumerate(zip(self.networks, reads, strict=True)):
            rows = slice(number * layers, (number + 1) * layers)
            own = None if state is None else (state[0][rows], None if state[1] is None else state[1][rows])
            raw, after = network(x, own, self.windowing.ahead)
            said = self._mapped(raw.reshape(len(values), self.windowing.horizon, -1, self.width))
            each.append(self._moved(said, scaling, common) if self.windows else said)
            states.append(after)
        return self._together(each), common, _joined(states) if self.carries else None

    def _reads(
        self, values: Tensor, features: Tensor | None, static: Tensor | None
    ) -> list[tuple[Tensor, Scaled]]:
        """Return what each member reads of its own last points, and how it scales them."""
        if not self.windows:
            return [self._steps(values, features, static)] * len(self.networks)
        read = {}
        for window in dict.fromkeys(self.windows):
            first = self.windowing.window - window
            later = None if features is None else features[:, first:]
            read[window] = self._steps(values[:, first:], later, static)
        return [read[window] for window in self.windows]

    def _moved(self, outputs: Tensor, scaling: Scaled, common: Scaled) -> Tensor:
        """Return outputs that were scaled by a window of their own, scaled as all are."""
        own, to = (Scaled(*(one[..., None] for one in by)) for by in (scaling, common))
        return apply(self.windowing.scaling, invert(self.windowing.scaling, outputs, own), to).to(self._dtype)

    @property
    def _dtype(self) -> Any:
        return next(self.networks.parameters()).dtype

    def _cast(self, tensor: Tensor | None) -> Tensor | None:
        return None if tensor is None else tensor.to(self._dtype)

    def _check(
        self,
        values: Tensor,
        features: Tensor | None,
        static: Tensor | None,
        state: State | None,
        series: Tensor | None,
    ) -> None:
        """Compare the shapes."""
        faults: list[Fault] = []
        window = self.windowing.window
        fits = values.ndim == 3 and values.shape[2] == self.channels and values.shape[1] > 0
        if not fits or (not self.carries and values.shape[1] != window):
            points = "T" if self.carries else window
            raise ArgumentError(_misfit("values", f"[B, {points}, {self.channels}]", list(values.shape)))
        batch, points = values.shape[:2]
        ahead = self.horizon if self.windowing.ahead else 0
        wanted: dict[str, tuple[Tensor | None, list[int]]] = {
            "features": (features, [batch, points + ahead, self.sizes["features"]]),
            "static": (static, [batch, self.sizes["static"]]),
        }
        for name, (given, shape) in wanted.items():
            got = None if given is None else list(given.shape)
            if got != (shape if shape[-1] else None):
                faults.append(_misfit(name, shape if shape[-1] else None, got))
        if state is not None and not self.carries:
            faults.append(_misfit("state", None, "(h, c)"))
        if self.series_location is not None and (series is None) == (len(self.series_location) > 1):
            expected = [batch] if len(self.series_location) > 1 else None
            faults.append(_misfit("series", expected, None if series is None else list(series.shape)))
        raise_any(ArgumentError, faults)

    def _series(self, series: Tensor | None) -> Scaled | None:
        """Return how each series was scaled once, or None."""
        if self.series_location is None:
            return None
        rows = torch.zeros(1, dtype=torch.long) if series is None else series
        location, scale = (
            one[rows.to(one.device)][:, None] for one in (self.series_location, self.series_scale)
        )
        return Scaled(torch.ones_like(location), location, scale)

    def _steps(self, values: Tensor, features: Tensor | None, static: Tensor | None) -> tuple[Tensor, Scaled]:
        """Return what the networks read, step by step, [T, B, I], and how each window was scaled."""
        windowing, patch = self.windowing, self.windowing.patch
        batch, points, channels = values.shape
        scaling = fit_scaling(windowing.scaling, values)
        seen = ~values.isnan() if windowing.mask else torch.ones_like(values, dtype=torch.bool)
        scaled = apply(windowing.scaling, values, scaling, seen).to(values.dtype)
        steps = points // patch
        parts = [scaled.reshape(batch, steps, patch * channels)]
        if windowing.mask:
            parts.append((~seen).to(values.dtype).reshape(batch, steps, patch * channels))
        if features is not None:
            parts.append(features[:, :points].reshape(batch, steps, -1))
        if static is not None:
            parts.append(static[:, None].expand(-1, steps, -1))
        x = torch.cat(parts, dim=-1)
        if windowing.ahead:
            x = torch.cat([x, self._steps_ahead(values, features, static)], dim=1)
        return x.transpose(0, 1), scaling

    def _steps_ahead(self, values: Tensor, features: Tensor | None, static: Tensor | None) -> Tensor:
        """Return the steps behind the window: no values, and the features that are known there."""
        windowing, steps = self.windowing, self.windowing.ahead
        batch, points, channels = values.shape
        nothing = values.new_zeros(batch, steps, windowing.patch * channels)
        parts = [nothing, torch.ones_like(nothing)]
        if features is not None:
            ahead = features[:, points : points + windowing.horizon]
            ahead = torch.cat([ahead[..., : self.known], torch.zeros_like(ahead[..., self.known :])], dim=-1)
            ahead = functional.pad(ahead, (0, 0, 0, steps * windowing.patch - windowing.horizon))
            parts.append(ahead.reshape(batch, steps, -1))
        if static is not None:
            parts.append(static[:, None].expand(-1, steps, -1))
        return torch.cat(parts, dim=-1)

    def _mapped(self, raw: Tensor) -> Tensor:
        """Return raw outputs as what they mean; see `heads.Head.mapped`."""
        parts = list(raw.unbind(-1))
        if self.quantiles:
            for j in range(self.anchor + 1, self.width):
                parts[j] = parts[j - 1] + _softplus(parts[j])
            for j in range(self.anchor - 1, -1, -1):
                parts[j] = parts[j + 1] - _softplus(parts[j])
        for which, least in LEAST.get(self.loss, {}).items():
            parts[which] = _softplus(parts[which]) + least
        return torch.stack(parts, dim=-1)

    def _together(self, each: list[Tensor]) -> Tensor:
        """Return the outputs of all members as one."""
        if len(each) == 1:
            return each[0]
        stacked = torch.stack(each)
        if self.combine == "mean":
            return stacked.mean(dim=0)
        ranked = stacked.sort(dim=0).values
        return (ranked[(len(each) - 1) // 2] + ranked[len(each) // 2]) / 2

    def _fed_back(
        self, values: Tensor, features: Tensor | None, static: Tensor | None
    ) -> tuple[Tensor, Scaled]:
        """Return what all members together forecast, scaled; each reads its own forecasts.

        Shapes:
            the forecasts: [B, K, C].
        """
        window, points, at_once = self.windowing.window, self.horizon, self.windowing.horizon
        first = fit_scaling(self.windowing.scaling, values)
        if features is not None:
            behind = features[:, window:]
            if not behind.shape[1]:
                behind = features.new_zeros(len(features), points, features.shape[2])
            behind = torch.cat(
                [behind[..., : self.known], torch.zeros_like(behind[..., self.known :])], dim=-1
            )
            features = torch.cat([features[:, :window], behind], dim=1)
        each = []
        for network in self.networks:
            path = values
            for k in range(0, points, at_once):
                reach = k + window + (at_once if self.windowing.ahead else 0)
                own = None if features is None else features[:, k:reach]
                x, scaling = self._steps(path[:, k:], own, static)
                raw, _ = network(x, None, self.windowing.ahead)
                outputs = self._mapped(raw.reshape(len(values), at_once, -1, self.width))
                said = invert(self.windowing.scaling, outputs[..., self.anchor], scaling).to(values.dtype)
                path = torch.cat([path, said], dim=1)
            each.append(apply(self.windowing.scaling, path[:, window:], first))
        return self._together(each), first

    def _units(self, outputs: Tensor, scaling: Scaled, by: Scaled | None) -> Tensor:
        """Return scaled outputs in the units of the series."""
        kind = self.windowing.scaling
        if self.loss in LEAST and not self.recursive:
            return self._of_distribution(outputs, [one for one in (scaling, by) if one is not None])
        single = outputs.ndim == 3 or not self.quantiles
        flat = outputs[..., None] if outputs.ndim == 3 else outputs
        result = invert(kind, flat, Scaled(*(one[..., None] for one in scaling)))
        if by is not None:
            result = result * by.scale[..., None] + by.location[..., None]
        result = result.to(self._dtype)
        return result[..., 0] if single else result

    def _of_distribution(self, outputs: Tensor, steps: list[Scaled]) -> Tensor:
        """Return the parameters of distributions, moved and stretched as the values are."""
        parts = [one.double() for one in outputs.unbind(-1)]
        for by in steps:
            parts[0] = parts[0] * by.scale + by.location
            if self.loss != COUNTS:
                parts[1] = parts[1] * by.scale
        return torch.stack(parts, dim=-1).to(self._dtype)


def to_torch(model: Model) -> TorchModel:
    """Return a fitted model as a module, in evaluation mode, of the model's dtype, on the CPU.

    Args:
        model: fitted.

    Raises:
        ArgumentError: the model feeds back the medians of counts, which no operation of PyTorch gives.

    Example:
        >>> from unrolled import Forecaster
        >>> y = np.sin(np.arange(60) * 2 * np.pi / 12)
        >>> forecaster = Forecaster(3, season=12, window=24, steps=20).fit(y)
        >>> module = forecaster.to_torch()
        >>> forecast, _ = module(torch.tensor(y[None, -24:, None]))
        >>> bool(np.allclose(forecast[0, :, 0].detach(), forecaster.predict(), atol=1e-5))
        True
    """
    return TorchModel(model)


def _joined(states: list[State]) -> State:
    """Return the states of all members as one."""
    beside = [c for _, c in states if c is not None]
    return torch.cat([h for h, _ in states]), torch.cat(beside) if beside else None


def _softplus(x: Tensor) -> Tensor:
    """Return log(1 + e^x); torch's own is x from 20 on, which float64 would see."""
    return torch.logaddexp(x, torch.zeros_like(x))


def _misfit(name: str, expected: object, got: object) -> Fault:
    return fault("interop.shape", name=name, expected=expected, got=got)
