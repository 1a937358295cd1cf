// Gated recurrent unit (Cho et al. 2014), with the reset gate after the product, as in torch and cuDNN:
// r, z = sigmoid(...), n = tanh(W_in x + b_in + r (W_hn h + b_hn)), h' = (h - n) z + n.
//
// Knows: the mathematics of one vector of units. Must not know: time, batches, memory.
#pragma once

#include "../activation.hpp"
#include "../shapes.hpp"

namespace unrolled::UNROLLED_TARGET {

struct GruUnit {
  static constexpr CellShape kShape = kGruShape;

  template <class V>
  UNROLLED_INLINE static void forward(const V* pre, V h, const V* /*c*/, V& h_next, V* /*c_next*/, V* saved) {
    const V n_x = pre[0];
    const V r = sigmoid(pre[1]);
    const V z = sigmoid(pre[2]);
    const V n_h = pre[3];
    const V n = tanh(n_x + r * n_h);
    h_next = (h - n) * z + n;
    saved[0] = r;
    saved[1] = z;
    saved[2] = n;
    saved[3] = n_h;
  }

  template <class V>
  UNROLLED_INLINE static void backward(const V* saved, V h, const V* /*c*/, V dh, V* /*dc*/, V& dh_direct, V* d) {
    const V r = saved[0];
    const V z = saved[1];
    const V n = saved[2];
    const V n_h = saved[3];
    const V d_n = dh * (1 - z) * (1 - n * n);
    d[0] = d_n * n_h * r * (1 - r);
    d[1] = dh * (h - n) * z * (1 - z);
    d[2] = d_n * r;
    d[3] = d_n;
    dh_direct = dh * z;
  }
};

}  // namespace unrolled::UNROLLED_TARGET
