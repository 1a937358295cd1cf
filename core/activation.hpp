// tanh, the logistic sigmoid and relu for vectors, float and double.
//
// Knows: simd.hpp. Must not know: cells, layers.
//
// Accuracy (held by tests over the whole range): float within 1e-7 absolute or 4 units in the last place, double
// within 1e-15. NaN stays NaN, infinities give the limits.
#pragma once

#include "simd.hpp"

namespace unrolled::UNROLLED_TARGET {

// e^x as scale * (1 + rest): x = n ln 2 + r, scale = 2^n, rest = e^r - 1 by a polynomial (Cephes, Moshier 1989).
// Kept apart, they give e^x - 1 without cancellation. x must lie in [-87, 88], or be NaN.
struct FloatExp {
  Vec<float> scale;
  Vec<float> rest;
};

UNROLLED_INLINE FloatExp split_exp(Vec<float> x) {
  using V = Vec<float>;
  constexpr float kShift = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer, kept in the low bits
  const V shifted = x * 1.44269504088896341F + kShift;
  const V n = shifted - kShift;
  V r = x - n * 0.693359375F;
  r = r + n * 2.12194440e-4F;
  V p = r * 1.9875691500E-4F + 1.3981999507E-3F;
  p = p * r + 8.3334519073E-3F;
  p = p * r + 4.1665795894E-2F;
  p = p * r + 1.6666665459E-1F;
  p = p * r + 5.0000001201E-1F;
  return {from_bits<float>((bits<float>(shifted) + 127) << 23), r * r * p + r};
}

// (e^2|x| - 1) / (e^2|x| + 1) with the sign of x; beyond 9.02 it is 1 in float.
UNROLLED_INLINE Vec<float> tanh(Vec<float> x) {
  const Simd<float>::Bits sign = bits<float>(x) & INT32_MIN;
  const Vec<float> magnitude = from_bits<float>(bits<float>(x) ^ sign);
  const FloatExp e = split_exp((magnitude > 9.02F ? broadcast(9.02F) : magnitude) * 2.0F);
  const Vec<float> less_one = e.rest * e.scale + (e.scale - 1.0F);
  return from_bits<float>(bits<float>(less_one / (less_one + 2.0F)) ^ sign);
}

// e^x by x = n ln 2 + r and a Pade approximant in r (Cephes, Moshier 1989). Results are clamped to the finite range.
UNROLLED_INLINE Vec<double> exp(Vec<double> x) {
  using V = Vec<double>;
  constexpr double kShift = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer, kept in the low bits
  x = clamp<double>(x, -708.0, 709.0);
  const V shifted = x * 1.4426950408889634073599 + kShift;
  const V n = shifted - kShift;
  V r = x - n * 6.93145751953125E-1;
  r = r - n * 1.42860682030941723212E-6;
  const V s = r * r;
  const V p = r * ((s * 1.26177193074810590878E-4 + 3.02994407707441961300E-2) * s + 9.99999999999999999910E-1);
  const V q = ((s * 3.00198505138664455042E-6 + 2.52448340349684104192E-3) * s + 2.27265548208155028766E-1) * s +
              2.00000000000000000009E0;
  const V mantissa = 1.0 + 2.0 * p / (q - p);
  return mantissa * from_bits<double>((bits<double>(shifted) + 1023) << 52);
}

// Small |x|: x + x^3 P(x^2) / Q(x^2) (Cephes). Else 1 - 2 / (e^2|x| + 1), with the sign of x.
UNROLLED_INLINE Vec<double> tanh(Vec<double> x) {
  using V = Vec<double>;
  const V s = x * x;
  const V p = (s * -9.64399179425052238628E-1 + -9.92877231001918586564E1) * s + -1.61468768441708447952E3;
  const V q = ((s + 1.12811678491632931402E2) * s + 2.23548839060100448583E3) * s + 4.84406305325125486048E3;
  const V small = x + x * s * p / q;
  const V magnitude = x < 0.0 ? -x : x;
  const V large = 1.0 - 2.0 / (exp(magnitude + magnitude) + 1.0);
  return magnitude < 0.625 ? small : (x < 0.0 ? -large : large);
}

// 1 / (1 + e^-x)
UNROLLED_INLINE Vec<float> sigmoid(Vec<float> x) {
  const FloatExp e = split_exp(clamp<float>(-x, -87.0F, 88.0F));
  return 1.0F / (e.rest * e.scale + (e.scale + 1.0F));
}

UNROLLED_INLINE Vec<double> sigmoid(Vec<double> x) { return 1.0 / (1.0 + exp(-x)); }

// max(x, 0) that keeps NaN.
template <class V>
UNROLLED_INLINE V relu(V x) {
  return x < 0 ? V{} : x;
}

}  // namespace unrolled::UNROLLED_TARGET
