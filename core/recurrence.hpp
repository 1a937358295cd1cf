// Stacked recurrent layers as a function of arrays and weights, in one direction or both: what torch.nn calls RNN, LSTM
// and GRU. It owns nothing: weights and memory are the caller's, and a forward pass leaves what backward needs in a
// reserve.
//
// Knows: layers as kernels, how rows are split over threads. Must not know: heads, losses, panels, Python.
//
// Arrays are contiguous but for x. Their rows lie step after step: those of step t from offset(t), so the rows of
// sequences that have ended are not there. Sequences are sorted, the longest first. Layers of both directions give
// [ forward (H) | reverse (H) ] to what is above them; states and weights follow each other by layer, then direction.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels.hpp"
#include "pool.hpp"

namespace unrolled {

struct RecurrenceSpec {
  int cell = 0;  // one whose gates read h
  Index inputs = 1;
  Index hidden = 1;
  Index layers = 1;
  Index directions = 1;  // 2: another network reads the sequences from their ends

  Index width() const { return directions * hidden; }  // D H
  Index parts() const { return layers * directions; }
};

// What both passes read. N is the number of all rows of all steps.
template <class T>
struct Sequences {
  Index steps;                                // T, at least 1
  Index rows;                                 // B, at least 1
  Index total;                                // N
  const std::int64_t* batch_sizes = nullptr;  // [T]: rows that have step t, never more than before; null: always B
  const std::uint8_t* resets =
      nullptr;                     // [T, B]: no state passes from the step before to this one; not with batch_sizes
  const T* masks = nullptr;        // [L - 1, N, D H]: factors between layers; null: ones
  const LayerWeights<T>* weights;  // [L D]
  int threads = 1;
  Pool::Team team = nullptr;  // whose threads; null: ours
};

template <class T>
struct ForwardArrays {
  const T* x;  // row b of step t, I numbers: x + t x_step + b x_row; with batch_sizes x + (offset(t) + b) x_row
  Index x_step;
  Index x_row;
  const T* h_0;  // [L D, B, H], null: zeros
  const T* c_0;  // the same for the state beside h, where the cell has one
  T* out;        // [N, D H]
  T* h_n;        // [L D, B, H], null where nobody wants them
  T* c_n;
  T* reserve;  // N row_size + B end_size numbers, or null: nothing is kept
};

// Null: a gradient that is zero, or one that nobody wants.
template <class T>
struct BackwardArrays {
  const T* reserve;
  bool from_zero;  // forward had no h_0
  const T* d_out;  // [N, D H]
  const T* d_h_n;
  const T* d_c_n;
  T* d_x;  // [N, I]
  T* d_h_0;
  T* d_c_0;
  // [L D], in torch's layout; each may be null, all of them where this is.
  struct Weights {
    T* w_x;
    T* w_h;
    T* b_x;
    T* b_h;
  };
  const Weights* d_weights;
};

template <class T>
class Recurrence {
 public:
  explicit Recurrence(const RecurrenceSpec& spec);

  const RecurrenceSpec& spec() const { return spec_; }
  const LayerShape& shape(Index layer) const { return layers_[layer == 0 ? 0 : 1]; }
  const LayerShape& part_shape(Index part) const { return shape(part / spec_.directions); }
  // Numbers of a reserve for each row of each step, and more for each row of the batch.
  Index row_size() const { return row_size_; }
  Index end_size() const { return end_size_; }

  void forward(const Sequences<T>& sequences, const ForwardArrays<T>& arrays) const;
  // May be called again: the reserve stays as it is.
  void backward(const Sequences<T>& sequences, const BackwardArrays<T>& arrays) const;

 private:
  RecurrenceSpec spec_;
  std::vector<LayerShape> layers_;  // the first, and all above it
  Index row_size_ = 0;
  Index end_size_ = 0;
};

}  // namespace unrolled
