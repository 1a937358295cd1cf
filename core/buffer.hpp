// Memory for kernels: aligned to whole vectors, zero when it is new, with room behind the end for one vector.
//
// Knows: allocation. Must not know: what is kept in it.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "shapes.hpp"

namespace unrolled {

// Asks for large pages where memory is large and new: else the system hands it out in pieces of 4 KB, each at the price
// of thousands of multiply-adds.
inline void prefer_large_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) {
#if defined(MADV_HUGEPAGE)
  constexpr std::uintptr_t kPage = std::uintptr_t(2) << 20;
  const auto begin = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t first = (begin + kPage - 1) / kPage * kPage;
  const std::uintptr_t last = (begin + bytes) / kPage * kPage;
  // A refusal changes nothing but the time.
  if (first < last) (void)madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#endif
}

inline constexpr Index kKept = Index(32) << 20;  // bytes that a workspace keeps between calls

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
    prefer_large_pages(memory_.get(), bytes);
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
