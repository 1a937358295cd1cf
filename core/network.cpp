#include "network.hpp"

#include <algorithm>
#include <cstring>

#include "phase.hpp"

namespace unrolled {
namespace {

template <class T>
void copy(const T* from, Index count, T* to) {
  std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
}

}  // namespace

template <class T>
Network<T>::Network(const NetworkSpec& spec) : spec_(spec) {
  Index offset = 0;
  for (Index l = 0; l < spec.layers; ++l) {
    const LayerShape s = make_layer_shape<T>(spec.cell, l == 0 ? spec.inputs : spec.hidden, spec.hidden);
    const Index rows = s.weight_rows();
    const std::string suffix = "_l" + std::to_string(l);
    parameters_.push_back({"weight_ih" + suffix, rows, s.inputs, offset + s.w_x(), s.w_ld});
    if (s.recurrent()) parameters_.push_back({"weight_hh" + suffix, rows, s.hidden, offset, s.w_ld});
    parameters_.push_back({"bias_ih" + suffix, rows, 0, offset + s.w_x() + s.inputs, s.w_ld});
    if (s.recurrent()) parameters_.push_back({"bias_hh" + suffix, rows, 0, offset + s.hidden, s.w_ld});
    layers_.push_back(s);
    layer_offsets_.push_back(offset);
    offset += padded<T>(s.weight_size());
    panels_.emplace_back(s.panel_size());
  }
  head_offset_ = offset;
  if (spec.outputs > 0) {
    const Index ld = head_ld();
    parameters_.push_back({"head.weight", spec.outputs, spec.hidden, offset, ld});
    parameters_.push_back({"head.bias", spec.outputs, 0, offset + spec.hidden, ld});
    const Index skip = spec.skip_steps * spec.skip_width();
    if (skip > 0) parameters_.push_back({"skip.weight", spec.outputs, skip, offset + spec.hidden + 1, ld});
    offset += padded<T>(spec.outputs * ld);
  }
  weights_.grow(offset);
  pack();
}

template <class T>
Index Network<T>::parameter_count() const {
  Index count = 0;
  for (const Parameter& p : parameters_) count += p.rows * std::max<Index>(p.columns, 1);
  return count;
}

template <class T>
void Network<T>::read_from(const T* array, T* flat) const {
  for (const Parameter& p : parameters_) {
    const Index columns = std::max<Index>(p.columns, 1);
    const T* from = array + p.offset;
    if (columns == 1) {
      for (Index row = 0; row < p.rows; ++row) flat[row] = from[row * p.stride];
    } else {
      for (Index row = 0; row < p.rows; ++row) copy(from + row * p.stride, columns, flat + row * columns);
    }
    flat += p.rows * columns;
  }
}

template <class T>
void Network<T>::write(const T* flat) {
  for (const Parameter& p : parameters_) {
    const Index columns = std::max<Index>(p.columns, 1);
    T* to = weights_.data() + p.offset;
    for (Index row = 0; row < p.rows; ++row) copy(flat + row * columns, columns, to + row * p.stride);
    flat += p.rows * columns;
  }
  pack();
}

template <class T>
void Network<T>::pack() {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    kernels<T>().layer_pack(layers_[l], layer_weights(l), panels_[l].data());
  }
}

template <class T>
LayerWeights<T> Network<T>::layer_weights(std::size_t layer) const {
  return LayerWeights<T>::within(layers_[layer], weights_.data() + layer_offsets_[layer]);
}

template <class T>
double Network<T>::work() const {
  double total = 0;
  for (const LayerShape& s : layers_) {
    total += static_cast<double>(s.weight_rows() * (s.inputs + (s.recurrent() ? s.hidden : 0)));
  }
  return total;
}

template <class T>
void Network<T>::prepare(Pass<T>& pass, Index steps, Index rows, bool keep, const Index* lengths) const {
  const std::size_t count = layers_.size();
  const bool same = lengths == nullptr && pass.steps == steps && pass.rows == rows && pass.keep == keep &&
                    pass.first_of(steps) == steps * rows;
  if (!same) {
    pass.steps = -1;  // until all of it is there: should memory run out, the next call must begin anew
    pass.first.grow(steps + 1);
    pass.first.data()[0] = 0;
    Index active = rows;
    for (Index t = 0; t < steps; ++t) {
      while (lengths != nullptr && active > 0 && lengths[active - 1] <= t) --active;
      pass.first.data()[t + 1] = pass.first_of(t) + active;
    }
    reserve(pass, steps, rows, keep);
    fold(pass, steps);
    pass.steps = steps;
    pass.rows = rows;
    pass.keep = keep;
  }
  pass.order = nullptr;
  for (std::size_t l = 0; l < count; ++l) {
    const LayerShape& s = layers_[l];
    const Index first_rows = dilation(pass.steps, static_cast<Index>(l)) * rows;
    for (Index b = 0; b < first_rows; ++b) std::fill_n(pass.z[l].data() + b * s.ld, s.hidden, T(0));
    std::fill_n(pass.c[l].data(), first_rows * s.c_ld(), T(0));
  }
}

// Where the steps of the dilated layers begin.
template <class T>
void Network<T>::fold(Pass<T>& pass, Index steps) const {
  if (!spec_.dilated()) return;
  pass.folded.resize(layers_.size());
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Index d = dilation(steps, static_cast<Index>(l));
    const Index count = (steps + d - 1) / d;
    pass.folded[l].grow(count + 1);
    for (Index t = 0; t <= count; ++t) pass.folded[l].data()[t] = pass.first_of(std::min(t * d, steps));
  }
}

template <class T>
void Network<T>::reserve(Pass<T>& pass, Index steps, Index rows, bool keep) const {
  const std::size_t count = layers_.size();
  const Index all = pass.first_of(steps);
  pass.z.resize(count);
  pass.c.resize(count);
  pass.saved.resize(count);
  pass.dh.resize(count);
  pass.dc.resize(count);
  for (std::size_t l = 0; l < count; ++l) {
    const LayerShape& s = layers_[l];
    const Index ends = dilation(steps, static_cast<Index>(l)) * rows;
    pass.z[l].grow((all + ends) * s.ld);
    for (Index i = 0; i < all; ++i) {
      pass.z[l].data()[i * s.ld + s.hidden] = T(1);
      pass.z[l].data()[i * s.ld + s.x_offset + s.inputs] = T(1);
    }
    pass.c[l].grow((keep ? all + ends : ends) * s.c_ld());
    if (!keep) continue;
    pass.saved[l].grow(all * s.shape().saved * s.h_pad);
    pass.dh[l].grow(ends * s.h_pad);
    pass.dc[l].grow(ends * s.c_ld());
    pass.gates.grow(std::max(kGateRows, ends) * s.d_ld);
    pass.narrow.grow(s.narrow_columns() * s.d_ld);
    for (Buffer<T>& dx : pass.dx) dx.grow(all * padded<T>(s.inputs));
  }
  if (spec_.outputs == 0) return;
  const Index head_rows = spec_.every ? all : rows;
  pass.u.grow(head_rows * head_ld());
  for (Index i = 0; i < head_rows; ++i) pass.u.data()[i * head_ld() + spec_.hidden] = T(1);
  pass.y.grow(head_rows * spec_.outputs);
  if (!keep) return;
  pass.d_y.grow(head_rows * spec_.outputs);
  pass.d_u.grow(head_rows * head_ld());
}

template <class T>
T* Network<T>::input(Pass<T>& pass, Index t, Index b) const {
  const LayerShape& s = layers_[0];
  return pass.z[0].data() + (pass.first_of(t) + b) * s.ld + s.x_offset;
}

template <class T>
T* Network<T>::hidden_state(Pass<T>& pass, Index layer, Index t, Index b) const {
  const auto l = static_cast<std::size_t>(layer);
  const Index d = dilation(pass.steps, layer);
  Index row = pass.at(t, b);
  if (t > 0 && d > 1) {
    row = b +
          (t - 1 + d < pass.steps ? pass.first_of(t - 1 + d) : pass.first_of(pass.steps) + before(pass, layer, t - 1));
  }
  return pass.z[l].data() + row * layers_[l].ld;
}

template <class T>
void Network<T>::output(Pass<T>& pass, Index layer, Index t, Index b, T* to) const {
  copy(hidden_state(pass, layer, t + 1, b), spec_.hidden, to);
  if (!spec_.residual || layer == 0) return;
  const auto l = static_cast<std::size_t>(layer);
  const T* x = pass.z[l].data() + (pass.first_of(t) + b) * layers_[l].ld + layers_[l].x_offset;
  for (Index i = 0; i < spec_.hidden; ++i) to[i] += x[i];
}

template <class T>
T* Network<T>::cell_state(Pass<T>& pass, Index layer, Index b, bool last) const {
  const auto l = static_cast<std::size_t>(layer);
  Index row = b + (last ? before(pass, layer, pass.steps - 1) : 0);
  if (last && pass.keep) row += pass.first_of(pass.steps);
  return pass.c[l].data() + row * layers_[l].c_ld();
}

template <class T>
void Network<T>::forward(Pass<T>& pass) const {
  const Kernels<T>& k = kernels<T>();
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const LayerShape& s = layers_[l];
    const Index layer = static_cast<Index>(l);
    if (l > 0) {
      pass.each_active([&](Index t, Index b) {
        T* x = pass.z[l].data() + (pass.first_of(t) + b) * s.ld + s.x_offset;
        output(pass, layer - 1, t, b, x);
        pass.dropout.apply(layer, t, pass.batch_row(b), s.inputs, x);
      });
    }
    const Index d = dilation(pass.steps, layer);
    k.layer_forward[s.cell]({&s, (pass.steps + d - 1) / d, d * pass.rows,
                             d > 1 ? pass.folded[l].data() : pass.first.data(), panels_[l].data(), nullptr, nullptr,
                             pass.z[l].data(), pass.c[l].data(), pass.from_zero, pass.keep,
                             pass.keep ? pass.saved[l].data() : nullptr});
  }
  if (spec_.outputs > 0) run_head(pass);
}

template <class T>
void Network<T>::run_head(Pass<T>& pass) const {
  const PhaseTimer timer(Phase::head);
  const Index ld = head_ld();
  const Index top = spec_.layers - 1;
  if (spec_.every) {
    pass.each_active([&](Index t, Index b) { output(pass, top, t, b, pass.u.data() + (pass.first_of(t) + b) * ld); });
  } else {
    for (Index b = 0; b < pass.rows; ++b) {
      T* u = pass.u.data() + b * ld;
      output(pass, top, pass.last_step(b), b, u);
      for (Index s = 0; s < spec_.skip_steps; ++s) {
        copy(input(pass, s, b), spec_.skip_width(), u + spec_.hidden + 1 + s * spec_.skip_width());
      }
    }
  }
  kernels<T>().dots(head_rows(pass), spec_.outputs, ld, pass.u.data(), ld, head_weights(), ld, pass.y.data(),
                    spec_.outputs);
}

template <class T>
void Network<T>::clear_state_gradients(Pass<T>& pass) const {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Index ends = dilation(pass.steps, static_cast<Index>(l)) * pass.rows;
    std::fill_n(pass.dh[l].data(), ends * layers_[l].h_pad, T(0));
    std::fill_n(pass.dc[l].data(), ends * layers_[l].c_ld(), T(0));
  }
}

// d_u of all columns only where the inputs' gradient is wanted through the skip; else of the state's columns alone.
template <class T>
void Network<T>::head_backward(Pass<T>& pass, T* gradients, bool want_inputs) const {
  const Kernels<T>& k = kernels<T>();
  const Index ld = head_ld();
  const Index outputs = spec_.outputs;
  const PhaseTimer timer(Phase::head);
  const Index rows = head_rows(pass);
  k.product_transposed(outputs, ld, rows, pass.d_y.data(), outputs, pass.u.data(), ld, gradients + head_offset_, ld,
                       false);
  const bool whole = want_inputs && spec_.skip_steps > 0;
  k.product(rows, whole ? ld : spec_.hidden, outputs, pass.d_y.data(), outputs, head_weights(), ld, pass.d_u.data(), ld,
            false);
  if (spec_.every) return;
  const LayerShape& top = layers_.back();
  for (Index b = 0; b < pass.rows; ++b) {
    T* dh = pass.dh.back().data() + (before(pass, spec_.layers - 1, pass.steps - 1) + b) * top.h_pad;
    for (Index i = 0; i < spec_.hidden; ++i) dh[i] += pass.d_u.data()[b * ld + i];
  }
}

// What a layer's input gets past the layer: the gradient of every output, or, where a head reads the last alone, of
// that.
template <class T>
void Network<T>::add_residual(const Pass<T>& pass, const T* d_out, Index d_out_ld, const Index* d_out_first, T* dx,
                              Index dx_ld) const {
  const auto add = [&](Index t, Index b, const T* from) {
    T* to = dx + (pass.first_of(t) + b) * dx_ld;
    for (Index i = 0; i < spec_.hidden; ++i) to[i] += from[i];
  };
  if (d_out != nullptr) {
    pass.each_active([&](Index t, Index b) { add(t, b, d_out + (d_out_first[t] + b) * d_out_ld); });
  } else {
    for (Index b = 0; b < pass.rows; ++b) add(pass.last_step(b), b, pass.d_u.data() + b * head_ld());
  }
}

template <class T>
void Network<T>::backward(Pass<T>& pass, T* gradients, bool want_inputs) const {
  const Kernels<T>& k = kernels<T>();
  const T* d_out = pass.d_out;
  Index d_out_ld = spec_.hidden;
  const Index* d_out_first = pass.d_out_first.data();
  if (spec_.outputs > 0) {
    head_backward(pass, gradients, want_inputs);
    d_out = spec_.every ? pass.d_u.data() : nullptr;
    d_out_ld = head_ld();
    d_out_first = pass.first.data();
  }
  for (std::size_t l = layers_.size(); l-- > 0;) {
    const LayerShape& s = layers_[l];
    Buffer<T>& dx = pass.dx[l % 2];
    const Index dx_ld = padded<T>(s.inputs);
    const Index d = dilation(pass.steps, static_cast<Index>(l));
    const Index* first = d > 1 ? pass.folded[l].data() : pass.first.data();
    k.layer_backward[s.cell]({&s,
                              (pass.steps + d - 1) / d,
                              d * pass.rows,
                              first,
                              layer_weights(l),
                              pass.z[l].data(),
                              pass.c[l].data(),
                              pass.saved[l].data(),
                              d_out,
                              d_out_ld,
                              d > 1 ? first : d_out_first,
                              pass.dh[l].data(),
                              pass.dc[l].data(),
                              pass.from_zero,
                              pass.gates.data(),
                              kGateRows,
                              pass.narrow.data(),
                              LayerGradients<T>::within(s, gradients + layer_offsets_[l]),
                              false,
                              l > 0 || want_inputs ? dx.data() : nullptr,
                              dx_ld});
    if (l > 0) {
      if (spec_.residual) add_residual(pass, d_out, d_out_ld, d_out_first, dx.data(), dx_ld);
      pass.each_active([&](Index t, Index b) {
        pass.dropout.apply(static_cast<Index>(l), t, pass.batch_row(b), s.inputs,
                           dx.data() + (pass.first_of(t) + b) * dx_ld);
      });
    }
    d_out = dx.data();
    d_out_ld = dx_ld;
    d_out_first = pass.first.data();
  }
  if (want_inputs && spec_.skip_steps > 0) {
    const Index dx_ld = padded<T>(spec_.inputs);
    pass.each_active([&](Index t, Index b) {
      const T* d_window = pass.d_u.data() + b * head_ld() + spec_.hidden + 1 + t * spec_.skip_width();
      T* to = pass.dx[0].data() + (pass.first_of(t) + b) * dx_ld;
      for (Index i = 0; i < spec_.skip_width(); ++i) to[i] += d_window[i];
    });
  }
}

template <class T>
const T* Network<T>::input_gradient(const Pass<T>& pass, Index t, Index b) const {
  return pass.dx[0].data() + (pass.first_of(t) + b) * padded<T>(spec_.inputs);
}

template class Network<float>;
template class Network<double>;

}  // namespace unrolled
