// A network that runs one step at a time and keeps its state between the calls.
//
// Knows: networks. Must not know: panels, scaling, Python.
//
// A sequence that is fed step by step gives the bits that `apply` gives for all of it at once.
#pragma once

#include "network.hpp"

namespace unrolled {

template <class T>
class Stream {
 public:
  // The network lives longer than the stream, and has no skip, which reads a whole window, and no dilations.
  Stream(const Network<T>& network, Index rows);

  // Reads one step, x [B, I], and writes what the network says of it: y [B, O], without a head [B, H].
  // Returns false, and leaves the state as it was, where an input is not finite: no later step would recover.
  bool step(const T* x, T* y);

  void reset();  // to zeros
  // h: [L, B, H]; c: [L, B, E H], only read and written where the cell has states beside h.
  void read_state(T* h, T* c);
  void write_state(const T* h, const T* c);

  Index rows() const { return pass_.rows; }
  // Multiply-adds of a step.
  double work() const { return network_.work() * static_cast<double>(pass_.rows); }

 private:
  // Calls at(own, outside) for each layer, row and state: H numbers here, and their place in h or c.
  template <class Number, class At>
  void each_state(Number* h, Number* c, At at);

  const Network<T>& network_;
  Pass<T> pass_;  // of one step
};

}  // namespace unrolled
