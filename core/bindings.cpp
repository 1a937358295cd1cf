// The border to Python: checks everything that comes in, releases the interpreter's lock, and calls the core.
//
// Knows: nanobind, the core's public functions. Must not know: policy (engine.py and above), and does no arithmetic.
//
// After these checks no input can make the core read or write outside its memory. The messages are for authors of
// front ends; people who use the package meet those of its Python rooms first.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cmath>
#include <cstring>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>

#include "apply.hpp"
#include "trainer.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace unrolled {
namespace {

constexpr Index kLargest = Index(1) << 40;  // elements of any one buffer: beyond, sizes could overflow

[[noreturn]] void refuse(const std::string& what, const std::string& expected, const std::string& got) {
  throw std::invalid_argument(what + " does not fit.\n  expected: " + expected + "\n  got: " + got);
}

void check_range(const char* what, Index value, Index low, Index high) {
  if (value < low || value > high) {
    refuse(what, std::to_string(low) + " to " + std::to_string(high), std::to_string(value));
  }
}

void check_real(const char* what, double value, double low, double high) {
  if (!(value >= low && value <= high)) {
    refuse(what, std::to_string(low) + " to " + std::to_string(high), std::to_string(value));
  }
}

template <std::size_t N>
int choose(const char* what, const std::string& name, const char* const (&names)[N]) {
  std::string all;
  for (std::size_t i = 0; i < N; ++i) {
    if (name == names[i]) return static_cast<int>(i);
    all += (i > 0 ? ", " : "") + std::string(names[i]);
  }
  refuse(what, "one of " + all, name);
}

template <class T>
using Array = nb::ndarray<T, nb::c_contig, nb::device::cpu>;

std::string shape_text(const std::vector<Index>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

template <class A>
std::vector<Index> shape_of(const A& array) {
  std::vector<Index> shape;
  for (std::size_t i = 0; i < array.ndim(); ++i) shape.push_back(static_cast<Index>(array.shape(i)));
  return shape;
}

template <class A>
void check_shape(const char* what, const A& array, const std::vector<Index>& expected) {
  if (shape_of(array) != expected)
    refuse(what, "shape " + shape_text(expected), "shape " + shape_text(shape_of(array)));
}

template <class A>
void check_rank(const char* what, const A& array, std::size_t rank) {
  if (array.ndim() != rank) refuse(what, std::to_string(rank) + " axes", "shape " + shape_text(shape_of(array)));
}

int cell_index(const std::string& name) {
  static_assert(kCellCount == 4, "a new cell joins kCells, its names here follow");
  const char* names[kCellCount];
  for (int i = 0; i < kCellCount; ++i) names[i] = kCells[i].name;
  return choose("cell", name, names);
}

NetworkSpec make_spec(const std::string& cell, Index inputs, Index hidden, Index layers, Index outputs, bool every,
                      Index skip_steps, double dropout) {
  constexpr Index kMost = Index(1) << 20;
  NetworkSpec spec;
  spec.cell = cell_index(cell);
  check_range("input_size", inputs, 1, kMost);
  check_range("hidden_size", hidden, 1, kMost);
  check_range("num_layers", layers, 1, 1024);
  check_range("output_size", outputs, 0, kMost);
  check_range("skip_steps", skip_steps, 0, outputs > 0 && !every ? kMost : 0);
  check_real("dropout", dropout, 0, std::nextafter(1.0, 0.0));
  if (4 * hidden * (inputs + hidden + 64) * layers > kLargest ||
      outputs * (hidden + skip_steps * inputs + 64) > kLargest) {
    refuse("network", "fewer than 2^40 parameters", "more");
  }
  spec.inputs = inputs;
  spec.hidden = hidden;
  spec.layers = layers;
  spec.outputs = outputs;
  spec.every = every;
  spec.skip_steps = skip_steps;
  spec.dropout = dropout;
  return spec;
}

// A network and the lock that lets one caller at a time use it.
template <class T>
struct PyNetwork {
  explicit PyNetwork(const NetworkSpec& spec) : network(spec) {}
  Network<T> network;
  std::vector<Pass<T>> passes;
  std::mutex mutex;
};

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
  forecast(self.network, self.passes, threads, panel.view, spec, windows.series.data(), windows.starts.data(),
           windows.count(), out.data());
}

template <class T>
Call<T> check_call(const NetworkSpec& spec, const Array<const T>& x, const Array<T>& h,
                   const std::optional<Array<T>>& c, bool train, std::uint64_t seed, int threads) {
  check_rank("x", x, 3);
  const Index steps = static_cast<Index>(x.shape(0));
  const Index rows = static_cast<Index>(x.shape(1));
  check_shape("x", x, {steps, rows, spec.inputs});
  check_range("time steps", steps, 1, kLargest);
  check_range("batch", rows, 0, kLargest);
  if (spec.skip_steps > 0) check_range("time steps", steps, spec.skip_steps, spec.skip_steps);
  check_shape("h", h, {spec.layers, rows, spec.hidden});
  if (kCells[spec.cell].has_c != c.has_value()) refuse("c", "given for lstm, and only there", "the other");
  if (c) check_shape("c", *c, {spec.layers, rows, spec.hidden});
  check_range("threads", threads, 1, 1024);
  return {steps, rows, x.data(), h.data(), c ? c->data() : nullptr, {train ? spec.dropout : 0, seed, 0}, threads};
}

std::vector<Index> output_shape(const NetworkSpec& spec, Index steps, Index rows) {
  if (spec.outputs == 0) return {steps, rows, spec.hidden};
  if (spec.every) return {steps, rows, spec.outputs};
  return {rows, spec.outputs};
}

template <class T>
void apply_network(PyNetwork<T>& self, Array<const T> x, Array<T> h, std::optional<Array<T>> c, Array<T> out,
                   bool train, std::uint64_t seed, int threads) {
  const Call<T> call = check_call(self.network.spec(), x, h, c, train, seed, threads);
  check_shape("out", out, output_shape(self.network.spec(), call.steps, call.rows));
  const nb::gil_scoped_release release;
  const std::lock_guard<std::mutex> lock(self.mutex);
  apply(self.network, call, out.data());
}

template <class T>
void apply_network_backward(PyNetwork<T>& self, Array<const T> x, Array<T> h, std::optional<Array<T>> c,
                            Array<const T> d_out, Array<T> d_h, std::optional<Array<T>> d_c, Array<T> parameters,
                            std::optional<Array<T>> d_x, bool train, std::uint64_t seed, int threads) {
  const NetworkSpec& spec = self.network.spec();
  const Call<T> call = check_call(spec, x, h, c, train, seed, threads);
  check_shape("d_out", d_out, output_shape(spec, call.steps, call.rows));
  check_shape("d_h", d_h, shape_of(h));
  if (c.has_value() != d_c.has_value()) refuse("d_c", "given where c is", "the other");
  if (d_c) check_shape("d_c", *d_c, shape_of(h));
  if (d_x) check_shape("d_x", *d_x, shape_of(x));
  check_shape("parameters", parameters, {self.network.parameter_count()});
  check_range("batch", call.rows, 1, kLargest);
  const nb::gil_scoped_release release;
  const std::lock_guard<std::mutex> lock(self.mutex);
  apply_backward(
      self.network, call,
      {d_out.data(), d_h.data(), d_c ? d_c->data() : nullptr, parameters.data(), d_x ? d_x->data() : nullptr});
}

// The sum of the losses of [n, targets, quantiles] forecasts and its gradient by them: for tests and explanations.
template <class T>
double loss_of(const std::string& name, Array<const T> pred, Array<const T> target, double delta,
               const std::vector<double>& quantiles, Array<T> d_pred) {
  const auto loss = static_cast<Loss>(choose("loss", name, kLossNames));
  if ((loss == Loss::pinball) == quantiles.empty()) refuse("quantiles", "given for loss quantile alone", "the other");
  check_rank("target", target, 1);
  const std::vector<T> q(quantiles.begin(), quantiles.end());
  const Index count = std::max<Index>(1, static_cast<Index>(q.size()));
  const Index targets = static_cast<Index>(target.shape(0));
  check_shape("pred", pred, {targets, count});
  check_shape("d_pred", d_pred, {targets, count});
  return kernels<T>().loss_row(
      {loss, targets, target.data(), pred.data(), d_pred.data(), T(1), static_cast<T>(delta), q.data(), count});
}

template <class T>
void activate(const std::string& name, Array<const T> x, Array<T> y) {
  constexpr const char* kNames[] = {"tanh", "sigmoid", "relu"};
  check_rank("x", x, 1);
  check_shape("y", y, shape_of(x));
  kernels<T>().activate(choose("activation", name, kNames), static_cast<Index>(x.shape(0)), x.data(), y.data());
}

template <class T>
void bind(nb::module_& m, const char* network_name, const char* trainer_name) {
  using N = PyNetwork<T>;
  nb::class_<N>(m, network_name, "A recurrent network and its parameters; engine.Engine is its face.")
      .def(
          "__init__",
          [](N* self, const std::string& cell, Index inputs, Index hidden, Index layers, Index outputs, bool every,
             Index skip_steps, double dropout) {
            new (self) N(make_spec(cell, inputs, hidden, layers, outputs, every, skip_steps, dropout));
          },
          nb::kw_only(), "cell"_a, "input_size"_a, "hidden_size"_a, "num_layers"_a, "output_size"_a, "every"_a,
          "skip_steps"_a, "dropout"_a)
      .def_prop_ro("parameter_count", [](const N& self) { return self.network.parameter_count(); })
      .def("parameters",
           [](const N& self) {
             std::vector<std::tuple<std::string, Index, Index>> all;
             for (const Parameter& p : self.network.parameters()) all.emplace_back(p.name, p.rows, p.columns);
             return all;
           })
      .def(
          "read",
          [](N& self, Array<T> flat) {
            check_shape("flat", flat, {self.network.parameter_count()});
            const nb::gil_scoped_release release;
            const std::lock_guard<std::mutex> lock(self.mutex);
            self.network.read(flat.data());
          },
          nb::arg("flat").noconvert())
      .def(
          "write",
          [](N& self, Array<const T> flat) {
            check_shape("flat", flat, {self.network.parameter_count()});
            const nb::gil_scoped_release release;
            const std::lock_guard<std::mutex> lock(self.mutex);
            self.network.write(flat.data());
          },
          nb::arg("flat").noconvert())
      .def("apply", &apply_network<T>, nb::arg("x").noconvert(), nb::arg("h").noconvert(),
           nb::arg("c").noconvert().none(), nb::arg("out").noconvert(), "train"_a, "seed"_a, "threads"_a)
      .def("apply_backward", &apply_network_backward<T>, nb::arg("x").noconvert(), nb::arg("h").noconvert(),
           nb::arg("c").noconvert().none(), nb::arg("d_out").noconvert(), nb::arg("d_h").noconvert(),
           nb::arg("d_c").noconvert().none(), nb::arg("parameters").noconvert(), nb::arg("d_x").noconvert().none(),
           "train"_a, "seed"_a, "threads"_a)
      .def("forecast", &forecast_windows<T>, nb::arg("values").noconvert(), nb::arg("offsets").noconvert(), "window"_a,
           "patch"_a, "horizon"_a, "scaling"_a, nb::arg("series").noconvert(), nb::arg("starts").noconvert(),
           nb::arg("out").noconvert(), "threads"_a);

  using P = PyTrainer<T>;
  nb::class_<P>(m, trainer_name, "Training steps of one network on one panel; training.py drives it.")
      .def(nb::init<N&, Array<const T>, Array<const std::int64_t>, Index, Index, Index, const std::string&,
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

  m.def("loss", &loss_of<T>, "name"_a, nb::arg("pred").noconvert(), nb::arg("target").noconvert(), "delta"_a,
        "quantiles"_a, nb::arg("d_pred").noconvert());
  m.def("activate", &activate<T>, "name"_a, nb::arg("x").noconvert(), nb::arg("y").noconvert());
}

}  // namespace

NB_MODULE(_core, m) {
  m.doc() = "The compiled core of unrolled.";
  m.def("isa", [] { return std::string(kernels<float>().name); }, "The instruction set whose kernels run.");
  m.def(
      "available_isas",
      [] {
        const IsaList list = available_isas();
        return std::vector<std::string>(list.names, list.names + list.count);
      },
      "The instruction sets that were built and that this machine runs, best first.");
  m.def(
      "cells",
      [] {
        std::vector<std::tuple<std::string, int, bool>> all;
        for (const CellShape& c : kCells) all.emplace_back(c.name, c.gates, c.has_c);
        return all;
      },
      "The table of cells: name, number of gates, whether it keeps a second state c.");
  bind<float>(m, "NetworkF32", "TrainerF32");
  bind<double>(m, "NetworkF64", "TrainerF64");
}

}  // namespace unrolled
