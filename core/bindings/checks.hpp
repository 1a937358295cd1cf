// What every binding asks of what comes in from Python, and how it refuses.
//
// Knows: nanobind's arrays. Must not know: networks.
//
// The messages are for authors of front ends; people who use the package meet those of its Python rooms first.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "shapes.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace unrolled {

constexpr Index kLargest = Index(1) << 40;  // elements of any one buffer: beyond, sizes could overflow

[[noreturn]] inline void refuse(const std::string& what, const std::string& expected, const std::string& got) {
  throw std::invalid_argument(what + " does not fit.\n  expected: " + expected + "\n  got: " + got);
}

inline void check_range(const char* what, Index value, Index low, Index high) {
  if (value < low || value > high) {
    refuse(what, std::to_string(low) + " to " + std::to_string(high), std::to_string(value));
  }
}

constexpr Index kMostSize = Index(1) << 20;  // features of a step, units of a layer, steps looked back

inline void check_layers(Index inputs, Index hidden, Index layers) {
  check_range("input_size", inputs, 1, kMostSize);
  check_range("hidden_size", hidden, 1, kMostSize);
  check_range("num_layers", layers, 1, 1024);
}

inline void check_real(const char* what, double value, double low, double high) {
  if (!(value >= low && value <= high)) {
    refuse(what, std::to_string(low) + " to " + std::to_string(high), std::to_string(value));
  }
}

// Is c given where the cell keeps states beside h, and only there?
inline void check_states(int cell, bool given) {
  if ((kCells[cell].states > 0) == given) return;
  std::string all;
  for (const CellShape& one : kCells) {
    if (one.states > 0) all += (all.empty() ? "" : ", ") + std::string(one.name);
  }
  refuse("c", "given for " + all + ", and only there", "the other");
}

template <std::size_t N>
int choose(const char* what, const std::string& name, const char* const (&names)[N]) {
  std::string all;
  for (std::size_t i = 0; i < N; ++i) {
    if (name == names[i]) return static_cast<int>(i);
    all += (i > 0 ? ", " : "") + std::string(names[i]);
  }
  refuse(what, "one of " + all, name);
}

template <class T>
using Array = nb::ndarray<T, nb::c_contig, nb::device::cpu>;

using Shape = std::vector<Index>;

inline std::string shape_text(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

template <class A>
Shape shape_of(const A& array) {
  Shape shape;
  for (std::size_t i = 0; i < array.ndim(); ++i) shape.push_back(static_cast<Index>(array.shape(i)));
  return shape;
}

template <class A>
void check_shape(const char* what, const A& array, const Shape& expected) {
  if (shape_of(array) != expected) {
    refuse(what, "shape " + shape_text(expected), "shape " + shape_text(shape_of(array)));
  }
}

template <class A>
void check_rank(const char* what, const A& array, std::size_t rank) {
  if (array.ndim() != rank) refuse(what, std::to_string(rank) + " axes", "shape " + shape_text(shape_of(array)));
}

}  // namespace unrolled
