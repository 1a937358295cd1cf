// Networks: outputs and states against plain loops, gradients against their slopes, at odd sizes in both precisions.
#include <limits>
#include <new>

#include "apply.hpp"
#include "check.hpp"
#include "reference.hpp"
#include "stream.hpp"

using test::Real;
using test::Reals;
using unrolled::Index;
using unrolled::Network;
using unrolled::NetworkSpec;

namespace {

struct Sizes {
  Index hidden, rows, steps, inputs, layers;
};

constexpr Sizes kSizes[] = {{1, 1, 1, 1, 1},   {1, 3, 2, 3, 2},   {7, 1, 5, 16, 1},  {7, 33, 2, 1, 3},
                            {15, 8, 1, 17, 2}, {16, 8, 3, 16, 2}, {17, 33, 5, 1, 2}, {31, 1, 2, 3, 1},
                            {33, 5, 1, 17, 1}, {33, 3, 4, 8, 2},  {9, 2, 100, 2, 2}, {100, 7, 2, 1, 1},
                            {40, 1, 97, 1, 1}};

enum class Head { none, last, every, skip };
constexpr Head kHeads[] = {Head::none, Head::last, Head::every, Head::skip};

NetworkSpec make_spec(int cell, Head head, const Sizes& s, double dropout) {
  NetworkSpec spec;
  spec.cell = cell;
  spec.inputs = s.inputs;
  spec.hidden = s.hidden;
  spec.layers = s.layers;
  spec.outputs = head == Head::none ? 0 : 3;
  spec.every = head == Head::every;
  spec.skip_steps = head == Head::skip ? s.steps : 0;
  spec.dropout = dropout;
  return spec;
}

// Everything that goes through a network forward and backward, in exactly as much memory as it needs.
template <class T>
struct Flow {
  std::vector<T> flat, x, h, c, d_out, d_h, d_c;
  std::vector<T> out, last_h, last_c, d_flat, d_x, d_first_h, d_first_c;
};

Index output_size(const NetworkSpec& spec, const Sizes& s) {
  const Index width = spec.outputs > 0 ? spec.outputs : spec.hidden;
  return s.rows * width * (spec.outputs > 0 && !spec.every ? 1 : s.steps);
}

Flow<double> draw(const NetworkSpec& spec, const Sizes& s, unsigned seed) {
  test::Random random(seed);
  const Network<double> network(spec);
  const Index states = s.layers * s.rows * s.hidden;
  const Index extra = unrolled::kCells[spec.cell].states;
  Flow<double> flow;
  flow.flat = random.numbers<double>(network.parameter_count(), 1 / std::sqrt(static_cast<double>(s.hidden)));
  flow.x = random.numbers<double>(s.steps * s.rows * s.inputs);
  flow.h = random.numbers<double>(states);
  flow.c = random.numbers<double>(extra * states);
  for (Index i = 0; i < extra * states; ++i) {  // the second state beside h is a sum of positive numbers
    double& one = flow.c[static_cast<std::size_t>(i)];
    if (i / s.hidden % std::max<Index>(1, extra) == 1) one = 0.5 + std::fabs(one);
  }
  flow.d_out = random.numbers<double>(output_size(spec, s));
  flow.d_h = random.numbers<double>(states);
  flow.d_c = random.numbers<double>(extra * states);
  if (spec.dilated()) {  // no state is taken from outside
    for (std::vector<double>* one : {&flow.h, &flow.c, &flow.d_h, &flow.d_c}) std::fill(one->begin(), one->end(), 0.0);
  }
  return flow;
}

template <class To, class From>
std::vector<To> converted(const std::vector<From>& from) {
  return std::vector<To>(from.begin(), from.end());
}

// The core's forward and backward pass over the same numbers, rounded to T.
template <class T>
Flow<T> run_core(const NetworkSpec& spec, const Sizes& s, const Flow<double>& from, const unrolled::Dropout& dropout,
                 int threads, const std::vector<std::int64_t>& lengths = {}) {
  Flow<T> flow{converted<T>(from.flat),
               converted<T>(from.x),
               converted<T>(from.h),
               converted<T>(from.c),
               converted<T>(from.d_out),
               converted<T>(from.d_h),
               converted<T>(from.d_c),
               {},
               {},
               {},
               {},
               {},
               {},
               {}};
  const bool has_c = unrolled::kCells[spec.cell].states > 0;
  Network<T> network(spec);
  network.write(flow.flat.data());
  std::vector<T> again(flow.flat.size());
  network.read(again.data());
  CHECK(test::same_bits(again, flow.flat));
  flow.out.resize(flow.d_out.size());
  flow.last_h = flow.h;
  flow.last_c = flow.c;
  const auto call = [&](std::vector<T>& h, std::vector<T>& c, int most) {
    return unrolled::Call<T>{s.steps,
                             s.rows,
                             flow.x.data(),
                             h.data(),
                             has_c ? c.data() : nullptr,
                             dropout,
                             most,
                             lengths.empty() ? nullptr : lengths.data()};
  };
  unrolled::Workspace<T> workspace;
  unrolled::apply<T>(network, workspace, call(flow.last_h, flow.last_c, threads), flow.out.data());
  flow.d_flat.resize(flow.flat.size());
  flow.d_x.resize(flow.x.size());
  flow.d_first_h = flow.d_h;
  flow.d_first_c = flow.d_c;
  unrolled::apply_backward<T>(network, workspace, call(flow.h, flow.c, threads),
                              {flow.d_out.data(), flow.d_first_h.data(), has_c ? flow.d_first_c.data() : nullptr,
                               flow.d_flat.data(), flow.d_x.data()});
  std::vector<T> d_h = flow.d_h, d_c = flow.d_c, d_flat(flow.flat.size());
  unrolled::apply_backward<T>(network, workspace, call(flow.h, flow.c, 1),
                              {flow.d_out.data(), d_h.data(), has_c ? d_c.data() : nullptr, d_flat.data(), nullptr});
  CHECK(test::same_bits(d_flat, flow.d_flat));  // whether dx is wanted changes nothing else
  return flow;
}

template <class T>
void all_near(const char* name, const std::vector<T>& got, const Reals& want, double tolerance) {
  Real scale = 1;
  for (const Real one : want) scale = std::fmax(scale, std::fabs(one));
  CHECK(got.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    test::near(name, static_cast<int>(i), "element", static_cast<Real>(got[i]), want[i], tolerance * scale);
  }
}

Real dot(const std::vector<double>& a, const Reals& b) {
  Real sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<Real>(a[i]) * b[i];
  return sum;
}

// The number whose gradients the backward pass takes, with the parts of one flow moved by `step` along directions.
Real weighted(const NetworkSpec& spec, const Sizes& s, const Flow<double>& flow, const unrolled::Dropout& dropout,
              const std::vector<double>* part, const std::vector<double>& direction, Real step) {
  const auto moved = [&](const std::vector<double>& of) {
    Reals all = converted<Real>(of);
    for (std::size_t i = 0; &of == part && i < all.size(); ++i) all[i] += step * static_cast<Real>(direction[i]);
    return all;
  };
  Reals h = moved(flow.h), c = moved(flow.c);
  const Reals out = test::run_reference(spec, moved(flow.flat), s.steps, s.rows, moved(flow.x), h, c, dropout);
  const bool has_c = unrolled::kCells[spec.cell].states > 0;
  return dot(flow.d_out, out) + dot(flow.d_h, h) + (has_c ? dot(flow.d_c, c) : 0);
}

// <gradient, v> against the slope along v, for each part and each parameter apart.
void check_slopes(const NetworkSpec& spec, const Sizes& s, const Flow<double>& flow, const unrolled::Dropout& dropout) {
  test::Random random(5);
  constexpr Real kStep = 1e-5;
  const auto compare = [&](const std::vector<double>& part, const std::vector<double>& gradient, std::size_t first,
                           std::size_t count) {
    std::vector<double> direction(part.size());
    const std::vector<double> drawn = random.numbers<double>(static_cast<Index>(count));
    std::copy(drawn.begin(), drawn.end(), direction.begin() + static_cast<std::ptrdiff_t>(first));
    const Real slope = (weighted(spec, s, flow, dropout, &part, direction, kStep) -
                        weighted(spec, s, flow, dropout, &part, direction, -kStep)) /
                       (2 * kStep);
    Real size = 1;
    for (std::size_t i = first; i < first + count; ++i) size += std::fabs(gradient[i]);
    NEAR(dot(gradient, converted<Real>(direction)), slope, 1e-8 * size);
  };
  std::size_t first = 0;
  const Network<double> network(spec);
  for (const unrolled::Parameter& p : network.parameters()) {
    const auto count = static_cast<std::size_t>(p.rows * std::max<Index>(1, p.columns));
    if (s.hidden < 16) compare(flow.flat, flow.d_flat, first, count);
    first += count;
  }
  CHECK(first == flow.flat.size());
  compare(flow.flat, flow.d_flat, 0, first);
  compare(flow.x, flow.d_x, 0, flow.x.size());
  if (spec.dilated()) return;
  compare(flow.h, flow.d_first_h, 0, flow.h.size());
  if (unrolled::kCells[spec.cell].states > 0) compare(flow.c, flow.d_first_c, 0, flow.c.size());
}

void check_network(const NetworkSpec& spec, Head head, const Sizes& s) {
  const int cell = spec.cell;
  const double rate = spec.dropout;
  test::context = std::string(unrolled::kCells[cell].name) + " head " + std::to_string(static_cast<int>(head)) + " H " +
                  std::to_string(s.hidden) + " B " + std::to_string(s.rows) + " T " + std::to_string(s.steps) + " I " +
                  std::to_string(s.inputs) + " L " + std::to_string(s.layers);
  const unrolled::Dropout dropout{rate, 17, 3};
  const Flow<double> from = draw(spec, s, static_cast<unsigned>(s.hidden * 7 + s.steps));
  const Flow<double> wide = run_core<double>(spec, s, from, dropout, 2);
  const Flow<float> narrow = run_core<float>(spec, s, from, dropout, 2);
  Reals h = converted<Real>(from.h), c = converted<Real>(from.c);
  const Reals out =
      test::run_reference(spec, converted<Real>(from.flat), s.steps, s.rows, converted<Real>(from.x), h, c, dropout);
  const bool has_c = unrolled::kCells[cell].states > 0;
  all_near("output, double", wide.out, out, 1e-13);
  all_near("h, double", wide.last_h, h, 1e-13);
  if (has_c) all_near("c, double", wide.last_c, c, 1e-13);
  // float sees rounded numbers: weights and inputs are off by 6e-8 each.
  all_near("output, float", narrow.out, out, 1e-5);
  all_near("h, float", narrow.last_h, h, 1e-5);
  if (has_c) all_near("c, float", narrow.last_c, c, 1e-5);
  all_near("d parameters, float", narrow.d_flat, converted<Real>(wide.d_flat), 5e-5);
  all_near("d x, float", narrow.d_x, converted<Real>(wide.d_x), 5e-5);
  all_near("d h, float", narrow.d_first_h, converted<Real>(wide.d_first_h), 5e-5);
  if (has_c) all_near("d c, float", narrow.d_first_c, converted<Real>(wide.d_first_c), 5e-5);
  check_slopes(spec, s, wide, dropout);
}

void check_cell(int cell) {
  int number = 0;
  for (const Sizes& s : kSizes) {
    for (const Head head : kHeads) {
      // Every second case drops some of the outputs between layers.
      if ((number + static_cast<int>(head)) % 2 == 0 || s.hidden < 40) {
        check_network(make_spec(cell, head, s, number % 2 * 0.4), head, s);
      }
    }
    ++number;
  }
}

TEST(rnn) { check_cell(0); }
TEST(rnn_relu) { check_cell(1); }
TEST(lstm) { check_cell(2); }
TEST(gru) { check_cell(3); }
TEST(mingru) { check_cell(4); }
TEST(minlstm) { check_cell(5); }
TEST(slstm) { check_cell(6); }

// Residual connections, dilations that do not divide the steps or exceed them, a skip of some of the features.
TEST(connections) {
  for (int cell = 0; cell < unrolled::kCellCount; ++cell) {
    for (const Head head : kHeads) {
      for (const std::vector<Index>& dilations : {std::vector<Index>{}, {1, 2, 3}, {2, 9, 1}}) {
        const Sizes s{7, 5, 7, 3, 3};
        NetworkSpec spec = make_spec(cell, head, s, 0.3);
        spec.residual = cell % 2 == 0 || dilations.empty();
        spec.dilations = dilations;
        spec.skip_inputs = head == Head::skip ? 2 : 0;
        check_network(spec, head, s);
      }
    }
  }
}

template <class T>
void check_threads() {
  const Sizes s{40, 230, 4, 5, 2};
  for (int cell = 0; cell < unrolled::kCellCount; ++cell) {
    for (const Head head : kHeads) {
      const NetworkSpec spec = make_spec(cell, head, s, 0.3);
      const unrolled::Dropout dropout{0.3, 1, 2};
      const Flow<double> from = draw(spec, s, 3);
      const Flow<T> alone = run_core<T>(spec, s, from, dropout, 1);
      for (const int threads : {2, 3, 7}) {
        const Flow<T> many = run_core<T>(spec, s, from, dropout, threads);
        CHECK(test::same_bits(many.out, alone.out));
        CHECK(test::same_bits(many.last_h, alone.last_h));
        CHECK(test::same_bits(many.last_c, alone.last_c));
        CHECK(test::same_bits(many.d_flat, alone.d_flat));
        CHECK(test::same_bits(many.d_x, alone.d_x));
        CHECK(test::same_bits(many.d_first_h, alone.d_first_h));
        CHECK(test::same_bits(many.d_first_c, alone.d_first_c));
      }
    }
  }
}

TEST(threads_float) { check_threads<float>(); }
TEST(threads_double) { check_threads<double>(); }

// One row of a flow, cut to its own length.
Flow<double> row_of(const NetworkSpec& spec, const Sizes& s, const Flow<double>& from, Index row, Index length) {
  const auto cut = [&](const std::vector<double>& of, Index steps, Index width) {
    std::vector<double> own;
    for (Index t = 0; t < steps; ++t) {
      const auto first = of.begin() + (t * s.rows + row) * width;
      own.insert(own.end(), first, first + width);
    }
    return own;
  };
  const Index width = spec.outputs > 0 ? spec.outputs : spec.hidden;
  Flow<double> flow;
  flow.flat = from.flat;
  flow.x = cut(from.x, length, spec.inputs);
  flow.d_out = cut(from.d_out, spec.outputs > 0 && !spec.every ? 1 : length, width);
  flow.h = cut(from.h, spec.layers, spec.hidden);
  const Index extra = unrolled::kCells[spec.cell].states;
  flow.c = cut(from.c, spec.layers, extra * spec.hidden);
  flow.d_h = cut(from.d_h, spec.layers, spec.hidden);
  flow.d_c = cut(from.d_c, spec.layers, extra * spec.hidden);
  return flow;
}

// Rows that end at different steps: each as if it were alone, zeros behind its end.
void check_lengths(int cell, Head head) {
  const Sizes s{19, 40, 6, 3, 2};
  const NetworkSpec spec = make_spec(cell, head, s, 0);
  const Flow<double> from = draw(spec, s, 11);
  std::vector<std::int64_t> lengths;
  for (Index row = 0; row < s.rows; ++row) lengths.push_back(1 + (row * 7) % s.steps);
  const Flow<double> all = run_core<double>(spec, s, from, {}, 2, lengths);
  Reals sum(all.d_flat.size());
  for (Index row = 0; row < s.rows; ++row) {
    const Index length = lengths[static_cast<std::size_t>(row)];
    const Sizes own{s.hidden, 1, length, s.inputs, s.layers};
    const Flow<double> alone = run_core<double>(spec, own, row_of(spec, s, from, row, length), {}, 1);
    Flow<double> part = all;  // what came out takes the place of what went in, to be cut the same way
    part.x = all.d_x;
    part.d_out = all.out;
    part.h = all.last_h;
    part.d_h = all.d_first_h;
    part.c = all.last_c;
    part.d_c = all.d_first_c;
    part = row_of(spec, s, part, row, length);
    CHECK(test::same_bits(part.x, alone.d_x));
    CHECK(test::same_bits(part.d_out, alone.out));
    CHECK(test::same_bits(part.h, alone.last_h));
    CHECK(test::same_bits(part.d_h, alone.d_first_h));
    CHECK(test::same_bits(part.c, alone.last_c));
    CHECK(test::same_bits(part.d_c, alone.d_first_c));
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += static_cast<Real>(alone.d_flat[i]);
    for (Index t = length; t < s.steps; ++t) {
      for (Index i = 0; i < s.inputs; ++i) {
        CHECK(all.d_x[static_cast<std::size_t>((t * s.rows + row) * s.inputs + i)] == 0);
      }
    }
  }
  all_near("d parameters, lengths", all.d_flat, sum, 1e-13);
}

TEST(lengths) {
  for (int cell = 0; cell < unrolled::kCellCount; ++cell) {
    for (const Head head : {Head::none, Head::last, Head::every}) check_lengths(cell, head);
  }
}

// Step by step: the bits of the whole sequence, wherever the state is taken out and put back.
void check_stream(int cell, Head head, const Sizes& s) {
  const NetworkSpec spec = make_spec(cell, head, s, 0);
  const Flow<double> from = draw(spec, s, 13);
  const Flow<float> whole = run_core<float>(spec, s, from, {}, 1);
  Network<float> network(spec);
  network.write(whole.flat.data());
  unrolled::Stream<float> streams[] = {{network, s.rows}, {network, s.rows}};
  streams[0].write_state(whole.h.data(), whole.c.data());
  const Index outputs = s.rows * (spec.outputs > 0 ? spec.outputs : spec.hidden);
  std::vector<float> y(static_cast<std::size_t>(outputs)), h(whole.h.size()), c(whole.c.size());
  for (Index t = 0; t < s.steps; ++t) {
    unrolled::Stream<float>& stream = streams[t % 2];
    CHECK(stream.step(whole.x.data() + t * s.rows * s.inputs, y.data()));
    if (head != Head::last) CHECK(std::equal(y.begin(), y.end(), whole.out.begin() + t * outputs));
    stream.read_state(h.data(), c.data());
    streams[(t + 1) % 2].write_state(h.data(), c.data());
  }
  if (head == Head::last) CHECK(test::same_bits(y, whole.out));
  CHECK(test::same_bits(h, whole.last_h));
  if (unrolled::kCells[cell].states > 0) CHECK(test::same_bits(c, whole.last_c));
  std::vector<float> bad(static_cast<std::size_t>(s.rows * s.inputs), std::numeric_limits<float>::infinity());
  CHECK(!streams[0].step(bad.data(), y.data()));
  streams[0].reset();
  streams[0].read_state(h.data(), c.data());
  for (const float one : h) CHECK(one == 0);
}

TEST(streams) {
  for (int cell = 0; cell < unrolled::kCellCount; ++cell) {
    for (const Head head : {Head::none, Head::last, Head::every}) {
      check_stream(cell, head, {7, 3, 4, 2, 2});
      check_stream(cell, head, {50, 1, 3, 1, 1});
    }
  }
}

TEST(a_workspace_gives_much_memory_back) {
  const Sizes s{64, 16, 1500, 1, 1};
  const Network<float> network(make_spec(2, Head::last, s, 0));
  std::vector<float> x(static_cast<std::size_t>(s.steps * s.rows)), h(64 * 16), c(64 * 16), d_h(64 * 16), d_c(64 * 16);
  std::vector<float> d_out(16 * 3), d_flat(static_cast<std::size_t>(network.parameter_count()));
  unrolled::Workspace<float> workspace;
  const auto backward = [&](Index steps) {
    unrolled::apply_backward<float>(network, workspace, {steps, s.rows, x.data(), h.data(), c.data(), {}, 1},
                                    {d_out.data(), d_h.data(), d_c.data(), d_flat.data(), nullptr});
    workspace.trim();
  };
  backward(4);
  CHECK(!workspace.passes.empty());
  backward(s.steps);
  CHECK(workspace.passes.empty() && workspace.sums.empty());
}

TEST(an_empty_batch) {
  NetworkSpec spec = make_spec(2, Head::last, kSizes[3], 0);
  const Network<float> network(spec);
  unrolled::Workspace<float> workspace;
  unrolled::apply<float>(network, workspace, {4, 0, nullptr, nullptr, nullptr, {}, 3}, nullptr);
}

TEST(memory_that_is_not_there) {
  constexpr Index kForever = Index(1) << 43;
  const NetworkSpec spec = make_spec(2, Head::last, kSizes[3], 0);
  const Network<double> network(spec);
  unrolled::Pass<double> pass;
  const auto refused = [](auto&& f) {
    try {
      f();
    } catch (const std::bad_alloc&) {
      return true;
    }
    return false;
  };
  for (int i = 0; i < 3; ++i) CHECK(refused([&] { network.prepare(pass, kForever, 1, true); }));
  network.prepare(pass, 2, 3, true);
  network.forward(pass);
  CHECK(pass.y.size() == 9);
  unrolled::Buffer<float> buffer;
  CHECK(refused([&] { buffer.grow(Index(1) << 50); }));
  CHECK(buffer.size() == 0);
  buffer.grow(3);
  CHECK(buffer.data()[2] == 0.0F);
  buffer.data()[1] = 1.0F;
  buffer.grow(2);
  CHECK(buffer.size() == 3 && buffer.data()[1] == 1.0F);
}

}  // namespace
