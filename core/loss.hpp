// Losses of one row of forecasts and their gradients by what the head gives: MSE, MAE, Huber, pinball, and the negative
// log-likelihoods of the normal, Student's t and the negative binomial distribution.
//
// Knows: the mathematics of a loss. Must not know: networks, batches.
//
// What the head gives is raw: it is mapped to quantiles that cannot cross, or to parameters that lie where they must.
// The losses and forecasts share these maps. What needs an exponential is computed in double.
#pragma once

#include "gamma.hpp"
#include "kernels.hpp"
#include "simd.hpp"

namespace unrolled::UNROLLED_TARGET {

// e is y_pred - y_true. Each returns the loss and sets d to its derivative by y_pred; d|e|/de at 0 is 0.
template <class T>
UNROLLED_INLINE T squared(T e, T& d) {
  d = 2 * e;
  return e * e;
}

template <class T>
UNROLLED_INLINE T absolute(T e, T& d) {
  d = static_cast<T>((e > 0) - (e < 0));
  if (e != e) d = e;
  return e < 0 ? -e : e;
}

// e^2 / 2 inside [-delta, delta], linear outside (Huber 1964; torch.nn.HuberLoss).
template <class T>
UNROLLED_INLINE T huber(T e, T delta, T& d) {
  d = e > delta ? delta : (e < -delta ? -delta : e);
  return d * (e - d / 2);
}

// max(q (y_true - y_pred), (q - 1)(y_true - y_pred)) (Koenker & Bassett 1978).
template <class T>
UNROLLED_INLINE T pinball(T e, T q, T& d) {
  d = e > 0 ? 1 - q : (e < 0 ? -q : e);
  return e * d;
}

// log(1 + e^x), which never overflows before x does, and its slope.
struct Positive {
  UNROLLED_INLINE explicit Positive(double x) {
    const double small = std::exp(x > 0 ? -x : x);
    value = (x > 0 ? x : 0) + std::log1p(small);
    slope = (x > 0 ? 1 : small) / (1 + small);
    if (x != x) value = slope = x;
  }
  double value;
  double slope;
};

constexpr double kLeastSigma = 1e-3;
constexpr double kLeastNu = 2 + 1e-3;
constexpr double kLeastMean = 1e-6;
constexpr double kLeastAlpha = 1e-4;
constexpr double kLogTwoPi = 1.83787706640934548356;
constexpr double kLogPi = 1.14472988584940017414;

// Raw numbers of one target to what they mean. Quantiles stand on the anchor: each one above is the one below it and
// something positive, each one below the one above it less something positive.
template <class T>
void map_target(const MapRow<T>& row, const T* raw, T* out) {
  const auto number = [&](Index i) { return static_cast<double>(raw[i]); };
  switch (row.loss) {
    case Loss::mse:
    case Loss::mae:
    case Loss::huber:
      out[0] = raw[0];
      return;
    case Loss::pinball: {
      const double anchor = number(row.anchor);
      double q = anchor;
      for (Index j = row.anchor + 1; j < row.width; ++j) out[j] = static_cast<T>(q += Positive(number(j)).value);
      q = anchor;
      for (Index j = row.anchor; j-- > 0;) out[j] = static_cast<T>(q -= Positive(number(j)).value);
      out[row.anchor] = static_cast<T>(anchor);
      return;
    }
    case Loss::gaussian:
    case Loss::student_t:
      out[0] = raw[0];
      out[1] = static_cast<T>(Positive(number(1)).value + kLeastSigma);
      if (row.loss == Loss::student_t) out[2] = static_cast<T>(Positive(number(2)).value + kLeastNu);
      return;
    case Loss::negative_binomial:
      out[0] = static_cast<T>(Positive(number(0)).value + kLeastMean);
      out[1] = static_cast<T>(Positive(number(1)).value + kLeastAlpha);
      return;
  }
}

template <class T>
void map_row(const MapRow<T>& row) {
  for (Index i = 0; i < row.targets; ++i) map_target(row, row.raw + i * row.width, row.out + i * row.width);
}

// The loss of all quantiles of one target. d holds the slopes by the quantiles first; a raw number moves its own
// quantile and all beyond it.
template <class T>
double quantile_target(const LossRow<T>& row, double target, const T* raw, T* d) {
  double total = 0;
  const auto score = [&](Index j, double q) {
    double slope = 0;
    total += pinball(q - target, static_cast<double>(row.quantiles[j]), slope);
    return slope;
  };
  const double anchor = static_cast<double>(raw[row.anchor]);
  double sum = score(row.anchor, anchor);  // of the slopes of all quantiles
  double q = anchor, above = 0, below = 0;
  for (Index j = row.anchor + 1; j < row.width; ++j) {
    const double slope = score(j, q += Positive(static_cast<double>(raw[j])).value);
    above += slope;
    if (d != nullptr) d[j] = static_cast<T>(slope);
  }
  q = anchor;
  for (Index j = row.anchor; j-- > 0;) {
    const double slope = score(j, q -= Positive(static_cast<double>(raw[j])).value);
    below += slope;
    if (d != nullptr) d[j] = static_cast<T>(slope);
  }
  if (d == nullptr) return total;
  sum += above + below;
  for (Index j = row.anchor + 1; j < row.width; ++j) {
    const double own = static_cast<double>(d[j]);
    d[j] = row.weight * static_cast<T>(above * Positive(static_cast<double>(raw[j])).slope);
    above -= own;
  }
  for (Index j = row.anchor; j-- > 0;) {
    const double own = static_cast<double>(d[j]);
    d[j] = row.weight * static_cast<T>(-below * Positive(static_cast<double>(raw[j])).slope);
    below -= own;
  }
  d[row.anchor] = row.weight * static_cast<T>(sum);
  return total;
}

// -log of the normal density; d: by the raw numbers.
inline double gaussian_loss(double target, const double* raw, double* d) {
  const Positive spread(raw[1]);
  const double sigma = spread.value + kLeastSigma;
  const double z = (target - raw[0]) / sigma;
  d[0] = -z / sigma;
  d[1] = (1 - z * z) / sigma * spread.slope;
  return 0.5 * kLogTwoPi + std::log(sigma) + 0.5 * z * z;
}

// -log of the density of Student's t with nu degrees of freedom, moved by mu and stretched by sigma.
inline double student_t_loss(double target, const double* raw, double* d) {
  const Positive spread(raw[1]), tail(raw[2]);
  const double sigma = spread.value + kLeastSigma;
  const double nu = tail.value + kLeastNu;
  const double z = (target - raw[0]) / sigma;
  const double share = z * z / (nu + z * z);  // 0 in the middle, 1 far away
  double ratio_slope = 0;
  const double ratio = log_gamma_ratio(nu / 2, 0.5, ratio_slope);
  const double far = std::log1p(z * z / nu);
  d[0] = -(nu + 1) * z / (sigma * (nu + z * z));
  d[1] = (1 - (nu + 1) * share) / sigma * spread.slope;
  d[2] = 0.5 * (1 / nu - ratio_slope + far - (nu + 1) / nu * share) * tail.slope;
  return 0.5 * (std::log(nu) + kLogPi) - ratio + std::log(sigma) + 0.5 * (nu + 1) * far;
}

// -log of the probability of a count whose mean is m = mean * scale and whose variance is m + alpha m^2 (Salinas et
// al. 2020, DeepAR); r = 1 / alpha.
inline double negative_binomial_loss(double count, double scale, const double* raw, double* d) {
  const Positive center(raw[0]), spread(raw[1]);
  const double m = (center.value + kLeastMean) * scale;
  const double r = 1 / (spread.value + kLeastAlpha);
  double ratio_slope = 0;
  const double ratio = log_gamma_ratio(r, count, ratio_slope);
  const double full = std::log1p(m / r);
  d[0] = (m - count) / m * r / (r + m) * scale * center.slope;
  d[1] = r * r * (ratio_slope - full + (m - count) / (r + m)) * spread.slope;
  return log_gamma(count + 1) - ratio + r * full - count * (std::log(m) - std::log(r + m));
}

template <class T>
double density_target(const LossRow<T>& row, Index i, double target, const T* raw, T* d) {
  double numbers[3] = {}, slopes[3] = {}, value = 0;
  for (Index j = 0; j < row.width; ++j) numbers[j] = static_cast<double>(raw[j]);
  if (row.loss == Loss::gaussian) {
    value = gaussian_loss(target, numbers, slopes);
  } else if (row.loss == Loss::student_t) {
    value = student_t_loss(target, numbers, slopes);
  } else {
    const double scale = static_cast<double>(row.scale[i % row.channels]);
    value = negative_binomial_loss(target * scale, scale, numbers, slopes);
  }
  if (d == nullptr) return value;
  for (Index j = 0; j < row.width; ++j) d[j] = row.weight * static_cast<T>(slopes[j]);
  return value;
}

// Calls f(e, d) for the error of every target that is there; f returns the loss and sets d to its slope.
template <class T, class F>
UNROLLED_INLINE double each_error(const LossRow<T>& row, F&& f) {
  double total = 0;
  for (Index i = 0; i < row.targets; ++i) {
    T d = 0;
    if (!(row.missing && row.target[i] != row.target[i])) {
      total += static_cast<double>(f(row.raw[i] - row.target[i], d));
    }
    if (row.d_raw != nullptr) row.d_raw[i] = row.weight * d;
  }
  return total;
}

template <class T>
double loss_row(const LossRow<T>& row) {
  switch (row.loss) {
    case Loss::mse:
      return each_error(row, [](T e, T& d) { return squared(e, d); });
    case Loss::mae:
      return each_error(row, [](T e, T& d) { return absolute(e, d); });
    case Loss::huber:
      return each_error(row, [&](T e, T& d) { return huber(e, row.delta, d); });
    default:
      break;
  }
  double total = 0;
  for (Index i = 0; i < row.targets; ++i) {
    const T* raw = row.raw + i * row.width;
    T* d = row.d_raw == nullptr ? nullptr : row.d_raw + i * row.width;
    if (row.missing && row.target[i] != row.target[i]) {
      for (Index j = 0; d != nullptr && j < row.width; ++j) d[j] = 0;
      continue;
    }
    const double target = static_cast<double>(row.target[i]);
    total += row.loss == Loss::pinball ? quantile_target(row, target, raw, d) : density_target(row, i, target, raw, d);
  }
  return total;
}

}  // namespace unrolled::UNROLLED_TARGET
