// The plain recurrent network (Elman 1990): h' = act(W_ih x + b_ih + W_hh h + b_hh), act = tanh or relu.
//
// Knows: the mathematics of one vector of units. Must not know: time, batches, memory.
#pragma once

#include "../activation.hpp"
#include "../shapes.hpp"

namespace unrolled::UNROLLED_TARGET {

template <bool kRelu>
struct RnnUnit {
  static constexpr CellShape kShape = kRelu ? kRnnReluShape : kRnnShape;

  template <class V>
  UNROLLED_INLINE static void forward(const V* pre, V /*h*/, const V* /*c*/, V& h_next, V* /*c_next*/, V* saved) {
    if constexpr (kRelu) {
      h_next = relu(pre[0]);
    } else {
      h_next = tanh(pre[0]);
    }
    saved[0] = h_next;
  }

  template <class V>
  UNROLLED_INLINE static void backward(const V* saved, V /*h*/, const V* /*c*/, V dh, V* /*dc*/, V& /*dh_direct*/,
                                       V* d) {
    if constexpr (kRelu) {
      d[0] = saved[0] > 0 ? dh : saved[0] * 0;  // 0 where h is 0, NaN where it is NaN
    } else {
      d[0] = dh * (1 - saved[0] * saved[0]);
    }
  }
};

}  // namespace unrolled::UNROLLED_TARGET
