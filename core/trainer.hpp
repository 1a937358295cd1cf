// One step of training, many times: gather a batch of windows from a flat panel, forward, loss, backward, optimizer.
//
// Knows: networks, batches, losses, optimizers, how rows are split over threads. Must not know: epochs, shuffling,
// schedules, early stopping (Python decides those between calls).
//
// A batch is cut into chunks by its size alone, each chunk's gradients are summed apart and added in order: so results
// do not depend on the number of threads.
#pragma once

#include <vector>

#include "batch.hpp"
#include "chunks.hpp"
#include "network.hpp"

namespace unrolled {

struct LossSpec {
  Loss loss = Loss::mse;
  double delta = 1;
  std::vector<double> quantiles;  // pinball only, rising

  Index width() const { return loss_width(loss, static_cast<Index>(quantiles.size())); }
  // The quantile nearest to the median, the first of two: the others stand on it.
  Index anchor() const;
};

struct OptimizerSpec {
  Optimizer kind = Optimizer::sgd;
  double momentum = 0, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
  double clip = 0;  // largest global norm of the gradients; 0: no clipping
};

// What the network reads of windows: out [steps, n, inputs], and how each was scaled: scaling [n, 3, C].
template <class T>
void gather(const TableView<T>& table, const WindowSpec& spec, const std::int64_t* series, const std::int64_t* starts,
            Index count, T* out, T* scaling);

// Forecasts of windows: out [n, K, C, W], mapped to what they mean, and if asked in the units of the table; how each
// window was scaled: scaling [n, 3, C]. One pass for each worker of the pool.
template <class T>
void forecast(const Network<T>& network, std::vector<Pass<T>>& passes, int threads, const TableView<T>& table,
              const WindowSpec& spec, const LossSpec& loss, bool unscale, const std::int64_t* series,
              const std::int64_t* starts, Index count, T* out, T* scaling);

template <class T>
class Trainer {
 public:
  Trainer(Network<T>& network, const TableView<T>& table, const WindowSpec& window, const LossSpec& loss,
          const OptimizerSpec& optimizer, int threads, std::uint64_t seed);

  // Takes the windows in order, `batch` at a time, one learning rate a step; writes each step's loss before its update:
  // the mean over the windows that have a target. A step whose windows have none has loss 0 and changes nothing.
  // Returns the steps done: fewer than asked where a loss was not finite, and then the parameters are as before it.
  Index run(const std::int64_t* series, const std::int64_t* starts, Index count, Index batch, const double* rates,
            double* losses);

  // The loss of each window, without an update; NaN where all its targets are missing.
  void evaluate(const std::int64_t* series, const std::int64_t* starts, Index count, double* losses);

  // The gradients of the last step of run(), before clipping, each in torch's layout.
  void read_gradients(T* flat) const { network_.read_from(gradients_.data(), flat); }

  // What the optimizer keeps between steps: how many updates were made, and arrays in torch's layout. An optimizer
  // without a moment has none, and nothing is read or written there.
  std::int64_t updates() const { return step_; }
  bool has_first() const { return first_.size() > 0; }
  bool has_second() const { return second_.size() > 0; }
  void read_state(T* first, T* second) const;
  void restore_state(std::int64_t updates, const T* first, const T* second);

  // The norm of those gradients over all parameters, before clipping.
  double gradient_norm() const;

 private:
  // One chunk of a batch in which `counted` windows have a target.
  void chunk(const Chunks& chunks, Index index, int worker, bool learn, Index counted, const std::int64_t* series,
             const std::int64_t* starts, double* losses);
  double row_loss(Pass<T>& pass, Index row, const std::vector<T>& target, const T* scale, Index counted, bool learn);
  Index count_windows(const std::int64_t* series, const std::int64_t* starts, Index count) const;
  void place(const T* flat, Buffer<T>& array) const;
  bool update(double rate, Index chunks);
  // With a head on every step, targets follow every step, so the first ones lie inside the window.
  Index first_target() const { return network_.spec().every ? window_.patch : window_.window; }
  Index target_points() const { return window_.window - first_target() + window_.horizon; }

  Network<T>& network_;
  TableView<T> table_;
  WindowSpec window_;
  LossSpec loss_;
  OptimizerSpec optimizer_;
  int threads_;
  std::uint64_t seed_;
  std::vector<T> quantiles_;
  Index anchor_;
  std::vector<Pass<T>> passes_;          // one for each worker
  std::vector<std::vector<T>> targets_;  // one for each worker
  Buffer<T> gradients_;
  std::vector<Buffer<T>> partial_;  // gradients of the chunks behind the first
  Buffer<T> first_, second_;
  std::vector<double> row_losses_;
  std::int64_t step_ = 0;
};

}  // namespace unrolled
