// A network as Python holds it, and the parts of the module, each bound in a file of its own.
//
// Knows: networks, nanobind. Must not know: what the other files bind.
#pragma once

#include <mutex>

#include "apply.hpp"
#include "checks.hpp"

namespace unrolled {

// A network and the lock that lets one caller at a time use it. Whoever waits for the lock has let go of Python's own
// lock first: else two threads could wait for each other.
template <class T>
struct PyNetwork {
  explicit PyNetwork(const NetworkSpec& spec) : network(spec) {}
  Network<T> network;
  Workspace<T> workspace;
  std::mutex mutex;
};

template <class T>
using NetworkClass = nb::class_<PyNetwork<T>>;

// The network's class with its weights, and its passes over arrays.
template <class T>
NetworkClass<T> bind_network(nb::module_& m, const char* name);

// How a window is read: numbers and a name.
void bind_windowing(nb::module_& m);

// Tables of series; forecasts of windows, a method of the network; the trainer's class.
template <class T>
void bind_windows(nb::module_& m, NetworkClass<T>& network, const char* table_name, const char* trainer_name);

// The class that runs a network one step at a time.
template <class T>
void bind_stream(nb::module_& m, const char* name);

// Stacked layers over memory and weights of the caller.
template <class T>
void bind_recurrence(nb::module_& m, const char* name);

}  // namespace unrolled
