// tanh, the logistic sigmoid and relu for vectors, float and double.
//
// Knows: simd.hpp. Must not know: cells, layers.
//
// Accuracy (held by tests over the whole range): float within 1e-7 absolute or 4 units in the last place, double
// within 1e-15. NaN stays NaN, infinities give the limits.
#pragma once

#include "simd.hpp"

namespace unrolled::UNROLLED_TARGET {

// Odd rational minimax approximation of degree 13/6 on [-7.9, 7.9]; beyond, float tanh is 1 to within 2.7e-7 / 2.
UNROLLED_INLINE Vec<float> tanh(Vec<float> x) {
  using V = Vec<float>;
  const V t = clamp<float>(x, -7.99881172180175781F, 7.99881172180175781F);
  const V s = t * t;
  V p = s * -2.76076847742355e-16F + 2.00018790482477e-13F;
  p = p * s + -8.60467152213735e-11F;
  p = p * s + 5.12229709037114e-08F;
  p = p * s + 1.48572235717979e-05F;
  p = p * s + 6.37261928875436e-04F;
  p = p * s + 4.89352455891786e-03F;
  V q = s * 1.19825839466702e-06F + 1.18534705686654e-04F;
  q = q * s + 2.26843463243900e-03F;
  q = q * s + 4.89352518554385e-03F;
  return t * p / q;
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

UNROLLED_INLINE Vec<float> sigmoid(Vec<float> x) { return tanh(x * 0.5F) * 0.5F + 0.5F; }

UNROLLED_INLINE Vec<double> sigmoid(Vec<double> x) { return 1.0 / (1.0 + exp(-x)); }

// max(x, 0) that keeps NaN.
template <class V>
UNROLLED_INLINE V relu(V x) {
  return x < 0 ? V{} : x;
}

}  // namespace unrolled::UNROLLED_TARGET
