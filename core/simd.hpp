// One vector type for each instruction set, and the few operations that the rest of the core is written in.
//
// Knows: compiler extensions and intrinsics; this is the only header that does.
// Must not know: products, cells, networks.
//
// UNROLLED_TARGET names the instruction set that this translation unit is compiled for (avx512, avx2, baseline).
// Everything lives in a namespace of that name, so that the linker can never hand a machine without AVX-512 the
// AVX-512 copy of an inline function.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#if defined(__AVX512F__) || defined(__AVX2__)
#if !defined(__clang__)
// GCC 12 takes the results that its own intrinsics leave undefined on purpose for mistakes.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>
#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#endif

#define UNROLLED_INLINE inline __attribute__((always_inline))

namespace unrolled::UNROLLED_TARGET {

using Index = std::ptrdiff_t;

#if defined(__AVX512F__)
inline constexpr int kBytes = 64;
inline constexpr int kHalfBytes = 32;
inline constexpr int kRegisters = 32;
#elif defined(__AVX2__)
inline constexpr int kBytes = 32;
inline constexpr int kHalfBytes = 32;
inline constexpr int kRegisters = 16;
#elif defined(__aarch64__)
inline constexpr int kBytes = 16;
inline constexpr int kHalfBytes = 16;
inline constexpr int kRegisters = 32;
#else
inline constexpr int kBytes = 16;
inline constexpr int kHalfBytes = 16;
inline constexpr int kRegisters = 16;
#endif

// A vector of kBytes bytes of T.
template <class T, int kWidth>
struct Simd {
  typedef T Type __attribute__((vector_size(kWidth)));
};

// The widest vector. Half is half as wide where such a vector costs half as much: the last few units of a layer, or
// columns of a matrix, go through it. Elsewhere it is the widest, and never used.
template <class T>
using Vec = typename Simd<T, kBytes>::Type;
template <class T>
using Half = typename Simd<T, kHalfBytes>::Type;

template <class T>
inline constexpr Index kLanes = kBytes / static_cast<Index>(sizeof(T));
template <class T>
inline constexpr Index kHalfLanes = kHalfBytes / static_cast<Index>(sizeof(T));
inline constexpr bool kHasHalf = kHalfBytes < kBytes;

template <class V>
using Element = std::remove_reference_t<decltype(std::declval<V&>()[0])>;
template <class V>
using Bits = decltype(V{} < V{});  // integers of the same size
template <class V>
inline constexpr Index kLanesOf = static_cast<Index>(sizeof(V) / sizeof(Element<V>));

template <class V>
UNROLLED_INLINE V load(const Element<V>* from) {
  V v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}

template <class V>
UNROLLED_INLINE void store(Element<V>* to, V v) {
  __builtin_memcpy(to, &v, sizeof v);
}

// All lanes equal to s. (s - 0 is s for every s, -0 and NaN included, so the compiler drops the subtraction.)
template <class V>
UNROLLED_INLINE V broadcast(Element<V> s) {
  return s - V{};
}

// The first lanes of v.
template <class T>
UNROLLED_INLINE Half<T> low(Vec<T> v) {
  Half<T> half;
  __builtin_memcpy(&half, &v, sizeof half);
  return half;
}

#if defined(__AVX512VL__)
// Calls the intrinsic for a vector's type and width.
#define UNROLLED_BY_TYPE(V, name, ...)                                                              \
  if constexpr (sizeof(Element<V>) == 4 && sizeof(V) == 64) return _mm512_##name##_ps(__VA_ARGS__); \
  if constexpr (sizeof(Element<V>) == 4 && sizeof(V) == 32) return _mm256_##name##_ps(__VA_ARGS__); \
  if constexpr (sizeof(Element<V>) == 8 && sizeof(V) == 64) return _mm512_##name##_pd(__VA_ARGS__); \
  if constexpr (sizeof(Element<V>) == 8 && sizeof(V) == 32) return _mm256_##name##_pd(__VA_ARGS__);

// The mask of the first `count` lanes.
template <class V>
using Mask = std::conditional_t<kLanesOf<V> == 16, __mmask16, __mmask8>;
template <class V>
UNROLLED_INLINE Mask<V> first_lanes(Index count) {
  return static_cast<Mask<V>>((1U << count) - 1U);
}
#endif

// Stores the first `count` lanes and leaves the memory behind them untouched; 0 < count <= lanes.
template <class V>
UNROLLED_INLINE void store_part(Element<V>* to, V v, Index count) {
  if (count == kLanesOf<V>) {
    store(to, v);
    return;
  }
#if defined(__AVX512VL__)
  UNROLLED_BY_TYPE(V, mask_storeu, to, first_lanes<V>(count), v)
#else
  for (Index i = 0; i < count; ++i) to[i] = v[i];
#endif
}

// Loads the first `count` lanes, zeros for the others, and does not read the memory behind them; 0 < count <= lanes.
template <class V>
UNROLLED_INLINE V load_part(const Element<V>* from, Index count) {
  if (count == kLanesOf<V>) return load<V>(from);
#if defined(__AVX512VL__)
  UNROLLED_BY_TYPE(V, maskz_loadu, first_lanes<V>(count), from)
#else
  Element<V> lanes[kLanesOf<V>] = {};
  for (Index i = 0; i < count; ++i) lanes[i] = from[i];
  return load<V>(lanes);
#endif
}

// The sum of all lanes, always in the same order (halves are folded onto each other).
template <class V>
UNROLLED_INLINE Element<V> sum(V v) {
  Element<V> lanes[kLanesOf<V>];
  store(lanes, v);
#pragma GCC unroll 4
  for (Index half = kLanesOf<V> / 2; half > 0; half /= 2) {
    for (Index i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

template <class V>
UNROLLED_INLINE V from_bits(Bits<V> b) {
  V v;
  __builtin_memcpy(&v, &b, sizeof v);
  return v;
}

template <class V>
UNROLLED_INLINE Bits<V> bits(V v) {
  Bits<V> b;
  __builtin_memcpy(&b, &v, sizeof b);
  return b;
}

// The larger and the smaller; b where one of them is NaN.
template <class V>
UNROLLED_INLINE V larger(V a, V b) {
#if defined(__AVX512VL__)
  UNROLLED_BY_TYPE(V, max, a, b)
#else
  return a > b ? a : b;
#endif
}

template <class V>
UNROLLED_INLINE V smaller(V a, V b) {
#if defined(__AVX512VL__)
  UNROLLED_BY_TYPE(V, min, a, b)
#else
  return a < b ? a : b;
#endif
}

// Limits v to [low, high]; NaN stays NaN.
template <class V>
UNROLLED_INLINE V clamp(V v, Element<V> low, Element<V> high) {
  return larger(broadcast<V>(low), smaller(broadcast<V>(high), v));
}

// The nearest whole number, of |v| < 2^22.
template <class V>
UNROLLED_INLINE V nearest(V v) {
#if defined(__AVX512VL__)
  UNROLLED_BY_TYPE(V, roundscale, v, 0)
#else
  constexpr float kShift = 12582912.0F;  // 1.5 * 2^23: behind it no bit is left for a fraction
  return (v + kShift) - kShift;
#endif
}

// v * 2^n, n whole, -126 <= n <= 127.
template <class V>
UNROLLED_INLINE V scaled(V v, V n) {
#if defined(__AVX512VL__)
  UNROLLED_BY_TYPE(V, scalef, v, n)
#else
  constexpr float kShift = 12582912.0F;  // adding it leaves n in the low bits
  return v * from_bits<V>((bits(n + kShift) + 127) << 23);
#endif
}

}  // namespace unrolled::UNROLLED_TARGET
