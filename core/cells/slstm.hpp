// The scalar LSTM with exponential input gates (Beck et al. 2024, "xLSTM"), before its heads and blocks:
// i = exp(i~), f = sigmoid(f~), z = tanh(z~), o = sigmoid(o~), c' = f c + i z, n' = f n + i, h' = o c' / n'.
//
// What is kept of c and n is divided by e^m, so that no exponential overflows: i_s = e^(i~ - m'),
// f_s = f e^(m - m'). Any m' gives the same h. This one, the larger of a and i~, costs no logarithm:
// a = m + min(f~, 0) - (n > 3/4 ? 0 : ln 2). Then f_s is never larger than 2, and n stays above 3/8, however long the
// sequence: where n is small, f_s is at least 1. Where n is 0 nothing was read yet, and m' is i~.
//
// Knows: the mathematics of one vector of units. Must not know: time, batches, memory.
#pragma once

#include "../activation.hpp"
#include "../shapes.hpp"

namespace unrolled::UNROLLED_TARGET {

struct SlstmUnit {
  static constexpr CellShape kShape = kSlstmShape;

  template <class V>
  UNROLLED_INLINE static void forward(const V* pre, V /*h*/, const V* c, V& h_next, V* c_next, V* saved) {
    const V i = pre[0];
    const V f = pre[1];
    const V z = tanh(pre[2]);
    const V o = sigmoid(pre[3]);
    const V n = c[1];
    const V falling = f < 0 ? f : V{};
    const V rest = n > Element<V>(0.75) ? V{} : broadcast<V>(Element<V>(0.69314718055994530942));
    const V a = n == 0 ? broadcast<V>(Element<V>(-1e30)) : c[2] + falling - rest;
    const V m = a >= i ? a : i;
    const V written = exp(i - m);
    // sigmoid(f~) is e^min(f~, 0) / (1 + e^-|f~|).
    const V e = exp(f < 0 ? f : -f);
    const V open = 1 / (1 + e);
    const V kept = (n == 0 ? V{} : exp(a + rest - m)) * open;
    c_next[0] = kept * c[0] + written * z;
    c_next[1] = kept * n + written;
    c_next[2] = m;
    h_next = o * (c_next[0] / c_next[1]);
    saved[0] = written;
    saved[1] = kept;
    saved[2] = z;
    saved[3] = o;
    saved[4] = f < 0 ? open : e * open;  // 1 - sigmoid(f~)
    saved[5] = a >= i ? (f < 0 ? broadcast<V>(2) : broadcast<V>(1)) : V{};
  }

  template <class V>
  UNROLLED_INLINE static void backward(const V* saved, V /*h*/, const V* c, V dh, V* dc, V& /*dh_direct*/, V* d) {
    const V written = saved[0];
    const V kept = saved[1];
    const V z = saved[2];
    const V o = saved[3];
    const V one_by_n = 1 / (kept * c[1] + written);
    const V shown = (kept * c[0] + written * z) * one_by_n;
    const V d_shown = dh * o;
    const V d_c = dc[0] + d_shown * one_by_n;
    const V d_n = dc[1] - d_shown * shown * one_by_n;
    // By the exponents of f_s and i_s; both hold -m', which goes back to the larger of a and i~.
    const V d_kept = (d_c * c[0] + d_n * c[1]) * kept;
    const V d_written = (d_c * z + d_n) * written;
    const V d_m = dc[2] - (d_kept + d_written);
    const V d_a = saved[5] > 0 ? d_m : V{};
    d[0] = d_written + (saved[5] > 0 ? V{} : d_m);
    d[1] = d_kept * saved[4] + (saved[5] > 1 ? d_m : V{});
    d[2] = d_c * written * (1 - z * z);
    d[3] = dh * shown * o * (1 - o);
    dc[0] = d_c * kept;
    dc[1] = d_n * kept;
    dc[2] = d_kept + d_a;
  }
};

}  // namespace unrolled::UNROLLED_TARGET
