// The rows of one chunk of a recurrence: where they lie inside and in the whole batch, and the memory they are worked
// on in.
//
// Knows: recurrences' sizes, memory. Must not know: kernels' work, threads.
#pragma once

#include <algorithm>
#include <vector>

#include "buffer.hpp"
#include "recurrence.hpp"

namespace unrolled {

// What one worker needs while it goes through a chunk.
template <class T>
struct Worker {
  Buffer<T> states;                    // z and c of a pass that keeps nothing
  Buffer<T> dh, dc, gates, narrow;     // gradients of the states; scratch of the kernels
  Buffer<T> dx[2];                     // gradients of a layer's input, by direction
  Buffer<T> above, sorted;             // the gradient of a layer's output; the same as the reverse direction reads it
  Buffer<Index> first, from, reverse;  // of each step: where its rows begin, here, outside and seen from the end
  Buffer<Index> lengths;
};

// Where one layer of one direction has its rows.
template <class T>
struct Part {
  T* z;
  T* c;
  T* saved;
};

// The rows of one chunk, step after step, and the way between them and the rows of the whole batch.
template <class T>
struct Rows {
  Rows(const Sequences<T>& sequences, Worker<T>& worker, Index first_row, Index count)
      : all(sequences), own(worker), begin(first_row), rows(count) {
    own.first.grow(all.steps + 1);
    own.from.grow(all.steps);
    own.first.data()[0] = 0;
    Index offset = 0;
    for (Index t = 0; t < all.steps; ++t) {
      const Index active = all.batch_sizes == nullptr ? all.rows : static_cast<Index>(all.batch_sizes[t]);
      if (active <= begin) break;
      own.from.data()[t] = offset + begin;
      own.first.data()[t + 1] = first(t) + std::min(active - begin, rows);
      offset += active;
      steps = t + 1;
    }
    if (!even()) measure();
  }

  bool even() const { return all.batch_sizes == nullptr; }
  Index first(Index t) const { return own.first.data()[t]; }
  Index active(Index t) const { return first(t + 1) - first(t); }
  Index total() const { return first(steps); }
  Index outside(Index t) const { return own.from.data()[t]; }  // row 0 of step t in an array of the whole batch
  Index length(Index b) const { return even() ? steps : own.lengths.data()[b]; }
  // The step that direction d reads as its t-th of row b.
  Index step(Index d, Index t, Index b) const { return d == 0 ? t : length(b) - 1 - t; }
  // Where the state of row b after step t lies.
  Index after(Index t, Index b) const { return (t + 1 < steps && b < active(t + 1) ? first(t + 1) : total()) + b; }

  // Calls f(t, b) for every step and every row that has not ended.
  template <class F>
  void each(F&& f) const {
    for (Index t = 0; t < steps; ++t) {
      for (Index b = 0; b < active(t); ++b) f(t, b);
    }
  }

  // Does direction d forget the state of row b before its t-th step?
  bool reset(Index d, Index t, Index b) const {
    if (all.resets == nullptr || (d == 1 && t == 0)) return false;
    return all.resets[(d == 0 ? t : all.steps - t) * all.rows + begin + b] != 0;
  }
  bool any_reset(Index d, Index t) const {
    for (Index b = 0; b < rows; ++b) {
      if (reset(d, t, b)) return true;
    }
    return false;
  }

  const Sequences<T>& all;
  Worker<T>& own;
  Index begin;  // of the chunk's rows in the batch
  Index rows;
  Index steps = 0;

 private:
  void measure() {
    own.lengths.grow(rows);
    for (Index t = 0; t < steps; ++t) {
      for (Index b = 0; b < active(t); ++b) own.lengths.data()[b] = t + 1;
    }
  }
};

template <class T>
Index region_size(const LayerShape& s, Index total, Index rows, bool keep) {
  const Index saved = keep ? total * s.shape().saved * s.h_pad : 0;
  return (total + rows) * s.ld + (keep ? total + rows : rows) * s.c_ld() + saved;
}

// The parts of a chunk, one behind the other from `base`.
template <class T>
std::vector<Part<T>> arrange(const Recurrence<T>& net, T* base, Index total, Index rows, bool keep) {
  std::vector<Part<T>> parts;
  for (Index p = 0; p < net.spec().parts(); ++p) {
    const LayerShape& s = net.part_shape(p);
    T* c = base + (total + rows) * s.ld;
    parts.push_back({base, c, c + (keep ? total + rows : rows) * s.c_ld()});
    base += region_size<T>(s, total, rows, keep);
  }
  return parts;
}

// The rows of all steps that lie before those of row `begin`, chunk after chunk.
template <class T>
Index rows_before(const Sequences<T>& all, Index begin) {
  if (all.batch_sizes == nullptr) return all.steps * begin;
  Index count = 0;
  for (Index t = 0; t < all.steps; ++t) count += std::min(static_cast<Index>(all.batch_sizes[t]), begin);
  return count;
}

}  // namespace unrolled
