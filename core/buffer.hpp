// Memory for kernels: aligned to whole vectors, zero when it is new, with room behind the end for one vector.
//
// Knows: allocation. Must not know: what is kept in it.
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "shapes.hpp"

namespace unrolled {

template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(Index size) { grow(size); }

  // Makes room for `size` numbers. Where there was room already, they stay as they were; else all are zero.
  void grow(Index size) {
    if (size <= size_) return;
    const std::size_t bytes = (static_cast<std::size_t>(size) * sizeof(T) + 2 * kAlign - 1) / kAlign * kAlign;
    size_ = 0;
    memory_.reset(static_cast<T*>(std::aligned_alloc(kAlign, bytes)));
    if (memory_ == nullptr) throw std::bad_alloc();
    std::memset(memory_.get(), 0, bytes);
    size_ = size;
  }

  T* data() { return memory_.get(); }
  const T* data() const { return memory_.get(); }
  Index size() const { return size_; }

 private:
  struct Free {
    void operator()(T* memory) const { std::free(memory); }
  };
  std::unique_ptr<T, Free> memory_;
  Index size_ = 0;
};

}  // namespace unrolled
