// Dropout masks from a counter: the mask of a row depends on (seed, pass, layer, step, row) alone, so it is the same
// for any number of threads, and the backward pass makes it again instead of keeping it.
//
// Knows: hashing. Must not know: networks.
#pragma once

#include <cstdint>

#include "shapes.hpp"

namespace unrolled {

// SplitMix64 (Steele, Lea & Flood 2014).
inline std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

struct Dropout {
  double rate = 0;  // 0: no dropout
  std::uint64_t seed = 0;
  std::uint64_t pass = 0;

  // values[i] becomes 0 with probability `rate`, else values[i] / (1 - rate).
  template <class T>
  void apply(Index layer, Index step, Index row, Index count, T* values) const {
    if (rate <= 0) return;
    std::uint64_t state = mix(mix(mix(mix(seed) ^ pass) ^ static_cast<std::uint64_t>(layer)) ^
                              (static_cast<std::uint64_t>(step) << 32 | static_cast<std::uint64_t>(row)));
    const auto limit = static_cast<std::uint64_t>(rate * 4294967296.0);
    const T keep = static_cast<T>(1 / (1 - rate));
    for (Index i = 0; i < count; ++i) {
      state = mix(state);
      values[i] = (state >> 32) < limit ? T(0) : values[i] * keep;
    }
  }
};

}  // namespace unrolled
