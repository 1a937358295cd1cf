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

namespace unrolled {
namespace {

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
  constexpr const char* kNames[] = {"tanh", "sigmoid", "relu", "exp"};
  check_rank("x", x, 1);
  check_shape("y", y, shape_of(x));
  kernels<T>().activate(choose("activation", name, kNames), static_cast<Index>(x.shape(0)), x.data(), y.data());
}

template <class T>
void bind(nb::module_& m, const char* network_name, const char* trainer_name, const char* stream_name) {
  NetworkClass<T> network = bind_network<T>(m, network_name);
  bind_windows<T>(m, network, trainer_name);
  bind_stream<T>(m, stream_name);
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
  bind<float>(m, "NetworkF32", "TrainerF32", "StreamF32");
  bind<double>(m, "NetworkF64", "TrainerF64", "StreamF64");
}

}  // namespace unrolled
