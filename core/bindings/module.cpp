// The module _core: the border to Python. It checks everything that comes in, releases the interpreter's lock, and
// calls the core.
//
// Knows: the parts of the module and the core's plain functions. Must not know: policy (the engine and above).
//
// After the checks of these files no input can make the core read or write outside its memory.
#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "bindings/py_network.hpp"
#include "phase.hpp"
#include "trainer.hpp"

namespace unrolled {
namespace {

// Which loss, how many numbers it asks of a target, and the quantile that the others stand on.
struct AskedLoss {
  AskedLoss(const std::string& name, const std::vector<double>& quantiles)
      : spec{static_cast<Loss>(choose("loss", name, kLossNames)), 1, quantiles} {
    if ((spec.loss == Loss::pinball) == quantiles.empty())
      refuse("quantiles", "given for loss quantile alone", "the other");
  }
  LossSpec spec;
};

// The sum of the losses of what a head gives for targets, [n, W], and its gradient by that: for tests and explanations.
// `scale` is that of each channel, and targets go through the channels in turn.
template <class T>
double loss_of(const std::string& name, Array<const T> raw, Array<const T> target, double delta,
               const std::vector<double>& quantiles, Array<T> d_raw, Array<const T> scale, bool missing) {
  const LossSpec asked = AskedLoss(name, quantiles).spec;
  check_rank("target", target, 1);
  check_rank("scale", scale, 1);
  check_range("scale", static_cast<Index>(scale.shape(0)), 1, kLargest);
  const std::vector<T> q(quantiles.begin(), quantiles.end());
  const Index targets = static_cast<Index>(target.shape(0));
  check_shape("raw", raw, {targets, asked.width()});
  check_shape("d_raw", d_raw, {targets, asked.width()});
  return kernels<T>().loss_row({asked.loss, targets, target.data(), raw.data(), d_raw.data(), T(1),
                                static_cast<T>(delta), q.data(), asked.width(), asked.anchor(), scale.data(),
                                static_cast<Index>(scale.shape(0)), missing});
}

// What the numbers that a head gives for targets mean, [n, W].
template <class T>
void map_outputs(const std::string& name, Array<const T> raw, const std::vector<double>& quantiles, Array<T> out) {
  const LossSpec asked = AskedLoss(name, quantiles).spec;
  check_rank("raw", raw, 2);
  const Index targets = static_cast<Index>(raw.shape(0));
  check_shape("raw", raw, {targets, asked.width()});
  check_shape("out", out, {targets, asked.width()});
  kernels<T>().map_row({asked.loss, targets, asked.width(), asked.anchor(), raw.data(), out.data()});
}

template <class T>
void activate(const std::string& name, Array<const T> x, Array<T> y) {
  constexpr const char* kNames[] = {"tanh", "sigmoid", "relu", "exp"};
  check_rank("x", x, 1);
  check_shape("y", y, shape_of(x));
  kernels<T>().activate(choose("activation", name, kNames), static_cast<Index>(x.shape(0)), x.data(), y.data());
}

template <class T>
void bind(nb::module_& m, const char* network_name, const char* table_name, const char* trainer_name,
          const char* stream_name, const char* recurrence_name) {
  NetworkClass<T> network = bind_network<T>(m, network_name);
  bind_windows<T>(m, network, table_name, trainer_name);
  bind_stream<T>(m, stream_name);
  bind_recurrence<T>(m, recurrence_name);
  m.def("loss", &loss_of<T>, "name"_a, nb::arg("raw").noconvert(), nb::arg("target").noconvert(), "delta"_a,
        "quantiles"_a, nb::arg("d_raw").noconvert(), nb::arg("scale").noconvert(), "missing"_a);
  m.def("map_outputs", &map_outputs<T>, "name"_a, nb::arg("raw").noconvert(), "quantiles"_a,
        nb::arg("out").noconvert());
  m.def("activate", &activate<T>, "name"_a, nb::arg("x").noconvert(), nb::arg("y").noconvert());
}

}  // namespace

NB_MODULE(_core, m) {
  m.doc() = "The compiled core of unrolled.";
  // Python does not take modules apart at its end where others still hold functions of theirs, as PyTorch does of its
  // operators; nanobind would tell every user so.
  nb::set_leak_warnings(false);
  m.def("isa", [] { return std::string(kernels<float>().name); }, "The instruction set whose kernels run.");
  m.def(
      "available_isas",
      [] {
        const IsaList list = available_isas();
        return std::vector<std::string>(list.names, list.names + list.count);
      },
      "The instruction sets that were built and that this machine runs, best first.");
  m.def(
      "losses",
      [] {
        std::vector<std::tuple<std::string, int>> all;
        for (int i = 0; i < kLossCount; ++i) all.emplace_back(kLossNames[i], loss_width(static_cast<Loss>(i), 0));
        return all;
      },
      "The table of losses: name, numbers that the network gives for one target, 0 for one each quantile.");
  m.def(
      "scalings", [] { return std::vector<std::string>(kScalingNames, kScalingNames + kScalingCount); },
      "How a window can scale itself.");
  m.def(
      "cells",
      [] {
        std::vector<std::tuple<std::string, int, int, bool>> all;
        for (const CellShape& c : kCells) all.emplace_back(c.name, c.gates, c.states, c.h_count > 0);
        return all;
      },
      "The table of cells: name, number of gates, number of states beside h, whether the gates read h.");
#ifdef UNROLLED_PHASES
  m.def(
      "phases",
      [] {
        std::vector<std::tuple<std::string, double>> all;
        for (int i = 0; i < kPhaseCount; ++i) all.emplace_back(kPhaseNames[i], phase_seconds[i]);
        return all;
      },
      "Seconds spent in each phase, on one thread, since they were reset.");
  m.def("reset_phases", [] { std::fill_n(phase_seconds, kPhaseCount, 0.0); });
#endif
  bind_windowing(m);
  bind<float>(m, "NetworkF32", "TableF32", "TrainerF32", "StreamF32", "RecurrenceF32");
  bind<double>(m, "NetworkF64", "TableF64", "TrainerF64", "StreamF64", "RecurrenceF64");
}

}  // namespace unrolled
