#include "stream.hpp"

#include <algorithm>
#include <cmath>

#include "pool.hpp"

namespace unrolled {

template <class T>
Stream<T>::Stream(const Network<T>& network, Index rows) : network_(network) {
  network_.prepare(pass_, 1, rows, false);
}

template <class T>
bool Stream<T>::step(const T* x, T* y) {
  const NetworkSpec& spec = network_.spec();
  const Index rows = pass_.rows;
  if (!std::all_of(x, x + rows * spec.inputs, [](T value) { return std::isfinite(value); })) return false;
  const FlushDenormals flush;  // as in every other pass, so that the bits agree
  for (Index b = 0; b < rows; ++b) std::copy_n(x + b * spec.inputs, spec.inputs, network_.input(pass_, 0, b));
  network_.forward(pass_);
  if (spec.outputs > 0) {
    std::copy_n(pass_.y.data(), rows * spec.outputs, y);
  } else {
    for (Index b = 0; b < rows; ++b) {
      std::copy_n(network_.hidden_state(pass_, spec.layers - 1, 1, b), spec.hidden, y + b * spec.hidden);
    }
  }
  // The state after this step is the one before the next; c is kept in place by a pass that keeps nothing else.
  for (Index l = 0; l < spec.layers; ++l) {
    for (Index b = 0; b < rows; ++b) {
      std::copy_n(network_.hidden_state(pass_, l, 1, b), spec.hidden, network_.hidden_state(pass_, l, 0, b));
    }
  }
  return true;
}

template <class T>
void Stream<T>::reset() {
  network_.prepare(pass_, 1, pass_.rows, false);
}

template <class T>
template <class At>
void Stream<T>::each_state(At at) {
  const NetworkSpec& spec = network_.spec();
  const bool has_c = kCells[spec.cell].has_c;
  for (Index l = 0; l < spec.layers; ++l) {
    for (Index b = 0; b < pass_.rows; ++b) {
      at(network_.hidden_state(pass_, l, 0, b), has_c ? network_.cell_state(pass_, l, b, false) : nullptr,
         (l * pass_.rows + b) * spec.hidden);
    }
  }
}

template <class T>
void Stream<T>::read_state(T* h, T* c) {
  const Index hidden = network_.spec().hidden;
  each_state([=](const T* own_h, const T* own_c, Index place) {
    std::copy_n(own_h, hidden, h + place);
    if (own_c != nullptr) std::copy_n(own_c, hidden, c + place);
  });
}

template <class T>
void Stream<T>::write_state(const T* h, const T* c) {
  const Index hidden = network_.spec().hidden;
  each_state([=](T* own_h, T* own_c, Index place) {
    std::copy_n(h + place, hidden, own_h);
    if (own_c != nullptr) std::copy_n(c + place, hidden, own_c);
  });
}

template class Stream<float>;
template class Stream<double>;

}  // namespace unrolled
