// Rows into columns, a square of vectors at a time.
//
// Knows: simd.hpp. Must not know: what the matrices mean.
#pragma once

#include "simd.hpp"

namespace unrolled::UNROLLED_TARGET {

// Exchanges, in all pairs of rows that are kApart apart, the quarters off the diagonal of squares of 2 kApart.
template <int kApart, class V, Index... I>
UNROLLED_INLINE void exchange(V& a, V& b, std::integer_sequence<Index, I...> /*lanes*/) {
  constexpr Index kCount = sizeof...(I);
  const V upper = __builtin_shufflevector(a, b, ((I & kApart) != 0 ? kCount + I - kApart : I)...);
  b = __builtin_shufflevector(a, b, ((I & kApart) != 0 ? kCount + I : I + kApart)...);
  a = upper;
}

template <int kApart, class V, Index N>
UNROLLED_INLINE void transpose(V (&rows)[N]) {
#pragma GCC unroll 16
  for (Index i = 0; i < N; ++i) {
    if ((i & kApart) == 0) exchange<kApart>(rows[i], rows[i + kApart], std::make_integer_sequence<Index, N>{});
  }
  if constexpr (kApart > 1) transpose<kApart / 2>(rows);
}

// to[k * to_ld + r] = from[r * from_ld + k] for r < rows, 0 for the lanes beyond; rows <= lanes, k < columns.
template <class V, class T = Element<V>>
void transpose_to(const T* from, Index from_ld, Index rows, Index columns, T* to, Index to_ld) {
  constexpr Index kWidth = kLanesOf<V>;
  Index k = 0;
  for (; k + kWidth <= columns; k += kWidth) {
    V square[kWidth];
#pragma GCC unroll 16
    for (Index r = 0; r < kWidth; ++r) square[r] = r < rows ? load<V>(from + r * from_ld + k) : V{};
    transpose<kWidth / 2>(square);
#pragma GCC unroll 16
    for (Index i = 0; i < kWidth; ++i) store(to + (k + i) * to_ld, square[i]);
  }
  for (; k < columns; ++k) {
    for (Index r = 0; r < kWidth; ++r) to[k * to_ld + r] = r < rows ? from[r * from_ld + k] : T(0);
  }
}

}  // namespace unrolled::UNROLLED_TARGET
