#include "trainer.hpp"

#include <algorithm>
#include <cmath>

#include "phase.hpp"

namespace unrolled {
namespace {

// Scales the window that starts at `start` and writes it into row b of the pass; returns its first point.
template <class T>
const T* gather(const Network<T>& network, Pass<T>& pass, Index b, const PanelView<T>& panel, const WindowSpec& spec,
                std::int64_t series, std::int64_t start, T* location, T* scale) {
  const PhaseTimer timer(Phase::gather);
  const T* window = panel.values + (panel.offsets[series] + start) * panel.channels;
  fit_scaling(spec, window, location, scale);
  for (Index t = 0; t < spec.steps(); ++t) {
    scale_points(spec.patch, spec.channels, window + t * spec.inputs(), location, scale, network.input(pass, t, b));
  }
  return window;
}

}  // namespace

template <class T>
void forecast(const Network<T>& network, std::vector<Pass<T>>& passes, int threads, const PanelView<T>& panel,
              const WindowSpec& spec, const std::int64_t* series, const std::int64_t* starts, Index count, T* out) {
  const Chunks chunks = Chunks::to_run(count);
  const Index outputs = network.spec().outputs;
  const Index steps = spec.steps();
  threads = useful_threads(threads, network.work() * static_cast<double>(steps * count));
  make_passes(passes, threads);
  Pool::instance().run(threads, chunks.count, [&](Index index, int worker) {
    Pass<T>& pass = passes[static_cast<std::size_t>(worker)];
    const Index rows = chunks.rows_of(index);
    std::vector<T> scaling(static_cast<std::size_t>(2 * rows * spec.channels));
    network.prepare(pass, steps, rows, false);
    pass.first_row = chunks.first(index);
    pass.from_zero = true;
    pass.dropout.rate = 0;
    for (Index b = 0; b < rows; ++b) {
      T* location = scaling.data() + 2 * b * spec.channels;
      gather(network, pass, b, panel, spec, series[pass.first_row + b], starts[pass.first_row + b], location,
             location + spec.channels);
    }
    network.forward(pass);
    const Index last = network.spec().every ? pass.first_of(steps - 1) : 0;
    for (Index b = 0; b < rows; ++b) {
      T* y = out + (pass.first_row + b) * outputs;
      std::copy_n(pass.y.data() + (last + b) * outputs, outputs, y);
      const T* location = scaling.data() + 2 * b * spec.channels;
      unscale_forecast(spec, outputs / spec.targets(), location, location + spec.channels, y);
    }
  });
}

template <class T>
Trainer<T>::Trainer(Network<T>& network, const PanelView<T>& panel, const WindowSpec& window, const LossSpec& loss,
                    const OptimizerSpec& optimizer, int threads, std::uint64_t seed)
    : network_(network),
      panel_(panel),
      window_(window),
      loss_(loss),
      optimizer_(optimizer),
      threads_(threads),
      seed_(seed),
      quantiles_(loss.quantiles.begin(), loss.quantiles.end()),
      passes_(static_cast<std::size_t>(threads)),
      targets_(static_cast<std::size_t>(threads)),
      gradients_(network.size()) {
  if (optimizer.kind != Optimizer::sgd || optimizer.momentum != 0) first_.grow(network.size());
  if (optimizer.kind != Optimizer::sgd) second_.grow(network.size());
}

// How many numbers one window's loss is the mean of.
template <class T>
Index Trainer<T>::loss_terms() const {
  return (network_.spec().every ? window_.steps() : 1) * network_.spec().outputs;
}

template <class T>
double Trainer<T>::row_loss(Pass<T>& pass, Index row, T weight, bool learn) {
  const auto worker = static_cast<std::size_t>(&pass - passes_.data());
  const Index outputs = network_.spec().outputs;
  const bool every = network_.spec().every;
  const Index targets = window_.targets();
  double total = 0;
  for (Index t = 0; t < (every ? window_.steps() : 1); ++t) {
    const Index at = (pass.first_of(every ? t : 0) + row) * outputs;
    total += kernels<T>().loss_row({loss_.loss, targets, targets_[worker].data() + (every ? t * window_.inputs() : 0),
                                    pass.y.data() + at, learn ? pass.d_y.data() + at : nullptr, weight,
                                    static_cast<T>(loss_.delta), quantiles_.data(),
                                    std::max<Index>(1, static_cast<Index>(quantiles_.size()))});
  }
  return total / static_cast<double>(loss_terms());
}

template <class T>
void Trainer<T>::chunk(const Chunks& chunks, Index index, int worker, bool learn, const std::int64_t* series,
                       const std::int64_t* starts, double* losses) {
  Pass<T>& pass = passes_[static_cast<std::size_t>(worker)];
  std::vector<T>& target = targets_[static_cast<std::size_t>(worker)];
  const Index rows = chunks.rows_of(index);
  const Index first = chunks.first(index);
  const bool every = network_.spec().every;
  // Targets follow the window; with a head on every step, they follow every step, so the first ones lie inside it.
  const Index before = every ? window_.window - window_.patch : 0;
  const Index target_points = before + window_.horizon;
  network_.prepare(pass, window_.steps(), rows, learn);
  pass.first_row = first;
  pass.from_zero = true;
  pass.dropout = {learn ? network_.spec().dropout : 0, seed_, static_cast<std::uint64_t>(step_)};
  const Index channels = window_.channels;
  std::vector<T> scaling(static_cast<std::size_t>(2 * rows * channels));
  std::vector<const T*> windows(static_cast<std::size_t>(rows));
  for (Index b = 0; b < rows; ++b) {
    T* location = scaling.data() + 2 * b * channels;
    windows[static_cast<std::size_t>(b)] =
        gather(network_, pass, b, panel_, window_, series[first + b], starts[first + b], location, location + channels);
  }
  network_.forward(pass);
  target.resize(static_cast<std::size_t>(target_points * channels));
  const T weight = static_cast<T>(1.0 / static_cast<double>(chunks.rows * loss_terms()));
  for (Index b = 0; b < rows; ++b) {
    const T* location = scaling.data() + 2 * b * channels;
    const T* after = windows[static_cast<std::size_t>(b)] + (window_.window - before) * channels;
    const PhaseTimer timer(Phase::head);
    scale_points(target_points, channels, after, location, location + channels, target.data());
    losses[first + b] = row_loss(pass, b, weight, learn);
  }
  if (!learn) return;
  network_.clear_state_gradients(pass);
  Buffer<T>& into = index == 0 ? gradients_ : partial_[static_cast<std::size_t>(index - 1)];
  network_.backward(pass, into.data(), false);
}

template <class T>
double Trainer<T>::gradient_norm() const {
  return std::sqrt(kernels<T>().square_sum(gradients_.size(), gradients_.data()));
}

template <class T>
bool Trainer<T>::update(double rate, Index chunks) {
  const Kernels<T>& k = kernels<T>();
  PhaseTimer timer(Phase::optimizer);
  for (Index c = 1; c < chunks; ++c) {
    k.add(gradients_.size(), partial_[static_cast<std::size_t>(c - 1)].data(), gradients_.data());
  }
  double scale = 1;
  if (optimizer_.clip > 0) {
    const double norm = gradient_norm();
    if (!std::isfinite(norm)) return false;
    scale = std::min(1.0, optimizer_.clip / (norm + 1e-6));
  } else if (!k.finite(gradients_.size(), gradients_.data())) {
    return false;
  }
  ++step_;
  k.optimize({optimizer_.kind, gradients_.size(), network_.weights(), gradients_.data(), first_.data(), second_.data(),
              rate, optimizer_.momentum, optimizer_.beta1, optimizer_.beta2, optimizer_.eps, optimizer_.weight_decay,
              scale, step_});
  timer.next(Phase::pack);
  network_.pack();
  return true;
}

template <class T>
Index Trainer<T>::run(const std::int64_t* series, const std::int64_t* starts, Index count, Index batch,
                      const double* rates, double* losses) {
  const FlushDenormals flush;
  const Index steps = (count + batch - 1) / batch;
  for (Index s = 0; s < steps; ++s) {
    const Index first = s * batch;
    const Chunks chunks = Chunks::to_learn(std::min(batch, count - first));
    while (static_cast<Index>(partial_.size()) + 1 < chunks.count) partial_.emplace_back(network_.size());
    row_losses_.resize(static_cast<std::size_t>(chunks.rows));
    const double work = 3 * network_.work() * static_cast<double>(window_.steps() * chunks.rows);
    Pool::instance().run(useful_threads(threads_, work), chunks.count, [&](Index index, int worker) {
      chunk(chunks, index, worker, true, series + first, starts + first, row_losses_.data());
    });
    double total = 0;
    for (const double loss : row_losses_) total += loss;
    losses[s] = total / static_cast<double>(chunks.rows);
    if (!std::isfinite(losses[s]) || !update(rates[s], chunks.count)) return s;
  }
  return steps;
}

template <class T>
void Trainer<T>::evaluate(const std::int64_t* series, const std::int64_t* starts, Index count, double* losses) {
  const Chunks chunks = Chunks::to_run(count);
  const double work = network_.work() * static_cast<double>(window_.steps() * count);
  Pool::instance().run(useful_threads(threads_, work), chunks.count,
                       [&](Index index, int worker) { chunk(chunks, index, worker, false, series, starts, losses); });
}

template void forecast<float>(const Network<float>&, std::vector<Pass<float>>&, int, const PanelView<float>&,
                              const WindowSpec&, const std::int64_t*, const std::int64_t*, Index, float*);
template void forecast<double>(const Network<double>&, std::vector<Pass<double>>&, int, const PanelView<double>&,
                               const WindowSpec&, const std::int64_t*, const std::int64_t*, Index, double*);
template class Trainer<float>;
template class Trainer<double>;

}  // namespace unrolled
