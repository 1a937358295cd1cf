// Register-tiled matrix products: the only loops in which the arithmetic of a recurrent network is heavy.
//
// Knows: simd.hpp. Must not know: cells, layers, what the matrices mean.
//
// Every element of a result is summed over k in one order, whatever tile it falls into. So a row's result does not
// depend on the rows beside it, and a batch is bit for bit its rows.
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

// The most columns of a plain product that are held at once, in vectors: enough of them to hide the load of A's
// elements.
inline constexpr int kGroup = kRegisters == 32 ? 4 : 2;

// acc[r][u * Slots + First + n] += sum over k of A(r, k) * B(k, u, n), for R rows, U column blocks, N vectors a block.
// B(k, u, n) is the vector at b + u * b_block + k * b_ld + n * lanes; A(r, k) = a[r * a_ld + k].
template <class V, int R, int U, int N, int First, int Slots>
UNROLLED_INLINE void tile(const Element<V>* a, Index a_ld, const Element<V>* b, Index b_block, Index b_ld, Index depth,
                          V (&acc)[R][U * Slots]) {
  for (Index k = 0; k < depth; ++k) {
    V w[U * N];
#pragma GCC unroll 16
    for (int i = 0; i < U * N; ++i) w[i] = load<V>(b + (i / N) * b_block + k * b_ld + (i % N) * kLanesOf<V>);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const V s = broadcast<V>(a[r * a_ld + k]);
#pragma GCC unroll 16
      for (int i = 0; i < U * N; ++i) {
        V& sum = acc[r][(i / N) * Slots + First + i % N];
        sum = s * w[i] + sum;
      }
    }
  }
}

template <int Least, int Most, class F>
UNROLLED_INLINE void with_constant(Index value, F&& f) {
  if constexpr (Least <= Most) {
    if (value == Most) {
      f(Int<Most>{});
    } else {
      with_constant<Least, Most - 1>(value, f);
    }
  }
}

// Calls f(Int<R>, first_row) over tiles of at most Max rows that together cover `rows`, as even as they can be: 16 rows
// are 6 + 5 + 5, because a tile of few rows waits for its loads. `back` begins at the end.
template <int Max, class F>
UNROLLED_INLINE void row_tiles(Index rows, F&& f, bool back = false) {
  Index done = 0;
  for (Index tiles = (rows + Max - 1) / Max; tiles > 0; --tiles) {
    const Index count = (rows - done + tiles - 1) / tiles;
    const Index row = back ? rows - done - count : done;
    with_constant<1, Max>(count, [&](auto constant) { f(constant, row); });
    done += count;
  }
}

enum class Order { plain, transposed, reversed };

// One tile of R rows and N vectors, and where kTail half a vector more. Transposed reads A(r, k) = a[k * a_ld + r];
// reversed sums over k in descending order.
template <class T, int R, int N, bool kTail, Order kOrder>
UNROLLED_INLINE void product_tile(Index depth, const T* a, Index a_ld, const T* b, Index b_ld, T* c, Index c_ld,
                                  bool accumulate) {
  Vec<T> acc[R][N];
  Half<T> tail[R];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
    for (int n = 0; n < N; ++n) acc[r][n] = accumulate ? load<Vec<T>>(c + r * c_ld + n * kLanes<T>) : Vec<T>{};
    if constexpr (kTail) tail[r] = accumulate ? load<Half<T>>(c + r * c_ld + N * kLanes<T>) : Half<T>{};
  }
  for (Index step = 0; step < depth; ++step) {
    const Index k = kOrder == Order::reversed ? depth - 1 - step : step;
    Vec<T> w[N];
    Half<T> w_tail{};
#pragma GCC unroll 16
    for (int n = 0; n < N; ++n) w[n] = load<Vec<T>>(b + k * b_ld + n * kLanes<T>);
    if constexpr (kTail) w_tail = load<Half<T>>(b + k * b_ld + N * kLanes<T>);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const Vec<T> s = broadcast<Vec<T>>(kOrder == Order::transposed ? a[k * a_ld + r] : a[r * a_ld + k]);
#pragma GCC unroll 16
      for (int n = 0; n < N; ++n) acc[r][n] = s * w[n] + acc[r][n];
      if constexpr (kTail) tail[r] = low<T>(s) * w_tail + tail[r];
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
    for (int n = 0; n < N; ++n) store(c + r * c_ld + n * kLanes<T>, acc[r][n]);
    if constexpr (kTail) store(c + r * c_ld + N * kLanes<T>, tail[r]);
  }
}

template <class T, int N, bool kTail, Order kOrder>
void product_group(Index rows, Index depth, const T* a, Index a_ld, const T* b, Index b_ld, T* c, Index c_ld,
                   bool accumulate) {
  row_tiles<tile_rows(N + kTail)>(rows, [&](auto count, Index row) {
    product_tile<T, decltype(count)::value, N, kTail, kOrder>(
        depth, a + (kOrder == Order::transposed ? row : row * a_ld), a_ld, b, b_ld, c + row * c_ld, c_ld, accumulate);
  });
}

// C = A B or C += A B: C is rows x columns with row stride c_ld, A is rows x depth (or, transposed, depth x rows), B is
// depth x columns. Columns are rounded up to whole vectors, the last one half where that is enough: rows of B and C
// must be padded to whole ones.
template <class T, Order kOrder = Order::plain>
void product(Index rows, Index columns, Index depth, const T* a, Index a_ld, const T* b, Index b_ld, T* c, Index c_ld,
             bool accumulate) {
  const Index rest = columns % kLanes<T>;
  const bool tail = kHasHalf && columns > kLanes<T> && rest > 0 && rest <= kHalfLanes<T>;
  Index vectors = columns / kLanes<T> + (rest > 0 ? 1 : 0);
  for (Index groups = (vectors + kGroup - 1) / kGroup; groups > 0; --groups) {
    const Index width = (vectors + groups - 1) / groups;  // 9 vectors: 3 + 3 + 3, not 4 + 4 + 1
    const bool ends = tail && groups == 1;
    with_constant<1, kGroup>(width - ends, [&](auto count) {
      constexpr int kCount = decltype(count)::value;
      if constexpr (kHasHalf && kCount < kGroup) {
        if (ends) return product_group<T, kCount, true, kOrder>(rows, depth, a, a_ld, b, b_ld, c, c_ld, accumulate);
      }
      product_group<T, kCount, false, kOrder>(rows, depth, a, a_ld, b, b_ld, c, c_ld, accumulate);
    });
    b += width * kLanes<T>;
    c += width * kLanes<T>;
    vectors -= width;
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
        const Vec<T> x = load<Vec<T>>(a + r * a_ld + k);
#pragma GCC unroll 4
        for (int i = 0; i < kCount; ++i) acc[i] = x * load<Vec<T>>(b + (o + i) * b_ld + k) + acc[i];
      }
      for (int i = 0; i < kCount; ++i) c[r * c_ld + o + i] = sum(acc[i]);
    });
  }
}

}  // namespace unrolled::UNROLLED_TARGET
