// One recurrent layer over time, forward and backward: one template for every cell.
//
// Knows: product.hpp, a cell's forward and backward of one vector of units. Must not know: other layers, losses,
// threads.
#pragma once

#include "kernels.hpp"
#include "product.hpp"

namespace unrolled::UNROLLED_TARGET {

template <class T>
Index blocks_of(const LayerShape& s) {
  return (s.hidden + kLanes<T> - 1) / kLanes<T>;
}

template <class T>
Index panel_block(const LayerShape& s) {
  const CellShape& c = s.shape();
  return ((s.hidden + 1) * c.h_count + (s.inputs + 1) * c.x_count) * kLanes<T>;
}

// Copies the weight matrix into panels: for each vector of units, for each column, the gates side by side.
template <class T>
void layer_pack(const LayerShape& s, const T* weights, T* panels) {
  const CellShape& c = s.shape();
  const auto pack = [&](Index block, Index column, Index depth, int count, const int* gates, T* to) {
    for (int n = 0; n < count; ++n) {
      for (Index v = 0; v < kLanes<T>; ++v) {
        const Index unit = block * kLanes<T> + v;
        T* out = to + n * kLanes<T> + v;
        if (unit >= s.hidden) {
          for (Index k = 0; k < depth; ++k) out[k * count * kLanes<T>] = T(0);
          continue;
        }
        const T* row = weights + (gates[n] * s.hidden + unit) * s.ld + column;
        for (Index k = 0; k < depth; ++k) out[k * count * kLanes<T>] = row[k];
      }
    }
  };
  for (Index block = 0; block < blocks_of<T>(s); ++block) {
    T* to = panels + block * panel_block<T>(s);
    pack(block, 0, s.hidden + 1, c.h_count, c.h_gate, to);
    pack(block, s.x_offset, s.inputs + 1, c.x_count, c.x_gate, to + (s.hidden + 1) * c.h_count * kLanes<T>);
  }
}

// R rows and U vectors of units of one step: both products, then the cell's equations while the sums are hot.
template <class T, class Unit, int R, int U>
UNROLLED_INLINE void forward_tile(const LayerForward<T>& f, Index t, Index row, Index block) {
  constexpr CellShape kShape = Unit::kShape;
  constexpr int kSlots = kShape.slots;
  const LayerShape& s = *f.shape;
  const Index stride = panel_block<T>(s);
  const T* z = f.z + (t * f.rows + row) * s.ld;
  const T* h_panel = f.panels + block * stride;
  const T* x_panel = h_panel + (s.hidden + 1) * kShape.h_count * kLanes<T>;
  Vec<T> acc[R][U * kSlots] = {};
  tile<T, R, U, kShape.x_count, kShape.x_first, kSlots, false>(z + s.x_offset, s.ld, x_panel, stride,
                                                               kShape.x_count * kLanes<T>, s.inputs + 1, acc);
  tile<T, R, U, kShape.h_count, kShape.h_first, kSlots, false>(z, s.ld, h_panel, stride, kShape.h_count * kLanes<T>,
                                                               s.hidden + 1, acc);
  for (int r = 0; r < R; ++r) {
    for (int u = 0; u < U; ++u) {
      const Index unit = (block + u) * kLanes<T>;
      const Index at = (row + r) * s.h_pad + unit;
      Vec<T> c{}, c_next{}, h_next, saved[kShape.saved];
      if constexpr (kShape.has_c) c = load(f.c + t * f.c_step + at);
      Unit::forward(acc[r] + u * kSlots, load(z + r * s.ld + unit), c, h_next, c_next, saved);
      const Index left = s.hidden - unit;
      store_part(f.z + ((t + 1) * f.rows + row + r) * s.ld + unit, h_next, left < kLanes<T> ? left : kLanes<T>);
      if constexpr (kShape.has_c) store(f.c + (t + 1) * f.c_step + at, c_next);
      if (f.saved != nullptr) {
        T* to = f.saved + ((t * f.rows + row + r) * kShape.saved) * s.h_pad + unit;
        for (int i = 0; i < kShape.saved; ++i) store(to + i * s.h_pad, saved[i]);
      }
    }
  }
}

template <class T, class Unit>
void layer_forward(const LayerForward<T>& f) {
  constexpr int kSlots = Unit::kShape.slots;
  constexpr int kUnits = kSlots >= 4 ? 1 : 4 / kSlots;           // vectors of units a tile, batches
  constexpr int kWide = kRegisters == 32 ? 2 * kUnits : kUnits;  // the same for one row alone
  const Index blocks = blocks_of<T>(*f.shape);
  for (Index t = 0; t < f.steps; ++t) {
    if (f.rows == 1) {
      row_tiles<kWide>(
          blocks, [&](auto units, Index block) { forward_tile<T, Unit, 1, decltype(units)::value>(f, t, 0, block); });
      continue;
    }
    row_tiles<kUnits>(blocks, [&](auto units, Index block) {
      constexpr int kCount = decltype(units)::value;
      row_tiles<tile_rows(kCount * kSlots)>(f.rows, [&](auto rows, Index row) {
        forward_tile<T, Unit, decltype(rows)::value, kCount>(f, t, row, block);
      });
    });
  }
}

// The gate gradients of one step, from dh and dc; dc becomes the previous step's, dh what reaches h beside the product.
template <class T, class Unit>
void backward_gates(const LayerBackward<T>& b, Index t, T* d) {
  constexpr CellShape kShape = Unit::kShape;
  const LayerShape& s = *b.shape;
  for (Index row = 0; row < b.rows; ++row) {
    const T* z = b.z + (t * b.rows + row) * s.ld;
    const T* saved = b.saved + ((t * b.rows + row) * kShape.saved) * s.h_pad;
    const T* d_out = b.d_out == nullptr ? nullptr : b.d_out + (t * b.rows + row) * b.d_out_ld;
    T* dh_row = b.dh + row * s.h_pad;
    T* dc_row = kShape.has_c ? b.dc + row * s.h_pad : nullptr;
    for (Index unit = 0; unit < s.hidden; unit += kLanes<T>) {
      Vec<T> values[kShape.saved], c{}, dc{}, direct{}, gates[kShape.d_gates];
      for (int i = 0; i < kShape.saved; ++i) values[i] = load(saved + i * s.h_pad + unit);
      Vec<T> dh = load(dh_row + unit);
      if (d_out != nullptr) dh = dh + load(d_out + unit);
      if constexpr (kShape.has_c) {
        c = load(b.c + t * b.c_step + row * s.h_pad + unit);
        dc = load(dc_row + unit);
      }
      Unit::backward(values, load(z + unit), c, dh, dc, direct, gates);
      const Index left = s.hidden - unit;
      const Index count = left < kLanes<T> ? left : kLanes<T>;
      for (int i = 0; i < kShape.d_gates; ++i) store_part(d + row * s.d_ld + i * s.hidden + unit, gates[i], count);
      if constexpr (kShape.has_c) store(dc_row + unit, dc);
      if constexpr (kShape.has_direct) store(dh_row + unit, direct);
    }
  }
}

// What a block of steps adds to the weight gradients and to dx, as one product each over all its steps and rows.
template <class T>
void backward_products(const LayerBackward<T>& b, Index t, Index steps, bool accumulate) {
  const LayerShape& s = *b.shape;
  const CellShape& c = s.shape();
  const Index rows = steps * b.rows;
  bool dx_started = false;
  for (int i = 0; i < c.spans; ++i) {
    const Span& span = c.span[i];
    const Index first = span.h ? 0 : s.x_offset;
    const Index last = span.x ? s.ld : s.x_offset;
    const T* d = b.gates + span.d_first * s.hidden;
    const Index weight_row = span.gate_first * s.hidden * s.ld;
    product<T, true>(span.gates * s.hidden, (last - first) / kLanes<T>, rows, d, s.d_ld,
                     b.z + t * b.rows * s.ld + first, s.ld, b.d_weights + weight_row + first, s.ld, accumulate);
    if (b.dx != nullptr && span.x) {
      product<T>(rows, (s.inputs + kLanes<T> - 1) / kLanes<T>, span.gates * s.hidden, d, s.d_ld,
                 b.weights + weight_row + s.x_offset, s.ld, b.dx + t * b.rows * b.dx_ld, b.dx_ld, dx_started);
      dx_started = true;
    }
  }
}

template <class T, class Unit>
void layer_backward(const LayerBackward<T>& b) {
  const LayerShape& s = *b.shape;
  const Span& h_span = Unit::kShape.span[0];
  const Index vectors = blocks_of<T>(s);
  bool accumulate = false;
  for (Index end = b.steps; end > 0;) {
    const Index begin = end > b.gate_steps ? end - b.gate_steps : 0;
    for (Index t = end - 1; t >= begin; --t) {
      T* d = b.gates + (t - begin) * b.rows * s.d_ld;
      backward_gates<T, Unit>(b, t, d);
      product<T>(b.rows, vectors, h_span.gates * s.hidden, d, s.d_ld, b.weights, s.ld, b.dh, s.h_pad,
                 Unit::kShape.has_direct);
    }
    backward_products(b, begin, end - begin, accumulate);
    accumulate = true;
    end = begin;
  }
}

}  // namespace unrolled::UNROLLED_TARGET
