// Training: gradients against slopes of the loss, updates against the formulas, forecasts against the window's scale.
#include "trainer.hpp"

#include <limits>

#include "check.hpp"
#include "reference.hpp"

using unrolled::Index;
using unrolled::Loss;
using unrolled::LossSpec;
using unrolled::Network;
using unrolled::NetworkSpec;
using unrolled::Optimizer;
using unrolled::OptimizerSpec;
using unrolled::PanelView;
using unrolled::Scaling;
using unrolled::Trainer;
using unrolled::WindowSpec;

namespace {

using Indices = std::vector<std::int64_t>;

// Three series, one of them just as long as a window with its target, in exactly as much memory as they need.
template <class T>
struct Job {
  NetworkSpec network;
  WindowSpec window;
  LossSpec loss;
  OptimizerSpec optimizer;
  std::vector<T> values;
  Indices offsets, series, starts;
  int threads = 1;

  PanelView<T> panel() const { return {values.data(), offsets.data(), 3, window.channels}; }
  Index count() const { return static_cast<Index>(series.size()); }
};

template <class T>
Job<T> make_job(int cell, bool every, Scaling scaling, Loss loss, Index count, double dropout = 0) {
  Job<T> job;
  job.window = {6, 2, 3, 2, scaling};
  if (loss == Loss::pinball) job.loss.quantiles = {0.1, 0.5, 0.8};
  job.loss.loss = loss;
  job.loss.delta = 0.4;
  const Index quantiles = std::max<Index>(1, static_cast<Index>(job.loss.quantiles.size()));
  job.network.cell = cell;
  job.network.inputs = 4;
  job.network.hidden = 21;
  job.network.layers = 2;
  job.network.outputs = 6 * quantiles;
  job.network.every = every;
  job.network.skip_steps = every ? 0 : 3;
  job.network.dropout = dropout;
  test::Random random(9);
  job.offsets = {0, 9, 29, 60};
  job.values = random.numbers<T>(120);
  for (std::size_t i = 22; i < 40; ++i) job.values[i] = T(2.5);  // a constant stretch
  for (Index i = 0; i < count; ++i) {
    const auto s = static_cast<std::size_t>(i % 3);
    const std::int64_t last = job.offsets[s + 1] - job.offsets[s] - 9;
    job.series.push_back(static_cast<std::int64_t>(s));
    job.starts.push_back(i < 3 ? last : (7 * i) % (last + 1));
  }
  return job;
}

template <class T>
std::vector<T> parameters(const Network<T>& network) {
  std::vector<T> flat(static_cast<std::size_t>(network.parameter_count()));
  network.read(flat.data());
  return flat;
}

template <class T>
Network<T> make_network(const Job<T>& job) {
  Network<T> network(job.network);
  network.write(test::Random(3).numbers<T>(network.parameter_count(), 0.3).data());
  return network;
}

template <class T>
Trainer<T> make_trainer(const Job<T>& job, Network<T>& network) {
  return Trainer<T>(network, job.panel(), job.window, job.loss, job.optimizer, job.threads, 5);
}

template <class T>
double mean_loss(const Job<T>& job, Network<T>& network) {
  std::vector<double> losses(job.series.size());
  make_trainer(job, network).evaluate(job.series.data(), job.starts.data(), job.count(), losses.data());
  double total = 0;
  for (const double one : losses) total += one;
  return total / static_cast<double>(losses.size());
}

// The loss of one number by its formula, e = y_pred - y_true.
double loss_by_formula(Loss loss, double e, double delta, double q) {
  switch (loss) {
    case Loss::mse:
      return e * e;
    case Loss::mae:
      return std::fabs(e);
    case Loss::huber:
      return std::fabs(e) <= delta ? e * e / 2 : delta * (std::fabs(e) - delta / 2);
    case Loss::pinball:
      return e > 0 ? (1 - q) * e : -q * e;
  }
  return 0;
}

TEST(losses_follow_their_formulas) {
  const double quantiles[] = {0.1, 0.5, 0.8};
  for (int loss = 0; loss < unrolled::kLossCount; ++loss) {
    const bool pinball = static_cast<Loss>(loss) == Loss::pinball;
    const Index width = pinball ? 3 : 1;
    const std::vector<double> target = test::Random(6).numbers<double>(20);
    std::vector<double> pred = test::Random(7).numbers<double>(20 * width), d(pred.size());
    pred[0] = target[0];
    const double sum = unrolled::kernels<double>().loss_row(
        {static_cast<Loss>(loss), 20, target.data(), pred.data(), d.data(), 0.5, 0.3, quantiles, width});
    double expected = 0;
    for (std::size_t i = 0; i < pred.size(); ++i) {
      const double e = pred[i] - target[i / static_cast<std::size_t>(width)];
      const auto value = [&](double at) {
        return loss_by_formula(static_cast<Loss>(loss), at, 0.3, quantiles[i % static_cast<std::size_t>(width)]);
      };
      expected += value(e);
      NEAR(d[i], i == 0 ? 0 : 0.5 * (value(e + 1e-6) - value(e - 1e-6)) / 2e-6, 1e-9);
    }
    NEAR(sum, expected, 1e-13);
  }
}

// Evaluations and forecasts of every window by plain loops: gathered, scaled, run, scored, scaled back.
void check_windows(int cell, bool every, Scaling scaling, Loss loss) {
  const Job<double> job = make_job<double>(cell, every, scaling, loss, 40, 0.3);
  const WindowSpec& w = job.window;
  const Index outputs = job.network.outputs, quantiles = outputs / w.targets();
  Network<double> network = make_network(job);
  std::vector<double> losses(job.series.size()), out(losses.size() * static_cast<std::size_t>(outputs));
  make_trainer(job, network).evaluate(job.series.data(), job.starts.data(), job.count(), losses.data());
  std::vector<unrolled::Pass<double>> passes;
  unrolled::forecast(network, passes, 2, job.panel(), w, job.series.data(), job.starts.data(), job.count(), out.data());
  for (std::size_t n = 0; n < job.series.size(); ++n) {
    const double* window =
        job.values.data() + (job.offsets[static_cast<std::size_t>(job.series[n])] + job.starts[n]) * 2;
    double location[2] = {0, 0}, scale[2] = {1, 1};
    unrolled::fit_scaling(w, window, location, scale);
    const auto scaled = [&](Index i) { return (window[i] - location[i % 2]) / scale[i % 2]; };
    test::Reals x, h(42), c(42);
    for (Index i = 0; i < w.window * 2; ++i) x.push_back(scaled(i));
    const test::Reals y = test::run_reference(job.network, parameters(network), w.steps(), 1, x, h, c, {});
    double total = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      const Index at = static_cast<Index>(i), step = every ? at / outputs + 1 : w.steps();
      const double e = y[i] - scaled(step * w.inputs() + at % outputs / quantiles);
      const double q = loss == Loss::pinball ? job.loss.quantiles[i % job.loss.quantiles.size()] : 0;
      total += loss_by_formula(loss, e, job.loss.delta, q);
    }
    NEAR(losses[n], total / static_cast<double>(y.size()), 1e-12);
    for (Index o = 0; o < outputs; ++o) {
      const std::size_t channel = static_cast<std::size_t>(o / quantiles % 2);
      const double forecast = y[y.size() - static_cast<std::size_t>(outputs - o)] * scale[channel] + location[channel];
      NEAR(out[n * static_cast<std::size_t>(outputs) + static_cast<std::size_t>(o)], forecast, 1e-12);
    }
  }
}

TEST(evaluations_and_forecasts_by_plain_loops) {
  for (int cell = 0; cell < unrolled::kCellCount; ++cell) {
    for (int loss = 0; loss < unrolled::kLossCount; ++loss) {
      for (const bool every : {false, true}) {
        check_windows(cell, every, static_cast<Scaling>((cell + loss) % unrolled::kScalingCount),
                      static_cast<Loss>(loss));
      }
    }
  }
}

// A window's location and scale by hand: 1, 2, 3, 6 in one channel, a constant in the other.
TEST(scaling_by_hand) {
  const double window[] = {1, 5, 2, 5, 3, 5, 6, 5};
  struct {
    Scaling scaling;
    double location, scale, flat_location, flat_scale;
  } const expected[] = {{Scaling::none, 0, 1, 0, 1},
                        {Scaling::standard, 3, std::sqrt(3.5), 5, 1},
                        {Scaling::last, 6, std::sqrt(3.5), 5, 1},
                        {Scaling::mean_abs, 0, 3, 0, 5}};
  for (const auto& one : expected) {
    double location[2], scale[2];
    unrolled::fit_scaling({4, 1, 1, 2, one.scaling}, window, location, scale);
    NEAR(location[0], one.location, 1e-15);
    NEAR(scale[0], one.scale, 1e-15);
    NEAR(location[1], one.flat_location, 1e-15);
    NEAR(scale[1], one.flat_scale, 1e-15);
  }
}

void check_slope(int cell, bool every, Scaling scaling, Loss loss) {
  Job<double> job = make_job<double>(cell, every, scaling, loss, 40);
  Network<double> network = make_network(job);
  const std::vector<double> before = parameters(network);
  Trainer<double> trainer = make_trainer(job, network);
  const double still = 0;
  double value = 0;
  CHECK(trainer.run(job.series.data(), job.starts.data(), 40, 40, &still, &value) == 1);
  NEAR(value, mean_loss(job, network), 1e-13);
  CHECK(test::same_bits(parameters(network), before));
  std::vector<double> gradient(before.size());
  trainer.read_gradients(gradient.data());
  long double squares = 0, along = 0, size = 0;
  const std::vector<double> direction = test::Random(4).numbers<double>(static_cast<Index>(before.size()));
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    squares += static_cast<long double>(gradient[i]) * gradient[i];
    along += static_cast<long double>(gradient[i]) * direction[i];
    size += std::fabs(gradient[i]);
  }
  NEAR(trainer.gradient_norm(), std::sqrt(squares), 1e-12L * std::sqrt(squares));
  const auto moved = [&](double step) {
    std::vector<double> flat = before;
    for (std::size_t i = 0; i < flat.size(); ++i) flat[i] += step * direction[i];
    network.write(flat.data());
    return mean_loss(job, network);
  };
  NEAR(along, (moved(1e-6) - moved(-1e-6)) / 2e-6, 1e-7L * (size + 1));
}

TEST(gradients_are_slopes_of_the_loss) {
  for (int cell = 0; cell < unrolled::kCellCount; ++cell) {
    for (int loss = 0; loss < unrolled::kLossCount; ++loss) {
      for (int scaling = 0; scaling < unrolled::kScalingCount; ++scaling) {
        test::context =
            "cell " + std::to_string(cell) + " loss " + std::to_string(loss) + " scaling " + std::to_string(scaling);
        check_slope(cell, scaling % 2 == 1, static_cast<Scaling>(scaling), static_cast<Loss>(loss));
      }
    }
  }
}

// The optimizers' formulas, one parameter after the other, in double.
struct Update {
  OptimizerSpec o;
  double rate;
  std::vector<double> first, second;

  void step(int t, double norm, const std::vector<double>& gradient, std::vector<double>& flat) {
    first.resize(flat.size());
    second.resize(flat.size());
    const double scale = o.clip > 0 ? std::min(1.0, o.clip / (norm + 1e-6)) : 1.0;
    for (std::size_t i = 0; i < flat.size(); ++i) {
      double g = gradient[i] * scale;
      if (o.kind == Optimizer::adamw) flat[i] -= rate * o.weight_decay * flat[i];
      if (o.kind != Optimizer::adamw) g += o.weight_decay * flat[i];
      if (o.kind == Optimizer::sgd) {
        first[i] = o.momentum * first[i] + g;
        flat[i] -= rate * first[i];
        continue;
      }
      first[i] = o.beta1 * first[i] + (1 - o.beta1) * g;
      second[i] = o.beta2 * second[i] + (1 - o.beta2) * g * g;
      const double m = first[i] / (1 - std::pow(o.beta1, t)), v = second[i] / (1 - std::pow(o.beta2, t));
      flat[i] -= rate * m / (std::sqrt(v) + o.eps);
    }
  }
};

template <class T>
void check_updates(Optimizer kind, double momentum, double clip, double tolerance) {
  Job<T> job = make_job<T>(2, false, Scaling::standard, Loss::mse, 40, 0.3);
  job.optimizer = {kind, momentum, 0.85, 0.97, 1e-6, 0.02, clip};
  Network<T> network = make_network(job);
  Trainer<T> trainer = make_trainer(job, network);
  const std::vector<T> start = parameters(network);
  std::vector<double> expected(start.begin(), start.end());
  Update update{job.optimizer, 0.01, {}, {}};
  for (int t = 1; t <= 4; ++t) {
    double value = 0;
    CHECK(trainer.run(job.series.data(), job.starts.data(), 40, 40, &update.rate, &value) == 1);
    std::vector<T> gradient(start.size());
    trainer.read_gradients(gradient.data());
    update.step(t, trainer.gradient_norm(), std::vector<double>(gradient.begin(), gradient.end()), expected);
    const std::vector<T> got = parameters(network);
    for (std::size_t i = 0; i < got.size(); ++i) NEAR(got[i], expected[i], tolerance);
  }
}

TEST(updates_follow_the_formulas) {
  for (const double clip : {0.0, 0.1}) {
    for (int kind = 0; kind < unrolled::kOptimizerCount; ++kind) {
      check_updates<double>(static_cast<Optimizer>(kind), kind == 0 ? 0.9 : 0, clip, 1e-14);
      check_updates<float>(static_cast<Optimizer>(kind), kind == 0 ? 0.9 : 0, clip, 2e-6);
    }
    check_updates<double>(Optimizer::sgd, 0, clip, 1e-14);
  }
}

// Losses, parameters, evaluations and forecasts of a short training.
template <class T>
std::vector<double> trained(Job<T> job, int threads) {
  job.threads = threads;
  Network<T> network = make_network(job);
  Trainer<T> trainer = make_trainer(job, network);
  const std::vector<double> rates(3, 0.01);
  std::vector<double> results(3 + job.series.size());
  CHECK(trainer.run(job.series.data(), job.starts.data(), job.count(), (job.count() + 2) / 3, rates.data(),
                    results.data()) == 3);
  trainer.evaluate(job.series.data(), job.starts.data(), job.count(), results.data() + 3);
  std::vector<unrolled::Pass<T>> passes;
  std::vector<T> out(static_cast<std::size_t>(job.count() * job.network.outputs));
  unrolled::forecast(network, passes, threads, job.panel(), job.window, job.series.data(), job.starts.data(),
                     job.count(), out.data());
  const std::vector<T> flat = parameters(network);
  results.insert(results.end(), flat.begin(), flat.end());
  results.insert(results.end(), out.begin(), out.end());
  for (const double one : results) CHECK(std::isfinite(one));
  return results;
}

template <class T>
void check_threads() {
  for (int cell = 0; cell < unrolled::kCellCount; ++cell) {
    for (int loss = 0; loss < unrolled::kLossCount; ++loss) {
      Job<T> job = make_job<T>(cell, loss % 2 == 0, Scaling::last, static_cast<Loss>(loss), 690, 0.3);
      job.optimizer.kind = static_cast<Optimizer>(loss % unrolled::kOptimizerCount);
      job.optimizer.clip = 0.5;
      const std::vector<double> alone = trained(job, 1);
      for (const int threads : {1, 2, 3, 7}) CHECK(test::same_bits(trained(job, threads), alone));
    }
  }
}

TEST(threads_float) { check_threads<float>(); }
TEST(threads_double) { check_threads<double>(); }

// Forecasts of 3 y + 7 are 3 times those of y, plus 7.
TEST(forecasts_follow_their_series) {
  for (const Scaling scaling : {Scaling::standard, Scaling::last, Scaling::mean_abs}) {
    Job<double> job = make_job<double>(3, false, scaling, Loss::pinball, 50);
    job.values = test::Random(8).numbers<double>(120);  // no constant window, whose scale is always 1
    Network<double> network = make_network(job);
    std::vector<unrolled::Pass<double>> passes;
    std::vector<double> out[2];
    for (std::vector<double>& one : out) {
      one.resize(static_cast<std::size_t>(job.count() * job.network.outputs));
      unrolled::forecast(network, passes, 2, job.panel(), job.window, job.series.data(), job.starts.data(), job.count(),
                         one.data());
      for (double& value : job.values) value = 3 * value + (scaling == Scaling::mean_abs ? 0 : 7);
    }
    for (std::size_t i = 0; i < out[0].size(); ++i) {
      NEAR(out[1][i], 3 * out[0][i] + (scaling == Scaling::mean_abs ? 0 : 7), 1e-12);
    }
  }
}

TEST(what_is_not_finite_stops_before_its_update) {
  Job<float> job = make_job<float>(2, false, Scaling::standard, Loss::mse, 6);
  job.values[10] = std::numeric_limits<float>::quiet_NaN();  // in series 0: windows 0 and 3
  Network<float> network = make_network(job);
  Trainer<float> trainer = make_trainer(job, network);
  const std::vector<double> rates(6, 0.01);
  std::vector<double> losses(6);
  CHECK(trainer.run(job.series.data() + 1, job.starts.data() + 1, 5, 1, rates.data(), losses.data()) == 2);
  CHECK(std::isfinite(losses[1]));
  CHECK(std::isnan(losses[2]));
  const std::vector<float> flat = parameters(network);
  for (const float one : flat) CHECK(std::isfinite(one));
  CHECK(trainer.run(job.series.data(), job.starts.data(), 6, 6, rates.data(), losses.data()) == 0);
  CHECK(test::same_bits(parameters(network), flat));
}

TEST(no_windows) {
  Job<float> job = make_job<float>(0, true, Scaling::none, Loss::mae, 0);
  Network<float> network = make_network(job);
  Trainer<float> trainer = make_trainer(job, network);
  CHECK(trainer.run(nullptr, nullptr, 0, 3, nullptr, nullptr) == 0);
  trainer.evaluate(nullptr, nullptr, 0, nullptr);
}

}  // namespace
