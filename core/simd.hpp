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

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#define UNROLLED_INLINE inline __attribute__((always_inline))

namespace unrolled::UNROLLED_TARGET {

using Index = std::ptrdiff_t;

#if defined(__AVX512F__)
inline constexpr int kBytes = 64;
inline constexpr int kRegisters = 32;
#elif defined(__AVX2__)
inline constexpr int kBytes = 32;
inline constexpr int kRegisters = 16;
#elif defined(__aarch64__)
inline constexpr int kBytes = 16;
inline constexpr int kRegisters = 32;
#else
inline constexpr int kBytes = 16;
inline constexpr int kRegisters = 16;
#endif

template <class T>
struct Simd;
template <>
struct Simd<float> {
  typedef float Vec __attribute__((vector_size(kBytes)));
  typedef std::int32_t Bits __attribute__((vector_size(kBytes)));
};
template <>
struct Simd<double> {
  typedef double Vec __attribute__((vector_size(kBytes)));
  typedef std::int64_t Bits __attribute__((vector_size(kBytes)));
};

template <class T>
using Vec = typename Simd<T>::Vec;
template <class T>
inline constexpr Index kLanes = kBytes / static_cast<Index>(sizeof(T));

template <class T>
UNROLLED_INLINE Vec<T> load(const T* from) {
  Vec<T> v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}

template <class T>
UNROLLED_INLINE void store(T* to, Vec<T> v) {
  __builtin_memcpy(to, &v, sizeof v);
}

// All lanes equal to s. (s - 0 is s for every s, -0 and NaN included, so the compiler drops the subtraction.)
template <class T>
UNROLLED_INLINE Vec<T> broadcast(T s) {
  return s - Vec<T>{};
}

// Stores the first `count` lanes and leaves the memory behind them untouched; 0 < count <= lanes.
template <class T>
UNROLLED_INLINE void store_part(T* to, Vec<T> v, Index count) {
  if (count == kLanes<T>) {
    store(to, v);
    return;
  }
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1U << count) - 1U), v);
  } else {
    _mm512_mask_storeu_pd(to, static_cast<__mmask8>((1U << count) - 1U), v);
  }
#else
  for (Index i = 0; i < count; ++i) to[i] = v[i];
#endif
}

// The sum of all lanes, always in the same order (halves are folded onto each other).
template <class T>
UNROLLED_INLINE T sum(Vec<T> v) {
  T lanes[kLanes<T>];
  store(lanes, v);
#pragma GCC unroll 4
  for (Index half = kLanes<T> / 2; half > 0; half /= 2) {
    for (Index i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

template <class T>
UNROLLED_INLINE typename Simd<T>::Bits bits(Vec<T> v) {
  typename Simd<T>::Bits b;
  __builtin_memcpy(&b, &v, sizeof b);
  return b;
}

template <class T>
UNROLLED_INLINE Vec<T> from_bits(typename Simd<T>::Bits b) {
  Vec<T> v;
  __builtin_memcpy(&v, &b, sizeof v);
  return v;
}

// Limits v to [low, high]; NaN stays NaN, because it compares false with everything.
template <class T>
UNROLLED_INLINE Vec<T> clamp(Vec<T> v, T low, T high) {
  v = v < low ? broadcast(low) : v;
  return v > high ? broadcast(high) : v;
}

}  // namespace unrolled::UNROLLED_TARGET
