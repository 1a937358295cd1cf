#include "recurrence.hpp"

#include <algorithm>
#include <vector>

#include "buffer.hpp"
#include "chunks.hpp"
#include "recurrence_backward.hpp"
#include "recurrence_forward.hpp"

namespace unrolled {
namespace {

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

// Multiply-adds of a forward pass.
template <class T>
double work(const RecurrenceSpec& spec, const Sequences<T>& all) {
  const double gates = kCells[spec.cell].gates * static_cast<double>(spec.hidden * spec.directions);
  const double above = static_cast<double>((spec.layers - 1) * spec.width() + spec.layers * spec.hidden);
  return gates * (static_cast<double>(spec.inputs) + above) * static_cast<double>(all.total);
}

// How rows are cut, by the sizes of the work alone. Passes that keep nothing: chunks whose states stay in the cache.
// Those that keep: few, since each has weight gradients of its own, which cost as much as 64 steps of a row. But two at
// least, of four rows or more, where a second thread would be of use.
template <class T>
Chunks cut(const RecurrenceSpec& spec, const Sequences<T>& all, bool keep) {
  const Chunks usual = keep ? Chunks::to_learn(all.rows) : Chunks::to_run(all.rows);
  const Index half = std::max<Index>(4, (all.rows + 1) / 2);
  const Index size = useful_threads(2, work(spec, all)) > 1 ? std::min(half, usual.size) : usual.size;
  return {all.rows, keep ? std::max(size, (64 + all.steps - 1) / all.steps) : size};
}

template <class T>
void grow_all(std::vector<Buffer<T>>& buffers, Index count) {
  if (static_cast<Index>(buffers.size()) < count) buffers.resize(static_cast<std::size_t>(count));
}

template <class T>
T* at(std::vector<Buffer<T>>& buffers, Index index) {
  return buffers[static_cast<std::size_t>(index)].data();
}

}  // namespace

template <class T>
Recurrence<T>::Recurrence(const RecurrenceSpec& spec) : spec_(spec) {
  for (const Index inputs : {spec.inputs, spec.width()}) {
    layers_.push_back(make_layer_shape<T>(spec.cell, inputs, spec.hidden));
  }
  for (Index p = 0; p < spec.parts(); ++p) {
    const LayerShape& s = part_shape(p);
    row_size_ += region_size<T>(s, 1, 0, true);
    end_size_ += region_size<T>(s, 0, 1, true);
  }
}

template <class T>
void Recurrence<T>::forward(const Sequences<T>& all, const ForwardArrays<T>& arrays) const {
  const bool keep = arrays.reserve != nullptr;
  if (keep) {
    const Index kept = all.total * row_size_ + all.rows * end_size_;
    prefer_large_pages(arrays.reserve, static_cast<std::size_t>(kept) * sizeof(T));
  }
  const Lease<T> lease;
  Workspace<T>& workspace = *lease;
  const Chunks chunks = cut(spec_, all, keep);
  const bool packed = all.steps > 1 || chunks.count > 1;  // else the weights are read once
  grow_all(workspace.panels, spec_.parts());
  for (Index p = 0; p < spec_.parts(); ++p) {
    const LayerShape& s = part_shape(p);
    workspace.panels[static_cast<std::size_t>(p)].grow(s.panel_size());
    if (packed) kernels<T>().layer_pack(s, all.weights[p], at(workspace.panels, p));
  }
  const int threads = useful_threads(all.threads, work(spec_, all));
  workspace.workers.resize(std::max(workspace.workers.size(), static_cast<std::size_t>(threads)));
  Pool::run_with(all.team, threads, chunks.count, [&](Index chunk, int number) {
    Worker<T>& worker = workspace.workers[static_cast<std::size_t>(number)];
    const Rows<T> rows(all, worker, chunks.first(chunk), chunks.rows_of(chunk));
    T* base = arrays.reserve;
    if (keep) {
      base += rows_before(all, rows.begin) * row_size_ + rows.begin * end_size_;
    } else {
      Index size = 0;
      for (Index p = 0; p < spec_.parts(); ++p) {
        size += region_size<T>(part_shape(p), rows.total(), rows.rows, false);
      }
      worker.states.grow(size);
      base = worker.states.data();
    }
    std::vector<Part<T>> parts = arrange(*this, base, rows.total(), rows.rows, keep);
    ForwardChunk<T>(*this, arrays, rows, std::move(parts), workspace.panels, packed).run();
  });
}

template <class T>
void Recurrence<T>::backward(const Sequences<T>& all, const BackwardArrays<T>& arrays) const {
  const Lease<T> lease;
  Workspace<T>& workspace = *lease;
  const std::vector<LayerWeights<T>> weights = copies(*this, all, arrays, workspace.copies);
  const Chunks chunks = cut(spec_, all, true);
  const bool wanted = arrays.d_weights != nullptr;
  std::vector<LayerGradients<T>> direct;
  if (wanted && chunks.count == 1) direct = in_place(*this, arrays);
  Index size = 0;
  for (Index p = 0; p < spec_.parts(); ++p) size += padded<T>(part_shape(p).weight_size());
  if (wanted && direct.empty()) {
    grow_all(workspace.sums, chunks.count);
    for (Index chunk = 0; chunk < chunks.count; ++chunk) workspace.sums[static_cast<std::size_t>(chunk)].grow(size);
  }
  const int threads = useful_threads(all.threads, 2 * work(spec_, all));
  workspace.workers.resize(std::max(workspace.workers.size(), static_cast<std::size_t>(threads)));
  Pool::run_with(all.team, threads, chunks.count, [&](Index chunk, int number) {
    Worker<T>& worker = workspace.workers[static_cast<std::size_t>(number)];
    const Rows<T> rows(all, worker, chunks.first(chunk), chunks.rows_of(chunk));
    // The kernels read it as what forward wrote, and write nothing there.
    T* base = const_cast<T*>(arrays.reserve) + rows_before(all, rows.begin) * row_size_ + rows.begin * end_size_;
    std::vector<Part<T>> parts = arrange(*this, base, rows.total(), rows.rows, true);
    std::vector<LayerGradients<T>> to = direct;
    if (wanted && direct.empty()) to = gathered(*this, at(workspace.sums, chunk));
    BackwardChunk<T>(*this, arrays, rows, std::move(parts), weights, std::move(to)).run();
  });
  if (!wanted || !direct.empty()) return;
  for (Index chunk = 1; chunk < chunks.count; ++chunk) {
    kernels<T>().add(size, at(workspace.sums, chunk), at(workspace.sums, 0));
  }
  const T* from = at(workspace.sums, 0);
  for (Index p = 0; p < spec_.parts(); ++p) {
    write_weights(part_shape(p), from, arrays.d_weights[p]);
    from += padded<T>(part_shape(p).weight_size());
  }
}

template class Recurrence<float>;
template class Recurrence<double>;

}  // namespace unrolled
