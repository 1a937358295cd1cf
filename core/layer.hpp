// One recurrent layer over time, forward and backward: one template for every cell.
//
// Knows: product.hpp, a cell's forward and backward of one vector of units. Must not know: other layers, losses,
// threads.
#pragma once

#include "kernels.hpp"
#include "phase.hpp"
#include "product.hpp"
#include "transpose.hpp"

namespace unrolled::UNROLLED_TARGET {

// Rows of a vector of units in the packed copy of the weights.
template <class T>
Index panel_rows(const LayerShape& s) {
  const CellShape& c = s.shape();
  return c.slots + s.inputs * c.x_count + s.hidden * c.h_count;
}

// How many whole vectors the units of a layer fill, and whether half a vector follows.
template <class T>
struct Blocks {
  explicit Blocks(Index hidden) {
    const Index rest = hidden % kLanes<T>;
    half = kHasHalf && rest > 0 && rest <= kHalfLanes<T>;
    whole = hidden / kLanes<T> + (rest > 0 && !half ? 1 : 0);
  }
  Index whole;
  bool half;
};

// The weights of one vector of units as the forward pass reads them, column after column with the gates side by side:
// the sums of both biases, then the columns of x, then those of h.
template <class V, class T = Element<V>>
void pack_block(const LayerShape& s, const LayerWeights<T>& weights, Index unit, T* to) {
  const CellShape& c = s.shape();
  const Index units = s.hidden - unit < kLanesOf<V> ? s.hidden - unit : kLanesOf<V>;
  for (Index i = 0; i < c.slots * kLanesOf<V>; ++i) to[i] = T(0);
  const auto add_bias = [&](int first, int count, const int* gates, const T* bias) {
    if (bias == nullptr) return;
    for (int n = 0; n < count; ++n) {
      T* out = to + (first + n) * kLanesOf<V>;
      for (Index v = 0; v < units; ++v) out[v] += bias[(gates[n] * s.hidden + unit + v) * weights.bias_ld];
    }
  };
  add_bias(c.x_first, c.x_count, c.x_gate, weights.b_x);
  add_bias(c.h_first, c.h_count, c.h_gate, weights.b_h);
  to += c.slots * kLanesOf<V>;
  const auto pack = [&](const T* w, Index w_ld, Index depth, int count, const int* gates) {
    for (int n = 0; n < count; ++n) {
      transpose_to<V>(w + (gates[n] * s.hidden + unit) * w_ld, w_ld, units, depth, to + n * kLanesOf<V>,
                      count * kLanesOf<V>);
    }
    to += depth * count * kLanesOf<V>;
  };
  pack(weights.w_x, weights.w_x_ld, s.inputs, c.x_count, c.x_gate);
  pack(weights.w_h, weights.w_h_ld, s.hidden, c.h_count, c.h_gate);
}

template <class T>
void layer_pack(const LayerShape& s, const LayerWeights<T>& weights, T* panels) {
  const Blocks<T> blocks(s.hidden);
  const Index stride = panel_rows<T>(s) * kLanes<T>;
  for (Index block = 0; block < blocks.whole; ++block) {
    pack_block<Vec<T>>(s, weights, block * kLanes<T>, panels + block * stride);
  }
  if (blocks.half) pack_block<Half<T>>(s, weights, blocks.whole * kLanes<T>, panels + blocks.whole * stride);
}

// Where the rows of one step lie, and where their states go: to the next step, or, of sequences that end, to the last.
struct Step {
  template <class Layer>
  Step(const Layer& layer, Index t)
      : from_zero(layer.from_zero && t == 0),
        first(layer.first[t]),
        rows(layer.first[t + 1] - first),
        next(layer.first[t + 1]),
        next_rows(t + 1 < layer.steps ? layer.first[t + 2] - next : 0),
        last(layer.first[layer.steps]) {}
  Index after(Index row) const { return (row < next_rows ? next : last) + row; }

  bool from_zero;
  Index first;
  Index rows;
  Index next;
  Index next_rows;
  Index last;
};

// R rows and U vectors of units of one step: both products, then the cell's equations while the sums are hot.
template <class V, class Unit, int R, int U, class T>
UNROLLED_INLINE void forward_tile(const LayerForward<T>& f, const Step& step, Index row, Index unit, const T* panel) {
  constexpr CellShape kShape = Unit::kShape;
  constexpr int kSlots = kShape.slots;
  constexpr int kStates = kShape.states > 0 ? kShape.states : 1;  // an array of none is not C++
  constexpr Index kWidth = kLanesOf<V>;
  const LayerShape& s = *f.shape;
  const Index stride = panel_rows<T>(s) * kWidth;
  const T* z = f.z + (step.first + row) * s.ld;
  V acc[R][U * kSlots];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
    for (int i = 0; i < U * kSlots; ++i) acc[r][i] = load<V>(panel + (i / kSlots) * stride + (i % kSlots) * kWidth);
  }
  panel += kSlots * kWidth;
  PhaseTimer timer(Phase::input_product);
  tile<V, R, U, kShape.x_count, kShape.x_first, kSlots>(z + s.x_offset, s.ld, panel, stride, kShape.x_count * kWidth,
                                                        s.inputs, acc);
  panel += s.inputs * kShape.x_count * kWidth;
  if constexpr (kShape.h_count > 0) {
    timer.next(Phase::recurrent_product);
    tile<V, R, U, kShape.h_count, kShape.h_first, kSlots>(z, s.ld, panel, stride, kShape.h_count * kWidth,
                                                          step.from_zero ? 0 : s.hidden, acc);
  }
  timer.next(Phase::gates);
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    const Index after = step.after(row + r);
#pragma GCC unroll 16
    for (int u = 0; u < U; ++u) {
      const Index at = unit + u * kWidth;
      V c[kStates], c_next[kStates], h_next, saved[kShape.saved];
      const T* c_from = f.c + (f.keep ? step.first + row + r : row + r) * s.c_ld() + at;
      for (int e = 0; e < kShape.states; ++e) c[e] = load<V>(c_from + e * s.h_pad);
      Unit::forward(acc[r] + u * kSlots, load<V>(z + r * s.ld + at), c, h_next, c_next, saved);
      const Index left = s.hidden - at;
      store_part(f.z + after * s.ld + at, h_next, left < kWidth ? left : kWidth);
      T* c_to = f.c + (f.keep ? after : row + r) * s.c_ld() + at;
      for (int e = 0; e < kShape.states; ++e) store(c_to + e * s.h_pad, c_next[e]);
      if (f.keep) {
        T* to = f.saved + (step.first + row + r) * kShape.saved * s.h_pad + at;
        for (int i = 0; i < kShape.saved; ++i) store(to + i * s.h_pad, saved[i]);
      }
    }
  }
}

template <class V, class Unit, int U, class T>
UNROLLED_INLINE void forward_rows(const LayerForward<T>& f, const Step& step, Index unit, const T* panel) {
  row_tiles<tile_rows(U * Unit::kShape.slots)>(step.rows, [&](auto rows, Index row) {
    forward_tile<V, Unit, decltype(rows)::value, U>(f, step, row, unit, panel);
  });
}

template <class T, class Unit>
void layer_forward(const LayerForward<T>& f) {
  constexpr int kSlots = Unit::kShape.slots;
  constexpr int kUnits = kSlots >= 4 ? 1 : 4 / kSlots;           // vectors of units a tile, batches
  constexpr int kWide = kRegisters == 32 ? 2 * kUnits : kUnits;  // the same for one row alone
  const LayerShape& s = *f.shape;
  const Blocks<T> blocks(s.hidden);
  const Index stride = panel_rows<T>(s) * kLanes<T>;
  for (Index t = 0; t < f.steps; ++t) {
    const Step step(f, t);
    const auto whole = [&](auto units, Index block) {
      constexpr int kCount = decltype(units)::value;
      const T* panel = f.panels == nullptr ? f.room : f.panels + block * stride;
      for (int u = 0; u < kCount && f.panels == nullptr; ++u) {
        pack_block<Vec<T>>(s, *f.weights, (block + u) * kLanes<T>, f.room + u * stride);
      }
      if (step.rows == 1) {
        forward_tile<Vec<T>, Unit, 1, kCount>(f, step, 0, block * kLanes<T>, panel);
      } else if constexpr (kCount <= kUnits) {
        forward_rows<Vec<T>, Unit, kCount>(f, step, block * kLanes<T>, panel);
      }
    };
    const auto half = [&] {
      if (!kHasHalf || !blocks.half) return;
      const T* panel = f.panels == nullptr ? f.room : f.panels + blocks.whole * stride;
      if (f.panels == nullptr) pack_block<Half<T>>(s, *f.weights, blocks.whole * kLanes<T>, f.room);
      forward_rows<Half<T>, Unit, 1>(f, step, blocks.whole * kLanes<T>, panel);
    };
    // Back and forth through the weights: what was read last is still in the nearest cache.
    const bool back = t % 2 != 0;
    if (back) half();
    if (step.rows == 1) {
      row_tiles<kWide>(blocks.whole, whole, back);
    } else {
      row_tiles<kUnits>(blocks.whole, whole, back);
    }
    if (!back) half();
  }
}

// The gate gradients of one vector of units of one row.
template <class V, class Unit, class T>
UNROLLED_INLINE void backward_unit(const LayerBackward<T>& b, const T* d_out, Index at, Index row, Index unit, T* d) {
  constexpr CellShape kShape = Unit::kShape;
  const LayerShape& s = *b.shape;
  const T* saved = b.saved + at * kShape.saved * s.h_pad + unit;
  T* dh_at = b.dh + row * s.h_pad + unit;
  T* dc_at = b.dc + row * s.c_ld() + unit;
  const Index left = s.hidden - unit;
  const Index count = left < kLanesOf<V> ? left : kLanesOf<V>;
  constexpr int kStates = kShape.states > 0 ? kShape.states : 1;
  V values[kShape.saved], c[kStates], dc[kStates], direct{}, gates[kShape.d_gates];
  for (int i = 0; i < kShape.saved; ++i) values[i] = load<V>(saved + i * s.h_pad);
  V dh = load<V>(dh_at);
  if (d_out != nullptr) dh = dh + load_part<V>(d_out + row * b.d_out_ld + unit, count);
  for (int e = 0; e < kShape.states; ++e) {
    c[e] = load<V>(b.c + at * s.c_ld() + e * s.h_pad + unit);
    dc[e] = load<V>(dc_at + e * s.h_pad);
  }
  Unit::backward(values, load<V>(b.z + at * s.ld + unit), c, dh, dc, direct, gates);
  for (int i = 0; i < kShape.d_gates; ++i) store_part(d + i * s.hidden + unit, gates[i], count);
  for (int e = 0; e < kShape.states; ++e) store(dc_at + e * s.h_pad, dc[e]);
  if constexpr (kShape.has_direct) store(dh_at, direct);
}

// The gate gradients of one step, from dh and dc; dc becomes the previous step's, dh what reaches h beside the product.
template <class T, class Unit>
void backward_gates(const LayerBackward<T>& b, const Step& step, const T* d_out, T* d) {
  const PhaseTimer timer(Phase::backward_gates);
  const LayerShape& s = *b.shape;
  const Blocks<T> blocks(s.hidden);
  for (Index row = 0; row < step.rows; ++row) {
    for (Index block = 0; block < blocks.whole; ++block) {
      backward_unit<Vec<T>, Unit>(b, d_out, step.first + row, row, block * kLanes<T>, d + row * s.d_ld);
    }
    if (kHasHalf && blocks.half) {
      backward_unit<Half<T>, Unit>(b, d_out, step.first + row, row, blocks.whole * kLanes<T>, d + row * s.d_ld);
    }
  }
}

// What a block of steps adds to the weight gradients and to dx, as one product each over all its rows.
template <class T>
void backward_products(const LayerBackward<T>& b, Index first, Index rows, bool accumulate) {
  const PhaseTimer timer(Phase::weight_gradients);
  const LayerShape& s = *b.shape;
  const CellShape& c = s.shape();
  const T* z = b.z + first * s.ld;
  bool dx_started = false;
  for (int i = 0; i < c.spans; ++i) {
    const Span& span = c.span[i];
    const Index depth = span.gates * s.hidden;
    const T* d = b.gates + span.d_first * s.hidden;
    const auto add = [&](Index column, Index columns, T* to, Index to_ld) {
      product<T, Order::transposed>(depth, columns, rows, d, s.d_ld, z + column, s.ld,
                                    to + span.gate_first * s.hidden * to_ld, to_ld, accumulate);
    };
    const LayerGradients<T>& to = b.d_weights;
    if (to.w_x != nullptr && span.h) add(0, s.h_columns, to.w_h, to.w_h_ld);
    if (to.w_x != nullptr && span.x && s.x_columns > 0) add(s.x_offset, s.x_columns, to.w_x, to.w_x_ld);
    if (b.dx != nullptr && span.x) {
      const T* w_x = b.weights.w_x + span.gate_first * s.hidden * b.weights.w_x_ld;
      product<T>(rows, s.inputs, depth, d, s.d_ld, w_x, b.weights.w_x_ld, b.dx + first * b.dx_ld, b.dx_ld, dx_started);
      dx_started = true;
    }
  }
  if (b.d_weights.w_x == nullptr) return;
  T* narrow = b.narrow;
  for (const Columns& columns : s.narrow) {
    product<T, Order::transposed>(columns.count, c.d_gates * s.hidden, rows, z + columns.first, s.ld, b.gates, s.d_ld,
                                  narrow, s.d_ld, accumulate);
    narrow += columns.count * s.d_ld;
  }
}

// Where the gradients of the parameters begin that meet a column of z.
template <class T>
T* gradient_column(const LayerShape& s, const LayerGradients<T>& to, Index column, Index& ld) {
  const bool bias = column == s.hidden || column == s.x_offset + s.inputs;
  ld = bias ? to.bias_ld : column < s.hidden ? to.w_h_ld : to.w_x_ld;
  if (column < s.hidden) return to.w_h + column;
  if (column == s.hidden) return to.b_h;
  return bias ? to.b_x : to.w_x + column - s.x_offset;
}

// Moves the gradients of the narrow columns to their places.
template <class T>
void scatter_narrow(const LayerBackward<T>& b) {
  const LayerShape& s = *b.shape;
  const CellShape& c = s.shape();
  const T* narrow = b.narrow;
  for (const Columns& columns : s.narrow) {
    for (Index column = columns.first; column < columns.first + columns.count; ++column, narrow += s.d_ld) {
      for (int i = 0; i < c.spans; ++i) {
        const Span& span = c.span[i];
        if (column <= s.hidden ? !span.h : !span.x) continue;
        Index to_ld = 0;
        T* to = gradient_column(s, b.d_weights, column, to_ld) + span.gate_first * s.hidden * to_ld;
        const T* from = narrow + span.d_first * s.hidden;
        for (Index row = 0; row < span.gates * s.hidden; ++row) to[row * to_ld] = from[row];
      }
    }
  }
}

template <class T, class Unit>
void layer_backward(const LayerBackward<T>& b) {
  const LayerShape& s = *b.shape;
  [[maybe_unused]] const Index depth = Unit::kShape.span[0].gates * s.hidden;
  bool accumulate = b.accumulate;
  for (Index end = b.steps; end > 0;) {
    Index begin = end - 1;
    while (begin > 0 && b.first[end] - b.first[begin - 1] <= b.gate_rows) --begin;
    for (Index t = end - 1; t >= begin; --t) {
      const Step step(b, t);
      T* d = b.gates + (step.first - b.first[begin]) * s.d_ld;
      const T* d_out = b.d_out == nullptr ? nullptr : b.d_out + b.d_out_first[t] * b.d_out_ld;
      backward_gates<T, Unit>(b, step, d_out, d);
      if constexpr (Unit::kShape.h_count > 0) {
        if (step.from_zero) continue;
        const PhaseTimer timer(Phase::state_gradients);
        // Back and forth through the weights: what was read last is still in the nearest cache.
        const auto add = t % 2 == 0 ? product<T, Order::plain> : product<T, Order::reversed>;
        add(step.rows, s.hidden, depth, d, s.d_ld, b.weights.w_h, b.weights.w_h_ld, b.dh, s.h_pad,
            Unit::kShape.has_direct);
      }
    }
    backward_products(b, b.first[begin], b.first[end] - b.first[begin], accumulate);
    accumulate = true;
    end = begin;
  }
  if (b.d_weights.w_x != nullptr) scatter_narrow(b);
}

}  // namespace unrolled::UNROLLED_TARGET
