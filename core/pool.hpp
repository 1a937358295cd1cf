// The threads of the core: one pool for the process, asleep between jobs that are not close together.
//
// Knows: how to run the same function on many indices. Must not know: what the function does.
//
// Which thread runs which index is left to chance, so a result must depend on the index alone; then it is the same
// for any number of threads. A pool that is busy with another caller's job lets the new caller do its own work, so
// many Python threads never wait for each other here. After fork() the child starts a pool of its own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace unrolled {

class Pool {
 public:
  using Job = std::function<void(std::ptrdiff_t index, int worker)>;

  // The pool of this process.
  static Pool& instance();

  // Threads that another library keeps: calls body(data) on each of so many, the caller among them, and returns when
  // all are done. This is GOMP_parallel of GCC's OpenMP, by which PyTorch and others work in parallel.
  using Team = void (*)(void (*body)(void*), void* data, unsigned threads, unsigned flags);

  // The same as run(), on a team where one is given: where its threads wait in a loop for more work, as those of OpenMP
  // do for a while, helpers of ours would have to share processors with them. After fork() a team is not asked.
  static void run_with(Team team, int threads, std::ptrdiff_t count, const Job& job);

  // Calls job(index, worker) once for every index in [0, count), on at most `threads` threads, the caller among them.
  // worker is in [0, threads) and no two threads share one. The first exception is thrown again here.
  void run(int threads, std::ptrdiff_t count, const Job& job);

  ~Pool();

 private:
  int grow(int helpers);  // returns how many there are, at most those asked for
  void serve(int worker);
  void work(int worker) noexcept;

  std::mutex callers_;  // held by the caller whose job is running
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  std::vector<std::thread> helpers_;
  const Job* job_ = nullptr;
  std::ptrdiff_t next_ = 0;
  std::ptrdiff_t count_ = 0;
  int wanted_ = 0;               // helpers that may take part in the job
  std::atomic<int> running_{0};  // helpers that do
  std::atomic<unsigned long> generation_{0};
  std::exception_ptr error_;
  bool stopping_ = false;
};

// Treats denormal numbers as zero while it lives (they cost a hundred times a normal operation), then restores.
class FlushDenormals {
 public:
  FlushDenormals();
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  unsigned long saved_;
};

}  // namespace unrolled
