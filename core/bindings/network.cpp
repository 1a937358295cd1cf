// Networks: weights in and out, and passes over arrays, forward and backward.
//
// Knows: networks as functions of arrays. Must not know: panels, windows, losses.
#include "bindings/py_network.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>

#include "apply.hpp"

namespace unrolled {
namespace {

int cell_index(const std::string& name) {
  const char* names[kCellCount];
  for (int i = 0; i < kCellCount; ++i) names[i] = kCells[i].name;
  return choose("cell", name, names);
}

NetworkSpec make_spec(const std::string& cell, Index inputs, Index hidden, Index layers, Index outputs, bool every,
                      Index skip_steps, double dropout, Index skip_inputs, bool residual,
                      const std::vector<Index>& dilations) {
  NetworkSpec spec;
  spec.cell = cell_index(cell);
  check_layers(inputs, hidden, layers);
  check_range("output_size", outputs, 0, kMostSize);
  check_range("skip_steps", skip_steps, 0, outputs > 0 && !every ? kMostSize : 0);
  check_real("dropout", dropout, 0, std::nextafter(1.0, 0.0));
  check_range("skip_inputs", skip_inputs, 0, inputs);
  if (!dilations.empty()) check_range("number of dilations", static_cast<Index>(dilations.size()), layers, layers);
  for (const Index d : dilations) check_range("dilation", d, 1, kMostSize);
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
  spec.skip_inputs = skip_inputs;
  spec.residual = residual;
  spec.dilations = dilations;
  return spec;
}

// A state of a dilated layer is one of several steps, so none is taken from outside.
template <class T>
void check_zeros(const NetworkSpec& spec, const char* what, const Array<T>& state) {
  if (!spec.dilated()) return;
  if (!std::all_of(state.data(), state.data() + state.size(), [](T value) { return value == 0; })) {
    refuse(what, "zeros, because layers are dilated", "other numbers");
  }
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
  check_states(spec.cell, c.has_value());
  if (c) check_shape("c", *c, {spec.layers, rows, kCells[spec.cell].states * spec.hidden});
  check_range("threads", threads, 1, 1024);
  check_zeros(spec, "h", h);
  if (c) check_zeros(spec, "c", *c);
  return {steps, rows, x.data(), h.data(), c ? c->data() : nullptr, {train ? spec.dropout : 0, seed, 0}, threads};
}

using Lengths = std::optional<Array<const std::int64_t>>;

// A copy of the rows' lengths, so that nobody changes them while the core works without the interpreter's lock.
std::vector<std::int64_t> check_lengths(const NetworkSpec& spec, const Lengths& lengths, Index steps, Index rows) {
  if (!lengths) return {};
  check_shape("lengths", *lengths, {rows});
  if (spec.skip_steps > 0) refuse("lengths", "none, because the linear skip reads whole windows", "lengths");
  if (spec.dilated()) refuse("lengths", "none, because layers are dilated", "lengths");
  std::vector<std::int64_t> copy(lengths->data(), lengths->data() + rows);
  for (const std::int64_t length : copy) check_range("length", length, 1, steps);
  return copy;
}

std::vector<Index> output_shape(const NetworkSpec& spec, Index steps, Index rows) {
  if (spec.outputs == 0) return {steps, rows, spec.hidden};
  if (spec.every) return {steps, rows, spec.outputs};
  return {rows, spec.outputs};
}

template <class T>
void apply_network(PyNetwork<T>& self, Array<const T> x, Array<T> h, std::optional<Array<T>> c, Array<T> out,
                   bool train, std::uint64_t seed, int threads, Lengths lengths) {
  Call<T> call = check_call(self.network.spec(), x, h, c, train, seed, threads);
  const std::vector<std::int64_t> copy = check_lengths(self.network.spec(), lengths, call.steps, call.rows);
  if (lengths) call.lengths = copy.data();
  check_shape("out", out, output_shape(self.network.spec(), call.steps, call.rows));
  const nb::gil_scoped_release release;
  const std::lock_guard<std::mutex> lock(self.mutex);
  apply(self.network, self.workspace, call, out.data());
  self.workspace.trim();
}

template <class T>
void apply_network_backward(PyNetwork<T>& self, Array<const T> x, Array<T> h, std::optional<Array<T>> c,
                            Array<const T> d_out, Array<T> d_h, std::optional<Array<T>> d_c, Array<T> parameters,
                            std::optional<Array<T>> d_x, bool train, std::uint64_t seed, int threads, Lengths lengths) {
  const NetworkSpec& spec = self.network.spec();
  Call<T> call = check_call(spec, x, h, c, train, seed, threads);
  const std::vector<std::int64_t> copy = check_lengths(spec, lengths, call.steps, call.rows);
  if (lengths) call.lengths = copy.data();
  check_shape("d_out", d_out, output_shape(spec, call.steps, call.rows));
  check_shape("d_h", d_h, shape_of(h));
  check_zeros(spec, "d_h", d_h);
  if (c.has_value() != d_c.has_value()) refuse("d_c", "given where c is", "the other");
  if (d_c) check_shape("d_c", *d_c, shape_of(*c));
  if (d_c) check_zeros(spec, "d_c", *d_c);
  if (d_x) check_shape("d_x", *d_x, shape_of(x));
  check_shape("parameters", parameters, {self.network.parameter_count()});
  check_range("batch", call.rows, 1, kLargest);
  const nb::gil_scoped_release release;
  const std::lock_guard<std::mutex> lock(self.mutex);
  apply_backward(
      self.network, self.workspace, call,
      {d_out.data(), d_h.data(), d_c ? d_c->data() : nullptr, parameters.data(), d_x ? d_x->data() : nullptr});
  self.workspace.trim();
}

}  // namespace

template <class T>
NetworkClass<T> bind_network(nb::module_& m, const char* name) {
  using N = PyNetwork<T>;
  return NetworkClass<T>(m, name, "A recurrent network and its parameters; engine.Engine is its face.")
      .def(
          "__init__",
          [](N* self, const std::string& cell, Index inputs, Index hidden, Index layers, Index outputs, bool every,
             Index skip_steps, double dropout, Index skip_inputs, bool residual, const std::vector<Index>& dilations) {
            new (self) N(make_spec(cell, inputs, hidden, layers, outputs, every, skip_steps, dropout, skip_inputs,
                                   residual, dilations));
          },
          nb::kw_only(), "cell"_a, "input_size"_a, "hidden_size"_a, "num_layers"_a, "output_size"_a, "every"_a,
          "skip_steps"_a, "dropout"_a, "skip_inputs"_a = 0, "residual"_a = false, "dilations"_a = std::vector<Index>())
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
           nb::arg("c").noconvert().none(), nb::arg("out").noconvert(), "train"_a, "seed"_a, "threads"_a,
           nb::arg("lengths").noconvert() = nb::none())
      .def("apply_backward", &apply_network_backward<T>, nb::arg("x").noconvert(), nb::arg("h").noconvert(),
           nb::arg("c").noconvert().none(), nb::arg("d_out").noconvert(), nb::arg("d_h").noconvert(),
           nb::arg("d_c").noconvert().none(), nb::arg("parameters").noconvert(), nb::arg("d_x").noconvert().none(),
           "train"_a, "seed"_a, "threads"_a, nb::arg("lengths").noconvert() = nb::none());
}

template NetworkClass<float> bind_network<float>(nb::module_&, const char*);
template NetworkClass<double> bind_network<double>(nb::module_&, const char*);

}  // namespace unrolled
