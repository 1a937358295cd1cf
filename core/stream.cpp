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
      network_.output(pass_, spec.layers - 1, 0, b, y + b * spec.hidden);
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
template <class Number, class At>
void Stream<T>::each_state(Number* h, Number* c, At at) {
  const NetworkSpec& spec = network_.spec();
  const Index states = kCells[spec.cell].states;
  for (Index l = 0; l < spec.layers; ++l) {
    for (Index b = 0; b < pass_.rows; ++b) {
      const Index row = l * pass_.rows + b;
      at(network_.hidden_state(pass_, l, 0, b), h + row * spec.hidden);
      for (Index e = 0; e < states; ++e) {
        at(network_.cell_state(pass_, l, b, false) + e * padded<T>(spec.hidden), c + (row * states + e) * spec.hidden);
      }
    }
  }
}

template <class T>
void Stream<T>::read_state(T* h, T* c) {
  const Index hidden = network_.spec().hidden;
  each_state(h, c, [=](const T* own, T* outside) { std::copy_n(own, hidden, outside); });
}

template <class T>
void Stream<T>::write_state(const T* h, const T* c) {
  const Index hidden = network_.spec().hidden;
  each_state(h, c, [=](T* own, const T* outside) { std::copy_n(outside, hidden, own); });
}

template class Stream<float>;
template class Stream<double>;

}  // namespace unrolled
