// One update of all parameters, as torch.optim defines it: SGD with momentum, Adam (Kingma & Ba 2015), AdamW
// (Loshchilov & Hutter 2019).
//
// Knows: flat arrays of parameters and gradients. Must not know: what they belong to.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels.hpp"
#include "simd.hpp"

namespace unrolled::UNROLLED_TARGET {

template <class T>
void sgd(const OptimizerStep<T>& o) {
  const T lr = static_cast<T>(o.lr);
  const T decay = static_cast<T>(o.weight_decay);
  const T scale = static_cast<T>(o.grad_scale);
  const T momentum = o.step > 1 ? static_cast<T>(o.momentum) : T(0);
  T* __restrict param = o.param;
  const T* __restrict grad = o.grad;
  if (o.momentum == 0) {
    for (Index i = 0; i < o.size; ++i) param[i] -= lr * (grad[i] * scale + decay * param[i]);
    return;
  }
  T* __restrict first = o.first;
  for (Index i = 0; i < o.size; ++i) {
    first[i] = momentum * first[i] + (grad[i] * scale + decay * param[i]);
    param[i] -= lr * first[i];
  }
}

template <class T, bool kDecoupled>
void adam(const OptimizerStep<T>& o) {
  const double step = static_cast<double>(o.step);
  const T correction1 = static_cast<T>(o.lr / (1 - std::pow(o.beta1, step)));
  const T correction2 = static_cast<T>(1 / std::sqrt(1 - std::pow(o.beta2, step)));
  const T beta1 = static_cast<T>(o.beta1);
  const T beta2 = static_cast<T>(o.beta2);
  const T rest1 = static_cast<T>(1 - o.beta1);
  const T rest2 = static_cast<T>(1 - o.beta2);
  // Never 0: a parameter without any gradient is to stay where it is, not to become 0 / 0.
  const T eps = std::max(static_cast<T>(o.eps), std::numeric_limits<T>::min());
  const T scale = static_cast<T>(o.grad_scale);
  const T decay = static_cast<T>(kDecoupled ? 0 : o.weight_decay);
  const T shrink = static_cast<T>(kDecoupled ? 1 - o.lr * o.weight_decay : 1);
  T* __restrict param = o.param;
  T* __restrict first = o.first;
  T* __restrict second = o.second;
  const T* __restrict grad = o.grad;
  for (Index i = 0; i < o.size; ++i) {
    const T g = grad[i] * scale + decay * param[i];
    first[i] = beta1 * first[i] + rest1 * g;
    second[i] = beta2 * second[i] + rest2 * (g * g);
    param[i] = param[i] * shrink - correction1 * first[i] / (std::sqrt(second[i]) * correction2 + eps);
  }
}

template <class T>
void optimize(const OptimizerStep<T>& o) {
  switch (o.kind) {
    case Optimizer::sgd:
      return sgd(o);
    case Optimizer::adam:
      return adam<T, false>(o);
    case Optimizer::adamw:
      return adam<T, true>(o);
  }
}

template <class T>
void add(Index size, const T* from, T* to) {
  for (Index i = 0; i < size; ++i) to[i] += from[i];
}

// The sum of squares in double, over eight fixed lanes.
template <class T>
double square_sum(Index size, const T* values) {
  double lanes[8] = {};
  const Index whole = size / 8 * 8;
  for (Index i = 0; i < whole; i += 8) {
    for (int j = 0; j < 8; ++j) lanes[j] += static_cast<double>(values[i + j]) * static_cast<double>(values[i + j]);
  }
  for (Index i = whole; i < size; ++i)
    lanes[i - whole] += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  double total = 0;
  for (const double lane : lanes) total += lane;
  return total;
}

// Is every value finite? Anything infinite or NaN turns its zero multiple into NaN, and that stays in the sum.
template <class T>
bool finite(Index size, const T* values) {
  Vec<T> sums[4] = {};
  const Index whole = size / (4 * kLanes<T>)*(4 * kLanes<T>);
  for (Index i = 0; i < whole; i += 4 * kLanes<T>) {
#pragma GCC unroll 4
    for (Index j = 0; j < 4; ++j) sums[j] = load<Vec<T>>(values + i + j * kLanes<T>) * T(0) + sums[j];
  }
  T total = sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
  for (Index i = whole; i < size; ++i) total += values[i] * T(0);
  return total == T(0);
}

}  // namespace unrolled::UNROLLED_TARGET
