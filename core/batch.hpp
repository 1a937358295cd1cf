// From (series, start) to one scaled window in the network's layout, and from the network's numbers back to the user's.
//
// Knows: how windows, covariates and statics lie in flat tables, and how a window scales itself. Must not know:
// networks, losses.
//
// A step of the network reads, in this order: P points of C scaled values | P points of C flags, 1 where the value is
// missing | P points of F covariates | E statics. What is not asked for is not there.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels.hpp"

namespace unrolled {

// Many series one after another: series s is rows offsets[s] .. offsets[s + 1] of values, each row C numbers.
template <class T>
struct TableView {
  const T* values;
  const std::int64_t* offsets;
  Index series;
  Index channels;
  // Covariates of series s: rows feature_offsets[s] .. feature_offsets[s + 1], the first of them that of its first
  // point. They may go on behind its last point.
  const T* features = nullptr;
  const std::int64_t* feature_offsets = nullptr;
  Index feature_columns = 0;
  Index known = 0;             // so many columns, the first ones, are known ahead of time
  const T* statics = nullptr;  // [series, static_columns]
  Index static_columns = 0;

  std::int64_t length(std::int64_t s) const { return offsets[s + 1] - offsets[s]; }
};

struct WindowSpec {
  Index window;   // points read
  Index patch;    // points a step
  Index horizon;  // points forecast
  Index channels;
  Scaling scaling;
  bool mask = false;  // NaN is a missing value, and the network is told which values are
  Index ahead = 0;    // steps behind the window, of which only the known covariates are read
  Index features = 0;
  Index statics = 0;

  Index read_steps() const { return window / patch; }
  Index steps() const { return read_steps() + ahead; }
  Index values() const { return patch * channels; }  // of a step
  Index inputs() const { return values() * (mask ? 2 : 1) + patch * features + statics; }
  Index targets() const { return horizon * channels; }
  // Whether a window may bend its values before they are moved and divided; `bent` says whether it does.
  bool bends() const { return scaling == Scaling::log || scaling == Scaling::asinh || scaling == Scaling::adaptive; }
};

// How a window scales itself, C numbers each: scaled = (u(value) - location) / scale, where u(value) is
// log(value), asinh(value / pre), or the value. Of adaptive, pre > 0 is the smallest value of a channel that is read in
// logs: u goes on straight below it, and above exp(location + scale); where pre is 0, u is the value.
template <class T>
struct WindowScale {
  T* pre;
  T* location;
  T* scale;
};

// `at` holds [3, C] numbers.
template <class T>
WindowScale<T> window_scale(T* at, Index channels) {
  return {at, at + channels, at + 2 * channels};
}

// Whether a channel of a window bends its values.
template <class T>
bool bent(Scaling scaling, T pre) {
  return scaling == Scaling::log || scaling == Scaling::asinh || (scaling == Scaling::adaptive && pre > T(0));
}

// u of a channel that bends its values, and the way back.
struct Bend {
  Scaling scaling;
  double pre;
  // Of adaptive: between pre = exp(low) and top = exp(high) u is log(value), and beyond them it goes on straight, with
  // the slope it has there. Among many zeros a deviation above the mean can lie below pre: then u is one line.
  double low = 0, high = 0, top = std::numeric_limits<double>::infinity();

  // By what a channel is fitted from: straight below pre alone.
  Bend(Scaling kind, double by) : scaling(kind), pre(by) {
    if (scaling == Scaling::adaptive) low = std::log(pre);
  }
  Bend(Scaling kind, double by, double location, double scale) : Bend(kind, by) {
    if (scaling == Scaling::adaptive) high = std::max(location + scale, low), top = std::exp(high);
  }

  double into(double value) const {
    if (scaling == Scaling::log) return std::log(value);
    if (scaling == Scaling::asinh) return std::asinh(value / pre);
    if (value > top) return high + (value - top) / top;
    return value < pre ? low + (value - pre) / pre : std::log(value);
  }
  double out_of(double u) const {
    if (scaling == Scaling::log) return std::exp(u);
    if (scaling == Scaling::asinh) return std::sinh(u) * pre;
    if (u > high) return top * (1 + (u - high));
    return u < low ? pre * (1 + (u - low)) : std::exp(u);
  }
};

// How channel c of a window bends its values.
template <class T>
Bend bend_of(Scaling scaling, const WindowScale<T>& by, Index c) {
  return {scaling, static_cast<double>(by.pre[c]), static_cast<double>(by.location[c]),
          static_cast<double>(by.scale[c])};
}

// A deviation below this share of the values' size is rounding: the window is constant, and its scale is 1.
template <class T>
inline constexpr double kFlat = sizeof(T) == 4 ? 1e-6 : 1e-13;

// Scale of one channel whose values are not bent: those at points[0], points[C], ..; missing ones are left out.
template <bool kMissing, class T>
void fit_straight(Scaling scaling, Index count, Index channels, const T* points, T& location, T& scale) {
  double mean = 0, mean_abs = 0, variance = 0, last = 0;
  Index seen = kMissing ? 0 : count;
  for (Index i = 0; i < count; ++i) {
    const double v = static_cast<double>(points[i * channels]);
    if (kMissing && std::isnan(v)) continue;
    mean += v;
    mean_abs += std::fabs(v);
    if (kMissing) last = v, ++seen;
  }
  if (kMissing && seen == 0) return;
  const double n = static_cast<double>(seen);
  mean /= n;
  mean_abs /= n;
  if (scaling == Scaling::mean_abs) {
    if (mean_abs > 0) scale = static_cast<T>(mean_abs);
    return;
  }
  for (Index i = 0; i < count; ++i) {
    const double d = static_cast<double>(points[i * channels]) - mean;
    if (kMissing && std::isnan(points[i * channels])) continue;
    variance += d * d;
  }
  const double deviation = std::sqrt(variance / n);
  if (!(deviation <= kFlat<T> * mean_abs)) scale = static_cast<T>(deviation);
  if (!kMissing) last = static_cast<double>(points[(count - 1) * channels]);
  location = static_cast<T>(scaling == Scaling::last ? last : mean);
}

// The same for log and asinh: location is the last u, scale the deviation of u (Welford 1962). The size of u says
// nothing about rounding where u is near 0: there a value that is off by one part in a million moves u by as much.
template <class T>
void fit_bent(Scaling scaling, Index count, Index channels, const T* points, T& pre, T& location, T& scale) {
  double size = 0, mean = 0, squares = 0, mean_abs = 0, last = 0;
  Index seen = 0;
  if (scaling == Scaling::asinh) {
    for (Index i = 0; i < count; ++i) {
      const double v = static_cast<double>(points[i * channels]);
      if (!std::isnan(v)) size += std::fabs(v), ++seen;
    }
    if (size > 0) pre = static_cast<T>(size / static_cast<double>(seen));
    seen = 0;
  }
  const Bend bend(scaling, static_cast<double>(pre));
  for (Index i = 0; i < count; ++i) {
    if (std::isnan(points[i * channels])) continue;
    last = bend.into(static_cast<double>(points[i * channels]));
    ++seen;
    const double from = last - mean;
    mean += from / static_cast<double>(seen);
    squares += from * (last - mean);
    mean_abs += std::fabs(last);
  }
  if (seen == 0) return;
  const double n = static_cast<double>(seen);
  const double deviation = std::sqrt(squares / n);
  if (!(deviation <= kFlat<T> * std::max(1.0, mean_abs / n))) scale = static_cast<T>(deviation);
  location = static_cast<T>(last);
}

// Mean and central moments of numbers as they come (Pebay 2008).
struct Moments {
  double count = 0, mean = 0, second = 0, third = 0;

  void add(double value) {
    const double before = count++;
    const double from = value - mean;
    const double step = from / count;
    const double square = from * step * before;
    mean += step;
    third += step * (square * (before - 1) - 3 * second);
    second += square;
  }
  double deviation() const { return std::sqrt(second / count); }
  double skewness() const { return third / count / (deviation() * deviation() * deviation()); }
};

// By how much logs must lower the skewness: what differs by less is as skew either way, but for rounding.
inline constexpr double kLessSkew = 1e-6;

// The largest deviation of logs: no series spans more orders of magnitude, and targets below 0, in units of a smallest
// value that is so much smaller than others, would overflow float32.
inline constexpr double kMostInLogs = 10;

// Scale of one channel in logs, if it is one for them: nothing below 0, more than tenfold, a deviation of at most
// kMostInLogs, and less skew in logs. Otherwise nothing is written. No such channel is constant.
template <class T>
bool fit_in_logs(Index count, Index channels, const T* points, T& pre, T& location, T& scale) {
  double low = std::numeric_limits<double>::infinity(), high = 0;
  for (Index i = 0; i < count; ++i) {
    const double v = static_cast<double>(points[i * channels]);
    if (v < 0) return false;
    if (v > 0) low = std::min(low, v), high = std::max(high, v);
  }
  if (!(high > 10 * low)) return false;
  const Bend bend(Scaling::adaptive, low);
  Moments straight, logs;
  for (Index i = 0; i < count; ++i) {
    const double v = static_cast<double>(points[i * channels]);
    if (std::isnan(v)) continue;
    straight.add(v / high);
    logs.add(bend.into(v));
  }
  if (!(logs.deviation() <= kMostInLogs)) return false;
  if (!(std::fabs(logs.skewness()) + kLessSkew < std::fabs(straight.skewness()))) return false;
  pre = static_cast<T>(low);
  location = static_cast<T>(logs.mean);
  scale = static_cast<T>(logs.deviation());
  return true;
}

// Fits the scale of a window from its `count` points alone, fewer than spec.window where those before them are missing.
template <class T>
void fit_scaling(const WindowSpec& spec, const T* points, Index count, const WindowScale<T>& to) {
  for (Index c = 0; c < spec.channels; ++c) {
    T& pre = to.pre[c];
    T& location = to.location[c];
    T& scale = to.scale[c];
    pre = spec.scaling == Scaling::adaptive ? T(0) : T(1);
    location = T(0);
    scale = T(1);
    if (spec.scaling == Scaling::none) continue;
    if (spec.scaling == Scaling::adaptive && fit_in_logs(count, spec.channels, points + c, pre, location, scale))
      continue;
    if (bent(spec.scaling, pre)) {
      fit_bent(spec.scaling, count, spec.channels, points + c, pre, location, scale);
    } else if (spec.mask) {
      fit_straight<true>(spec.scaling, count, spec.channels, points + c, location, scale);
    } else {
      fit_straight<false>(spec.scaling, count, spec.channels, points + c, location, scale);
    }
  }
}

// Writes `points` scaled points of the panel, starting at `from`, to `to`.
template <class T>
void scale_points(const WindowSpec& spec, Index points, const T* from, const WindowScale<T>& by, T* to) {
  const Index channels = spec.channels;
  if (!spec.bends()) {
    for (Index i = 0; i < points; ++i) {
      for (Index c = 0; c < channels; ++c) {
        to[i * channels + c] = (from[i * channels + c] - by.location[c]) / by.scale[c];
      }
    }
    return;
  }
  for (Index c = 0; c < channels; ++c) {
    const T location = by.location[c], scale = by.scale[c];
    if (!bent(spec.scaling, by.pre[c])) {
      for (Index i = c; i < points * channels; i += channels) to[i] = (from[i] - location) / scale;
      continue;
    }
    const Bend bend = bend_of(spec.scaling, by, c);
    for (Index i = c; i < points * channels; i += channels) {
      const double u = bend.into(static_cast<double>(from[i]));
      to[i] = static_cast<T>((u - static_cast<double>(location)) / static_cast<double>(scale));
    }
  }
}

// The points of a window before the first one of its series.
inline Index points_before(const WindowSpec& spec, std::int64_t start) {
  return start < 0 ? static_cast<Index>(std::min<std::int64_t>(-start, spec.window)) : 0;
}

// A row of step t, of the points from + 0 .. from + P - 1 of a series: covariates, and behind them statics.
template <class T>
void read_covariates(const WindowSpec& spec, const TableView<T>& table, std::int64_t series, std::int64_t from,
                     bool ahead, Index points, T* to) {
  const Index columns = spec.features;
  const Index used = ahead ? table.known : columns;
  for (Index p = 0; p < spec.patch; ++p, to += columns) {
    if (from + p < 0 || p >= points) {
      std::fill_n(to, columns, T(0));
      continue;
    }
    const T* row = table.features + (table.feature_offsets[series] + from + p) * columns;
    std::copy_n(row, used, to);
    std::fill_n(to + used, columns - used, T(0));
  }
  if (spec.statics > 0) std::copy_n(table.statics + series * spec.statics, spec.statics, to);
}

// Turns the NaN among scaled values into 0 and a flag.
template <class T>
void flag_missing(Index count, T* values, T* flags) {
  for (Index i = 0; i < count; ++i) {
    const bool missing = std::isnan(values[i]);
    flags[i] = missing ? T(1) : T(0);
    if (missing) values[i] = T(0);
  }
}

// Writes scaled points of a series, counted from its first one; those before it are NaN. What is not NaN in the panel
// does not become NaN here, so that a value that cannot be scaled is never taken for a missing one.
template <class T>
void read_points(const WindowSpec& spec, const TableView<T>& table, std::int64_t series, std::int64_t from,
                 Index points, const WindowScale<T>& by, T* to) {
  const Index before = from < 0 ? static_cast<Index>(std::min<std::int64_t>(-from, points)) : 0;
  const Index numbers = (points - before) * spec.channels;
  std::fill_n(to, before * spec.channels, std::numeric_limits<T>::quiet_NaN());
  if (numbers == 0) return;
  const T* values = table.values + (table.offsets[series] + from + before) * spec.channels;
  T* scaled = to + before * spec.channels;
  scale_points(spec, points - before, values, by, scaled);
  if (!spec.mask) return;
  for (Index i = 0; i < numbers; ++i) {
    if (std::isnan(scaled[i]) && !std::isnan(values[i])) scaled[i] = std::numeric_limits<T>::infinity();
  }
}

// Scales the window that starts at `start` and writes the input of every step t to row(t).
template <class T, class Row>
void read_window(const WindowSpec& spec, const TableView<T>& table, std::int64_t series, std::int64_t start,
                 const WindowScale<T>& scale, Row&& row) {
  const Index before = points_before(spec, start);
  const T* points = table.values + (table.offsets[series] + start + before) * spec.channels;
  fit_scaling(spec, points, spec.window - before, scale);
  const Index values = spec.values();
  const bool more = spec.features + spec.statics > 0;
  for (Index t = 0; t < spec.read_steps(); ++t) {
    T* to = row(t);
    if (!spec.mask) {
      scale_points(spec, spec.patch, points + t * values, scale, to);
    } else {
      read_points(spec, table, series, start + t * spec.patch, spec.patch, scale, to);
      flag_missing(values, to, to + values);
      to += values;
    }
    if (more) read_covariates(spec, table, series, start + t * spec.patch, false, spec.patch, to + values);
  }
  for (Index a = 0; a < spec.ahead; ++a) {
    T* to = row(spec.read_steps() + a);
    std::fill_n(to, values, T(0));
    std::fill_n(to + values, values, T(1));
    const Index points_left = spec.horizon - a * spec.patch;
    if (more) {
      read_covariates(spec, table, series, start + spec.window + a * spec.patch, true, points_left, to + 2 * values);
    }
  }
}

// Whether any of the points, counted from the first one of their series, is observed in any channel.
template <class T>
bool any_observed(const TableView<T>& table, std::int64_t series, std::int64_t from, Index points) {
  const std::int64_t begin = std::max<std::int64_t>(from, 0);
  const T* values = table.values + (table.offsets[series] + begin) * table.channels;
  for (Index i = 0; i < (from + points - begin) * table.channels; ++i) {
    if (!std::isnan(values[i])) return true;
  }
  return false;
}

// y = y_scaled * scale + location, unbent, for forecasts [K, C, W].
template <class T>
void unscale_forecast(const WindowSpec& spec, Index width, const WindowScale<T>& by, T* y) {
  for (Index c = 0; c < spec.channels; ++c) {
    if (!bent(spec.scaling, by.pre[c])) {
      for (Index k = 0; k < spec.horizon; ++k) {
        T* at = y + (k * spec.channels + c) * width;
        for (Index q = 0; q < width; ++q) at[q] = at[q] * by.scale[c] + by.location[c];
      }
      continue;
    }
    const Bend bend = bend_of(spec.scaling, by, c);
    const double location = static_cast<double>(by.location[c]);
    const double scale = static_cast<double>(by.scale[c]);
    for (Index k = 0; k < spec.horizon; ++k) {
      T* at = y + (k * spec.channels + c) * width;
      for (Index q = 0; q < width; ++q) {
        at[q] = static_cast<T>(bend.out_of(static_cast<double>(at[q]) * scale + location));
      }
    }
  }
}

}  // namespace unrolled
