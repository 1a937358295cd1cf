// Recurrences: passes over memory that the caller names by its addresses.
//
// Knows: recurrences. Must not know: whose memory it is.
//
// The only calls that take addresses instead of arrays: making arrays of a dozen tensors would cost more than the work
// of a small call. Sizes and lengths are checked here; that there is as much memory behind every address is the
// caller's word (src/unrolled/torch/native.py).
#include "recurrence.hpp"

#include <string>
#include <vector>

#include "bindings/checks.hpp"

namespace unrolled {
namespace {

using Address = std::uintptr_t;
using Addresses = std::vector<Address>;

template <class T>
T* to(Address address) {
  return reinterpret_cast<T*>(address);
}

RecurrenceSpec make_spec(const std::string& cell, Index inputs, Index hidden, Index layers, Index directions) {
  constexpr const char* kNames[] = {"rnn", "rnn_relu", "lstm", "gru"};
  const std::string known = kNames[choose("cell", cell, kNames)];
  RecurrenceSpec spec;
  while (kCells[spec.cell].name != known) ++spec.cell;
  check_layers(inputs, hidden, layers);
  check_range("directions", directions, 1, 2);
  if (8 * hidden * (inputs + 3 * hidden + 64) * layers > kLargest)
    refuse("network", "fewer than 2^40 parameters", "more");
  spec.inputs = inputs;
  spec.hidden = hidden;
  spec.layers = layers;
  spec.directions = directions;
  return spec;
}

// Sizes, and the weights of all parts, as they came from Python.
template <class T>
struct Asked {
  Asked(const Recurrence<T>& net, Index steps, Index rows, Index total, Address sizes, Address resets, Address masks,
        const Addresses& addresses, int threads, Address team) {
    const RecurrenceSpec& spec = net.spec();
    check_range("time steps", steps, 1, kLargest);
    check_range("batch", rows, 1, kLargest);
    check_range("threads", threads, 1, 1024);
    if (sizes != 0 && resets != 0) refuse("resets", "none where there are batch_sizes", "resets");
    if (sizes != 0) {
      batch_sizes.assign(to<const std::int64_t>(sizes), to<const std::int64_t>(sizes) + steps);
      check_sizes(rows, total);
    } else {
      check_range("rows of all steps", total, steps * rows, steps * rows);
    }
    check_range("number of weights", static_cast<Index>(addresses.size()), 4 * spec.parts(), 4 * spec.parts());
    for (Index p = 0; p < spec.parts(); ++p) {
      const Address* own = addresses.data() + 4 * p;
      if (own[0] == 0 || own[1] == 0) refuse("weights", "addresses of weight_ih and weight_hh", "none");
      const Index inputs = net.part_shape(p).inputs;
      weights.push_back(
          {to<const T>(own[0]), inputs, to<const T>(own[1]), spec.hidden, to<const T>(own[2]), to<const T>(own[3]), 1});
    }
    sequences = {steps,
                 rows,
                 total,
                 sizes == 0 ? nullptr : batch_sizes.data(),
                 to<const std::uint8_t>(resets),
                 to<const T>(masks),
                 weights.data(),
                 threads,
                 reinterpret_cast<Pool::Team>(team)};
  }

  void check_sizes(Index rows, Index total) const {
    Index before = rows;
    Index sum = 0;
    for (const std::int64_t size : batch_sizes) {
      check_range("batch size of a step", static_cast<Index>(size), sum == 0 ? rows : 1, before);
      before = static_cast<Index>(size);
      sum += before;
    }
    check_range("rows of all steps", total, sum, sum);
  }

  std::vector<std::int64_t> batch_sizes;  // a copy, so that nobody changes them while the core works
  std::vector<LayerWeights<T>> weights;
  Sequences<T> sequences;
};

template <class T>
void forward(const Recurrence<T>& self, Index steps, Index rows, Index total, Address x, Index x_step, Index x_row,
             Address batch_sizes, Address h_0, Address c_0, Address resets, Address masks, const Addresses& weights,
             Address out, Address h_n, Address c_n, Address reserve, int threads, Address team) {
  const Asked<T> asked(self, steps, rows, total, batch_sizes, resets, masks, weights, threads, team);
  if (x == 0 || out == 0) refuse("x and out", "addresses", "none");
  const nb::gil_scoped_release release;
  self.forward(asked.sequences, {to<const T>(x), x_step, x_row, to<const T>(h_0), to<const T>(c_0), to<T>(out),
                                 to<T>(h_n), to<T>(c_n), to<T>(reserve)});
}

template <class T>
void backward(const Recurrence<T>& self, Index steps, Index rows, Index total, Address batch_sizes, bool from_zero,
              Address resets, Address masks, const Addresses& weights, Address reserve, Address d_out, Address d_h_n,
              Address d_c_n, Address d_x, Address d_h_0, Address d_c_0, const Addresses& d_weights, int threads,
              Address team) {
  const Asked<T> asked(self, steps, rows, total, batch_sizes, resets, masks, weights, threads, team);
  if (reserve == 0) refuse("reserve", "the address of what forward kept", "none");
  if (from_zero && (d_h_0 != 0 || d_c_0 != 0)) refuse("d_h_0", "none where there was no first state", "an address");
  std::vector<typename BackwardArrays<T>::Weights> wanted;
  if (!d_weights.empty()) {
    check_range("number of gradients", static_cast<Index>(d_weights.size()), 4 * self.spec().parts(),
                4 * self.spec().parts());
    for (std::size_t p = 0; p < d_weights.size(); p += 4) {
      wanted.push_back(
          {to<T>(d_weights[p]), to<T>(d_weights[p + 1]), to<T>(d_weights[p + 2]), to<T>(d_weights[p + 3])});
    }
  }
  const nb::gil_scoped_release release;
  self.backward(asked.sequences,
                {to<const T>(reserve), from_zero, to<const T>(d_out), to<const T>(d_h_n), to<const T>(d_c_n),
                 to<T>(d_x), to<T>(d_h_0), to<T>(d_c_0), wanted.empty() ? nullptr : wanted.data()});
}

}  // namespace

template <class T>
void bind_recurrence(nb::module_& m, const char* name) {
  using R = Recurrence<T>;
  nb::class_<R>(m, name, "Stacked recurrent layers over given memory; engine.recurrence hands them out.")
      .def(
          "__init__",
          [](R* self, const std::string& cell, Index inputs, Index hidden, Index layers, Index directions) {
            new (self) R(make_spec(cell, inputs, hidden, layers, directions));
          },
          nb::kw_only(), "cell"_a, "input_size"_a, "hidden_size"_a, "num_layers"_a, "directions"_a)
      .def_prop_ro("row_size", &R::row_size)
      .def_prop_ro("end_size", &R::end_size)
      .def("forward", &forward<T>)
      .def("backward", &backward<T>);
}

template void bind_recurrence<float>(nb::module_&, const char*);
template void bind_recurrence<double>(nb::module_&, const char*);

}  // namespace unrolled
