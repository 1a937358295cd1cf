// One chunk of a recurrence going forward.
//
// Knows: the chunk's rows, layers as kernels. Must not know: threads, other chunks.
#pragma once

#include <utility>
#include <vector>

#include "recurrence_rows.hpp"

namespace unrolled {

template <class T>
class ForwardChunk {
 public:
  // `panels` hold the packed weights of each part, or are room for those that a single step packs as it goes.
  ForwardChunk(const Recurrence<T>& net, const ForwardArrays<T>& arrays, const Rows<T>& rows,
               std::vector<Part<T>> parts, std::vector<Buffer<T>>& panels, bool packed)
      : net_(net),
        spec_(net.spec()),
        arrays_(arrays),
        rows_(rows),
        parts_(std::move(parts)),
        panels_(panels),
        packed_(packed) {}

  void run() {
    for (Index d = 0; d < spec_.directions; ++d) read_inputs(d);
    for (Index p = 0; p < spec_.parts(); ++p) {
      start(p);
      for (Index begin = 0; begin < rows_.steps;) {
        Index end = begin + 1;
        while (end < rows_.steps && !rows_.any_reset(p % spec_.directions, end)) ++end;
        run_steps(p, begin, end);
        begin = end;
      }
      finish(p);
    }
  }

 private:
  Part<T>& part(Index p) { return parts_[static_cast<std::size_t>(p)]; }
  bool keep() const { return arrays_.reserve != nullptr; }
  T* row(Index p, Index at) { return part(p).z + at * net_.part_shape(p).ld; }
  // The row of c that belongs to row `at` of z; the last one where none is kept but it.
  T* states(Index p, Index at, Index b) { return part(p).c + (keep() ? at : b) * net_.part_shape(p).c_ld(); }

  void read_inputs(Index d) {
    const LayerShape& s = net_.shape(0);
    rows_.each([&](Index t, Index b) {
      const Index step = rows_.step(d, t, b);
      const T* from = rows_.even() ? arrays_.x + step * arrays_.x_step + (rows_.begin + b) * arrays_.x_row
                                   : arrays_.x + (rows_.outside(step) + b) * arrays_.x_row;
      std::copy_n(from, s.inputs, row(d, rows_.first(t) + b) + s.x_offset);
    });
  }

  void start(Index p) {
    const LayerShape& s = net_.part_shape(p);
    for (Index i = 0; i < rows_.total(); ++i) {
      row(p, i)[s.hidden] = T(1);
      row(p, i)[s.x_offset + s.inputs] = T(1);
    }
    for (Index b = 0; b < rows_.rows; ++b) {
      const Index from = (p * rows_.all.rows + rows_.begin + b) * s.hidden;
      set(row(p, b), s.hidden, arrays_.h_0 == nullptr ? nullptr : arrays_.h_0 + from);
      if (s.shape().states > 0) set(states(p, b, b), s.hidden, arrays_.c_0 == nullptr ? nullptr : arrays_.c_0 + from);
    }
  }

  static void set(T* to, Index count, const T* from) {
    if (from == nullptr) {
      std::fill_n(to, count, T(0));
    } else {
      std::copy_n(from, count, to);
    }
  }

  // Steps between which no state is set to zero.
  void run_steps(Index p, Index begin, Index end) {
    const LayerShape& s = net_.part_shape(p);
    for (Index b = 0; b < rows_.rows; ++b) {
      if (!rows_.reset(p % spec_.directions, begin, b)) continue;
      const Index at = rows_.first(begin) + b;
      std::fill_n(row(p, at), s.hidden, T(0));
      std::fill_n(states(p, at, b), s.c_ld(), T(0));
    }
    const bool from_zero = begin == 0 && arrays_.h_0 == nullptr;
    T* panels = panels_[static_cast<std::size_t>(p)].data();
    kernels<T>().layer_forward[s.cell]({&s, end - begin, rows_.rows, rows_.own.first.data() + begin,
                                        packed_ ? panels : nullptr, rows_.all.weights + p, panels, part(p).z, part(p).c,
                                        from_zero, keep(), keep() ? part(p).saved : nullptr});
    for (Index t = begin; t < end; ++t) {
      for (Index b = 0; b < rows_.active(t); ++b) give(p, t, b);
    }
  }

  // The state after a step goes to the output, or to the layer above it.
  void give(Index p, Index t, Index b) {
    const Index d = p % spec_.directions;
    const Index layer = p / spec_.directions;
    const Index step = rows_.step(d, t, b);
    const T* from = row(p, rows_.after(t, b));
    const Index outside = (rows_.outside(step) + b) * spec_.width() + d * spec_.hidden;
    if (layer + 1 == spec_.layers) {
      std::copy_n(from, spec_.hidden, arrays_.out + outside);
      return;
    }
    const LayerShape& s = net_.shape(layer + 1);
    const T* mask = rows_.all.masks;
    if (mask != nullptr) mask += layer * rows_.all.total * spec_.width() + outside;
    for (Index above = 0; above < spec_.directions; ++above) {
      const Index place = rows_.first(rows_.step(above, step, b)) + b;
      T* to = row((layer + 1) * spec_.directions + above, place) + s.x_offset + d * spec_.hidden;
      for (Index i = 0; i < spec_.hidden; ++i) to[i] = mask == nullptr ? from[i] : from[i] * mask[i];
    }
  }

  void finish(Index p) {
    const LayerShape& s = net_.part_shape(p);
    for (Index b = 0; b < rows_.rows; ++b) {
      const Index to = (p * rows_.all.rows + rows_.begin + b) * s.hidden;
      const Index last = rows_.total() + b;
      if (arrays_.h_n != nullptr) std::copy_n(row(p, last), s.hidden, arrays_.h_n + to);
      if (arrays_.c_n != nullptr) std::copy_n(states(p, last, b), s.hidden, arrays_.c_n + to);
    }
  }

  const Recurrence<T>& net_;
  const RecurrenceSpec& spec_;
  const ForwardArrays<T>& arrays_;
  const Rows<T>& rows_;
  std::vector<Part<T>> parts_;
  std::vector<Buffer<T>>& panels_;
  bool packed_;
};

}  // namespace unrolled
