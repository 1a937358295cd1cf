// Minimal gated recurrent unit (Feng et al. 2024, "Were RNNs All We Needed?"), whose gates read the input alone:
// z = sigmoid(W_z x + b_z), n = W_n x + b_n, h' = (1 - z) h + z n.
//
// Knows: the mathematics of one vector of units. Must not know: time, batches, memory.
#pragma once

#include "../activation.hpp"
#include "../shapes.hpp"

namespace unrolled::UNROLLED_TARGET {

struct MinGruUnit {
  static constexpr CellShape kShape = kMinGruShape;

  template <class V>
  UNROLLED_INLINE static void forward(const V* pre, V h, const V* /*c*/, V& h_next, V* /*c_next*/, V* saved) {
    const V z = sigmoid(pre[0]);
    const V n = pre[1];
    h_next = (n - h) * z + h;
    saved[0] = z;
    saved[1] = n;
  }

  template <class V>
  UNROLLED_INLINE static void backward(const V* saved, V h, const V* /*c*/, V dh, V* /*dc*/, V& dh_direct, V* d) {
    const V z = saved[0];
    const V n = saved[1];
    d[0] = dh * (n - h) * z * (1 - z);
    d[1] = dh * z;
    dh_direct = dh * (1 - z);
  }
};

}  // namespace unrolled::UNROLLED_TARGET
