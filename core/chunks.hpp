// How the rows of a batch are cut for threads. The cut depends on the number of rows alone, never on that of threads.
//
// Knows: counts. Must not know: what is done with the rows.
#pragma once

#include <algorithm>

#include "pool.hpp"
#include "shapes.hpp"

namespace unrolled {

// All chunks but the last have `size` rows.
struct Chunks {
  Chunks(Index all_rows, Index chunk_size)
      : rows(all_rows), size(chunk_size), count((all_rows + chunk_size - 1) / chunk_size) {}

  // For learning: each chunk keeps gradients of its own until they are added, so there are at most eight.
  static Chunks to_learn(Index rows) { return {rows, std::max<Index>(16, (rows + 7) / 8)}; }
  // For forecasting: small enough that a chunk's states stay in the cache.
  static Chunks to_run(Index rows) { return {rows, 32}; }

  Index first(Index chunk) const { return chunk * size; }
  Index rows_of(Index chunk) const { return std::min(size, rows - first(chunk)); }

  Index rows;
  Index size;
  Index count;
};

// The threads worth waking, measured (docs/speed.md): with less than one and a half million multiply-adds for each,
// waking one that sleeps takes longer than what it saves.
inline int useful_threads(int threads, double multiply_adds) {
  constexpr double kWorthWaking = 1.5e6;
  const double useful = multiply_adds / kWorthWaking;
  return useful < threads ? std::max(1, static_cast<int>(useful)) : threads;
}

}  // namespace unrolled
