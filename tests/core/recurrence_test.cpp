// Recurrences: outputs and states against plain loops, gradients against their slopes; directions, packed rows, resets,
// masks; memory of exactly the size that is asked for, full of NaN before.
#include "recurrence.hpp"

#include <algorithm>
#include <limits>

#include "check.hpp"
#include "reference.hpp"

using test::Real;
using test::Reals;
using unrolled::Index;
using unrolled::Recurrence;
using unrolled::RecurrenceSpec;

namespace {

constexpr int kCellsHere = 4;  // rnn, rnn_relu, lstm, gru: the first of the table

struct Sizes {
  Index hidden, rows, steps, inputs, layers, directions;
  bool packed, resets, masks, bias, first;
};

constexpr Sizes kSizes[] = {
    {1, 1, 1, 1, 1, 1, false, false, false, true, false},    {7, 3, 5, 16, 1, 2, false, true, false, true, true},
    {16, 8, 3, 16, 2, 1, true, false, true, true, true},     {17, 33, 5, 1, 2, 2, true, false, true, true, true},
    {33, 5, 4, 3, 3, 1, false, true, true, true, false},     {9, 40, 6, 2, 2, 2, false, true, true, false, true},
    {31, 2, 97, 17, 1, 2, true, false, false, true, false},  {40, 1, 9, 1, 2, 2, false, true, false, true, true},
    {15, 130, 2, 3, 1, 1, true, false, false, false, false},
};

struct Problem {
  RecurrenceSpec spec;
  Sizes s;
  bool states;
  Index total;
  std::vector<std::int64_t> batch_sizes;
  std::vector<std::uint8_t> resets;
  std::vector<double> x, h_0, c_0, masks, d_out, d_h_n, d_c_n;
  std::vector<std::vector<double>> weights;  // of each part: w_x, w_h, b_x, b_h

  Index inputs(Index p) const { return p < spec.directions ? spec.inputs : spec.width(); }
};

Problem make(int cell, const Sizes& s) {
  test::Random random(static_cast<unsigned>(s.hidden * 7 + s.steps));
  Problem problem{{cell, s.inputs, s.hidden, s.layers, s.directions},
                  s,
                  unrolled::kCells[cell].states > 0,
                  0,
                  {},
                  {},
                  {},
                  {},
                  {},
                  {},
                  {},
                  {},
                  {},
                  {}};
  for (Index t = 0; t < s.steps; ++t) {
    problem.batch_sizes.push_back(s.packed ? std::max<Index>(1, s.rows - t * s.rows / s.steps) : s.rows);
    problem.total += static_cast<Index>(problem.batch_sizes.back());
  }
  const double size = 1 / std::sqrt(static_cast<double>(s.hidden));
  for (Index p = 0; p < problem.spec.parts(); ++p) {
    const Index gates = unrolled::kCells[cell].gates * s.hidden;
    problem.weights.push_back(random.numbers<double>(gates * problem.inputs(p), size));
    problem.weights.push_back(random.numbers<double>(gates * s.hidden, size));
    for (int i = 0; i < 2; ++i) problem.weights.push_back(random.numbers<double>(s.bias ? gates : 0, size));
  }
  const Index state = problem.spec.parts() * s.rows * s.hidden;
  const Index width = problem.total * problem.spec.width();
  problem.x = random.numbers<double>(problem.total * s.inputs);
  problem.h_0 = random.numbers<double>(s.first ? state : 0);
  problem.c_0 = random.numbers<double>(s.first && problem.states ? state : 0);
  problem.d_out = random.numbers<double>(width);
  problem.d_h_n = random.numbers<double>(state);
  problem.d_c_n = random.numbers<double>(problem.states ? state : 0);
  if (s.masks) {
    problem.masks = random.numbers<double>((s.layers - 1) * width);
    for (double& one : problem.masks) one = one < -0.4 ? 0 : 1.25;
  }
  if (s.resets) {
    for (const double one : random.numbers<double>(s.steps * s.rows)) problem.resets.push_back(one < -0.5 ? 1 : 0);
  }
  return problem;
}

// Output [N, D H] behind which stand the last h, and c where the cell has one; in plain loops.
Reals reference(const Problem& problem) {
  const RecurrenceSpec& spec = problem.spec;
  const Sizes& s = problem.s;
  const Index hidden = spec.hidden, width = spec.width();
  std::vector<Index> offset{0};
  for (const std::int64_t size : problem.batch_sizes) offset.push_back(offset.back() + static_cast<Index>(size));
  const Index state = spec.parts() * s.rows * hidden;
  Reals below = problem.x, h(static_cast<std::size_t>(state)), c(static_cast<std::size_t>(state));
  std::copy(problem.h_0.begin(), problem.h_0.end(), h.begin());
  std::copy(problem.c_0.begin(), problem.c_0.end(), c.begin());
  const Reals zeros(static_cast<std::size_t>(4 * hidden));
  for (Index layer = 0; layer < spec.layers; ++layer) {
    const Index inputs = problem.inputs(layer * spec.directions);
    Reals out(static_cast<std::size_t>(problem.total * width));
    for (Index d = 0; d < spec.directions; ++d) {
      const Index p = layer * spec.directions + d;
      const std::vector<double>* own = problem.weights.data() + 4 * p;
      const test::ReferenceLayer cell{spec.cell,
                                      inputs,
                                      hidden,
                                      own[0].data(),
                                      own[1].data(),
                                      s.bias ? own[2].data() : zeros.data(),
                                      s.bias ? own[3].data() : zeros.data()};
      for (Index b = 0; b < s.rows; ++b) {
        Index length = 0;
        while (length < s.steps && problem.batch_sizes[static_cast<std::size_t>(length)] > b) ++length;
        Real* own_h = h.data() + (p * s.rows + b) * hidden;
        Real* own_c = c.data() + (p * s.rows + b) * hidden;
        for (Index i = 0; i < length; ++i) {
          const Index t = d == 0 ? i : length - 1 - i;
          const Index border = d == 0 ? t : t + 1;  // between the step before and this one
          const bool reset =
              s.resets && (d == 0 || i > 0) && problem.resets[static_cast<std::size_t>(border * s.rows + b)] != 0;
          if (reset) {
            std::fill_n(own_h, hidden, Real(0));
            std::fill_n(own_c, hidden, Real(0));
          }
          const Index row = offset[static_cast<std::size_t>(t)] + b;
          cell.step(below.data() + row * inputs, own_h, own_c);
          std::copy_n(own_h, hidden, out.data() + row * width + d * hidden);
        }
      }
    }
    if (s.masks && layer + 1 < spec.layers) {
      for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] *= problem.masks[static_cast<std::size_t>(layer) * out.size() + i];
      }
    }
    below = out;
  }
  below.insert(below.end(), h.begin(), h.end());
  if (problem.states) below.insert(below.end(), c.begin(), c.end());
  return below;
}

template <class T>
std::vector<T> converted(const std::vector<double>& from) {
  return std::vector<T>(from.begin(), from.end());
}

template <class T>
const T* data_or_null(const std::vector<T>& all) {
  return all.empty() ? nullptr : all.data();
}
template <class T>
T* data_or_null(std::vector<T>& all) {
  return all.empty() ? nullptr : all.data();
}

// Everything that comes out: output and last states as `reference` has them; gradients of x, h_0, c_0 and each weight.
template <class T>
struct Outcome {
  std::vector<T> values;
  std::vector<std::vector<T>> gradients;
};

struct Wanted {
  bool kept = true;  // else the forward pass alone, without a reserve
  bool x = true;
  bool weights = true;
};

template <class T>
Outcome<T> run_core(const Problem& problem, int threads, Wanted wanted = {}) {
  const Sizes& s = problem.s;
  const Recurrence<T> net(problem.spec);
  const T nan = std::numeric_limits<T>::quiet_NaN();
  std::vector<std::vector<T>> numbers;
  for (const std::vector<double>& one : problem.weights) numbers.push_back(converted<T>(one));
  std::vector<unrolled::LayerWeights<T>> weights;
  for (Index p = 0; p < problem.spec.parts(); ++p) {
    const std::vector<T>* own = numbers.data() + 4 * p;
    weights.push_back(
        {own[0].data(), problem.inputs(p), own[1].data(), s.hidden, data_or_null(own[2]), data_or_null(own[3]), 1});
  }
  const std::vector<T> x = converted<T>(problem.x), h_0 = converted<T>(problem.h_0), c_0 = converted<T>(problem.c_0);
  const std::vector<T> masks = converted<T>(problem.masks), d_out = converted<T>(problem.d_out);
  const std::vector<T> d_h_n = converted<T>(problem.d_h_n), d_c_n = converted<T>(problem.d_c_n);
  const unrolled::Sequences<T> sequences{s.steps,
                                         s.rows,
                                         problem.total,
                                         s.packed ? problem.batch_sizes.data() : nullptr,
                                         data_or_null(problem.resets),
                                         data_or_null(masks),
                                         weights.data(),
                                         threads};
  std::vector<T> out(d_out.size(), nan), h_n(d_h_n.size(), nan), c_n(d_c_n.size(), nan);
  std::vector<T> reserve;
  if (wanted.kept) {
    reserve.assign(static_cast<std::size_t>(problem.total * net.row_size() + s.rows * net.end_size()), nan);
  }
  net.forward(sequences, {x.data(), s.rows * s.inputs, s.inputs, data_or_null(h_0), data_or_null(c_0), out.data(),
                          h_n.data(), data_or_null(c_n), data_or_null(reserve)});
  Outcome<T> outcome;
  outcome.values = out;
  outcome.values.insert(outcome.values.end(), h_n.begin(), h_n.end());
  outcome.values.insert(outcome.values.end(), c_n.begin(), c_n.end());
  if (!wanted.kept) return outcome;
  const std::vector<T> before = reserve;
  for (int again = 0; again < 2; ++again) {
    std::vector<std::vector<T>> all;
    all.emplace_back(wanted.x ? x.size() : 0, nan);
    all.emplace_back(h_0.size(), nan);
    all.emplace_back(c_0.size(), nan);
    for (const std::vector<T>& one : numbers) all.emplace_back(wanted.weights ? one.size() : 0, nan);
    std::vector<typename unrolled::BackwardArrays<T>::Weights> d_weights;
    for (std::size_t i = 3; i < all.size(); i += 4) {
      d_weights.push_back(
          {data_or_null(all[i]), data_or_null(all[i + 1]), data_or_null(all[i + 2]), data_or_null(all[i + 3])});
    }
    net.backward(sequences,
                 {reserve.data(), h_0.empty(), d_out.data(), d_h_n.data(), data_or_null(d_c_n), data_or_null(all[0]),
                  data_or_null(all[1]), data_or_null(all[2]), wanted.weights ? d_weights.data() : nullptr});
    CHECK(test::same_bits(reserve, before));
    for (std::size_t i = 0; again == 1 && i < all.size(); ++i) CHECK(test::same_bits(all[i], outcome.gradients[i]));
    outcome.gradients = all;
  }
  return outcome;
}

template <class T>
void all_near(const std::vector<T>& got, const Reals& want, double tolerance) {
  Real scale = 1;
  for (const Real one : want) scale = std::fmax(scale, std::fabs(one));
  CHECK(got.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) NEAR(static_cast<Real>(got[i]), want[i], tolerance * scale);
}

// The number whose gradients the backward pass takes.
Real weighted(const Problem& problem) {
  const Reals values = reference(problem);
  Real sum = 0;
  std::size_t at = 0;
  for (const std::vector<double>* part : {&problem.d_out, &problem.d_h_n, &problem.d_c_n}) {
    for (const double one : *part) sum += one * values[at++];
  }
  CHECK(at == values.size());
  return sum;
}

// <gradient, v> against the slope along v, for one of the arrays that `problem` holds.
void check_slope(Problem& problem, std::vector<double>& part, const std::vector<double>& gradient) {
  // A small one for relu, so that hardly any unit passes its bend on the way.
  const double step = problem.spec.cell == 1 ? 1e-7 : 1e-5;
  test::Random random(5);
  const std::vector<double> direction = random.numbers<double>(static_cast<Index>(part.size()));
  const std::vector<double> middle = part;
  const auto moved = [&](double by) {
    for (std::size_t i = 0; i < part.size(); ++i) part[i] = middle[i] + by * direction[i];
    return weighted(problem);
  };
  const Real slope = (moved(step) - moved(-step)) / (2 * step);
  part = middle;
  CHECK(gradient.size() == part.size());
  Real along = 0, size = 1;
  for (std::size_t i = 0; i < part.size(); ++i) {
    along += gradient[i] * direction[i];
    size += std::fabs(gradient[i]);
  }
  NEAR(along, slope, 1e-8 * size);
}

std::string name_of(int cell, const Sizes& s) {
  return std::string(unrolled::kCells[cell].name) + " H " + std::to_string(s.hidden) + " B " + std::to_string(s.rows) +
         " T " + std::to_string(s.steps) + " L " + std::to_string(s.layers) + " D " + std::to_string(s.directions);
}

void check(int cell, const Sizes& s) {
  test::context = name_of(cell, s);
  Problem problem = make(cell, s);
  const Outcome<double> wide = run_core<double>(problem, 2);
  const Outcome<float> narrow = run_core<float>(problem, 2);
  const Reals values = reference(problem);
  all_near(wide.values, values, 1e-13);
  all_near(narrow.values, values, 1e-5);  // weights and inputs are rounded: off by 6e-8 each
  for (std::size_t i = 0; i < wide.gradients.size(); ++i) {
    all_near(narrow.gradients[i], Reals(wide.gradients[i].begin(), wide.gradients[i].end()), 5e-5);
  }
  check_slope(problem, problem.x, wide.gradients[0]);
  check_slope(problem, problem.h_0, wide.gradients[1]);
  check_slope(problem, problem.c_0, wide.gradients[2]);
  for (std::size_t i = 0; i < problem.weights.size(); ++i) {
    check_slope(problem, problem.weights[i], wide.gradients[i + 3]);
  }
}

void check_cell(int cell) {
  for (const Sizes& s : kSizes) check(cell, s);
}

TEST(rnn) { check_cell(0); }
TEST(rnn_relu) { check_cell(1); }
TEST(lstm) { check_cell(2); }
TEST(gru) { check_cell(3); }

template <class T>
void same(const std::vector<T>& a, const std::vector<T>& b) {
  CHECK(test::same_bits(a, b));
}

// Neither the number of threads, nor whether a reserve is kept, nor what else is wanted changes a bit.
template <class T>
void check_bits() {
  for (int cell = 0; cell < kCellsHere; ++cell) {
    for (const Sizes& s : {Sizes{40, 230, 4, 5, 2, 2, true, false, true, true, true},
                           Sizes{17, 70, 5, 18, 2, 2, false, true, false, true, false}}) {
      test::context = name_of(cell, s);
      const Problem problem = make(cell, s);
      const Outcome<T> alone = run_core<T>(problem, 1);
      for (const int threads : {2, 3, 7}) {
        const Outcome<T> many = run_core<T>(problem, threads);
        same(many.values, alone.values);
        for (std::size_t i = 0; i < alone.gradients.size(); ++i) same(many.gradients[i], alone.gradients[i]);
      }
      same(run_core<T>(problem, 2, {false, false, false}).values, alone.values);
      const Outcome<T> no_x = run_core<T>(problem, 2, {true, false, true});
      for (std::size_t i = 1; i < alone.gradients.size(); ++i) same(no_x.gradients[i], alone.gradients[i]);
      const Outcome<T> no_weights = run_core<T>(problem, 2, {true, true, false});
      for (std::size_t i = 0; i < 3; ++i) same(no_weights.gradients[i], alone.gradients[i]);
    }
  }
}

TEST(bits_float) { check_bits<float>(); }
TEST(bits_double) { check_bits<double>(); }

}  // namespace
