// Streams: a network run one step at a time.
//
// Knows: streams. Must not know: what the steps are steps of.
#include "stream.hpp"

#include <optional>

#include "bindings/py_network.hpp"

namespace unrolled {
namespace {

template <class T>
struct PyStream {
  PyStream(PyNetwork<T>& network, Index rows) : owner(network) {
    const NetworkSpec& spec = owner.network.spec();
    check_range("skip_steps", spec.skip_steps, 0, 0);
    if (spec.dilated()) refuse("dilations", "1 of every layer", "more");
    check_range("batch", rows, 1, kLargest / (spec.layers * (16 * spec.hidden + spec.inputs + spec.outputs + 64)));
    stream.emplace(owner.network, rows);
  }

  // Python's lock is kept for a small step: let go beside another busy thread, it comes back after up to 5 ms
  // (measured: 0.3 ms in the mean, where the step takes 2 us). It is let go for a large step, and to wait for the
  // network.
  template <class Do>
  auto run(Do work) {
    constexpr double kLong = 500e3;  // multiply-adds
    std::unique_lock<std::mutex> lock(owner.mutex, std::try_to_lock);
    std::optional<nb::gil_scoped_release> release;
    if (!lock.owns_lock() || stream->work() > kLong) release.emplace();
    if (!lock.owns_lock()) lock.lock();
    auto done = work(*stream);
    lock.unlock();  // before Python's lock is asked for again
    return done;
  }

  bool step(const Array<const T>& x, const Array<T>& y) {
    const NetworkSpec& spec = owner.network.spec();
    const Index outputs = spec.outputs > 0 ? spec.outputs : spec.hidden;
    check_matrix("x", x, spec.inputs);
    check_matrix("y", y, outputs);
    return run([&](Stream<T>& self) { return self.step(x.data(), y.data()); });
  }

  // As check_shape, without the memory that a list of sizes takes.
  template <class A>
  void check_matrix(const char* what, const A& array, Index columns) const {
    const Index rows = stream->rows();
    const bool fits = array.ndim() == 2 && static_cast<Index>(array.shape(0)) == rows &&
                      static_cast<Index>(array.shape(1)) == columns;
    if (!fits) check_shape(what, array, {rows, columns});
  }

  template <class A>
  void check_state(const A& h, const std::optional<A>& c) const {
    const NetworkSpec& spec = owner.network.spec();
    check_shape("h", h, {spec.layers, stream->rows(), spec.hidden});
    check_states(spec.cell, c.has_value());
    if (c) check_shape("c", *c, {spec.layers, stream->rows(), kCells[spec.cell].states * spec.hidden});
  }

  void read(Array<T> h, std::optional<Array<T>> c) {
    check_state(h, c);
    run([&](Stream<T>& self) { return self.read_state(h.data(), c ? c->data() : nullptr), true; });
  }

  void write(Array<const T> h, std::optional<Array<const T>> c) {
    check_state(h, c);
    run([&](Stream<T>& self) { return self.write_state(h.data(), c ? c->data() : nullptr), true; });
  }

  void reset() {
    run([](Stream<T>& self) { return self.reset(), true; });
  }

  PyNetwork<T>& owner;
  std::optional<Stream<T>> stream;
};

}  // namespace

template <class T>
void bind_stream(nb::module_& m, const char* name) {
  using S = PyStream<T>;
  nb::class_<S>(m, name, "A network run one step at a time; stream.Stream is its face.")
      .def(nb::init<PyNetwork<T>&, Index>(), nb::keep_alive<1, 2>(), "network"_a, "batch"_a)
      .def("step", &S::step, nb::arg("x").noconvert(), nb::arg("y").noconvert())
      .def("read", &S::read, nb::arg("h").noconvert(), nb::arg("c").noconvert().none())
      .def("write", &S::write, nb::arg("h").noconvert(), nb::arg("c").noconvert().none())
      .def("reset", &S::reset);
}

template void bind_stream<float>(nb::module_&, const char*);
template void bind_stream<double>(nb::module_&, const char*);

}  // namespace unrolled
