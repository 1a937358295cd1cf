// The forecasting network: stacked recurrent layers, a linear head on the last state or on every step, and an optional
// linear skip from the window straight to the outputs.
//
// Knows: layers as kernels, where every parameter lies. Must not know: panels, scaling, optimizers, Python.
//
// All parameters lie in one array: the layers' weight matrices (shapes.hpp), then the head's. The head reads rows
// u = [ h (H) | 1 | window (T I) | 0 ... ], so its matrix is [ W | b | skip | 0 ... ], one row per output.
//
// A layer of dilation d over T steps of B rows is one without over ceil(T / d) steps of d B rows: rows lie step after
// step, so it is the same memory, and only where each step begins is another. Its rows have whole lengths, and begin at
// zero.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "buffer.hpp"
#include "dropout.hpp"
#include "kernels.hpp"

namespace unrolled {

struct NetworkSpec {
  int cell = 0;
  Index inputs = 1;              // I
  Index hidden = 1;              // H
  Index layers = 1;              // L
  Index outputs = 0;             // 0: no head
  bool every = false;            // the head reads every step, not only the last
  Index skip_steps = 0;          // T of the linear skip; 0: no skip
  double dropout = 0;            // between layers, while training
  Index skip_inputs = 0;         // the skip reads the first so many numbers of a step; 0: all
  bool residual = false;         // a layer above the first gives its state and its own input to what is above it
  std::vector<Index> dilations;  // of each layer: its state comes from so many steps before; empty: 1 of all

  Index skip_width() const { return skip_inputs > 0 ? skip_inputs : inputs; }
  bool dilated() const {
    return std::any_of(dilations.begin(), dilations.end(), [](Index d) { return d > 1; });
  }
};

// One parameter under torch's name: rows x columns, or a vector where columns is 0.
struct Parameter {
  std::string name;
  Index rows;
  Index columns;
  Index offset;  // of its first element in the array of all parameters
  Index stride;  // between its rows there
};

// Everything that a pass over a chunk of rows needs to keep: inputs, states, gates, gradients. Rows lie step after
// step, as kernels.hpp says.
template <class T>
struct Pass {
  Index steps = 0;
  Index rows = 0;
  bool keep = false;                  // for a backward pass
  bool from_zero = false;             // the first states stay zeros, and their gradients are not wanted
  Buffer<Index> first;                // of each step, and behind the last: where its rows begin
  std::vector<Buffer<Index>> folded;  // the same for the steps of each dilated layer
  Index first_row = 0;                // of the chunk in the batch
  const Index* order = nullptr;       // where the batch was sorted: which row of it each is
  Dropout dropout;
  std::vector<Buffer<T>> z, c, saved;  // of each layer
  Buffer<T> u, y, d_y, d_u;            // of the head; y and d_y are [rows, O], or a row for each step and row
  std::vector<Buffer<T>> dh, dc;       // of each layer: gradients of its last state, then of its first
  Buffer<T> gates, narrow, dx[2];      // scratch; dx[0] ends as the gradient of the inputs
  // Without a head, the gradient of every step's top state is given: rows of H numbers, those of step t from
  // d_out_first[t]. It is read where it lies; d_sorted is for a copy, where the batch was sorted.
  const T* d_out = nullptr;
  Buffer<Index> d_out_first;
  Buffer<T> d_sorted;

  // The rows of step t that have not ended.
  Index active(Index t) const { return first_of(t + 1) - first_of(t); }
  // Row b at step t; at t = steps, and after its own last step: its last state.
  Index at(Index t, Index b) const { return t < steps && b < active(t) ? first_of(t) + b : first_of(steps) + b; }
  Index batch_row(Index b) const { return order == nullptr ? first_row + b : order[first_row + b]; }
  Index first_of(Index t) const { return first.data()[t]; }
  // The last step of row b.
  Index last_step(Index b) const {
    Index t = steps - 1;
    while (t > 0 && active(t) <= b) --t;
    return t;
  }
  // Calls f(t, b) for every step and every row that has not ended.
  template <class F>
  void each_active(F&& f) const {
    for (Index t = 0; t < steps; ++t) {
      for (Index b = 0; b < active(t); ++b) f(t, b);
    }
  }
};

// A pass for each worker of the pool, at least.
template <class T>
void make_passes(std::vector<Pass<T>>& passes, int workers) {
  if (static_cast<int>(passes.size()) < workers) passes.resize(static_cast<std::size_t>(workers));
}

template <class T>
class Network {
 public:
  explicit Network(const NetworkSpec& spec);

  const NetworkSpec& spec() const { return spec_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }
  Index parameter_count() const;  // as torch counts them
  Index size() const { return weights_.size(); }

  // All parameters one after another, each in torch's layout.
  void read(T* flat) const { read_from(weights_.data(), flat); }
  void read_from(const T* array, T* flat) const;
  void write(const T* flat);

  // The parameters as the kernels see them. Call pack() after changing them.
  T* weights() { return weights_.data(); }
  void pack();

  // Makes `pass` ready for `rows` rows of `steps` steps: constant ones, zero states. Rows may end earlier, each after
  // `lengths` steps, of which none is larger than the one before it and the first is `steps`.
  void prepare(Pass<T>& pass, Index steps, Index rows, bool keep, const Index* lengths = nullptr) const;

  // Where the input of step t and row b of a prepared pass belongs: I numbers.
  T* input(Pass<T>& pass, Index t, Index b) const;
  // The state of layer l before the first step (t = 0) or after step t; after a row's last step, its last state.
  T* hidden_state(Pass<T>& pass, Index layer, Index t, Index b) const;
  // The states beside h before the first step, or after the last: H numbers each, padded<T>(H) apart.
  T* cell_state(Pass<T>& pass, Index layer, Index b, bool last) const;
  // What layer l gives to what is above it at step t: H numbers, its state and, where it has one, the residual.
  void output(Pass<T>& pass, Index layer, Index t, Index b, T* to) const;

  void forward(Pass<T>& pass) const;
  // From pass.d_y (with a head) or pass.d_out (without), and the gradients of the final states in pass.dh and pass.dc,
  // to the gradients of all parameters (written to `gradients`, laid out like weights()), of the first states (in dh,
  // dc) and, if wanted, of the inputs: input_gradient().
  void backward(Pass<T>& pass, T* gradients, bool want_inputs) const;
  const T* input_gradient(const Pass<T>& pass, Index t, Index b) const;

  // Zeroes the gradients of the final states, which backward() reads and replaces.
  void clear_state_gradients(Pass<T>& pass) const;

  // Multiply-adds of a forward pass over one row and step, for the rule that decides on threads.
  double work() const;

 private:
  Index head_ld() const { return padded<T>(spec_.hidden + 1 + spec_.skip_steps * spec_.skip_width()); }
  Index head_rows(const Pass<T>& pass) const { return spec_.every ? pass.first_of(pass.steps) : pass.rows; }
  T* head_weights() { return weights_.data() + head_offset_; }
  const T* head_weights() const { return weights_.data() + head_offset_; }
  LayerWeights<T> layer_weights(std::size_t layer) const;
  // Of layer l in a pass of so many steps.
  Index dilation(Index steps, Index layer) const {
    return spec_.dilations.empty() ? 1 : std::min(spec_.dilations[static_cast<std::size_t>(layer)], steps);
  }
  // The rows of the dilated step that step t belongs to, before those of step t.
  Index before(const Pass<T>& pass, Index layer, Index t) const { return t % dilation(pass.steps, layer) * pass.rows; }
  void fold(Pass<T>& pass, Index steps) const;
  void add_residual(const Pass<T>& pass, const T* d_out, Index d_out_ld, const Index* d_out_first, T* dx,
                    Index dx_ld) const;
  void reserve(Pass<T>& pass, Index steps, Index rows, bool keep) const;
  void run_head(Pass<T>& pass) const;
  void head_backward(Pass<T>& pass, T* gradients, bool want_inputs) const;

  NetworkSpec spec_;
  std::vector<LayerShape> layers_;
  std::vector<Index> layer_offsets_;
  Index head_offset_ = 0;
  Buffer<T> weights_;
  std::vector<Buffer<T>> panels_;
  std::vector<Parameter> parameters_;
};

}  // namespace unrolled
