// What each cell looks like to the layer, and where everything of a layer lies in memory.
//
// Knows: sizes and offsets. Must not know: instruction sets, arithmetic.
//
// A layer's step reads one row per sequence, and has one weight matrix whose columns follow that row:
//
//   row of z:      [ h (H) | 1 | x (I) | 1 | 0 ... ]
//   weight matrix: [ W_hh  | b_hh | W_ih | b_ih | 0 ... ]   one row per gate and unit, torch's gate order
//
// So the biases, both of them, are products with a constant 1, and one product each gives all pre-activations, all
// gradients of the state, and all gradients of the parameters. The matrix of a cell whose gates do not read h has the
// columns of x alone: [ W_ih | b_ih | 0 ... ].
#pragma once

#include <cstddef>
#include <initializer_list>

namespace unrolled {

using Index = std::ptrdiff_t;

inline constexpr Index kAlign = 64;  // bytes: the widest vector, a cache line

template <class T>
constexpr Index padded(Index n) {
  constexpr Index lanes = kAlign / static_cast<Index>(sizeof(T));
  return (n + lanes - 1) / lanes * lanes;
}

inline constexpr int kMaxGates = 4;

// Which of a step's gradients meet which columns of z: gradients d_first .. d_first + gates of a row of d, rows
// gate_first .. gate_first + gates of the weight matrix, the columns of h and b_hh, of x and b_ih, or all.
struct Span {
  int d_first;
  int gate_first;
  int gates;
  bool h;
  bool x;
};

// A cell computes `slots` sums per unit. The product with x fills slots x_first .. with the gates x_gate[...], the
// product with h fills slots h_first .. with the gates h_gate[...]; h_count is 0 where no gate reads h.
struct CellShape {
  const char* name;
  int gates;
  int slots;
  int x_first, x_count, x_gate[kMaxGates];
  int h_first, h_count, h_gate[kMaxGates];
  int states;       // states beside h; they lie side by side in c
  bool has_direct;  // h' depends on h outside the product too
  int saved;        // values per unit and step that the backward pass needs
  int d_gates;      // gradients per unit and step
  int spans;
  Span span[3];
};

inline constexpr CellShape kRnnShape = {"rnn", 1, 1, 0, 1, {0}, 0, 1, {0}, 0, false, 1, 1, 1, {{0, 0, 1, true, true}}};
inline constexpr CellShape kRnnReluShape = {
    "rnn_relu", 1, 1, 0, 1, {0}, 0, 1, {0}, 0, false, 1, 1, 1, {{0, 0, 1, true, true}}};
inline constexpr CellShape kLstmShape = {"lstm", 4,     4, 0, 4, {0, 1, 2, 3},           0, 4, {0, 1, 2, 3},
                                         1,      false, 5, 4, 1, {{0, 0, 4, true, true}}};
// Slots n_x, r, z, n_h; gradients r, z, n_h, n_x.
inline constexpr CellShape kGruShape = {
    "gru",     3, 4, 0,         3,
    {2, 0, 1}, 1, 3, {0, 1, 2}, 0,
    true,      4, 4, 3,         {{0, 0, 3, true, false}, {0, 0, 2, false, true}, {3, 2, 1, false, true}}};

inline constexpr CellShape kMinGruShape = {
    "mingru", 2, 2, 0, 2, {0, 1}, 0, 0, {}, 0, true, 2, 2, 1, {{0, 0, 2, false, true}}};
inline constexpr CellShape kMinLstmShape = {
    "minlstm", 3, 3, 0, 3, {0, 1, 2}, 0, 0, {}, 0, true, 4, 3, 1, {{0, 0, 3, false, true}}};
inline constexpr CellShape kSlstmShape = {"slstm", 4,     4, 0, 4, {0, 1, 2, 3},           0, 4, {0, 1, 2, 3},
                                          3,       false, 6, 4, 1, {{0, 0, 4, true, true}}};

// The table of cells: kernels.cpp and the bindings follow its order.
inline constexpr CellShape kCells[] = {kRnnShape,    kRnnReluShape, kLstmShape, kGruShape,
                                       kMinGruShape, kMinLstmShape, kSlstmShape};
inline constexpr int kCellCount = static_cast<int>(sizeof(kCells) / sizeof(kCells[0]));

// Columns of z whose weight gradients are too few for whole vectors.
struct Columns {
  Index first;
  Index count;
};

struct LayerShape {
  int cell;
  Index inputs;       // I
  Index hidden;       // H
  Index h_pad;        // H rounded up to whole vectors: stride of dh, of each state in c and of each saved value
  Index x_offset;     // column of z where x starts
  Index ld;           // row stride of z
  Index w_skip;       // columns of z before the first one of the weight matrix: 0, or x_offset where no gate reads h
  Index w_ld;         // row stride of the weight matrix
  Index d_ld;         // row stride of the gate gradients
  Index h_columns;    // columns from 0 whose weight gradients are one product, vectors along the columns
  Index x_columns;    // the same from x_offset; 0 where x is narrow
  Columns narrow[2];  // the other columns: vectors along the gates

  const CellShape& shape() const { return kCells[cell]; }
  Index weight_rows() const { return shape().gates * hidden; }
  Index weight_size() const { return weight_rows() * w_ld; }
  Index w_x() const { return x_offset - w_skip; }        // column of the weight matrix where x starts
  Index c_ld() const { return shape().states * h_pad; }  // row stride of c
  bool recurrent() const { return shape().h_count > 0; }
  Index narrow_columns() const { return narrow[0].count + narrow[1].count; }
  // The packed copy of the weights that the forward pass reads, whatever the vector width.
  Index panel_size() const { return (hidden * shape().h_count + inputs * shape().x_count + shape().slots) * h_pad; }
};

template <class T>
LayerShape make_layer_shape(int cell, Index inputs, Index hidden) {
  constexpr Index lanes = kAlign / static_cast<Index>(sizeof(T));
  const auto halves = [](Index columns) { return (columns + lanes / 2 - 1) / (lanes / 2); };
  LayerShape s{};
  s.cell = cell;
  s.inputs = inputs;
  s.hidden = hidden;
  s.h_pad = padded<T>(hidden);
  // A narrow x follows at once; a wide one starts on a vector's boundary.
  const bool wide = inputs >= lanes;
  s.x_offset = wide ? padded<T>(hidden + 1) : hidden + 1;
  s.ld = padded<T>(s.x_offset + inputs + 1);
  s.d_ld = padded<T>(kCells[cell].d_gates * hidden);
  s.w_skip = s.recurrent() ? 0 : s.x_offset;
  s.w_ld = s.recurrent() ? s.ld : padded<T>(inputs + 1);
  // Rows a large power of two apart fall into the same few cache sets.
  for (Index* stride : {&s.ld, &s.w_ld, &s.d_ld}) {
    if (*stride * static_cast<Index>(sizeof(T)) % 1024 == 0) *stride += lanes;
  }
  // What fits into the padding of the state's product goes with it: b_hh, and a narrow x if it meets the same gates.
  const Index end = s.x_offset + inputs + 1;
  s.h_columns = hidden;
  if (halves(hidden + 1) == halves(hidden)) s.h_columns = hidden + 1;
  if (!wide && kCells[cell].spans == 1 && halves(end) == halves(hidden)) s.h_columns = end;
  if (!s.recurrent()) s.h_columns = s.x_offset;  // there is nothing before x
  if (wide) {
    s.x_columns = halves(inputs + 1) == halves(inputs) ? inputs + 1 : inputs;
    if (s.recurrent()) s.narrow[0] = {s.h_columns, hidden + 1 - s.h_columns};
    s.narrow[1] = {s.x_offset + s.x_columns, inputs + 1 - s.x_columns};
  } else {
    s.narrow[0] = {s.h_columns, end - s.h_columns};
  }
  return s;
}

}  // namespace unrolled
