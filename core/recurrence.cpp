#include "recurrence.hpp"

#include <algorithm>
#include <vector>

#include "buffer.hpp"
#include "chunks.hpp"

namespace unrolled {
namespace {

constexpr Index kGateRows = 96;           // gate gradients are multiplied once this many rows have come together
constexpr Index kKept = Index(32) << 20;  // bytes that a workspace keeps between calls

// What one worker needs while it goes through a chunk.
template <class T>
struct Worker {
  Buffer<T> states;                    // z and c of a pass that keeps nothing
  Buffer<T> dh, dc, gates, narrow;     // gradients of the states; scratch of the kernels
  Buffer<T> dx[2];                     // gradients of a layer's input, by direction
  Buffer<T> above, sorted;             // the gradient of a layer's output; the same as the reverse direction reads it
  Buffer<Index> first, from, reverse;  // of each step: where its rows begin, here, outside and seen from the end
  Buffer<Index> lengths;
  Buffer<std::uint8_t> cuts;
};

// What a call needs beside its arrays, kept for the next: small calls would spend their time on getting memory.
template <class T>
struct Workspace {
  std::vector<Buffer<T>> panels, copies;  // of each part: packed weights; those that backward reads
  std::vector<Buffer<T>> sums;            // gradients of the weights, of each chunk
  std::vector<Worker<T>> workers;

  Index bytes() const {
    Index count = 0;
    for (const auto* all : {&panels, &copies, &sums}) {
      for (const Buffer<T>& one : *all) count += one.size();
    }
    for (const Worker<T>& w : workers) {
      for (const Buffer<T>* one :
           {&w.states, &w.dh, &w.dc, &w.gates, &w.narrow, &w.dx[0], &w.dx[1], &w.above, &w.sorted}) {
        count += one->size();
      }
    }
    return count * static_cast<Index>(sizeof(T));
  }
};

// The workspace of the calling thread, for the length of a call.
template <class T>
class Lease {
 public:
  Lease() = default;
  ~Lease() {
    if (own().bytes() > kKept) own() = Workspace<T>();
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Workspace<T>& operator*() const { return own(); }

 private:
  static Workspace<T>& own() {
    thread_local Workspace<T> one;
    return one;
  }
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
    const LayerShape& s = net.shape(p / net.spec().directions);
    T* c = base + (total + rows) * s.ld;
    parts.push_back({base, c, c + (keep ? total + rows : rows) * s.c_ld()});
    base += region_size<T>(s, total, rows, keep);
  }
  return parts;
}

// Multiply-adds of a forward pass.
template <class T>
double work(const RecurrenceSpec& spec, const Sequences<T>& all) {
  const double gates = kCells[spec.cell].gates * static_cast<double>(spec.hidden * spec.directions);
  const double above = static_cast<double>((spec.layers - 1) * spec.width() + spec.layers * spec.hidden);
  return gates * (static_cast<double>(spec.inputs) + above) * static_cast<double>(all.total);
}

// How rows are cut, by the sizes of the work alone: small chunks where the passes keep nothing, few where each has
// gradients of its own; but two at least, of four rows or more, where a second thread would be of use.
template <class T>
Chunks cut(const RecurrenceSpec& spec, const Sequences<T>& all, bool keep) {
  const Index usual = keep ? 16 : 32;
  const Index half = std::max<Index>(4, (all.rows + 1) / 2);
  const Index least = useful_threads(2, work(spec, all)) > 1 ? std::min(half, usual) : usual;
  return {all.rows, keep ? std::max(least, (all.rows + 7) / 8) : least};
}

// The rows of all steps that lie before those of row `begin`, chunk after chunk.
template <class T>
Index rows_before(const Sequences<T>& all, Index begin) {
  if (all.batch_sizes == nullptr) return all.steps * begin;
  Index count = 0;
  for (Index t = 0; t < all.steps; ++t) count += std::min(static_cast<Index>(all.batch_sizes[t]), begin);
  return count;
}

template <class T>
void grow_all(std::vector<Buffer<T>>& buffers, Index count) {
  if (static_cast<Index>(buffers.size()) < count) buffers.resize(static_cast<std::size_t>(count));
}

template <class T>
T* at(std::vector<Buffer<T>>& buffers, Index index) {
  return buffers[static_cast<std::size_t>(index)].data();
}

// One chunk going forward.
template <class T>
class ForwardChunk {
 public:
  ForwardChunk(const Recurrence<T>& net, const ForwardArrays<T>& arrays, const Rows<T>& rows,
               std::vector<Part<T>> parts, std::vector<Buffer<T>>& panels)
      : net_(net), spec_(net.spec()), arrays_(arrays), rows_(rows), parts_(std::move(parts)), panels_(panels) {}

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
  T* row(Index p, Index at) { return part(p).z + at * net_.shape(p / spec_.directions).ld; }
  // The row of c that belongs to row `at` of z; the last one where none is kept but it.
  T* states(Index p, Index at, Index b) {
    return part(p).c + (keep() ? at : b) * net_.shape(p / spec_.directions).c_ld();
  }

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
    const LayerShape& s = net_.shape(p / spec_.directions);
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
    const LayerShape& s = net_.shape(p / spec_.directions);
    for (Index b = 0; b < rows_.rows; ++b) {
      if (!rows_.reset(p % spec_.directions, begin, b)) continue;
      const Index at = rows_.first(begin) + b;
      std::fill_n(row(p, at), s.hidden, T(0));
      std::fill_n(states(p, at, b), s.c_ld(), T(0));
    }
    const bool from_zero = begin == 0 && arrays_.h_0 == nullptr;
    kernels<T>().layer_forward[s.cell]({&s, end - begin, rows_.rows, rows_.own.first.data() + begin, at(panels_, p),
                                        part(p).z, part(p).c, from_zero, keep(), keep() ? part(p).saved : nullptr});
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
    const LayerShape& s = net_.shape(p / spec_.directions);
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
};

// One chunk going back.
template <class T>
class BackwardChunk {
 public:
  BackwardChunk(const Recurrence<T>& net, const BackwardArrays<T>& arrays, const Rows<T>& rows,
                std::vector<Part<T>> parts, const std::vector<LayerWeights<T>>& weights, T* sums)
      : net_(net),
        spec_(net.spec()),
        arrays_(arrays),
        rows_(rows),
        own_(rows.own),
        parts_(std::move(parts)),
        weights_(weights),
        sums_(sums) {}

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
      kernels<T>().layer_backward[s.cell]({&s,
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
                                           sums_ == nullptr ? nullptr : sums_ + sum_offset(p),
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

  Index sum_offset(Index p) const {
    Index offset = 0;
    for (Index i = 0; i < p; ++i) offset += padded<T>(net_.shape(i / spec_.directions).weight_size());
    return offset;
  }

  void begin_states(Index p) {
    const LayerShape& s = net_.shape(p / spec_.directions);
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
    const LayerShape& s = net_.shape(p / spec_.directions);
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
  T* sums_;
};

// Copies of the weights that backward reads, with room behind each row; the ones that nobody needs are left out.
template <class T>
std::vector<LayerWeights<T>> copies(const Recurrence<T>& net, const Sequences<T>& all, const BackwardArrays<T>& arrays,
                                    std::vector<Buffer<T>>& buffers) {
  const RecurrenceSpec& spec = net.spec();
  grow_all(buffers, spec.parts());
  std::vector<LayerWeights<T>> own(all.weights, all.weights + spec.parts());
  for (Index p = 0; p < spec.parts(); ++p) {
    const LayerShape& s = net.shape(p / spec.directions);
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

}  // namespace

template <class T>
Recurrence<T>::Recurrence(const RecurrenceSpec& spec) : spec_(spec) {
  for (const Index inputs : {spec.inputs, spec.width()}) {
    layers_.push_back(make_layer_shape<T>(spec.cell, inputs, spec.hidden));
  }
  for (Index p = 0; p < spec.parts(); ++p) {
    const LayerShape& s = shape(p / spec.directions);
    row_size_ += region_size<T>(s, 1, 0, true);
    end_size_ += region_size<T>(s, 0, 1, true);
  }
}

template <class T>
void Recurrence<T>::forward(const Sequences<T>& all, const ForwardArrays<T>& arrays) const {
  const bool keep = arrays.reserve != nullptr;
  const Lease<T> lease;
  Workspace<T>& workspace = *lease;
  grow_all(workspace.panels, spec_.parts());
  for (Index p = 0; p < spec_.parts(); ++p) {
    const LayerShape& s = shape(p / spec_.directions);
    workspace.panels[static_cast<std::size_t>(p)].grow(s.panel_size());
    kernels<T>().layer_pack(s, all.weights[p], at(workspace.panels, p));
  }
  if (keep) {
    const Index kept = all.total * row_size_ + all.rows * end_size_;
    prefer_large_pages(arrays.reserve, static_cast<std::size_t>(kept) * sizeof(T));
  }
  const Chunks chunks = cut(spec_, all, keep);
  const int threads = useful_threads(all.threads, work(spec_, all));
  workspace.workers.resize(std::max(workspace.workers.size(), static_cast<std::size_t>(threads)));
  Pool::instance().run(threads, chunks.count, [&](Index chunk, int number) {
    Worker<T>& worker = workspace.workers[static_cast<std::size_t>(number)];
    const Rows<T> rows(all, worker, chunks.first(chunk), chunks.rows_of(chunk));
    T* base = arrays.reserve;
    if (keep) {
      base += rows_before(all, rows.begin) * row_size_ + rows.begin * end_size_;
    } else {
      Index size = 0;
      for (Index p = 0; p < spec_.parts(); ++p) {
        size += region_size<T>(shape(p / spec_.directions), rows.total(), rows.rows, false);
      }
      worker.states.grow(size);
      base = worker.states.data();
    }
    ForwardChunk<T>(*this, arrays, rows, arrange(*this, base, rows.total(), rows.rows, keep), workspace.panels).run();
  });
}

template <class T>
void Recurrence<T>::backward(const Sequences<T>& all, const BackwardArrays<T>& arrays) const {
  const Lease<T> lease;
  Workspace<T>& workspace = *lease;
  const std::vector<LayerWeights<T>> weights = copies(*this, all, arrays, workspace.copies);
  const Chunks chunks = cut(spec_, all, true);
  Index size = 0;
  for (Index p = 0; p < spec_.parts(); ++p) size += padded<T>(shape(p / spec_.directions).weight_size());
  if (arrays.d_weights != nullptr) {
    grow_all(workspace.sums, chunks.count);
    for (Index chunk = 0; chunk < chunks.count; ++chunk) workspace.sums[static_cast<std::size_t>(chunk)].grow(size);
  }
  const int threads = useful_threads(all.threads, 2 * work(spec_, all));
  workspace.workers.resize(std::max(workspace.workers.size(), static_cast<std::size_t>(threads)));
  Pool::instance().run(threads, chunks.count, [&](Index chunk, int number) {
    Worker<T>& worker = workspace.workers[static_cast<std::size_t>(number)];
    const Rows<T> rows(all, worker, chunks.first(chunk), chunks.rows_of(chunk));
    // The kernels read it as what forward wrote, and write nothing there.
    T* base = const_cast<T*>(arrays.reserve) + rows_before(all, rows.begin) * row_size_ + rows.begin * end_size_;
    T* sums = arrays.d_weights == nullptr ? nullptr : at(workspace.sums, chunk);
    BackwardChunk<T>(*this, arrays, rows, arrange(*this, base, rows.total(), rows.rows, true), weights, sums).run();
  });
  if (arrays.d_weights == nullptr) return;
  for (Index chunk = 1; chunk < chunks.count; ++chunk) {
    kernels<T>().add(size, at(workspace.sums, chunk), at(workspace.sums, 0));
  }
  const T* from = at(workspace.sums, 0);
  for (Index p = 0; p < spec_.parts(); ++p) {
    write_weights(shape(p / spec_.directions), from, arrays.d_weights[p]);
    from += padded<T>(shape(p / spec_.directions).weight_size());
  }
}

template class Recurrence<float>;
template class Recurrence<double>;

}  // namespace unrolled
