// Windows of a panel: forecasts of what follows them, and training on them.
//
// Knows: panels, windows, the trainer. Must not know: the order of windows, schedules, epochs.
#include <cmath>
#include <optional>
#include <string>

#include "bindings/py_network.hpp"
#include "trainer.hpp"

namespace unrolled {
namespace {

// A panel whose values are read where they lie. What indices are checked against is copied, so that nobody can change
// it while the core works without the interpreter's lock.
template <class T>
struct PyPanel {
  PyPanel(const Array<const T>& panel_values, const Array<const std::int64_t>& panel_offsets) : values(panel_values) {
    check_rank("values", values, 2);
    check_rank("offsets", panel_offsets, 1);
    offsets.assign(panel_offsets.data(), panel_offsets.data() + panel_offsets.shape(0));
    if (offsets.size() < 2) refuse("offsets", "at least 2 numbers", std::to_string(offsets.size()));
    for (std::size_t i = 1; i < offsets.size(); ++i) {
      if (offsets[i] < offsets[i - 1]) refuse("offsets", "ascending numbers", "a smaller one at " + std::to_string(i));
    }
    if (offsets.front() != 0 || offsets.back() != static_cast<std::int64_t>(values.shape(0))) {
      refuse("offsets", "from 0 to the number of rows of values, " + std::to_string(values.shape(0)),
             std::to_string(offsets.front()) + " to " + std::to_string(offsets.back()));
    }
    view = {values.data(), offsets.data(), static_cast<Index>(offsets.size()) - 1, static_cast<Index>(values.shape(1))};
  }

  Array<const T> values;
  std::vector<std::int64_t> offsets;
  PanelView<T> view{};
};

// Windows of a panel, each with `points` points from its start.
struct PyWindows {
  template <class T>
  PyWindows(const PanelView<T>& panel, Index points, const Array<const std::int64_t>& window_series,
            const Array<const std::int64_t>& window_starts) {
    check_rank("series", window_series, 1);
    check_shape("starts", window_starts, shape_of(window_series));
    series.assign(window_series.data(), window_series.data() + window_series.shape(0));
    starts.assign(window_starts.data(), window_starts.data() + series.size());
    for (std::size_t i = 0; i < series.size(); ++i) {
      const std::int64_t s = series[i];
      if (s < 0 || s >= panel.series) refuse("series", "0 to " + std::to_string(panel.series - 1), std::to_string(s));
      const std::int64_t length = panel.offsets[s + 1] - panel.offsets[s];
      if (starts[i] < 0 || starts[i] > length - points) {
        refuse("start of window " + std::to_string(i),
               "0 to " + std::to_string(length - points) + " (series of " + std::to_string(length) + " points, " +
                   std::to_string(points) + " needed)",
               std::to_string(starts[i]));
      }
    }
  }

  Index count() const { return static_cast<Index>(series.size()); }

  std::vector<std::int64_t> series;
  std::vector<std::int64_t> starts;
};

template <class T>
WindowSpec check_window_spec(const NetworkSpec& network, Index window, Index patch, Index horizon, Index channels,
                             const std::string& scaling, Index quantiles) {
  constexpr Index kMost = Index(1) << 32;
  check_range("window", window, 1, kMost);
  check_range("patch", patch, 1, window);
  check_range("horizon", horizon, 1, kMost);
  if (window % patch != 0) refuse("window", "a multiple of patch = " + std::to_string(patch), std::to_string(window));
  WindowSpec spec{window, patch, horizon, channels, static_cast<Scaling>(choose("scaling", scaling, kScalingNames))};
  check_range("channels * patch", spec.inputs(), network.inputs, network.inputs);
  check_range("horizon * channels * quantiles", spec.targets() * quantiles, network.outputs, network.outputs);
  if (network.skip_steps > 0) check_range("window / patch", spec.steps(), network.skip_steps, network.skip_steps);
  return spec;
}

template <class T>
struct PyTrainer {
  PyTrainer(PyNetwork<T>& network, Array<const T> values, Array<const std::int64_t> offsets, Index window, Index patch,
            Index horizon, const std::string& scaling, const std::string& loss, double delta,
            const std::vector<double>& quantiles, const std::string& optimizer, double momentum, double beta1,
            double beta2, double eps, double weight_decay, double clip, int threads, std::uint64_t seed)
      : owner(network), panel(values, offsets) {
    LossSpec loss_spec{static_cast<Loss>(choose("loss", loss, kLossNames)), delta, quantiles};
    const bool pinball = loss_spec.loss == Loss::pinball;
    if (pinball == quantiles.empty()) refuse("quantiles", pinball ? "at least one" : "none", "the other");
    for (const double q : quantiles) check_real("quantile", q, 0, 1);
    check_real("delta", delta, 1e-300, 1e300);
    const Index count = pinball ? static_cast<Index>(quantiles.size()) : 1;
    spec = check_window_spec<T>(network.network.spec(), window, patch, horizon, panel.view.channels, scaling, count);
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
    trainer.emplace(network.network, panel.view, spec, loss_spec, optimizer_spec, threads, seed);
  }

  Index run(Array<const std::int64_t> series, Array<const std::int64_t> starts, Index batch, Array<const double> rates,
            Array<double> losses) {
    const PyWindows windows(panel.view, spec.window + spec.horizon, series, starts);
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

  void evaluate(Array<const std::int64_t> series, Array<const std::int64_t> starts, Array<double> losses) {
    const PyWindows windows(panel.view, spec.window + spec.horizon, series, starts);
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

  PyNetwork<T>& owner;
  PyPanel<T> panel;
  WindowSpec spec{};
  std::optional<Trainer<T>> trainer;
};

template <class T>
void forecast_windows(PyNetwork<T>& self, Array<const T> values, Array<const std::int64_t> offsets, Index window,
                      Index patch, Index horizon, const std::string& scaling, Array<const std::int64_t> series,
                      Array<const std::int64_t> starts, Array<T> out, int threads) {
  const PyPanel<T> panel(values, offsets);
  check_rank("out", out, 4);
  const Index quantiles = static_cast<Index>(out.shape(3));
  const WindowSpec spec =
      check_window_spec<T>(self.network.spec(), window, patch, horizon, panel.view.channels, scaling, quantiles);
  const PyWindows windows(panel.view, spec.window, series, starts);
  check_range("threads", threads, 1, 1024);
  check_shape("out", out, {windows.count(), horizon, panel.view.channels, quantiles});
  const nb::gil_scoped_release release;
  const std::lock_guard<std::mutex> lock(self.mutex);
  forecast(self.network, self.workspace.passes, threads, panel.view, spec, windows.series.data(), windows.starts.data(),
           windows.count(), out.data());
  self.workspace.trim();
}

}  // namespace

template <class T>
void bind_windows(nb::module_& m, NetworkClass<T>& network, const char* trainer_name) {
  network.def("forecast", &forecast_windows<T>, nb::arg("values").noconvert(), nb::arg("offsets").noconvert(),
              "window"_a, "patch"_a, "horizon"_a, "scaling"_a, nb::arg("series").noconvert(),
              nb::arg("starts").noconvert(), nb::arg("out").noconvert(), "threads"_a);

  using P = PyTrainer<T>;
  nb::class_<P>(m, trainer_name, "Training steps of one network on one panel; training.py drives it.")
      .def(nb::init<PyNetwork<T>&, Array<const T>, Array<const std::int64_t>, Index, Index, Index, const std::string&,
                    const std::string&, double, const std::vector<double>&, const std::string&, double, double, double,
                    double, double, double, int, std::uint64_t>(),
           nb::keep_alive<1, 2>(), "network"_a, nb::arg("values").noconvert(), nb::arg("offsets").noconvert(),
           nb::kw_only(), "window"_a, "patch"_a, "horizon"_a, "scaling"_a, "loss"_a, "delta"_a, "quantiles"_a,
           "optimizer"_a, "momentum"_a, "beta1"_a, "beta2"_a, "eps"_a, "weight_decay"_a, "clip"_a, "threads"_a,
           "seed"_a)
      .def("run", &P::run, nb::arg("series").noconvert(), nb::arg("starts").noconvert(), "batch"_a,
           nb::arg("rates").noconvert(), nb::arg("losses").noconvert())
      .def("evaluate", &P::evaluate, nb::arg("series").noconvert(), nb::arg("starts").noconvert(),
           nb::arg("losses").noconvert())
      .def("gradients", &P::gradients, nb::arg("flat").noconvert())
      .def_prop_ro("gradient_norm", &P::gradient_norm);
}

template void bind_windows<float>(nb::module_&, NetworkClass<float>&, const char*);
template void bind_windows<double>(nb::module_&, NetworkClass<double>&, const char*);

}  // namespace unrolled
