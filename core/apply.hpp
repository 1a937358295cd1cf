// A network as a function of arrays, forward and backward: what tests, explanations and other front ends call.
//
// Knows: networks, how rows are split over threads. Must not know: panels, losses, Python.
//
// Arrays are contiguous and time-major: x [T, B, I]; h, c [L, B, H]; the output is [B, O] from the last state, [T, B,
// O] from every step, or without a head the top layer's states [T, B, H].
#pragma once

#include "chunks.hpp"
#include "network.hpp"

namespace unrolled {

template <class T>
struct Call {
  Index steps;
  Index rows;
  const T* x;
  T* h;  // first states; becomes the last
  T* c;  // the same, only read and written where the cell has one
  Dropout dropout;
  int threads;
};

// Writes the output and the last states.
template <class T>
void apply(const Network<T>& network, const Call<T>& call, T* out);

template <class T>
struct Gradients {
  const T* d_out;  // of the output
  T* d_h;          // of the last states; becomes that of the first
  T* d_c;
  T* parameters;  // all, one after another, each in torch's layout
  T* d_x;         // [T, B, I], or null
};

// Runs the network again and takes gradients back through it (a vector-Jacobian product).
template <class T>
void apply_backward(const Network<T>& network, const Call<T>& call, const Gradients<T>& gradients);

}  // namespace unrolled
