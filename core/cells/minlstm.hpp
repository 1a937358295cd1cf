// Minimal long short-term memory (Feng et al. 2024, "Were RNNs All We Needed?"), whose gates read the input alone:
// f, i = sigmoid(...), n = W_n x + b_n, f' = f / (f + i), i' = i / (f + i), h' = f' h + i' n.
//
// With m the largest of -f~, -i~ and 0, u = e^-m + e^(-i~ - m) and v = e^-m + e^(-f~ - m), f' is u / (u + v): both
// gates may be shut, because u + v is at least 1.
//
// Knows: the mathematics of one vector of units. Must not know: time, batches, memory.
#pragma once

#include "../activation.hpp"
#include "../shapes.hpp"

namespace unrolled::UNROLLED_TARGET {

struct MinLstmUnit {
  static constexpr CellShape kShape = kMinLstmShape;

  template <class V>
  UNROLLED_INLINE static void forward(const V* pre, V h, const V* /*c*/, V& h_next, V* /*c_next*/, V* saved) {
    const V f = pre[0];
    const V i = pre[1];
    const V n = pre[2];
    const V m = larger(larger(-f, -i), V{});
    const V one = exp(-m);
    const V shut_f = exp(-f - m);
    const V shut_i = exp(-i - m);
    const V u = one + shut_i;
    const V share = 1 / (u + (one + shut_f));
    const V keep = u * share;
    h_next = (h - n) * keep + n;
    saved[0] = keep;
    saved[1] = n;
    saved[2] = shut_f * share;
    saved[3] = shut_i * share;
  }

  // The slope of f' is f' (1 - f) i' by f~ and -i' (1 - i) f' by i~; (1 - f) i' is e^(-f~ - m) / (u + v).
  template <class V>
  UNROLLED_INLINE static void backward(const V* saved, V h, const V* /*c*/, V dh, V* /*dc*/, V& dh_direct, V* d) {
    const V keep = saved[0];
    const V n = saved[1];
    const V d_keep = dh * (h - n);
    d[0] = d_keep * keep * saved[2];
    d[1] = -(d_keep * (1 - keep) * saved[3]);
    d[2] = dh * (1 - keep);
    dh_direct = dh * keep;
  }
};

}  // namespace unrolled::UNROLLED_TARGET
