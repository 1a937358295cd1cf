// Prints how many GFLOP/s register-only multiply-adds in float32 reach: `peak [THREADS]`.
//
// Compiled once per instruction set, with UNROLLED_BYTES and UNROLLED_SUMS saying how wide its registers are and how
// many of them hold sums: as many as leave room for the two factors, so that no sum waits for its own last update.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
typedef float Vec __attribute__((vector_size(UNROLLED_BYTES)));

constexpr long kLanes = UNROLLED_BYTES / sizeof(float);
constexpr long kSums = UNROLLED_SUMS;
constexpr long kRounds = 2'000'000;
constexpr int kTurns = 7;

// sum = sum * a + b tends to b / (1 - a): nothing overflows, and nothing becomes denormal. Every sum begins elsewhere
// and the factors are volatile, or the compiler would see through some of the work and leave it out.
template <std::size_t... I>
float multiply_add(long rounds, std::index_sequence<I...>) {
  volatile float a = 0.5f, b = 1.0f;
  const Vec factor = a - Vec{}, term = b - Vec{};
  Vec sums[kSums] = {(static_cast<float>(I) * term)...};
  for (long round = 0; round < rounds; ++round) ((sums[I] = sums[I] * factor + term), ...);
  Vec total = {};
  ((total += sums[I]), ...);
  return total[0];
}

// The threads start together; the last to finish counts.
double gflops(int threads) {
  std::atomic<int> waiting{threads};
  std::atomic<float> kept{0};
  std::vector<double> seconds(static_cast<std::size_t>(threads));
  std::vector<std::thread> running;
  for (double& own : seconds) {
    running.emplace_back([&] {
      --waiting;
      while (waiting > 0) std::this_thread::yield();
      const auto began = Clock::now();
      kept = multiply_add(kRounds, std::make_index_sequence<kSums>{});
      own = std::chrono::duration<double>(Clock::now() - began).count();
    });
  }
  for (auto& thread : running) thread.join();
  const double operations = 2.0 * kRounds * kSums * kLanes * threads;
  return operations / *std::max_element(seconds.begin(), seconds.end()) / 1e9;
}

}  // namespace

int main(int count, char** arguments) {
  const int threads = count > 1 ? std::max(1, std::atoi(arguments[1])) : 1;
  double best = 0;
  for (int turn = 0; turn < kTurns; ++turn) best = std::max(best, gflops(threads));
  std::printf("%.2f\n", best);
}
