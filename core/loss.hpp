// Losses of one row of forecasts and their gradients: MSE, MAE, Huber, pinball.
//
// Knows: the mathematics of a loss. Must not know: networks, batches.
#pragma once

#include "kernels.hpp"
#include "simd.hpp"

namespace unrolled::UNROLLED_TARGET {

// e is y_pred - y_true. Each returns the loss and sets d to its derivative by y_pred; d|e|/de at 0 is 0.
template <class T>
UNROLLED_INLINE T squared(T e, T& d) {
  d = 2 * e;
  return e * e;
}

template <class T>
UNROLLED_INLINE T absolute(T e, T& d) {
  d = static_cast<T>((e > 0) - (e < 0));
  if (e != e) d = e;
  return e < 0 ? -e : e;
}

// e^2 / 2 inside [-delta, delta], linear outside (Huber 1964; torch.nn.HuberLoss).
template <class T>
UNROLLED_INLINE T huber(T e, T delta, T& d) {
  d = e > delta ? delta : (e < -delta ? -delta : e);
  return d * (e - d / 2);
}

// max(q (y_true - y_pred), (q - 1)(y_true - y_pred)) (Koenker & Bassett 1978).
template <class T>
UNROLLED_INLINE T pinball(T e, T q, T& d) {
  d = e > 0 ? 1 - q : (e < 0 ? -q : e);
  return e * d;
}

template <class T>
double loss_row(const LossRow<T>& row) {
  double total = 0;
  const Index quantiles = row.quantile_count;
  for (Index i = 0; i < row.targets; ++i) {
    for (Index q = 0; q < quantiles; ++q) {
      const Index at = i * quantiles + q;
      const T e = row.pred[at] - row.target[i];
      T d = 0;
      T value = 0;
      switch (row.loss) {
        case Loss::mse:
          value = squared(e, d);
          break;
        case Loss::mae:
          value = absolute(e, d);
          break;
        case Loss::huber:
          value = huber(e, row.delta, d);
          break;
        case Loss::pinball:
          value = pinball(e, row.quantiles[q], d);
          break;
      }
      total += static_cast<double>(value);
      if (row.d_pred != nullptr) row.d_pred[at] = row.weight * d;
    }
  }
  return total;
}

}  // namespace unrolled::UNROLLED_TARGET
