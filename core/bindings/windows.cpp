// Windows of a table: what the network reads of them, forecasts of what follows them, and training on them.
//
// Knows: tables, windows, the trainer. Must not know: the order of windows, schedules, epochs.
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "bindings/py_network.hpp"
#include "trainer.hpp"

namespace unrolled {
namespace {

using Offsets = Array<const std::int64_t>;

// Where each series begins and the last one ends, copied, so that nobody can change it while the core works without
// the interpreter's lock.
std::vector<std::int64_t> copy_offsets(const char* what, const Offsets& given, Index rows) {
  check_rank(what, given, 1);
  std::vector<std::int64_t> offsets(given.data(), given.data() + given.shape(0));
  if (offsets.size() < 2) refuse(what, "at least 2 numbers", std::to_string(offsets.size()));
  for (std::size_t i = 1; i < offsets.size(); ++i) {
    if (offsets[i] < offsets[i - 1]) refuse(what, "ascending numbers", "a smaller one at " + std::to_string(i));
  }
  if (offsets.front() != 0 || offsets.back() != static_cast<std::int64_t>(rows)) {
    refuse(what, "from 0 to the number of rows, " + std::to_string(rows),
           std::to_string(offsets.front()) + " to " + std::to_string(offsets.back()));
  }
  return offsets;
}

// Series with their covariates and statics, whose numbers are read where they lie.
template <class T>
struct PyTable {
  using Values = Array<const T>;

  PyTable(const Values& table_values, const Offsets& table_offsets, const std::optional<Values>& table_features,
          const std::optional<Offsets>& table_feature_offsets, Index known, const std::optional<Values>& table_statics)
      : values(table_values), features(table_features), statics(table_statics) {
    check_rank("values", values, 2);
    offsets = copy_offsets("offsets", table_offsets, static_cast<Index>(values.shape(0)));
    view = {values.data(), offsets.data(), static_cast<Index>(offsets.size()) - 1, static_cast<Index>(values.shape(1))};
    if (features.has_value() != table_feature_offsets.has_value()) {
      refuse("feature_offsets", "given with features, and only then", "the other");
    }
    if (features) {
      check_rank("features", *features, 2);
      feature_offsets = copy_offsets("feature_offsets", *table_feature_offsets, static_cast<Index>(features->shape(0)));
      if (feature_offsets.size() != offsets.size()) {
        refuse("feature_offsets", std::to_string(offsets.size()) + " numbers", std::to_string(feature_offsets.size()));
      }
      view.features = features->data();
      view.feature_offsets = feature_offsets.data();
      view.feature_columns = static_cast<Index>(features->shape(1));
    }
    check_range("known", known, 0, view.feature_columns);
    view.known = known;
    if (statics) {
      check_rank("static", *statics, 2);
      check_shape("static", *statics, {view.series, static_cast<Index>(statics->shape(1))});
      view.statics = statics->data();
      view.static_columns = static_cast<Index>(statics->shape(1));
    }
  }

  PyTable(const PyTable&) = delete;
  PyTable& operator=(const PyTable&) = delete;

  Values values;
  std::optional<Values> features, statics;
  std::vector<std::int64_t> offsets, feature_offsets;
  TableView<T> view{};
};

// How a window is read, as Python says it; it is checked with the table that it is used on.
struct PyWindowing {
  Index window, horizon, patch;
  std::string scaling;
  bool mask;
  Index ahead;

  template <class T>
  WindowSpec on(const TableView<T>& table) const {
    constexpr Index kMost = Index(1) << 32;
    check_range("window", window, 1, kMost);
    check_range("patch", patch, 1, window);
    check_range("horizon", horizon, 1, kMost);
    if (window % patch != 0) refuse("window", "a multiple of patch = " + std::to_string(patch), std::to_string(window));
    const Index all_ahead = (horizon + patch - 1) / patch;
    if (ahead != 0 && ahead != all_ahead) {
      refuse("ahead", "0 or horizon / patch, rounded up: " + std::to_string(all_ahead), std::to_string(ahead));
    }
    if (ahead > 0 && !mask) refuse("mask", "true where steps ahead are read", "false");
    for (const Index columns : {table.channels, table.feature_columns, table.static_columns}) {
      check_range("columns", columns, 0, Index(1) << 20);
    }
    WindowSpec spec{window, patch, horizon, table.channels,
                    static_cast<Scaling>(choose("scaling", scaling, kScalingNames))};
    spec.mask = mask;
    spec.ahead = ahead;
    spec.features = table.feature_columns;
    spec.statics = table.static_columns;
    return spec;
  }
};

// Windows of a table; where `targets`, with the points that follow them.
struct PyWindows {
  template <class T>
  PyWindows(const TableView<T>& table, const WindowSpec& spec, bool targets, const Offsets& window_series,
            const Offsets& window_starts) {
    check_rank("series", window_series, 1);
    check_shape("starts", window_starts, shape_of(window_series));
    series.assign(window_series.data(), window_series.data() + window_series.shape(0));
    starts.assign(window_starts.data(), window_starts.data() + series.size());
    const Index points = spec.window + (targets ? spec.horizon : 0);
    const Index covered = spec.window + (spec.ahead > 0 ? spec.horizon : 0);
    const std::int64_t first = spec.mask ? 1 - spec.window : 0;
    for (std::size_t i = 0; i < series.size(); ++i) {
      const std::int64_t s = series[i];
      if (s < 0 || s >= table.series) refuse("series", "0 to " + std::to_string(table.series - 1), std::to_string(s));
      const std::int64_t length = table.length(s);
      if (starts[i] < first || starts[i] > length - points) {
        refuse("start of window " + std::to_string(i),
               std::to_string(first) + " to " + std::to_string(length - points) + " (series of " +
                   std::to_string(length) + " points, " + std::to_string(points) + " needed)",
               std::to_string(starts[i]));
      }
      if (table.features == nullptr) continue;
      const std::int64_t rows = table.feature_offsets[s + 1] - table.feature_offsets[s];
      if (rows - starts[i] < covered) {
        refuse("features of window " + std::to_string(i), "at least " + std::to_string(starts[i] + covered) + " rows",
               std::to_string(rows));
      }
    }
  }

  Index count() const { return static_cast<Index>(series.size()); }

  std::vector<std::int64_t> series;
  std::vector<std::int64_t> starts;
};

LossSpec check_loss(const std::string& loss, double delta, const std::vector<double>& quantiles) {
  const LossSpec spec{static_cast<Loss>(choose("loss", loss, kLossNames)), delta, quantiles};
  const bool pinball = spec.loss == Loss::pinball;
  if (pinball == quantiles.empty()) refuse("quantiles", pinball ? "at least one" : "none", "the other");
  check_range("number of quantiles", static_cast<Index>(quantiles.size()), 0, 1000);
  for (std::size_t i = 0; i < quantiles.size(); ++i) {
    check_real("quantile", quantiles[i], 0, 1);
    if (i > 0 && !(quantiles[i] > quantiles[i - 1])) refuse("quantiles", "rising numbers", "others");
  }
  check_real("delta", delta, 1e-300, 1e300);
  return spec;
}

// Whether a network reads such windows and answers what such a loss asks.
void check_fit(const NetworkSpec& network, const WindowSpec& spec, const LossSpec& loss) {
  check_range("patch * (channels + mask + features) + statics", spec.inputs(), network.inputs, network.inputs);
  check_range("horizon * channels * numbers of the loss", spec.targets() * loss.width(), network.outputs,
              network.outputs);
  if (network.skip_steps > 0)
    check_range("window / patch + ahead", spec.steps(), network.skip_steps, network.skip_steps);
  if (network.every && spec.ahead > 0) refuse("ahead", "0 where the head reads every step", std::to_string(spec.ahead));
  if (loss.loss == Loss::negative_binomial && spec.scaling != Scaling::none && spec.scaling != Scaling::mean_abs) {
    refuse("scaling", "none or mean_abs for negative_binomial", kScalingNames[static_cast<int>(spec.scaling)]);
  }
}

template <class T>
struct PyTrainer {
  PyTrainer(PyNetwork<T>& network, PyTable<T>& table_read, const PyWindowing& windowing, const std::string& loss,
            double delta, const std::vector<double>& quantiles, const std::string& optimizer, double momentum,
            double beta1, double beta2, double eps, double weight_decay, double clip, int threads, std::uint64_t seed)
      : owner(network), table(table_read), spec(windowing.on(table.view)) {
    const LossSpec loss_spec = check_loss(loss, delta, quantiles);
    check_fit(network.network.spec(), spec, loss_spec);
    const OptimizerSpec optimizer_spec{static_cast<Optimizer>(choose("optimizer", optimizer, kOptimizerNames)),
                                       momentum,
                                       beta1,
                                       beta2,
                                       eps,
                                       weight_decay,
                                       clip};
    check_real("momentum", momentum, 0, 1);
    check_real("beta1", beta1, 0, std::nextafter(1.0, 0.0));
    check_real("beta2", beta2, 0, std::nextafter(1.0, 0.0));
    check_real("eps", eps, 0, 1e300);
    check_real("weight_decay", weight_decay, 0, 1e300);
    check_real("clip", clip, 0, 1e300);
    check_range("threads", threads, 1, 1024);
    trainer.emplace(network.network, table.view, spec, loss_spec, optimizer_spec, threads, seed);
  }

  Index run(Offsets series, Offsets starts, Index batch, Array<const double> rates, Array<double> losses) {
    const PyWindows windows(table.view, spec, true, series, starts);
    const Index count = windows.count();
    check_range("batch", batch, 1, kLargest);
    const Index steps = (count + batch - 1) / batch;
    check_shape("rates", rates, {steps});
    check_shape("losses", losses, {steps});
    for (Index i = 0; i < steps; ++i) check_real("rate", rates.data()[i], 0, 1e300);
    const nb::gil_scoped_release release;
    const std::lock_guard<std::mutex> lock(owner.mutex);
    return trainer->run(windows.series.data(), windows.starts.data(), count, batch, rates.data(), losses.data());
  }

  void evaluate(Offsets series, Offsets starts, Array<double> losses) {
    const PyWindows windows(table.view, spec, true, series, starts);
    check_shape("losses", losses, shape_of(series));
    const nb::gil_scoped_release release;
    const std::lock_guard<std::mutex> lock(owner.mutex);
    trainer->evaluate(windows.series.data(), windows.starts.data(), windows.count(), losses.data());
  }

  void gradients(Array<T> flat) {
    check_shape("flat", flat, {owner.network.parameter_count()});
    const nb::gil_scoped_release release;
    const std::lock_guard<std::mutex> lock(owner.mutex);
    trainer->read_gradients(flat.data());
  }

  double gradient_norm() {
    const nb::gil_scoped_release release;
    const std::lock_guard<std::mutex> lock(owner.mutex);
    return trainer->gradient_norm();
  }

  // How many numbers `first` and `second` of the state have.
  std::pair<Index, Index> state_sizes() const {
    const Index all = owner.network.parameter_count();
    return {trainer->has_first() ? all : 0, trainer->has_second() ? all : 0};
  }

  std::int64_t read_state(Array<T> first, Array<T> second) {
    check_shape("first", first, {state_sizes().first});
    check_shape("second", second, {state_sizes().second});
    const nb::gil_scoped_release release;
    const std::lock_guard<std::mutex> lock(owner.mutex);
    trainer->read_state(first.data(), second.data());
    return trainer->updates();
  }

  void restore_state(Index step, Array<const T> first, Array<const T> second) {
    check_range("step", step, 0, kLargest);
    check_shape("first", first, {state_sizes().first});
    check_shape("second", second, {state_sizes().second});
    const nb::gil_scoped_release release;
    const std::lock_guard<std::mutex> lock(owner.mutex);
    trainer->restore_state(step, first.data(), second.data());
  }

  PyNetwork<T>& owner;
  PyTable<T>& table;
  WindowSpec spec;
  std::optional<Trainer<T>> trainer;
};

template <class T>
void forecast_windows(PyNetwork<T>& self, PyTable<T>& table, const PyWindowing& windowing, const std::string& loss,
                      const std::vector<double>& quantiles, bool unscale, Offsets series, Offsets starts, Array<T> out,
                      Array<T> scaling, int threads) {
  const WindowSpec spec = windowing.on(table.view);
  const LossSpec loss_spec = check_loss(loss, 1, quantiles);
  check_fit(self.network.spec(), spec, loss_spec);
  if (unscale && is_distribution(loss_spec.loss)) refuse("unscale", "false for distributions", "true");
  const PyWindows windows(table.view, spec, false, series, starts);
  check_range("threads", threads, 1, 1024);
  check_shape("out", out, {windows.count(), spec.horizon, spec.channels, loss_spec.width()});
  check_shape("scaling", scaling, {windows.count(), 3, spec.channels});
  const nb::gil_scoped_release release;
  const std::lock_guard<std::mutex> lock(self.mutex);
  forecast(self.network, self.workspace.passes, threads, table.view, spec, loss_spec, unscale, windows.series.data(),
           windows.starts.data(), windows.count(), out.data(), scaling.data());
  self.workspace.trim();
}

template <class T>
void gather_windows(PyTable<T>& self, const PyWindowing& windowing, Offsets series, Offsets starts, Array<T> out,
                    Array<T> scaling) {
  const WindowSpec spec = windowing.on(self.view);
  const PyWindows windows(self.view, spec, false, series, starts);
  check_shape("out", out, {spec.steps(), windows.count(), spec.inputs()});
  check_shape("scaling", scaling, {windows.count(), 3, spec.channels});
  const nb::gil_scoped_release release;
  gather(self.view, spec, windows.series.data(), windows.starts.data(), windows.count(), out.data(), scaling.data());
}

}  // namespace

void bind_windowing(nb::module_& m) {
  nb::class_<PyWindowing>(m, "Windowing", "How a window is read.")
      .def(nb::init<Index, Index, Index, const std::string&, bool, Index>(), "window"_a, "horizon"_a, "patch"_a,
           "scaling"_a, "mask"_a, "ahead"_a);
}

template <class T>
void bind_windows(nb::module_& m, NetworkClass<T>& network, const char* table_name, const char* trainer_name) {
  nb::class_<PyTable<T>>(m, table_name, "Series with their covariates, read where they lie.")
      .def(nb::init<const Array<const T>&, const Offsets&, const std::optional<Array<const T>>&,
                    const std::optional<Offsets>&, Index, const std::optional<Array<const T>>&>(),
           nb::arg("values").noconvert(), nb::arg("offsets").noconvert(),
           nb::arg("features").noconvert().none() = nb::none(),
           nb::arg("feature_offsets").noconvert().none() = nb::none(), "known"_a = 0,
           nb::arg("static").noconvert().none() = nb::none())
      .def("gather", &gather_windows<T>, "windowing"_a, nb::arg("series").noconvert(), nb::arg("starts").noconvert(),
           nb::arg("out").noconvert(), nb::arg("scaling").noconvert());

  network.def("forecast", &forecast_windows<T>, "table"_a, "windowing"_a, "loss"_a, "quantiles"_a, "unscale"_a,
              nb::arg("series").noconvert(), nb::arg("starts").noconvert(), nb::arg("out").noconvert(),
              nb::arg("scaling").noconvert(), "threads"_a);

  using P = PyTrainer<T>;
  nb::class_<P>(m, trainer_name, "Training steps of one network on one table; training.py drives it.")
      .def(nb::init<PyNetwork<T>&, PyTable<T>&, const PyWindowing&, const std::string&, double,
                    const std::vector<double>&, const std::string&, double, double, double, double, double, double, int,
                    std::uint64_t>(),
           nb::keep_alive<1, 2>(), nb::keep_alive<1, 3>(), "network"_a, "table"_a, "windowing"_a, nb::kw_only(),
           "loss"_a, "delta"_a, "quantiles"_a, "optimizer"_a, "momentum"_a, "beta1"_a, "beta2"_a, "eps"_a,
           "weight_decay"_a, "clip"_a, "threads"_a, "seed"_a)
      .def("run", &P::run, nb::arg("series").noconvert(), nb::arg("starts").noconvert(), "batch"_a,
           nb::arg("rates").noconvert(), nb::arg("losses").noconvert())
      .def("evaluate", &P::evaluate, nb::arg("series").noconvert(), nb::arg("starts").noconvert(),
           nb::arg("losses").noconvert())
      .def("gradients", &P::gradients, nb::arg("flat").noconvert())
      .def("state_sizes", &P::state_sizes)
      .def("read_state", &P::read_state, nb::arg("first").noconvert(), nb::arg("second").noconvert())
      .def("restore_state", &P::restore_state, "step"_a, nb::arg("first").noconvert(), nb::arg("second").noconvert())
      .def_prop_ro("gradient_norm", &P::gradient_norm);
}

template void bind_windows<float>(nb::module_&, NetworkClass<float>&, const char*, const char*);
template void bind_windows<double>(nb::module_&, NetworkClass<double>&, const char*, const char*);

}  // namespace unrolled
