#include "apply.hpp"

#include <algorithm>
#include <numeric>

namespace unrolled {
namespace {

Index output_size(const NetworkSpec& spec) { return spec.outputs > 0 ? spec.outputs : spec.hidden; }

// Does the output come once, from the last state, and not from every step?
bool output_once(const NetworkSpec& spec) { return spec.outputs > 0 && !spec.every; }

// The rows of a batch from the longest to the shortest; empty where all are as long.
struct Sorted {
  template <class T>
  explicit Sorted(const Call<T>& call) {
    if (call.lengths == nullptr) return;
    order.resize(static_cast<std::size_t>(call.rows));
    std::iota(order.begin(), order.end(), Index(0));
    std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return call.lengths[a] > call.lengths[b]; });
    for (const Index row : order) lengths.push_back(static_cast<Index>(call.lengths[row]));
  }

  std::vector<Index> order;
  std::vector<Index> lengths;
};

// Calls at(t, b, numbers) for the numbers that step t of row b has in an array [T, B, width] of the whole batch.
template <class T, class At>
void each_step(const Call<T>& call, const Pass<T>& pass, Index width, T* batch, At at) {
  pass.each_active([&](Index t, Index b) { at(t, b, batch + (t * call.rows + pass.batch_row(b)) * width); });
}

// The same for layer l of row b in an array [L, B, width].
template <class T, class At>
void each_layer(const Call<T>& call, const Pass<T>& pass, Index layers, Index width, T* batch, At at) {
  for (Index l = 0; l < layers; ++l) {
    for (Index b = 0; b < pass.rows; ++b) at(l, b, batch + (l * call.rows + pass.batch_row(b)) * width);
  }
}

// Copies the states beside h of one row, side by side outside, [E, H], and padded inside; `in` says which way.
template <class T>
void exchange_states(const NetworkSpec& spec, T* outside, T* inside, bool in) {
  for (Index e = 0; e < kCells[spec.cell].states; ++e) {
    T* own = inside + e * padded<T>(spec.hidden);
    T* other = outside + e * spec.hidden;
    std::copy_n(in ? other : own, spec.hidden, in ? own : other);
  }
}

template <class T>
void start(const Network<T>& network, const Call<T>& call, const Sorted& sorted, const Chunks& chunks, Index chunk,
           bool keep, Pass<T>& pass) {
  const NetworkSpec& spec = network.spec();
  const Index* lengths = call.lengths == nullptr ? nullptr : sorted.lengths.data() + chunks.first(chunk);
  network.prepare(pass, lengths == nullptr ? call.steps : lengths[0], chunks.rows_of(chunk), keep, lengths);
  pass.first_row = chunks.first(chunk);
  pass.order = call.lengths == nullptr ? nullptr : sorted.order.data();
  pass.from_zero = false;
  pass.dropout = call.dropout;
  each_step(call, pass, spec.inputs, const_cast<T*>(call.x),
            [&](Index t, Index b, const T* from) { std::copy_n(from, spec.inputs, network.input(pass, t, b)); });
  each_layer(call, pass, spec.layers, spec.hidden, call.h, [&](Index l, Index b, const T* from) {
    std::copy_n(from, spec.hidden, network.hidden_state(pass, l, 0, b));
  });
  each_layer(call, pass, spec.layers, kCells[spec.cell].states * spec.hidden, call.c, [&](Index l, Index b, T* from) {
    exchange_states(spec, from, network.cell_state(pass, l, b, false), true);
  });
}

// The gradient of the output as the pass reads it: of a head's, a copy; of the states of a batch in its own order, the
// very numbers given.
template <class T>
void take_output_gradient(const Network<T>& network, const Call<T>& call, const T* d_out, Pass<T>& pass) {
  const NetworkSpec& spec = network.spec();
  const Index width = output_size(spec);
  if (output_once(spec)) {
    for (Index b = 0; b < pass.rows; ++b) {
      std::copy_n(d_out + pass.batch_row(b) * width, width, pass.d_y.data() + b * width);
    }
    return;
  }
  pass.d_out_first.grow(pass.steps);
  const bool sorted = call.lengths != nullptr || spec.dilated();  // dilated layers read steps one behind the other
  for (Index t = 0; t < pass.steps; ++t) {
    pass.d_out_first.data()[t] = sorted ? pass.first_of(t) : t * call.rows + pass.first_row;
  }
  pass.d_out = d_out;
  if (spec.outputs == 0 && !sorted) return;
  Buffer<T>& copy = spec.outputs > 0 ? pass.d_y : pass.d_sorted;
  copy.grow(pass.first_of(pass.steps) * width);
  each_step(call, pass, width, const_cast<T*>(d_out), [&](Index t, Index b, const T* from) {
    std::copy_n(from, width, copy.data() + (pass.first_of(t) + b) * width);
  });
  pass.d_out = copy.data();
}

template <class T>
Index bytes_of(const Pass<T>& pass) {
  Index count = pass.u.size() + pass.d_u.size() + pass.dx[0].size() + pass.dx[1].size() + pass.d_sorted.size();
  for (const std::vector<Buffer<T>>* all : {&pass.z, &pass.c, &pass.saved}) {
    for (const Buffer<T>& buffer : *all) count += buffer.size();
  }
  return count * static_cast<Index>(sizeof(T));
}

}  // namespace

template <class T>
void Workspace<T>::trim() {
  Index bytes = 0;
  for (const Pass<T>& pass : passes) bytes += bytes_of(pass);
  for (const Buffer<T>& sum : sums) bytes += sum.size() * static_cast<Index>(sizeof(T));
  if (bytes <= kKept) return;
  std::vector<Pass<T>>().swap(passes);
  std::vector<Buffer<T>>().swap(sums);
}

template <class T>
void apply(const Network<T>& network, Workspace<T>& workspace, const Call<T>& call, T* out) {
  const NetworkSpec& spec = network.spec();
  const Chunks chunks = Chunks::to_run(call.rows);
  const Sorted sorted(call);
  const int threads = useful_threads(call.threads, network.work() * static_cast<double>(call.steps * call.rows));
  make_passes(workspace.passes, threads);
  const Index width = output_size(spec);
  if (call.lengths != nullptr && !output_once(spec)) std::fill_n(out, call.steps * call.rows * width, T(0));
  Pool::instance().run(threads, chunks.count, [&](Index chunk, int worker) {
    Pass<T>& pass = workspace.passes[static_cast<std::size_t>(worker)];
    start(network, call, sorted, chunks, chunk, false, pass);
    network.forward(pass);
    if (output_once(spec)) {
      for (Index b = 0; b < pass.rows; ++b) {
        std::copy_n(pass.y.data() + b * width, width, out + pass.batch_row(b) * width);
      }
    } else {
      each_step(call, pass, width, out, [&](Index t, Index b, T* to) {
        if (spec.outputs == 0) return network.output(pass, spec.layers - 1, t, b, to);
        std::copy_n(pass.y.data() + (pass.first_of(t) + b) * width, width, to);
      });
    }
    each_layer(call, pass, spec.layers, spec.hidden, call.h, [&](Index l, Index b, T* to) {
      std::copy_n(network.hidden_state(pass, l, pass.steps, b), spec.hidden, to);
    });
    each_layer(call, pass, spec.layers, kCells[spec.cell].states * spec.hidden, call.c, [&](Index l, Index b, T* to) {
      exchange_states(spec, to, network.cell_state(pass, l, b, true), false);
    });
  });
}

template <class T>
void apply_backward(const Network<T>& network, Workspace<T>& workspace, const Call<T>& call,
                    const Gradients<T>& gradients) {
  const NetworkSpec& spec = network.spec();
  const Chunks chunks = Chunks::to_learn(call.rows);
  const Sorted sorted(call);
  const int threads = useful_threads(call.threads, 3 * network.work() * static_cast<double>(call.steps * call.rows));
  make_passes(workspace.passes, threads);
  std::vector<Buffer<T>>& sums = workspace.sums;
  while (static_cast<Index>(sums.size()) < chunks.count) sums.emplace_back(network.size());
  if (call.lengths != nullptr && gradients.d_x != nullptr) {
    std::fill_n(gradients.d_x, call.steps * call.rows * spec.inputs, T(0));
  }
  const Index states = kCells[spec.cell].states;
  Pool::instance().run(threads, chunks.count, [&](Index chunk, int worker) {
    Pass<T>& pass = workspace.passes[static_cast<std::size_t>(worker)];
    start(network, call, sorted, chunks, chunk, true, pass);
    network.forward(pass);
    take_output_gradient(network, call, gradients.d_out, pass);
    network.clear_state_gradients(pass);
    const Index h_pad = padded<T>(spec.hidden);
    const auto exchange = [&](bool in) {
      each_layer(call, pass, spec.layers, spec.hidden, gradients.d_h, [&](Index l, Index b, T* outside) {
        T* inside = pass.dh[static_cast<std::size_t>(l)].data() + b * h_pad;
        std::copy_n(in ? outside : inside, spec.hidden, in ? inside : outside);
      });
      each_layer(call, pass, spec.layers, states * spec.hidden, gradients.d_c, [&](Index l, Index b, T* outside) {
        exchange_states(spec, outside, pass.dc[static_cast<std::size_t>(l)].data() + b * states * h_pad, in);
      });
    };
    if (!spec.dilated()) exchange(true);
    network.backward(pass, sums[static_cast<std::size_t>(chunk)].data(), gradients.d_x != nullptr);
    if (!spec.dilated()) exchange(false);
    if (gradients.d_x == nullptr) return;
    each_step(call, pass, spec.inputs, gradients.d_x,
              [&](Index t, Index b, T* to) { std::copy_n(network.input_gradient(pass, t, b), spec.inputs, to); });
  });
  for (Index c = 1; c < chunks.count; ++c) {
    kernels<T>().add(network.size(), sums[static_cast<std::size_t>(c)].data(), sums[0].data());
  }
  network.read_from(sums[0].data(), gradients.parameters);
}

template struct Workspace<float>;
template struct Workspace<double>;
template void apply<float>(const Network<float>&, Workspace<float>&, const Call<float>&, float*);
template void apply<double>(const Network<double>&, Workspace<double>&, const Call<double>&, double*);
template void apply_backward<float>(const Network<float>&, Workspace<float>&, const Call<float>&,
                                    const Gradients<float>&);
template void apply_backward<double>(const Network<double>&, Workspace<double>&, const Call<double>&,
                                     const Gradients<double>&);

}  // namespace unrolled
