// The logarithm of the gamma function and its slope, and differences of both that stay exact where the two parts are
// large and near each other. The C library's lgamma writes a global variable: it must not run on two threads.
//
// Knows: the mathematics of one number. Must not know: losses.
//
// Stirling's series behind x = 10, where eight terms are right to the last place; below, x is moved there.
// References: M. Abramowitz, I. Stegun, "Handbook of Mathematical Functions" (1964), 6.1.40, 6.3.18, 6.1.15, 6.3.5.
#pragma once

#include <cmath>

#include "simd.hpp"

namespace unrolled::UNROLLED_TARGET {

inline constexpr double kStirlingFrom = 10;
inline constexpr int kMostMoves = 10;

// sum B_2k / (2k (2k - 1) x^(2k - 1))
inline double stirling_rest(double x) {
  const double r = 1 / x, s = r * r;
  const double sum =
      1.0 / 12 +
      s * (-1.0 / 360 +
           s * (1.0 / 1260 +
                s * (-1.0 / 1680 + s * (1.0 / 1188 + s * (-691.0 / 360360 + s * (1.0 / 156 - s * 3617.0 / 122400))))));
  return r * sum;
}

// Its slope, and that of -log(x) / 2: digamma(x) - log(x).
inline double digamma_rest(double x) {
  const double r = 1 / x, s = r * r;
  const double sum =
      1.0 / 12 +
      s * (-1.0 / 120 +
           s * (1.0 / 252 +
                s * (-1.0 / 240 + s * (1.0 / 132 + s * (-691.0 / 32760 + s * (1.0 / 12 - s * 3617.0 / 8160))))));
  return -r / 2 - s * sum;
}

// log(gamma(x)) for x > 0; NaN elsewhere.
inline double log_gamma(double x) {
  constexpr double kHalfLogTwoPi = 0.91893853320467274178;
  if (!(x > 0)) return std::nan("");
  double moved = 1;
  for (int i = 0; i < kMostMoves && x < kStirlingFrom; ++i) {
    moved *= x;
    x += 1;
  }
  return (x - 0.5) * std::log(x) - x + kHalfLogTwoPi + stirling_rest(x) - std::log(moved);
}

// log(gamma(x + d) / gamma(x)) and its slope by x, for x > 0 and d >= 0; NaN elsewhere.
inline double log_gamma_ratio(double x, double d, double& slope) {
  if (!(x > 0) || !(d >= 0)) return slope = std::nan("");
  double value = 0;
  slope = 0;
  for (int i = 0; i < kMostMoves && x < kStirlingFrom; ++i) {
    value -= std::log1p(d / x);
    slope += d / x / (x + d);
    x += 1;
  }
  const double grown = std::log1p(d / x);
  value += (x - 0.5) * grown + d * (std::log(x + d) - 1) + (stirling_rest(x + d) - stirling_rest(x));
  slope += grown + (digamma_rest(x + d) - digamma_rest(x));
  return value;
}

}  // namespace unrolled::UNROLLED_TARGET
