#include "pool.hpp"

#include <atomic>
#include <chrono>
#include <system_error>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace unrolled {
namespace {

std::atomic<Pool*> current{nullptr};
std::atomic<bool> forked{false};

// The parent's threads do not exist in the child, so its pool is of no use there; its memory is left alone.
void forget_pool() {
  current.store(nullptr);
  forked.store(true);
}

// A job that a team of another library does.
struct TeamWork {
  const Pool::Job& job;
  std::ptrdiff_t count;
  std::atomic<std::ptrdiff_t> next{0};
  std::atomic<int> workers{0};
  std::mutex mutex;
  std::exception_ptr error;

  void join() noexcept {
    const FlushDenormals flush;
    const int worker = workers++;
    for (std::ptrdiff_t index = next++; index < count; index = next++) {
      try {
        job(index, worker);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(mutex);
        if (!error) error = std::current_exception();
        next = count;
      }
    }
  }
};

// Waits for a little while without sleeping, because putting a thread to sleep and waking it takes as long: so steps of
// training that follow each other at once find their helpers awake. Nobody waits so for longer than this.
template <class Ready>
void watch(Ready&& ready) {
  constexpr std::chrono::microseconds kPatience(50);
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!ready() && std::chrono::steady_clock::now() < end) {
#if defined(__x86_64__)
    for (int i = 0; i < 8 && !ready(); ++i) _mm_pause();
#endif
  }
}

}  // namespace

Pool& Pool::instance() {
  static std::mutex making;
#if defined(__unix__) || defined(__APPLE__)
  static const int registered = pthread_atfork([] { making.lock(); }, [] { making.unlock(); },
                                               [] {
                                                 forget_pool();
                                                 making.unlock();
                                               });
  (void)registered;
#endif
  const std::lock_guard<std::mutex> lock(making);
  Pool* pool = current.load();
  if (pool == nullptr) {
    pool = new Pool;  // lives as long as the process: helpers may still be asleep in it at exit
    current.store(pool);
  }
  return *pool;
}

Pool::~Pool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
}

int Pool::grow(int helpers) {
  while (static_cast<int>(helpers_.size()) < helpers) {
    const int worker = static_cast<int>(helpers_.size()) + 1;
    try {
      helpers_.emplace_back([this, worker] { serve(worker); });
    } catch (const std::system_error&) {
      return worker - 1;  // the system gives no more threads: fewer do the same work
    }
  }
  return helpers;
}

void Pool::run_with(Team team, int threads, std::ptrdiff_t count, const Job& job) {
  Pool& pool = instance();  // whoever forks from now on is noticed
  const std::ptrdiff_t useful = threads < count ? threads : count;
  if (team == nullptr || useful <= 1 || forked) return pool.run(threads, count, job);
  TeamWork work{job, count, {}, {}, {}, {}};
  team([](void* data) { static_cast<TeamWork*>(data)->join(); }, &work, static_cast<unsigned>(useful), 0);
  if (work.error) std::rethrow_exception(work.error);
}

void Pool::run(int threads, std::ptrdiff_t count, const Job& job) {
  const std::ptrdiff_t useful = threads < count ? threads : count;
  std::unique_lock<std::mutex> caller(callers_, std::defer_lock);
  if (useful <= 1 || !caller.try_lock()) {
    const FlushDenormals flush;
    for (std::ptrdiff_t i = 0; i < count; ++i) job(i, 0);
    return;
  }
  const int helpers = grow(static_cast<int>(useful) - 1);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    job_ = &job;
    next_ = 0;
    count_ = count;
    error_ = nullptr;
    wanted_ = helpers;
    ++generation_;
  }
  wake_.notify_all();
  work(0);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    wanted_ = 0;  // whoever has not begun by now need not: nothing is left to do
  }
  watch([this] { return running_ == 0; });
  std::unique_lock<std::mutex> lock(mutex_);
  done_.wait(lock, [this] { return running_ == 0; });
  job_ = nullptr;
  if (error_) std::rethrow_exception(error_);
}

void Pool::work(int worker) noexcept {
  const FlushDenormals flush;
  while (true) {
    std::ptrdiff_t index = 0;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (next_ == count_) return;
      index = next_++;
    }
    try {
      (*job_)(index, worker);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!error_) error_ = std::current_exception();
      next_ = count_;
    }
  }
}

void Pool::serve(int worker) {
  unsigned long seen = 0;
  while (true) {
    watch([&] { return generation_ != seen; });
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || (generation_ != seen && worker <= wanted_); });
      if (stopping_) return;
      seen = generation_;
      ++running_;
    }
    work(worker);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      --running_;
    }
    done_.notify_one();
  }
}

#if defined(__x86_64__)
FlushDenormals::FlushDenormals() : saved_(_mm_getcsr()) { _mm_setcsr(static_cast<unsigned>(saved_) | 0x8040U); }
FlushDenormals::~FlushDenormals() { _mm_setcsr(static_cast<unsigned>(saved_)); }
#elif defined(__aarch64__)
FlushDenormals::FlushDenormals() {
  asm volatile("mrs %0, fpcr" : "=r"(saved_));
  asm volatile("msr fpcr, %0" : : "r"(saved_ | (1UL << 24)));
}
FlushDenormals::~FlushDenormals() { asm volatile("msr fpcr, %0" : : "r"(saved_)); }
#else
FlushDenormals::FlushDenormals() : saved_(0) {}
FlushDenormals::~FlushDenormals() = default;
#endif

}  // namespace unrolled
