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

using unrolled::Scaling;
using unrolled::TableView;
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

  TableView<T> table() const { return {values.data(), offsets.data(), 3, window.channels}; }
  Index count() const { return static_cast<Index>(series.size()); }
};

template <class T>
Job<T> make_job(int cell, bool every, Scaling scaling, Loss loss, Index count, double dropout = 0) {
  Job<T> job;
  job.window = {6, 2, 3, 2, scaling};
  if (loss == Loss::pinball) job.loss.quantiles = {0.1, 0.5, 0.8};
  job.loss.loss = loss;
  job.loss.delta = 0.4;
  const Index width = job.loss.width();
  job.network.cell = cell;
  job.network.inputs = 4;
  job.network.hidden = 21;
  job.network.layers = 2;
  job.network.outputs = 6 * width;
  job.network.every = every;
  job.network.skip_steps = every ? 0 : 3;
  job.network.dropout = dropout;
  test::Random random(9);
  job.offsets = {0, 9, 29, 60};
  job.values = random.numbers<T>(120);
  for (std::size_t i = 22; i < 40; ++i) job.values[i] = T(2.5);  // a constant stretch
  if (scaling == Scaling::log || loss == Loss::negative_binomial) {
    for (T& value : job.values) value = std::abs(value) + T(1);
  }
  if (loss == Loss::negative_binomial) job.window.scaling = Scaling::mean_abs;
  if (scaling == Scaling::adaptive && loss != Loss::negative_binomial) {
    for (std::size_t i = 0; i < job.values.size(); i += 2) job.values[i] = std::exp(3 * job.values[i]);
  }
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
  return Trainer<T>(network, job.table(), job.window, job.loss, job.optimizer, job.threads, 5);
}

template <class T>
double mean_loss(const Job<T>& job, Network<T>& network) {
  std::vector<double> losses(job.series.size());
  make_trainer(job, network).evaluate(job.series.data(), job.starts.data(), job.count(), losses.data());
  double total = 0;
  for (const double one : losses) total += one;
  return total / static_cast<double>(losses.size());
}

// The loss of one target by its formula, from what the head gives; the map is the core's own.
double loss_by_formula(const LossSpec& spec, const double* raw, double target, double scale) {
  std::vector<double> p(static_cast<std::size_t>(spec.width()));
  unrolled::kernels<double>().map_row({spec.loss, 1, spec.width(), spec.anchor(), raw, p.data()});
  const double e = p[0] - target;
  const double log_pi = std::log(std::acos(-1.0));
  switch (spec.loss) {
    case Loss::mse:
      return e * e;
    case Loss::mae:
      return std::fabs(e);
    case Loss::huber:
      return std::fabs(e) <= spec.delta ? e * e / 2 : spec.delta * (std::fabs(e) - spec.delta / 2);
    case Loss::pinball: {
      double total = 0;
      for (std::size_t q = 0; q < p.size(); ++q) {
        const double by = p[q] - target;
        total += by > 0 ? (1 - spec.quantiles[q]) * by : -spec.quantiles[q] * by;
      }
      return total;
    }
    case Loss::gaussian:
      return 0.5 * (std::log(2.0) + log_pi) + std::log(p[1]) + 0.5 * e * e / (p[1] * p[1]);
    case Loss::student_t:
      return std::lgamma(p[2] / 2) - std::lgamma((p[2] + 1) / 2) + 0.5 * (std::log(p[2]) + log_pi) + std::log(p[1]) +
             0.5 * (p[2] + 1) * std::log1p(e * e / (p[1] * p[1] * p[2]));
    case Loss::negative_binomial: {
      const double y = target * scale, m = p[0] * scale, r = 1 / p[1];
      return std::lgamma(y + 1) + std::lgamma(r) - std::lgamma(y + r) + (r + y) * std::log(r + m) - r * std::log(r) -
             y * std::log(m);
    }
  }
  return 0;
}

TEST(losses_follow_their_formulas) {
  for (int loss = 0; loss < unrolled::kLossCount; ++loss) {
    LossSpec spec{static_cast<Loss>(loss), 0.3, {}};
    if (spec.loss == Loss::pinball) spec.quantiles = {0.1, 0.45, 0.55, 0.9};
    const Index width = spec.width();
    std::vector<double> target = test::Random(6).numbers<double>(20);
    if (spec.loss == Loss::negative_binomial) {
      for (double& one : target) one = std::floor(20 * std::fabs(one)) / 2.5;
    }
    const double nan = std::numeric_limits<double>::quiet_NaN(), scale[] = {2.5, 2.5};
    for (const bool missing : {false, true}) {
      if (missing) target[3] = target[19] = nan;
      const std::vector<double> raw = test::Random(7).numbers<double>(20 * width, 3);
      std::vector<double> d(raw.size());
      const double sum =
          unrolled::kernels<double>().loss_row({spec.loss, 20, target.data(), raw.data(), d.data(), 0.5, spec.delta,
                                                spec.quantiles.data(), width, spec.anchor(), scale, 2, missing});
      double expected = 0;
      for (std::size_t i = 0; i < raw.size(); ++i) {
        const std::size_t n = i / static_cast<std::size_t>(width);
        if (std::isnan(target[n])) {
          CHECK(d[i] == 0);
          continue;
        }
        const auto value = [&](double step) {
          std::vector<double> moved = raw;
          moved[i] += step;
          return loss_by_formula(spec, moved.data() + n * static_cast<std::size_t>(width), target[n], 2.5);
        };
        if (i % static_cast<std::size_t>(width) == 0) expected += value(0);
        NEAR(d[i], 0.5 * (value(1e-6) - value(-1e-6)) / 2e-6, 2e-9 * (10 + std::fabs(d[i])));
      }
      NEAR(sum, expected, 1e-11);
    }
  }
}

// Evaluations and forecasts of every window by plain loops: gathered, scaled, run, scored, scaled back.
void check_windows(int cell, bool every, Scaling scaling, Loss loss) {
  const Job<double> job = make_job<double>(cell, every, scaling, loss, 40, 0.3);
  const WindowSpec& w = job.window;
  const Index outputs = job.network.outputs, width = job.loss.width(), terms = loss == Loss::pinball ? width : 1;
  Network<double> network = make_network(job);
  std::vector<double> losses(job.series.size()), out(losses.size() * static_cast<std::size_t>(outputs));
  std::vector<double> scaling_of(losses.size() * 6);
  make_trainer(job, network).evaluate(job.series.data(), job.starts.data(), job.count(), losses.data());
  std::vector<unrolled::Pass<double>> passes;
  const bool unscale = !unrolled::is_distribution(loss);
  unrolled::forecast(network, passes, 2, job.table(), w, job.loss, unscale, job.series.data(), job.starts.data(),
                     job.count(), out.data(), scaling_of.data());
  for (std::size_t n = 0; n < job.series.size(); ++n) {
    const double* window =
        job.values.data() + (job.offsets[static_cast<std::size_t>(job.series[n])] + job.starts[n]) * 2;
    double fitted[6];
    unrolled::fit_scaling(w, window, w.window, unrolled::window_scale(fitted, 2));
    CHECK(test::same_bits(std::vector<double>(fitted, fitted + 6),
                          std::vector<double>(scaling_of.data() + 6 * n, scaling_of.data() + 6 * n + 6)));
    const auto scaled = [&](Index i) {
      const Index c = i % 2;
      const auto bend = unrolled::bend_of(w.scaling, unrolled::window_scale(fitted, 2), c);
      const double u = unrolled::bent(w.scaling, fitted[c]) ? bend.into(window[i]) : window[i];
      return (u - fitted[2 + c]) / fitted[4 + c];
    };
    test::Reals x, h(42), c(42);
    for (Index i = 0; i < w.window * 2; ++i) x.push_back(scaled(i));
    const test::Reals y = test::run_reference(job.network, parameters(network), w.steps(), 1, x, h, c, {});
    double total = 0;
    const Index answers = static_cast<Index>(y.size()) / width;
    for (Index i = 0; i < answers; ++i) {
      const Index step = every ? i / w.targets() + 1 : w.steps();
      const double target = scaled(step * w.values() + i % w.targets());
      total += loss_by_formula(job.loss, y.data() + i * width, target, fitted[4 + i % 2]);
    }
    NEAR(losses[n], total / static_cast<double>(answers * terms), 1e-11);
    std::vector<double> expected(y.end() - outputs, y.end());
    unrolled::kernels<double>().map_row(
        {loss, w.targets(), width, job.loss.anchor(), expected.data(), expected.data()});
    if (unscale) unrolled::unscale_forecast(w, width, unrolled::window_scale(fitted, 2), expected.data());
    for (Index o = 0; o < outputs; ++o) {
      NEAR(out[n * static_cast<std::size_t>(outputs) + static_cast<std::size_t>(o)],
           expected[static_cast<std::size_t>(o)], 1e-11);
    }
  }
}

TEST(evaluations_and_forecasts_by_plain_loops) {
  for (int cell = 0; cell < unrolled::kCellCount; ++cell) {
    for (int loss = 0; loss < unrolled::kLossCount; ++loss) {
      for (const bool every : {false, true}) {
        test::context = "cell " + std::to_string(cell) + " loss " + std::to_string(loss);
        check_windows(cell, every, static_cast<Scaling>((cell + loss) % unrolled::kScalingCount),
                      static_cast<Loss>(loss));
      }
    }
  }
}

// A window with gaps, covariates, statics and a step ahead, which begins before its series: number by number.
TEST(a_window_by_hand) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> values = {2, nan, 4};
  const std::vector<double> features = {10, 100, 20, 200, 30, 300, 40, 400};  // the first column is known ahead
  const double statics[] = {7};
  const Indices offsets = {0, 3}, rows = {0, 4};
  TableView<double> table{values.data(), offsets.data(), 1, 1};
  table.features = features.data();
  table.feature_offsets = rows.data();
  table.feature_columns = 2;
  table.known = 1;
  table.statics = statics;
  table.static_columns = 1;
  WindowSpec spec{4, 2, 1, 1, Scaling::mean_abs};
  spec.mask = true;
  spec.ahead = 1;
  spec.features = 2;
  spec.statics = 1;
  CHECK(spec.steps() == 3);
  CHECK(spec.inputs() == 9);
  const std::int64_t series = 0, start = -1;
  std::vector<double> x(27, nan), scaling(3, nan);
  unrolled::gather(table, spec, &series, &start, 1, x.data(), scaling.data());
  CHECK(test::same_bits(scaling, {1, 0, 3}));
  const std::vector<double> expected = {0, 2.0 / 3, 1, 0, 0,  0,   10, 100, 7,   // before the series, its first point
                                        0, 4.0 / 3, 1, 0, 20, 200, 30, 300, 7,   // a gap, the last point
                                        0, 0,       1, 1, 40, 0,   0,  0,   7};  // one point of the horizon, and rest
  CHECK(test::same_bits(x, expected));
}

// What begins before a series has the bits of the same series behind missing points.
TEST(windows_before_their_series) {
  for (int scaling = 0; scaling < unrolled::kScalingCount; ++scaling) {
    const std::vector<float> values = {3, 1, 4, 1, 5, 9, 2, 6};
    std::vector<float> padded(5, std::numeric_limits<float>::quiet_NaN());
    padded.insert(padded.end(), values.begin(), values.end());
    const Indices offsets = {0, 8}, padded_offsets = {0, 13};
    WindowSpec spec{6, 3, 2, 1, static_cast<Scaling>(scaling)};
    spec.mask = true;
    for (std::int64_t start = -5; start <= 2; ++start) {
      const std::int64_t series = 0, later = start + 5;
      std::vector<float> x[2], fitted[2];
      for (auto* one : {&x[0], &x[1]}) one->resize(12);
      for (auto* one : {&fitted[0], &fitted[1]}) one->resize(3);
      unrolled::gather<float>({values.data(), offsets.data(), 1, 1}, spec, &series, &start, 1, x[0].data(),
                              fitted[0].data());
      unrolled::gather<float>({padded.data(), padded_offsets.data(), 1, 1}, spec, &series, &later, 1, x[1].data(),
                              fitted[1].data());
      CHECK(test::same_bits(x[0], x[1]));
      CHECK(test::same_bits(fitted[0], fitted[1]));
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
                        {Scaling::mean_abs, 0, 3, 0, 5},
                        {Scaling::log, std::log(6.0), std::sqrt(0.42185049368269584), std::log(5.0), 1},
                        {Scaling::asinh, std::asinh(2.0), std::sqrt(0.16831506702718396), std::asinh(1.0), 1},
                        {Scaling::adaptive, 3, std::sqrt(3.5), 5, 1}};
  for (const auto& one : expected) {
    double fitted[6];
    unrolled::fit_scaling({4, 1, 1, 2, one.scaling}, window, 4, unrolled::window_scale(fitted, 2));
    const bool bent = one.scaling == Scaling::log || one.scaling == Scaling::asinh;
    const double plain = one.scaling == Scaling::adaptive ? 0 : 1;
    NEAR(fitted[0], one.scaling == Scaling::asinh ? 3 : plain, 1e-15);
    NEAR(fitted[1], one.scaling == Scaling::asinh ? 5 : plain, 1e-15);
    NEAR(fitted[2], one.location, 1e-15);
    NEAR(fitted[4], one.scale, bent ? 1e-11 : 1e-15);
    NEAR(fitted[3], one.flat_location, 1e-15);
    NEAR(fitted[5], one.flat_scale, 1e-15);
  }
}

// adaptive: a channel that goes from 1 to 1000 beside the same with a value below 0.
TEST(adaptive_by_hand) {
  const double ten = std::log(10.0), nan = std::numeric_limits<double>::quiet_NaN();
  const double window[] = {0, 0, nan, nan, 1, 1, 10, 10, 100, 100, 1000, -1000};
  WindowSpec spec{6, 1, 2, 2, Scaling::adaptive, true};
  double fitted[6], straight[6];
  unrolled::fit_scaling(spec, window, 6, unrolled::window_scale(fitted, 2));
  const double mean = (6 * ten - 1) / 5;
  CHECK(fitted[0] == 1);
  NEAR(fitted[2], mean, 1e-14);
  NEAR(fitted[4], std::sqrt((1 + 14 * ten * ten) / 5 - mean * mean), 1e-14);
  double scaled[4], back[] = {1e5, -1e5, 1e-3, 1e-3};
  unrolled::scale_points(spec, 2, back, unrolled::window_scale(fitted, 2), scaled);
  const double top = std::exp(mean + fitted[4]);
  NEAR(scaled[0], 1 + (1e5 - top) / top / fitted[4], 1e-12 * scaled[0]);
  NEAR(scaled[2], (1e-3 - 1 - mean) / fitted[4], 1e-12);
  unrolled::unscale_forecast(spec, 1, unrolled::window_scale(fitted, 2), scaled);
  for (Index i = 0; i < 4; ++i) NEAR(scaled[i], back[i], 1e-12 * std::fmax(1, std::fabs(back[i])));
  double far[] = {10, 10, 1, 0};  // no forecast is exponential
  unrolled::unscale_forecast(spec, 1, unrolled::window_scale(fitted, 2), far);
  NEAR(far[0], top * (1 + 9 * fitted[4]), 1e-12 * far[0]);
  NEAR(far[2], top, 1e-12 * top);
  CHECK(fitted[1] == 0);
  spec.scaling = Scaling::standard;
  unrolled::fit_scaling(spec, window, 6, unrolled::window_scale(straight, 2));
  CHECK(fitted[3] == straight[3]);
  CHECK(fitted[5] == straight[5]);
}

// adaptive: nothing is read in logs that deviates by more there than any series does, here by sqrt(2) log(step).
TEST(adaptive_to_a_bound) {
  for (const double step : {1e3, 2e3}) {
    const double window[] = {1, step, std::pow(step, 2), std::pow(step, 3), std::pow(step, 4)};
    double fitted[3];
    unrolled::fit_scaling({5, 1, 1, 1, Scaling::adaptive}, window, 5, unrolled::window_scale(fitted, 1));
    CHECK(fitted[0] == (step < 2e3 ? 1 : 0));
  }
}

// adaptive: most of a window is 0, and a deviation above its mean is still below its smallest value: one line.
TEST(adaptive_below_its_smallest_value) {
  std::vector<double> window(200, 0.0);
  window[3] = 2, window[90] = 30;
  double fitted[3];
  const auto by = unrolled::window_scale(fitted, 1);
  const WindowSpec spec{200, 1, 5, 1, Scaling::adaptive};
  unrolled::fit_scaling(spec, window.data(), 200, by);
  CHECK(fitted[0] == 2);
  CHECK(fitted[1] + fitted[2] < std::log(2.0));
  const double values[] = {-2, 0, 1.999, 2.001, 40};
  double scaled[5];
  unrolled::scale_points(spec, 5, values, by, scaled);
  for (Index i = 0; i < 5; ++i) {
    NEAR(scaled[i], (std::log(2.0) + values[i] / 2 - 1 - fitted[1]) / fitted[2], 1e-11);
  }
  unrolled::unscale_forecast(spec, 1, by, scaled);
  for (Index i = 0; i < 5; ++i) NEAR(scaled[i], values[i], 1e-11);
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
  std::vector<T> scaling(static_cast<std::size_t>(job.count() * 6));
  unrolled::forecast(network, passes, threads, job.table(), job.window, job.loss,
                     !unrolled::is_distribution(job.loss.loss), job.series.data(), job.starts.data(), job.count(),
                     out.data(), scaling.data());
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
      std::vector<double> fitted(static_cast<std::size_t>(job.count() * 6));
      unrolled::forecast(network, passes, 2, job.table(), job.window, job.loss, true, job.series.data(),
                         job.starts.data(), job.count(), one.data(), fitted.data());
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

// Training that is cut in two, with another trainer behind the cut, has the bits of the whole.
TEST(training_goes_on_from_a_state) {
  for (int kind = 0; kind < unrolled::kOptimizerCount; ++kind) {
    Job<float> job = make_job<float>(2, false, Scaling::standard, Loss::gaussian, 30, 0.3);
    job.optimizer.kind = static_cast<Optimizer>(kind);
    job.optimizer.momentum = kind == 0 ? 0.9 : 0;
    const std::vector<double> rates(3, 0.01);
    std::vector<double> losses(3);
    Network<float> whole = make_network(job), parts = make_network(job);
    make_trainer(job, whole).run(job.series.data(), job.starts.data(), 30, 10, rates.data(), losses.data());
    Trainer<float> before = make_trainer(job, parts);
    before.run(job.series.data(), job.starts.data(), 20, 10, rates.data(), losses.data());
    std::vector<float> first(static_cast<std::size_t>(parts.parameter_count())), second(first.size());
    before.read_state(first.data(), second.data());
    Trainer<float> after = make_trainer(job, parts);
    after.restore_state(before.updates(), first.data(), second.data());
    after.run(job.series.data() + 20, job.starts.data() + 20, 10, 10, rates.data(), losses.data());
    CHECK(test::same_bits(parameters(parts), parameters(whole)));
  }
}

TEST(no_windows) {
  Job<float> job = make_job<float>(0, true, Scaling::none, Loss::mae, 0);
  Network<float> network = make_network(job);
  Trainer<float> trainer = make_trainer(job, network);
  CHECK(trainer.run(nullptr, nullptr, 0, 3, nullptr, nullptr) == 0);
  trainer.evaluate(nullptr, nullptr, 0, nullptr);
}

}  // namespace
