// From (series, start) to one scaled window in the network's layout, and from the network's numbers back to the user's.
//
// Knows: how a window lies in a flat panel, and how a window scales itself. Must not know: networks, losses.
#pragma once

#include <cmath>

#include "kernels.hpp"

namespace unrolled {

// Many series one after another: series s is rows offsets[s] .. offsets[s + 1] of values, each row C numbers.
template <class T>
struct PanelView {
  const T* values;
  const std::int64_t* offsets;
  Index series;
  Index channels;
};

struct WindowSpec {
  Index window;   // points read
  Index patch;    // points a step
  Index horizon;  // points forecast
  Index channels;
  Scaling scaling;

  Index steps() const { return window / patch; }
  Index inputs() const { return patch * channels; }
  Index targets() const { return horizon * channels; }
};

// Fills location[C] and scale[C] from the window alone; scaled = (value - location) / scale. Where the window is
// constant to rounding, the scale is 1.
template <class T>
void fit_scaling(const WindowSpec& spec, const T* window, T* location, T* scale) {
  constexpr double kFlat = sizeof(T) == 4 ? 1e-6 : 1e-13;
  for (Index c = 0; c < spec.channels; ++c) {
    location[c] = T(0);
    scale[c] = T(1);
    if (spec.scaling == Scaling::none) continue;
    double mean = 0, mean_abs = 0, variance = 0;
    for (Index i = 0; i < spec.window; ++i) {
      const double v = static_cast<double>(window[i * spec.channels + c]);
      mean += v;
      mean_abs += std::fabs(v);
    }
    const double n = static_cast<double>(spec.window);
    mean /= n;
    mean_abs /= n;
    if (spec.scaling == Scaling::mean_abs) {
      if (mean_abs > 0) scale[c] = static_cast<T>(mean_abs);
      continue;
    }
    for (Index i = 0; i < spec.window; ++i) {
      const double d = static_cast<double>(window[i * spec.channels + c]) - mean;
      variance += d * d;
    }
    const double deviation = std::sqrt(variance / n);
    if (!(deviation <= kFlat * mean_abs)) scale[c] = static_cast<T>(deviation);
    const double last = static_cast<double>(window[(spec.window - 1) * spec.channels + c]);
    location[c] = static_cast<T>(spec.scaling == Scaling::last ? last : mean);
  }
}

// Writes `points` scaled points of the panel, starting at `from`, to `to`.
template <class T>
void scale_points(Index points, Index channels, const T* from, const T* location, const T* scale, T* to) {
  for (Index i = 0; i < points; ++i) {
    for (Index c = 0; c < channels; ++c) to[i * channels + c] = (from[i * channels + c] - location[c]) / scale[c];
  }
}

// y = y_scaled * scale + location, for forecasts [K, C, Q].
template <class T>
void unscale_forecast(const WindowSpec& spec, Index quantiles, const T* location, const T* scale, T* y) {
  for (Index k = 0; k < spec.horizon; ++k) {
    for (Index c = 0; c < spec.channels; ++c) {
      T* at = y + (k * spec.channels + c) * quantiles;
      for (Index q = 0; q < quantiles; ++q) at[q] = at[q] * scale[c] + location[c];
    }
  }
}

}  // namespace unrolled
