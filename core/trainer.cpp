#include "trainer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "phase.hpp"

namespace unrolled {
Index LossSpec::anchor() const {
  Index nearest = 0;
  for (std::size_t i = 1; i < quantiles.size(); ++i) {
    if (std::fabs(quantiles[i] - 0.5) < std::fabs(quantiles[static_cast<std::size_t>(nearest)] - 0.5)) {
      nearest = static_cast<Index>(i);
    }
  }
  return nearest;
}

template <class T>
void gather(const TableView<T>& table, const WindowSpec& spec, const std::int64_t* series, const std::int64_t* starts,
            Index count, T* out, T* scaling) {
  const Index inputs = spec.inputs();
  for (Index n = 0; n < count; ++n) {
    read_window(spec, table, series[n], starts[n], window_scale(scaling + 3 * n * spec.channels, spec.channels),
                [&](Index t) { return out + (t * count + n) * inputs; });
  }
}

template <class T>
void forecast(const Network<T>& network, std::vector<Pass<T>>& passes, int threads, const TableView<T>& table,
              const WindowSpec& spec, const LossSpec& loss, bool unscale, const std::int64_t* series,
              const std::int64_t* starts, Index count, T* out, T* scaling) {
  const Chunks chunks = Chunks::to_run(count);
  const Index outputs = network.spec().outputs;
  const Index steps = spec.steps();
  const Index width = loss.width(), anchor = loss.anchor();
  threads = useful_threads(threads, network.work() * static_cast<double>(steps * count));
  make_passes(passes, threads);
  Pool::instance().run(threads, chunks.count, [&](Index index, int worker) {
    Pass<T>& pass = passes[static_cast<std::size_t>(worker)];
    const Index rows = chunks.rows_of(index);
    network.prepare(pass, steps, rows, false);
    pass.first_row = chunks.first(index);
    pass.from_zero = true;
    pass.dropout.rate = 0;
    const auto scale_of = [&](Index b) {
      return window_scale(scaling + 3 * (pass.first_row + b) * spec.channels, spec.channels);
    };
    for (Index b = 0; b < rows; ++b) {
      const PhaseTimer timer(Phase::gather);
      read_window(spec, table, series[pass.first_row + b], starts[pass.first_row + b], scale_of(b),
                  [&](Index t) { return network.input(pass, t, b); });
    }
    network.forward(pass);
    const Index last = network.spec().every ? pass.first_of(steps - 1) : 0;
    for (Index b = 0; b < rows; ++b) {
      T* y = out + (pass.first_row + b) * outputs;
      kernels<T>().map_row({loss.loss, spec.targets(), width, anchor, pass.y.data() + (last + b) * outputs, y});
      if (unscale) unscale_forecast(spec, width, scale_of(b), y);
    }
  });
}

template <class T>
Trainer<T>::Trainer(Network<T>& network, const TableView<T>& table, const WindowSpec& window, const LossSpec& loss,
                    const OptimizerSpec& optimizer, int threads, std::uint64_t seed)
    : network_(network),
      table_(table),
      window_(window),
      loss_(loss),
      optimizer_(optimizer),
      threads_(threads),
      seed_(seed),
      quantiles_(loss.quantiles.begin(), loss.quantiles.end()),
      anchor_(loss.anchor()),
      passes_(static_cast<std::size_t>(threads)),
      targets_(static_cast<std::size_t>(threads)),
      gradients_(network.size()) {
  if (optimizer.kind != Optimizer::sgd || optimizer.momentum != 0) first_.grow(network.size());
  if (optimizer.kind != Optimizer::sgd) second_.grow(network.size());
}

// The windows that have an observed target.
template <class T>
Index Trainer<T>::count_windows(const std::int64_t* series, const std::int64_t* starts, Index count) const {
  if (!window_.mask) return count;
  Index counted = 0;
  for (Index i = 0; i < count; ++i) {
    if (any_observed(table_, series[i], starts[i] + first_target(), target_points())) ++counted;
  }
  return counted;
}

// A window's loss is the mean over the numbers that are scored: its observed targets, and for quantiles each of them.
template <class T>
double Trainer<T>::row_loss(Pass<T>& pass, Index row, const std::vector<T>& target, const T* scale, Index counted,
                            bool learn) {
  const Index width = loss_.width();
  const bool every = network_.spec().every;
  const Index targets = window_.targets();
  const Index outputs = targets * width;
  const Index steps = every ? window_.steps() : 1;
  Index terms = steps * targets;
  if (window_.mask) {
    for (Index t = 0; t < steps; ++t) {
      const T* of_step = target.data() + t * window_.values();
      for (Index i = 0; i < targets; ++i) terms -= std::isnan(of_step[i]) ? 1 : 0;
    }
  }
  if (loss_.loss == Loss::pinball) terms *= width;
  const T weight = terms > 0 ? static_cast<T>(1.0 / static_cast<double>(counted * terms)) : T(0);
  double total = 0;
  for (Index t = 0; t < steps; ++t) {
    const Index at = (pass.first_of(every ? t : 0) + row) * outputs;
    total += kernels<T>().loss_row({loss_.loss, targets, target.data() + t * window_.values(), pass.y.data() + at,
                                    learn ? pass.d_y.data() + at : nullptr, weight, static_cast<T>(loss_.delta),
                                    quantiles_.data(), width, anchor_, scale, window_.channels, window_.mask});
  }
  if (terms == 0) return learn ? 0 : std::numeric_limits<double>::quiet_NaN();
  return total / static_cast<double>(terms);
}

template <class T>
void Trainer<T>::chunk(const Chunks& chunks, Index index, int worker, bool learn, Index counted,
                       const std::int64_t* series, const std::int64_t* starts, double* losses) {
  Pass<T>& pass = passes_[static_cast<std::size_t>(worker)];
  std::vector<T>& target = targets_[static_cast<std::size_t>(worker)];
  const Index rows = chunks.rows_of(index);
  const Index first = chunks.first(index);
  network_.prepare(pass, window_.steps(), rows, learn);
  pass.first_row = first;
  pass.from_zero = true;
  pass.dropout = {learn ? network_.spec().dropout : 0, seed_, static_cast<std::uint64_t>(step_)};
  const Index channels = window_.channels;
  std::vector<T> scaling(static_cast<std::size_t>(3 * rows * channels));
  for (Index b = 0; b < rows; ++b) {
    const PhaseTimer timer(Phase::gather);
    read_window(window_, table_, series[first + b], starts[first + b],
                window_scale(scaling.data() + 3 * b * channels, channels),
                [&](Index t) { return network_.input(pass, t, b); });
  }
  network_.forward(pass);
  target.resize(static_cast<std::size_t>(target_points() * channels));
  for (Index b = 0; b < rows; ++b) {
    const WindowScale<T> scale = window_scale(scaling.data() + 3 * b * channels, channels);
    const PhaseTimer timer(Phase::head);
    read_points(window_, table_, series[first + b], starts[first + b] + first_target(), target_points(), scale,
                target.data());
    losses[first + b] = row_loss(pass, b, target, scale.scale, counted, learn);
  }
  if (!learn) return;
  network_.clear_state_gradients(pass);
  Buffer<T>& into = index == 0 ? gradients_ : partial_[static_cast<std::size_t>(index - 1)];
  network_.backward(pass, into.data(), false);
}

template <class T>
void Trainer<T>::read_state(T* first, T* second) const {
  if (has_first()) network_.read_from(first_.data(), first);
  if (has_second()) network_.read_from(second_.data(), second);
}

template <class T>
void Trainer<T>::restore_state(std::int64_t updates, const T* first, const T* second) {
  step_ = updates;
  if (has_first()) place(first, first_);
  if (has_second()) place(second, second_);
}

// From torch's layout to that of the weights. What lies between the parameters there has no gradient, and stays 0.
template <class T>
void Trainer<T>::place(const T* flat, Buffer<T>& array) const {
  for (const Parameter& p : network_.parameters()) {
    const Index columns = std::max<Index>(p.columns, 1);
    for (Index row = 0; row < p.rows; ++row, flat += columns) {
      std::copy_n(flat, columns, array.data() + p.offset + row * p.stride);
    }
  }
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
    const Index counted = count_windows(series + first, starts + first, chunks.rows);
    losses[s] = 0;
    if (counted == 0) continue;
    while (static_cast<Index>(partial_.size()) + 1 < chunks.count) partial_.emplace_back(network_.size());
    row_losses_.resize(static_cast<std::size_t>(chunks.rows));
    const double work = 3 * network_.work() * static_cast<double>(window_.steps() * chunks.rows);
    Pool::instance().run(useful_threads(threads_, work), chunks.count, [&](Index index, int worker) {
      chunk(chunks, index, worker, true, counted, series + first, starts + first, row_losses_.data());
    });
    double total = 0;
    for (const double loss : row_losses_) total += loss;
    losses[s] = total / static_cast<double>(counted);
    if (!std::isfinite(losses[s]) || !update(rates[s], chunks.count)) return s;
  }
  return steps;
}

template <class T>
void Trainer<T>::evaluate(const std::int64_t* series, const std::int64_t* starts, Index count, double* losses) {
  const Chunks chunks = Chunks::to_run(count);
  const double work = network_.work() * static_cast<double>(window_.steps() * count);
  Pool::instance().run(useful_threads(threads_, work), chunks.count, [&](Index index, int worker) {
    chunk(chunks, index, worker, false, 1, series, starts, losses);
  });
}

template void gather<float>(const TableView<float>&, const WindowSpec&, const std::int64_t*, const std::int64_t*, Index,
                            float*, float*);
template void forecast<float>(const Network<float>&, std::vector<Pass<float>>&, int, const TableView<float>&,
                              const WindowSpec&, const LossSpec&, bool, const std::int64_t*, const std::int64_t*, Index,
                              float*, float*);
template void gather<double>(const TableView<double>&, const WindowSpec&, const std::int64_t*, const std::int64_t*,
                             Index, double*, double*);
template void forecast<double>(const Network<double>&, std::vector<Pass<double>>&, int, const TableView<double>&,
                               const WindowSpec&, const LossSpec&, bool, const std::int64_t*, const std::int64_t*,
                               Index, double*, double*);
template class Trainer<float>;
template class Trainer<double>;

}  // namespace unrolled
