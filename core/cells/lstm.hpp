// Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000):
// i, f, o = sigmoid(...), g = tanh(...), c' = f c + i g, h' = o tanh(c').
//
// Knows: the mathematics of one vector of units. Must not know: time, batches, memory.
#pragma once

#include "../activation.hpp"
#include "../shapes.hpp"

namespace unrolled::UNROLLED_TARGET {

struct LstmUnit {
  static constexpr CellShape kShape = kLstmShape;

  template <class V>
  UNROLLED_INLINE static void forward(const V* pre, V /*h*/, const V* c, V& h_next, V* c_next, V* saved) {
    const V i = sigmoid(pre[0]);
    const V f = sigmoid(pre[1]);
    const V g = tanh(pre[2]);
    const V o = sigmoid(pre[3]);
    c_next[0] = f * c[0] + i * g;
    const V tanh_c = tanh(c_next[0]);
    h_next = o * tanh_c;
    saved[0] = i;
    saved[1] = f;
    saved[2] = g;
    saved[3] = o;
    saved[4] = tanh_c;
  }

  template <class V>
  UNROLLED_INLINE static void backward(const V* saved, V /*h*/, const V* c, V dh, V* dc, V& /*dh_direct*/, V* d) {
    const V i = saved[0];
    const V f = saved[1];
    const V g = saved[2];
    const V o = saved[3];
    const V tanh_c = saved[4];
    const V d_c = dc[0] + dh * o * (1 - tanh_c * tanh_c);
    d[0] = d_c * g * i * (1 - i);
    d[1] = d_c * c[0] * f * (1 - f);
    d[2] = d_c * i * (1 - g * g);
    d[3] = dh * tanh_c * o * (1 - o);
    dc[0] = d_c * f;
  }
};

}  // namespace unrolled::UNROLLED_TARGET
