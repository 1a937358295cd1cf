// The pool: every index once, exceptions reach the caller, many callers at once, denormal numbers come back.
#include "pool.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "check.hpp"

using unrolled::Pool;

namespace {

// A team as OpenMP keeps one, in threads that live as long as the call.
void call_team(void (*body)(void*), void* data, unsigned threads, unsigned /*flags*/) {
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threads; ++i) others.emplace_back(body, data);
  body(data);
  for (std::thread& other : others) other.join();
}

// Runs a job over `count` indices and checks that each came once, from a worker that no one else was at that time.
void check_run(int threads, std::ptrdiff_t count, Pool::Team team = nullptr) {
  std::vector<std::atomic<int>> seen(static_cast<std::size_t>(count));
  std::vector<std::atomic<bool>> busy(static_cast<std::size_t>(std::max(threads, 1)));
  std::atomic<int> wrong{0};
  Pool::run_with(team, threads, count, [&](std::ptrdiff_t index, int worker) {
    if (worker < 0 || worker >= threads || busy[static_cast<std::size_t>(worker)].exchange(true)) ++wrong;
    ++seen[static_cast<std::size_t>(index)];
    if (index % 7 == 0) std::this_thread::yield();
    busy[static_cast<std::size_t>(worker)] = false;
  });
  CHECK(wrong == 0);
  CHECK(std::all_of(seen.begin(), seen.end(), [](const std::atomic<int>& one) { return one == 1; }));
}

TEST(every_index_once) {
  for (const int threads : {1, 2, 3, 7, 16}) {
    for (const std::ptrdiff_t count : {0, 1, 2, 3, 8, 100, 1000}) check_run(threads, count);
  }
  for (int i = 0; i < 500; ++i) check_run(1 + i % 5, 1 + i % 9);
}

TEST(every_index_once_on_a_team) {
  for (const int threads : {1, 2, 3, 7}) {
    for (const std::ptrdiff_t count : {0, 1, 2, 8, 100}) check_run(threads, count, call_team);
  }
}

TEST(exceptions_of_a_team_reach_the_caller) {
  for (int i = 0; i < 50; ++i) {
    std::string what;
    try {
      Pool::run_with(call_team, 4, 50, [&](std::ptrdiff_t index, int) {
        if (index == i) throw std::runtime_error("at " + std::to_string(index));
      });
    } catch (const std::runtime_error& error) {
      what = error.what();
    }
    CHECK(what == "at " + std::to_string(i));
  }
}

TEST(exceptions_reach_the_caller) {
  for (int i = 0; i < 200; ++i) {
    for (const int threads : {1, 4}) {
      std::atomic<int> done{0};
      std::string what;
      try {
        Pool::instance().run(threads, 50, [&](std::ptrdiff_t index, int) {
          if (index == i % 50) throw std::runtime_error("at " + std::to_string(index));
          ++done;
        });
      } catch (const std::runtime_error& error) {
        what = error.what();
      }
      CHECK(what == "at " + std::to_string(i % 50));
      CHECK(done < 50);
    }
    check_run(4, 20);
  }
}

TEST(after_an_exception_no_further_index_begins) {
  std::atomic<int> done{0};
  bool caught = false;
  try {
    Pool::instance().run(4, 2000, [&](std::ptrdiff_t index, int) {
      if (index == 0) throw std::runtime_error("the first");
      std::this_thread::sleep_for(std::chrono::microseconds(50));
      ++done;
    });
  } catch (const std::runtime_error&) {
    caught = true;
  }
  CHECK(caught);
  CHECK(done < 1000);
}

TEST(all_may_throw) {
  for (int i = 0; i < 100; ++i) {
    bool caught = false;
    try {
      Pool::instance().run(4, 40, [](std::ptrdiff_t, int) { throw std::bad_alloc(); });
    } catch (const std::bad_alloc&) {
      caught = true;
    }
    CHECK(caught);
  }
}

TEST(many_callers) {
  std::atomic<long> total{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 6; ++caller) {
    callers.emplace_back([&total, caller] {
      for (int i = 0; i < 200; ++i) {
        try {
          Pool::instance().run(3, 10, [&](std::ptrdiff_t index, int worker) {
            if (worker >= 3) std::abort();
            total += index;
            if (caller == 0 && index == 9) throw std::runtime_error("one of them");
          });
        } catch (const std::runtime_error&) {
          if (caller != 0) std::abort();
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(total == 6 * 200 * 45);
}

TEST(a_pool_of_its_own_ends) {
  for (int i = 0; i < 20; ++i) {
    Pool pool;
    std::atomic<int> sum{0};
    pool.run(4, 10, [&](std::ptrdiff_t index, int) { sum += static_cast<int>(index); });
    CHECK(sum == 45);
  }
}

// In a function of its own, so that it is computed when it is called.
__attribute__((noinline)) double halved(volatile double x) { return x / 2; }

TEST(denormal_numbers) {
  constexpr double kTiny = std::numeric_limits<double>::min();
  CHECK(halved(kTiny) > 0);
  {
    const unrolled::FlushDenormals flush;
#if defined(__x86_64__) || defined(__aarch64__)
    CHECK(halved(kTiny) == 0);
#endif
  }
  CHECK(halved(kTiny) > 0);
  try {
    Pool::instance().run(2, 4, [](std::ptrdiff_t, int) { throw std::runtime_error(""); });
  } catch (const std::runtime_error&) {
  }
  CHECK(halved(kTiny) > 0);
}

}  // namespace
