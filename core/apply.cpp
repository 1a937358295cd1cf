#include "apply.hpp"

#include <algorithm>

namespace unrolled {
namespace {

Index output_size(const NetworkSpec& spec) { return spec.outputs > 0 ? spec.outputs : spec.hidden; }

// Steps of the output: one where the head reads the last state alone.
Index output_steps(const NetworkSpec& spec, Index steps) { return spec.outputs > 0 && !spec.every ? 1 : steps; }

// Copies [steps, rows, width] between a whole batch and one chunk of it.
template <class T, class At>
void each_row(const Call<T>& call, const Pass<T>& pass, Index steps, Index width, T* batch, At at) {
  for (Index t = 0; t < steps; ++t) {
    for (Index b = 0; b < pass.rows; ++b) at(t, b, batch + (t * call.rows + pass.first_row + b) * width);
  }
}

template <class T>
void start(const Network<T>& network, const Call<T>& call, const Chunks& chunks, Index chunk, bool keep,
           Pass<T>& pass) {
  const NetworkSpec& spec = network.spec();
  network.prepare(pass, call.steps, chunks.rows_of(chunk), keep);
  pass.first_row = chunks.first(chunk);
  pass.dropout = call.dropout;
  for (Index t = 0; t < call.steps; ++t) {
    for (Index b = 0; b < pass.rows; ++b) {
      std::copy_n(call.x + (t * call.rows + pass.first_row + b) * spec.inputs, spec.inputs, network.input(pass, t, b));
    }
  }
  const bool has_c = kCells[spec.cell].has_c;
  each_row(call, pass, spec.layers, spec.hidden, call.h, [&](Index l, Index b, const T* from) {
    std::copy_n(from, spec.hidden, network.hidden_state(pass, l, 0, b));
  });
  if (!has_c) return;
  each_row(call, pass, spec.layers, spec.hidden, call.c, [&](Index l, Index b, const T* from) {
    std::copy_n(from, spec.hidden, network.cell_state(pass, l, b, false));
  });
}

}  // namespace

template <class T>
void apply(const Network<T>& network, const Call<T>& call, T* out) {
  const NetworkSpec& spec = network.spec();
  const Chunks chunks = Chunks::to_run(call.rows);
  const int threads = useful_threads(call.threads, network.work() * static_cast<double>(call.steps * call.rows));
  std::vector<Pass<T>> passes(static_cast<std::size_t>(threads));
  Pool::instance().run(threads, chunks.count, [&](Index chunk, int worker) {
    Pass<T>& pass = passes[static_cast<std::size_t>(worker)];
    start(network, call, chunks, chunk, false, pass);
    network.forward(pass);
    const Index width = output_size(spec);
    each_row(call, pass, output_steps(spec, call.steps), width, out, [&](Index t, Index b, T* to) {
      const T* from = spec.outputs > 0 ? pass.y.data() + (t * pass.rows + b) * width
                                       : network.hidden_state(pass, spec.layers - 1, t + 1, b);
      std::copy_n(from, width, to);
    });
    each_row(call, pass, spec.layers, spec.hidden, call.h, [&](Index l, Index b, T* to) {
      std::copy_n(network.hidden_state(pass, l, call.steps, b), spec.hidden, to);
    });
    if (!kCells[spec.cell].has_c) return;
    each_row(call, pass, spec.layers, spec.hidden, call.c,
             [&](Index l, Index b, T* to) { std::copy_n(network.cell_state(pass, l, b, true), spec.hidden, to); });
  });
}

template <class T>
void apply_backward(const Network<T>& network, const Call<T>& call, const Gradients<T>& gradients) {
  const NetworkSpec& spec = network.spec();
  const Chunks chunks = Chunks::to_learn(call.rows);
  const int threads = useful_threads(call.threads, 3 * network.work() * static_cast<double>(call.steps * call.rows));
  std::vector<Pass<T>> passes(static_cast<std::size_t>(threads));
  std::vector<Buffer<T>> sums;
  for (Index c = 0; c < chunks.count; ++c) sums.emplace_back(network.size());
  const bool has_c = kCells[spec.cell].has_c;
  Pool::instance().run(threads, chunks.count, [&](Index chunk, int worker) {
    Pass<T>& pass = passes[static_cast<std::size_t>(worker)];
    start(network, call, chunks, chunk, true, pass);
    network.forward(pass);
    const Index width = output_size(spec);
    const Index stride = spec.outputs > 0 ? width : padded<T>(width);
    Buffer<T>& d_y = spec.outputs > 0 ? pass.d_y : pass.d_out;
    if (spec.outputs == 0) d_y.reset(call.steps * pass.rows * stride);
    each_row(
        call, pass, output_steps(spec, call.steps), width, const_cast<T*>(gradients.d_out),
        [&](Index t, Index b, const T* from) { std::copy_n(from, width, d_y.data() + (t * pass.rows + b) * stride); });
    network.clear_state_gradients(pass);
    const Index h_pad = padded<T>(spec.hidden);
    const auto state = [&](std::vector<Buffer<T>>& of, Index l, Index b) {
      return of[static_cast<std::size_t>(l)].data() + b * h_pad;
    };
    each_row(call, pass, spec.layers, spec.hidden, gradients.d_h,
             [&](Index l, Index b, const T* from) { std::copy_n(from, spec.hidden, state(pass.dh, l, b)); });
    if (has_c) {
      each_row(call, pass, spec.layers, spec.hidden, gradients.d_c,
               [&](Index l, Index b, const T* from) { std::copy_n(from, spec.hidden, state(pass.dc, l, b)); });
    }
    network.backward(pass, sums[static_cast<std::size_t>(chunk)].data(), gradients.d_x != nullptr);
    each_row(call, pass, spec.layers, spec.hidden, gradients.d_h,
             [&](Index l, Index b, T* to) { std::copy_n(state(pass.dh, l, b), spec.hidden, to); });
    if (has_c) {
      each_row(call, pass, spec.layers, spec.hidden, gradients.d_c,
               [&](Index l, Index b, T* to) { std::copy_n(state(pass.dc, l, b), spec.hidden, to); });
    }
    if (gradients.d_x == nullptr) return;
    each_row(call, pass, call.steps, spec.inputs, gradients.d_x,
             [&](Index t, Index b, T* to) { std::copy_n(network.input_gradient(pass, t, b), spec.inputs, to); });
  });
  for (std::size_t c = 1; c < sums.size(); ++c) kernels<T>().add(network.size(), sums[c].data(), sums[0].data());
  network.read_from(sums[0].data(), gradients.parameters);
}

template void apply<float>(const Network<float>&, const Call<float>&, float*);
template void apply<double>(const Network<double>&, const Call<double>&, double*);
template void apply_backward<float>(const Network<float>&, const Call<float>&, const Gradients<float>&);
template void apply_backward<double>(const Network<double>&, const Call<double>&, const Gradients<double>&);

}  // namespace unrolled
