// Compiled once per instruction set, with UNROLLED_TARGET set to its name: fills that set's table of kernels.
#include "cells/gru.hpp"
#include "cells/lstm.hpp"
#include "cells/mingru.hpp"
#include "cells/minlstm.hpp"
#include "cells/rnn.hpp"
#include "cells/slstm.hpp"
#include "layer.hpp"
#include "loss.hpp"
#include "optimizer.hpp"

#define UNROLLED_TEXT_OF(name) #name
#define UNROLLED_TEXT(name) UNROLLED_TEXT_OF(name)

namespace unrolled::UNROLLED_TARGET {

template <class T>
void activate(int which, Index size, const T* x, T* y) {
  for (Index i = 0; i < size; i += kLanes<T>) {
    const Index count = size - i < kLanes<T> ? size - i : kLanes<T>;
    T lanes[kLanes<T>] = {};
    std::memcpy(lanes, x + i, static_cast<std::size_t>(count) * sizeof(T));
    const auto v = load<Vec<T>>(lanes);
    store_part(y + i, which == 0 ? tanh(v) : which == 1 ? sigmoid(v) : which == 2 ? relu(v) : exp(v), count);
  }
}

template <class T, class... Units>
void add_cells(Kernels<T>& k) {
  static_assert(sizeof...(Units) == kCellCount, "every cell of kCells has a unit");
  int at = 0;
  ((k.layer_forward[at] = layer_forward<T, Units>, k.layer_backward[at] = layer_backward<T, Units>, ++at), ...);
}

template <class T>
Kernels<T> make_kernels() {
  Kernels<T> k{};
  k.name = UNROLLED_TEXT(UNROLLED_TARGET);
  k.lanes = static_cast<int>(kLanes<T>);
  k.layer_pack = layer_pack<T>;
  // The order of kCells.
  add_cells<T, RnnUnit<false>, RnnUnit<true>, LstmUnit, GruUnit, MinGruUnit, MinLstmUnit, SlstmUnit>(k);
  k.product = product<T, Order::plain>;
  k.product_transposed = product<T, Order::transposed>;
  k.dots = dots<T>;
  k.loss_row = loss_row<T>;
  k.map_row = map_row<T>;
  k.add = add<T>;
  k.square_sum = square_sum<T>;
  k.finite = finite<T>;
  k.optimize = optimize<T>;
  k.activate = activate<T>;
  return k;
}

const Kernels<float>& table_f32() {
  static const Kernels<float> table = make_kernels<float>();
  return table;
}

const Kernels<double>& table_f64() {
  static const Kernels<double> table = make_kernels<double>();
  return table;
}

}  // namespace unrolled::UNROLLED_TARGET
