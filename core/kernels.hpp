// The table of kernels that one instruction set offers, and the plain structs that its functions take.
//
// Knows: pointers and sizes. Must not know: instruction sets (dispatch.cpp chooses one), containers, threads.
#pragma once

#include <cstdint>

#include "shapes.hpp"

namespace unrolled {

// The parameters of a layer where they lie, rows of gates and units in torch's order. The elements of a row of w_x and
// w_h follow each other; rows are so many numbers apart.
template <class T>
struct LayerWeights {
  const T* w_x;  // [G H, I]
  Index w_x_ld;
  const T* w_h;  // [G H, H]; not read where no gate reads h
  Index w_h_ld;
  const T* b_x;  // [G H], bias_ld apart; null: zeros
  const T* b_h;
  Index bias_ld;

  // Those in a matrix that is laid out as shapes.hpp says, such as `base`.
  static LayerWeights within(const LayerShape& s, const T* base) {
    return {base + s.w_x(), s.w_ld, base, s.w_ld, base + s.w_x() + s.inputs, base + s.hidden, s.w_ld};
  }
};

// Where the gradients of a layer's parameters go. Whole vectors are written: rows of w_x and w_h are padded to them, or
// are whole ones themselves.
template <class T>
struct LayerGradients {
  T* w_x;  // null: nobody wants any of them
  Index w_x_ld;
  T* w_h;
  Index w_h_ld;
  T* b_x;
  T* b_h;
  Index bias_ld;

  // Those in such a matrix; none where `base` is null.
  static LayerGradients within(const LayerShape& s, T* base) {
    if (base == nullptr) return {};
    return {base + s.w_x(), s.w_ld, base, s.w_ld, base + s.w_x() + s.inputs, base + s.hidden, s.w_ld};
  }
};

// Buffers are aligned to kAlign and hold one chunk of rows (sequences), step after step: the rows of step t lie from
// first[t] to before first[t + 1]. Sequences that have ended have no rows: they are sorted, the longest first. Behind
// the last step, from first[T], lie the last states of all of them.
template <class T>
struct LayerForward {
  const LayerShape* shape;
  Index steps;                     // T
  Index rows;                      // B of this chunk
  const Index* first;              // [T + 1]
  const T* panels;                 // packed weights; null for a single step that packs them as it goes:
  const LayerWeights<T>* weights;  // these,
  T* room;                         // into this
  T* z;            // [first[T] + B, ld]: x and the ones are given, h of step 0 is given, the others are written
  T* c;            // [first[T] + B, states, h_pad], or [B, states, h_pad] updated in place
  bool from_zero;  // the first states are zeros: their product need not be computed
  bool keep;       // c of every step, and `saved`, for a backward pass
  T* saved;        // [first[T], saved, h_pad], or null
};

// Gate gradients are multiplied once this many rows have come together.
inline constexpr Index kGateRows = 96;

template <class T>
struct LayerBackward {
  const LayerShape* shape;
  Index steps;
  Index rows;
  const Index* first;
  LayerWeights<T> weights;  // w_h, and where dx is wanted w_x, readable up to a vector's length behind each row
  const T* z;
  const T* c;
  const T* saved;
  const T* d_out;  // gradient of every step's h from above, rows of H numbers, or null
  Index d_out_ld;
  const Index* d_out_first;  // [T]: where the rows of step t begin in it
  T* dh;                     // [B, h_pad]: gradient of the last h; becomes that of the first
  T* dc;                     // [B, states, h_pad], the same for c
  bool from_zero;            // nobody wants the gradients of the first states
  T* gates;                  // [max(gate_rows, B), d_ld]: scratch
  Index gate_rows;           // rows whose gate gradients are kept before they are multiplied
  T* narrow;                 // [narrow columns, d_ld]: scratch
  LayerGradients<T> d_weights;
  bool accumulate;  // adds to d_weights, and to narrow, what later steps gave; else writes them
  T* dx;            // [first[T], dx_ld], or null where nobody wants it
  Index dx_ld;
};

enum class Loss : int { mse, mae, huber, pinball, gaussian, student_t, negative_binomial };
inline constexpr const char* kLossNames[] = {
    "mse", "mae", "huber", "quantile", "gaussian", "student_t", "negative_binomial"};
inline constexpr int kLossCount = 7;

// How many numbers the network gives for one target.
inline Index loss_width(Loss loss, Index quantile_count) {
  if (loss == Loss::pinball) return quantile_count;
  if (loss == Loss::student_t) return 3;
  return loss == Loss::gaussian || loss == Loss::negative_binomial ? 2 : 1;
}

// Whether the network forecasts a distribution, not numbers in the units of the series.
inline bool is_distribution(Loss loss) { return static_cast<int>(loss) >= static_cast<int>(Loss::gaussian); }

// d_raw = weight * dloss/draw; returns the sum of the losses of one row. raw is [targets, width], as the head gives it.
template <class T>
struct LossRow {
  Loss loss;
  Index targets;
  const T* target;
  const T* raw;
  T* d_raw;  // may be null
  T weight;
  T delta;
  const T* quantiles;
  Index width;
  Index anchor;    // pinball: which quantile the others stand on
  const T* scale;  // negative binomial: [channels], of target i that of channel i % channels
  Index channels;
  bool missing;  // targets that are NaN are missing: they have no weight, and their gradient is 0
};

// What the head's numbers mean: out is [targets, width], and may be where raw is.
template <class T>
struct MapRow {
  Loss loss;
  Index targets;
  Index width;
  Index anchor;
  const T* raw;
  T* out;
};

enum class Optimizer : int { sgd, adam, adamw };
inline constexpr const char* kOptimizerNames[] = {"sgd", "adam", "adamw"};
inline constexpr int kOptimizerCount = 3;

template <class T>
struct OptimizerStep {
  Optimizer kind;
  Index size;
  T* param;
  T* grad;
  T* first;   // momentum buffer, or Adam's m
  T* second;  // Adam's v
  double lr, momentum, beta1, beta2, eps, weight_decay;
  double grad_scale;  // from clipping
  std::int64_t step;  // 1 for the first
};

enum class Scaling : int { none, standard, last, mean_abs, log, asinh, adaptive };
inline constexpr const char* kScalingNames[] = {"none", "standard", "last", "mean_abs", "log", "asinh", "adaptive"};
inline constexpr int kScalingCount = 7;

template <class T>
struct Kernels {
  const char* name;
  int lanes;
  void (*layer_pack)(const LayerShape&, const LayerWeights<T>&, T* panels);
  void (*layer_forward[kCellCount])(const LayerForward<T>&);
  void (*layer_backward[kCellCount])(const LayerBackward<T>&);
  // C = A B (or C += A B): rows x columns, columns rounded up to whole vectors.
  void (*product)(Index rows, Index columns, Index depth, const T* a, Index a_ld, const T* b, Index b_ld, T* c,
                  Index c_ld, bool accumulate);
  // C = A^T B, A is depth x rows.
  void (*product_transposed)(Index rows, Index columns, Index depth, const T* a, Index a_ld, const T* b, Index b_ld,
                             T* c, Index c_ld, bool accumulate);
  // C = A B^T, depth padded with zeros.
  void (*dots)(Index rows, Index outputs, Index padded_depth, const T* a, Index a_ld, const T* b, Index b_ld, T* c,
               Index c_ld);
  double (*loss_row)(const LossRow<T>&);
  void (*map_row)(const MapRow<T>&);
  void (*add)(Index size, const T* from, T* to);
  double (*square_sum)(Index size, const T* values);
  bool (*finite)(Index size, const T* values);
  void (*optimize)(const OptimizerStep<T>&);
  void (*activate)(int which, Index size, const T* x, T* y);  // 0 tanh, 1 sigmoid, 2 relu, 3 exp: for tests
};

// The kernels of the chosen instruction set: the best this machine has, or the one UNROLLED_ISA names.
template <class T>
const Kernels<T>& kernels();

// The names of all instruction sets that were built and that this machine can run, best first.
struct IsaList {
  const char* names[4];
  int count;
};
IsaList available_isas();

}  // namespace unrolled
