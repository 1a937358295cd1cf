// tanh, the logistic sigmoid, relu and exp for vectors, float and double.
//
// Knows: simd.hpp. Must not know: cells, layers.
//
// Accuracy (held by tests over the whole range): float within 1e-7 absolute or 4 units in the last place, double
// within 1e-15; exp within 4 units in the last place. NaN stays NaN, infinities give the limits, those of exp the
// limits of the finite range.
#pragma once

#include "simd.hpp"

namespace unrolled::UNROLLED_TARGET {

// 2^t = 2^n (1 + r P(r)), t = n + r with n whole. The largest relative error of r P(r) on [-1/2, 1/2] is least, 2e-8.
template <class V>
UNROLLED_INLINE V exp2_rest(V r) {
  V p = r * 1.540351247e-4F + 1.339074697e-3F;
  p = p * r + 9.618237538e-3F;
  p = p * r + 5.550357412e-2F;
  p = p * r + 2.402264979e-1F;
  return p * r + 6.931471879e-1F;
}

inline constexpr float kLog2E = 1.44269504088896341F;

// (1 - e^-2|x|) / (1 + e^-2|x|) with the sign of x. Where e is near 1, 1 - e comes from r P(r) without cancellation.
template <class V>
UNROLLED_INLINE std::enable_if_t<sizeof(Element<V>) == 4, V> tanh(V x) {
  const Bits<V> sign = bits(x) & INT32_MIN;
  const V t = larger(broadcast<V>(-126.0F), from_bits<V>(bits(x) | INT32_MIN) * (2 * kLog2E));
  const V n = nearest(t);
  const V r = t - n;
  const V scale = scaled(broadcast<V>(1.0F), n);
  const V less_one = exp2_rest(r) * r * scale + (scale - 1.0F);
  return from_bits<V>((bits(less_one / (less_one + 2.0F)) & INT32_MAX) | sign);
}

// 1 / (1 + e^-x)
template <class V>
UNROLLED_INLINE std::enable_if_t<sizeof(Element<V>) == 4, V> sigmoid(V x) {
  const V t = clamp(x * -kLog2E, -126.0F, 126.0F);
  const V n = nearest(t);
  const V r = t - n;
  return 1.0F / (scaled(exp2_rest(r) * r + 1.0F, n) + 1.0F);
}

// e^x by x = n ln 2 + r, e^r = 2^(r / ln 2). Results are clamped to the normal numbers of the format.
template <class V>
UNROLLED_INLINE std::enable_if_t<sizeof(Element<V>) == 4, V> exp(V x) {
  x = clamp(x, -87.33F, 88.37F);
  const V n = nearest(x * kLog2E);
  // ln 2 in two parts: n times the first is exact.
  const V r = (x - n * 6.93359375E-1F) - n * -2.12194440E-4F;
  const V t = r * kLog2E;
  return scaled(exp2_rest(t) * t + 1.0F, n);
}

// e^x by x = n ln 2 + r and a Pade approximant in r (Cephes, Moshier 1989). Results are clamped to the finite range.
template <class V>
UNROLLED_INLINE std::enable_if_t<sizeof(Element<V>) == 8, V> exp(V x) {
  constexpr double kShift = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer, kept in the low bits
  x = clamp(x, -708.0, 709.0);
  const V shifted = x * 1.4426950408889634073599 + kShift;
  const V n = shifted - kShift;
  V r = x - n * 6.93145751953125E-1;
  r = r - n * 1.42860682030941723212E-6;
  const V s = r * r;
  const V p = r * ((s * 1.26177193074810590878E-4 + 3.02994407707441961300E-2) * s + 9.99999999999999999910E-1);
  const V q = ((s * 3.00198505138664455042E-6 + 2.52448340349684104192E-3) * s + 2.27265548208155028766E-1) * s +
              2.00000000000000000009E0;
  const V mantissa = 1.0 + 2.0 * p / (q - p);
  return mantissa * from_bits<V>((bits(shifted) + 1023) << 52);
}

// Small |x|: x + x^3 P(x^2) / Q(x^2) (Cephes). Else 1 - 2 / (e^2|x| + 1), with the sign of x.
template <class V>
UNROLLED_INLINE std::enable_if_t<sizeof(Element<V>) == 8, V> tanh(V x) {
  const V s = x * x;
  const V p = (s * -9.64399179425052238628E-1 + -9.92877231001918586564E1) * s + -1.61468768441708447952E3;
  const V q = ((s + 1.12811678491632931402E2) * s + 2.23548839060100448583E3) * s + 4.84406305325125486048E3;
  const V small = x + x * s * p / q;
  const V magnitude = x < 0.0 ? -x : x;
  const V large = 1.0 - 2.0 / (exp(magnitude + magnitude) + 1.0);
  return magnitude < 0.625 ? small : (x < 0.0 ? -large : large);
}

// 1 / (1 + e^-x)
template <class V>
UNROLLED_INLINE std::enable_if_t<sizeof(Element<V>) == 8, V> sigmoid(V x) {
  return 1.0 / (1.0 + exp(-x));
}

// max(x, 0) that keeps NaN.
template <class V>
UNROLLED_INLINE V relu(V x) {
  return x < 0 ? V{} : x;
}

}  // namespace unrolled::UNROLLED_TARGET
