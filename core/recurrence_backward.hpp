// One chunk of a recurrence going back, and the weights and gradients in the layouts that its kernels want.
//
// Knows: the chunk's rows, layers as kernels. Must not know: threads, other chunks.
#pragma once

#include <utility>
#include <vector>

#include "recurrence_rows.hpp"

namespace unrolled {

template <class T>
class BackwardChunk {
 public:
  BackwardChunk(const Recurrence<T>& net, const BackwardArrays<T>& arrays, const Rows<T>& rows,
                std::vector<Part<T>> parts, const std::vector<LayerWeights<T>>& weights,
                std::vector<LayerGradients<T>> d_weights)
      : net_(net),
        spec_(net.spec()),
        arrays_(arrays),
        rows_(rows),
        own_(rows.own),
        parts_(std::move(parts)),
        weights_(weights),
        d_weights_(std::move(d_weights)) {}

  void run() {
    own_.reverse.grow(rows_.steps);
    for (Index layer = spec_.layers; layer-- > 0;) {
      const bool want_x = layer > 0 || arrays_.d_x != nullptr;
      for (Index d = 0; d < spec_.directions; ++d) run_part(layer, d, want_x);
      if (layer > 0) {
        pass_down(layer);
      } else if (want_x) {
        rows_.each([&](Index t, Index b) { add_inputs(0, t, b, arrays_.d_x + (rows_.outside(t) + b) * spec_.inputs); });
      }
    }
  }

 private:
  struct Gradient {  // of a layer's output, as its kernel reads it
    const T* d_out;
    Index ld;
    const Index* first;
  };

  void run_part(Index layer, Index d, bool want_x) {
    const LayerShape& s = net_.shape(layer);
    const Index p = layer * spec_.directions + d;
    const Part<T>& part = parts_[static_cast<std::size_t>(p)];
    own_.gates.grow(std::max(kGateRows, rows_.rows) * s.d_ld);
    own_.narrow.grow(s.narrow_columns() * s.d_ld);
    if (want_x) own_.dx[d].grow(rows_.total() * padded<T>(s.inputs));
    begin_states(p);
    const Gradient from = output_gradient(layer, d);
    bool started = false;
    for (Index end = rows_.steps; end > 0;) {
      Index begin = end - 1;
      while (begin > 0 && !rows_.any_reset(d, begin)) --begin;
      kernels<T>().layer_backward[s.cell](
          {&s,
           end - begin,
           rows_.rows,
           own_.first.data() + begin,
           weights_[static_cast<std::size_t>(p)],
           part.z,
           part.c,
           part.saved,
           from.d_out,
           from.ld,
           from.first + begin,
           own_.dh.data(),
           own_.dc.data(),
           begin == 0 && arrays_.from_zero,
           own_.gates.data(),
           kGateRows,
           own_.narrow.data(),
           d_weights_.empty() ? LayerGradients<T>{} : d_weights_[static_cast<std::size_t>(p)],
           started,
           want_x ? own_.dx[d].data() : nullptr,
           padded<T>(s.inputs)});
      for (Index b = 0; b < rows_.rows; ++b) {
        if (!rows_.reset(d, begin, b)) continue;
        std::fill_n(own_.dh.data() + b * s.h_pad, s.h_pad, T(0));
        std::fill_n(own_.dc.data() + b * s.c_ld(), s.c_ld(), T(0));
      }
      started = true;
      end = begin;
    }
    end_states(p);
  }

  void begin_states(Index p) {
    const LayerShape& s = net_.part_shape(p);
    own_.dh.grow(rows_.rows * s.h_pad);
    own_.dc.grow(rows_.rows * s.c_ld());
    std::fill_n(own_.dh.data(), rows_.rows * s.h_pad, T(0));
    std::fill_n(own_.dc.data(), rows_.rows * s.c_ld(), T(0));
    for (Index b = 0; b < rows_.rows; ++b) {
      const Index from = (p * rows_.all.rows + rows_.begin + b) * s.hidden;
      if (arrays_.d_h_n != nullptr) std::copy_n(arrays_.d_h_n + from, s.hidden, own_.dh.data() + b * s.h_pad);
      if (arrays_.d_c_n != nullptr) std::copy_n(arrays_.d_c_n + from, s.hidden, own_.dc.data() + b * s.c_ld());
    }
  }

  void end_states(Index p) {
    const LayerShape& s = net_.part_shape(p);
    for (Index b = 0; b < rows_.rows; ++b) {
      const Index to = (p * rows_.all.rows + rows_.begin + b) * s.hidden;
      if (arrays_.d_h_0 != nullptr) std::copy_n(own_.dh.data() + b * s.h_pad, s.hidden, arrays_.d_h_0 + to);
      if (arrays_.d_c_0 != nullptr) std::copy_n(own_.dc.data() + b * s.c_ld(), s.hidden, arrays_.d_c_0 + to);
    }
  }

  // Read where it lies, but for sequences of many lengths seen from their ends, which are sorted into a copy.
  Gradient output_gradient(Index layer, Index d) {
    const bool top = layer + 1 == spec_.layers;
    const T* from = top ? arrays_.d_out : own_.above.data();
    const Index* first = top ? own_.from.data() : own_.first.data();
    if (from == nullptr) return {nullptr, 0, first};
    from += d * spec_.hidden;
    if (d == 0) return {from, spec_.width(), first};
    if (rows_.even()) {
      for (Index t = 0; t < rows_.steps; ++t) own_.reverse.data()[t] = first[rows_.steps - 1 - t];
      return {from, spec_.width(), own_.reverse.data()};
    }
    own_.sorted.grow(rows_.total() * spec_.hidden);
    rows_.each([&](Index t, Index b) {
      std::copy_n(from + (first[rows_.step(1, t, b)] + b) * spec_.width(), spec_.hidden,
                  own_.sorted.data() + (rows_.first(t) + b) * spec_.hidden);
    });
    return {own_.sorted.data(), spec_.hidden, own_.first.data()};
  }

  // The gradient of what a layer read at step t of row b, from all directions.
  void add_inputs(Index layer, Index t, Index b, T* to) const {
    const LayerShape& s = net_.shape(layer);
    for (Index d = 0; d < spec_.directions; ++d) {
      const T* from = own_.dx[d].data() + (rows_.first(rows_.step(d, t, b)) + b) * padded<T>(s.inputs);
      for (Index i = 0; i < s.inputs; ++i) to[i] = d == 0 ? from[i] : to[i] + from[i];
    }
  }

  void pass_down(Index layer) {
    own_.above.grow(rows_.total() * spec_.width());
    const T* masks = rows_.all.masks;
    if (masks != nullptr) masks += (layer - 1) * rows_.all.total * spec_.width();
    rows_.each([&](Index t, Index b) {
      T* to = own_.above.data() + (rows_.first(t) + b) * spec_.width();
      add_inputs(layer, t, b, to);
      if (masks == nullptr) return;
      const T* mask = masks + (rows_.outside(t) + b) * spec_.width();
      for (Index i = 0; i < spec_.width(); ++i) to[i] *= mask[i];
    });
  }

  const Recurrence<T>& net_;
  const RecurrenceSpec& spec_;
  const BackwardArrays<T>& arrays_;
  const Rows<T>& rows_;
  Worker<T>& own_;
  std::vector<Part<T>> parts_;
  const std::vector<LayerWeights<T>>& weights_;
  std::vector<LayerGradients<T>> d_weights_;  // of each part, none where nobody wants them
};

// Copies of the weights that backward reads, with room behind each row; the ones that nobody needs are left out.
template <class T>
std::vector<LayerWeights<T>> copies(const Recurrence<T>& net, const Sequences<T>& all, const BackwardArrays<T>& arrays,
                                    std::vector<Buffer<T>>& buffers) {
  const RecurrenceSpec& spec = net.spec();
  buffers.resize(std::max(buffers.size(), static_cast<std::size_t>(spec.parts())));
  std::vector<LayerWeights<T>> own(all.weights, all.weights + spec.parts());
  for (Index p = 0; p < spec.parts(); ++p) {
    const LayerShape& s = net.part_shape(p);
    LayerWeights<T>& weights = own[static_cast<std::size_t>(p)];
    Buffer<T>& buffer = buffers[static_cast<std::size_t>(p)];
    buffer.grow(s.weight_size());
    const auto copy = [&](const T*& from, Index& from_ld, Index columns, Index column) {
      for (Index row = 0; row < s.weight_rows(); ++row) {
        std::copy_n(from + row * from_ld, columns, buffer.data() + row * s.w_ld + column);
      }
      from = buffer.data() + column;
      from_ld = s.w_ld;
    };
    if (all.steps > 1 || !arrays.from_zero) copy(weights.w_h, weights.w_h_ld, s.hidden, 0);
    if (p >= spec.directions || arrays.d_x != nullptr) copy(weights.w_x, weights.w_x_ld, s.inputs, s.w_x());
  }
  return own;
}

// Where the gradients of each part's weights gather in `base`, one part behind the other.
template <class T>
std::vector<LayerGradients<T>> gathered(const Recurrence<T>& net, T* base) {
  std::vector<LayerGradients<T>> all;
  for (Index p = 0; p < net.spec().parts(); ++p) {
    const LayerShape& s = net.part_shape(p);
    all.push_back(LayerGradients<T>::within(s, base));
    base += padded<T>(s.weight_size());
  }
  return all;
}

// The caller's arrays as the kernels write them, where all are wanted and their rows are whole vectors; else none.
template <class T>
std::vector<LayerGradients<T>> in_place(const Recurrence<T>& net, const BackwardArrays<T>& arrays) {
  std::vector<LayerGradients<T>> all;
  for (Index p = 0; p < net.spec().parts(); ++p) {
    const LayerShape& s = net.part_shape(p);
    const auto& to = arrays.d_weights[p];
    const bool whole = s.inputs == padded<T>(s.inputs) && s.hidden == padded<T>(s.hidden);
    if (!whole || to.w_x == nullptr || to.w_h == nullptr || to.b_x == nullptr || to.b_h == nullptr) return {};
    all.push_back({to.w_x, s.inputs, to.w_h, s.hidden, to.b_x, to.b_h, 1});
  }
  return all;
}

// The gradients of a part's weights, in torch's layout.
template <class T>
void write_weights(const LayerShape& s, const T* from, const typename BackwardArrays<T>::Weights& to) {
  const auto write = [&](T* out, Index column, Index columns) {
    if (out == nullptr) return;
    for (Index row = 0; row < s.weight_rows(); ++row) {
      std::copy_n(from + row * s.w_ld + column, columns, out + row * columns);
    }
  };
  write(to.w_h, 0, s.hidden);
  write(to.b_h, s.hidden, 1);
  write(to.w_x, s.w_x(), s.inputs);
  write(to.b_x, s.w_x() + s.inputs, 1);
}

}  // namespace unrolled
