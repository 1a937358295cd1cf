// Register-tiled matrix products: the only loops in which the arithmetic of a recurrent network is heavy.
//
// Knows: simd.hpp. Must not know: cells, layers, what the matrices mean.
//
// Every element of a result is summed over k in ascending order, whatever tile it falls into. So a row's result does
// not depend on the rows beside it, and a batch is bit for bit its rows.
#pragma once

#include "simd.hpp"

namespace unrolled::UNROLLED_TARGET {

template <int N>
struct Int {
  static constexpr int value = N;
};

// Rows of a tile with `width` vectors a row, so that accumulators, one row of B and one element of A fit in registers.
constexpr int tile_rows(int width) {
  const int rows = (kRegisters - 4 - (kRegisters == 32 ? width : 0)) / width;
  return rows > 6 ? 6 : (rows < 1 ? 1 : rows);
}

// The widest column group of a plain product: wide enough to hide the load of A's elements.
inline constexpr int kGroup = kRegisters == 32 ? 4 : 2;

// acc[r][u * Slots + First + n] += sum over k of A(r, k) * B(k, u, n), for R rows, U column blocks, N vectors a block.
// B(k, u, n) is the vector at b + u * b_block + k * b_ld + n * lanes; A(r, k) = a[r * a_ld + k], or a[k * a_ld + r].
template <class T, int R, int U, int N, int First, int Slots, bool kTransposed>
UNROLLED_INLINE void tile(const T* a, Index a_ld, const T* b, Index b_block, Index b_ld, Index depth,
                          Vec<T> (&acc)[R][U * Slots]) {
  for (Index k = 0; k < depth; ++k) {
    Vec<T> w[U * N];
#pragma GCC unroll 16
    for (int i = 0; i < U * N; ++i) w[i] = load(b + (i / N) * b_block + k * b_ld + (i % N) * kLanes<T>);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const Vec<T> s = broadcast(kTransposed ? a[k * a_ld + r] : a[r * a_ld + k]);
#pragma GCC unroll 16
      for (int i = 0; i < U * N; ++i) {
        Vec<T>& sum = acc[r][(i / N) * Slots + First + i % N];
        sum = s * w[i] + sum;
      }
    }
  }
}

template <int Most, class F>
UNROLLED_INLINE void rest_tile(Index rest, Index row, F&& f) {
  if constexpr (Most > 0) {
    if (rest == Most) {
      f(Int<Most>{}, row);
    } else {
      rest_tile<Most - 1>(rest, row, f);
    }
  }
}

// Calls f(Int<R>, first_row) over tiles of at most Max rows that together cover `rows`.
template <int Max, class F>
UNROLLED_INLINE void row_tiles(Index rows, F&& f) {
  Index row = 0;
  for (; row + Max <= rows; row += Max) f(Int<Max>{}, row);
  rest_tile<Max - 1>(rows - row, row, f);
}

template <class T, int R, int N, bool kTransposed>
UNROLLED_INLINE void product_tile(Index depth, const T* a, Index a_ld, const T* b, Index b_ld, T* c, Index c_ld,
                                  bool accumulate) {
  Vec<T> acc[R][N];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
    for (int n = 0; n < N; ++n) acc[r][n] = accumulate ? load(c + r * c_ld + n * kLanes<T>) : Vec<T>{};
  }
  tile<T, R, 1, N, 0, N, kTransposed>(a, a_ld, b, 0, b_ld, depth, acc);
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
    for (int n = 0; n < N; ++n) store(c + r * c_ld + n * kLanes<T>, acc[r][n]);
  }
}

template <class T, int N, bool kTransposed>
void product_group(Index rows, Index depth, const T* a, Index a_ld, const T* b, Index b_ld, T* c, Index c_ld,
                   bool accumulate) {
  row_tiles<tile_rows(N)>(rows, [&](auto count, Index row) {
    product_tile<T, decltype(count)::value, N, kTransposed>(depth, a + (kTransposed ? row : row * a_ld), a_ld, b, b_ld,
                                                            c + row * c_ld, c_ld, accumulate);
  });
}

// C = A B or C += A B: C is rows x (vectors * lanes) with row stride c_ld, A is rows x depth (or, transposed, depth x
// rows), B is depth x (vectors * lanes). Whole vectors are read and written, so rows of B and C must be padded.
template <class T, bool kTransposed = false>
void product(Index rows, Index vectors, Index depth, const T* a, Index a_ld, const T* b, Index b_ld, T* c, Index c_ld,
             bool accumulate) {
  const Index groups = (vectors + kGroup - 1) / kGroup;
  for (Index g = 0, first = 0; g < groups; ++g) {
    const Index width = vectors / groups + (g < vectors % groups ? 1 : 0);  // 9 vectors: 3 + 3 + 3, not 4 + 4 + 1
    const T* bg = b + first * kLanes<T>;
    T* cg = c + first * kLanes<T>;
    first += width;
    if constexpr (kGroup == 4) {
      if (width == 4) product_group<T, 4, kTransposed>(rows, depth, a, a_ld, bg, b_ld, cg, c_ld, accumulate);
      if (width == 3) product_group<T, 3, kTransposed>(rows, depth, a, a_ld, bg, b_ld, cg, c_ld, accumulate);
    }
    if (width == 2) product_group<T, 2, kTransposed>(rows, depth, a, a_ld, bg, b_ld, cg, c_ld, accumulate);
    if (width == 1) product_group<T, 1, kTransposed>(rows, depth, a, a_ld, bg, b_ld, cg, c_ld, accumulate);
  }
}

// C(r, o) = sum over k of A(r, k) B(o, k): both read along their rows, which must be padded with zeros to whole
// vectors.
template <class T>
void dots(Index rows, Index outputs, Index padded_depth, const T* a, Index a_ld, const T* b, Index b_ld, T* c,
          Index c_ld) {
  for (Index r = 0; r < rows; ++r) {
    row_tiles<4>(outputs, [&](auto count, Index o) {
      constexpr int kCount = decltype(count)::value;
      Vec<T> acc[kCount] = {};
      for (Index k = 0; k < padded_depth; k += kLanes<T>) {
        const Vec<T> x = load(a + r * a_ld + k);
#pragma GCC unroll 4
        for (int i = 0; i < kCount; ++i) acc[i] = x * load(b + (o + i) * b_ld + k) + acc[i];
      }
      for (int i = 0; i < kCount; ++i) c[r * c_ld + o + i] = sum<T>(acc[i]);
    });
  }
}

}  // namespace unrolled::UNROLLED_TARGET
