// A network as a function of arrays, forward and backward: what tests, explanations and other front ends call.
//
// Knows: networks, how rows are split over threads. Must not know: panels, losses, Python.
//
// Arrays are contiguous and time-major: x [T, B, I]; h [L, B, H]; c [L, B, E H], the E states beside h side by side;
// the output is [B, O] from the last state, [T, B, O] from every step, or without a head the top layer's states [T, B,
// H]. Where rows have lengths, each ends after its own last step: what follows in x and in the output's gradient is not
// read, and in the output and x's gradient it is 0.
#pragma once

#include "chunks.hpp"
#include "network.hpp"

namespace unrolled {

template <class T>
struct Call {
  Index steps;
  Index rows;
  const T* x;
  T* h;  // first states, zeros where layers are dilated; becomes the last
  T* c;  // the same for the states beside h, only read and written where the cell has some
  Dropout dropout;
  int threads;
  const std::int64_t* lengths = nullptr;  // [B], each from 1 to T; null: all rows have T steps
};

// What calls need beside the network, kept from one to the next: small calls would spend most of their time on getting
// memory. Whoever shares it between threads must let one call at a time use it.
template <class T>
struct Workspace {
  std::vector<Pass<T>> passes;  // one for each worker of the pool
  std::vector<Buffer<T>> sums;  // gradients, one for each chunk

  // Gives memory back unless it is little.
  void trim();
};

// Writes the output and the last states.
template <class T>
void apply(const Network<T>& network, Workspace<T>& workspace, const Call<T>& call, T* out);

template <class T>
struct Gradients {
  const T* d_out;  // of the output
  T* d_h;          // of the last states; becomes that of the first; neither read nor written where layers are dilated
  T* d_c;
  T* parameters;  // all, one after another, each in torch's layout
  T* d_x;         // [T, B, I], or null
};

// Runs the network again and takes gradients back through it (a vector-Jacobian product).
template <class T>
void apply_backward(const Network<T>& network, Workspace<T>& workspace, const Call<T>& call,
                    const Gradients<T>& gradients);

}  // namespace unrolled
