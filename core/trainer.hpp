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
  std::vector<double> quantiles;  // pinball only
};

struct OptimizerSpec {
  Optimizer kind = Optimizer::sgd;
  double momentum = 0, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
  double clip = 0;  // largest global norm of the gradients; 0: no clipping
};

// Forecasts of windows: [n, K, C, Q], in the units of the panel. One pass for each worker of the pool.
template <class T>
void forecast(const Network<T>& network, std::vector<Pass<T>>& passes, int threads, const PanelView<T>& panel,
              const WindowSpec& spec, const std::int64_t* series, const std::int64_t* starts, Index count, T* out);

template <class T>
class Trainer {
 public:
  Trainer(Network<T>& network, const PanelView<T>& panel, const WindowSpec& window, const LossSpec& loss,
          const OptimizerSpec& optimizer, int threads, std::uint64_t seed);

  // Takes the windows in order, `batch` at a time, one learning rate a step; writes each step's loss before its update.
  // Returns the steps done: fewer than asked where a loss was not finite, and then the parameters are as before it.
  Index run(const std::int64_t* series, const std::int64_t* starts, Index count, Index batch, const double* rates,
            double* losses);

  // The loss of each window, without an update.
  void evaluate(const std::int64_t* series, const std::int64_t* starts, Index count, double* losses);

  // The gradients of the last step of run(), before clipping, each in torch's layout.
  void read_gradients(T* flat) const { network_.read_from(gradients_.data(), flat); }

  // The norm of those gradients over all parameters, before clipping.
  double gradient_norm() const;

 private:
  void chunk(const Chunks& chunks, Index index, int worker, bool learn, const std::int64_t* series,
             const std::int64_t* starts, double* losses);
  double row_loss(Pass<T>& pass, Index row, T weight, bool learn);
  bool update(double rate, Index chunks);
  Index loss_terms() const;

  Network<T>& network_;
  PanelView<T> panel_;
  WindowSpec window_;
  LossSpec loss_;
  OptimizerSpec optimizer_;
  int threads_;
  std::uint64_t seed_;
  std::vector<T> quantiles_;
  std::vector<Pass<T>> passes_;          // one for each worker
  std::vector<std::vector<T>> targets_;  // one for each worker
  Buffer<T> gradients_;
  std::vector<Buffer<T>> partial_;  // gradients of the chunks behind the first
  Buffer<T> first_, second_;
  std::vector<double> row_losses_;
  std::int64_t step_ = 0;
};

}  // namespace unrolled
