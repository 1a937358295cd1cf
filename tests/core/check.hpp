// A very small test frame: TEST makes a case, CHECK and near() compare, main() runs all of one file.
//
// One file is one program; its exit status is 0 (all passed), 1 (not), or 77 (this machine does not have the
// instruction set that UNROLLED_ISA names, which ctest calls skipped).
#pragma once

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <random>
#include <string>
#include <vector>

#include "kernels.hpp"

namespace test {

inline int failures = 0;
inline std::string context;  // what is being tested, for the message

inline void fail(const char* file, int line, const std::string& message) {
  ++failures;
  if (failures <= 20) std::printf("%s:%d: %s  [%s]\n", file, line, message.c_str(), context.c_str());
}

#define CHECK(condition) ((condition) ? void() : test::fail(__FILE__, __LINE__, #condition))

// |got - want| <= tolerance; never where either is NaN.
#define NEAR(got, want, tolerance) test::near(__FILE__, __LINE__, #got, (got), (want), (tolerance))

inline void near(const char* file, int line, const char* what, long double got, long double want,
                 long double tolerance) {
  if (std::fabs(got - want) <= tolerance) return;
  char numbers[160];
  std::snprintf(numbers, sizeof numbers, " is %.17Lg, not %.17Lg within %.3Lg", got, want, tolerance);
  fail(file, line, what + std::string(numbers));
}

struct Case {
  const char* name;
  void (*run)();
};

inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}

struct Register {
  Register(const char* name, void (*run)()) { cases().push_back({name, run}); }
};

#define TEST(name)                                  \
  static void name();                               \
  static const test::Register name##_(#name, name); \
  static void name()

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  template <class T>
  std::vector<T> numbers(unrolled::Index count, double size = 1) {
    std::uniform_real_distribution<double> uniform(-size, size);
    std::vector<T> all(static_cast<std::size_t>(count));
    for (T& one : all) one = static_cast<T>(uniform(engine_));
    return all;
  }

 private:
  std::mt19937_64 engine_;
};

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

inline bool machine_has(const char* isa) {
  const unrolled::IsaList list = unrolled::available_isas();
  for (int i = 0; i < list.count; ++i) {
    if (std::strcmp(list.names[i], isa) == 0) return true;
  }
  return false;
}

}  // namespace test

int main() {
  const char* isa = std::getenv("UNROLLED_ISA");
  if (isa != nullptr && !test::machine_has(isa)) {
    std::printf("this machine does not have %s\n", isa);
    return 77;
  }
  for (const test::Case& one : test::cases()) {
    test::context = one.name;
    const int before = test::failures;
    try {
      one.run();
    } catch (const std::exception& error) {
      test::fail(one.name, 0, error.what());
    }
    std::printf("%s %s\n", test::failures == before ? "passed" : "FAILED", one.name);
    std::fflush(stdout);  // what passed is known even if the next one crashes
  }
  std::printf("%s: %d failures\n", unrolled::kernels<float>().name, test::failures);
  return test::failures == 0 ? 0 : 1;
}
