// Memory for kernels: aligned to whole vectors, zero when it grows, with room behind the end for one vector.
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
  explicit Buffer(Index size) { reset(size); }

  // Makes room for `size` zeros; what was there is gone. Memory is kept for the next, smaller use.
  void reset(Index size) {
    if (size > capacity_) {
      const std::size_t bytes = (static_cast<std::size_t>(size) * sizeof(T) + 2 * kAlign - 1) / kAlign * kAlign;
      memory_.reset(static_cast<T*>(std::aligned_alloc(kAlign, bytes)));
      if (memory_ == nullptr) {
        capacity_ = size_ = 0;
        throw std::bad_alloc();
      }
      capacity_ = size;
      std::memset(memory_.get(), 0, bytes);
    } else if (size > 0) {
      std::memset(memory_.get(), 0, static_cast<std::size_t>(size) * sizeof(T));
    }
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
  Index capacity_ = 0;
};

}  // namespace unrolled
