// Chooses, once, the instruction set whose kernels run: the best this machine has, or the one UNROLLED_ISA names.
//
// Knows: which sets were built (CMake defines UNROLLED_HAS_...). Must not know: what the kernels do.
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "kernels.hpp"

namespace unrolled {

#define UNROLLED_DECLARE(set)         \
  namespace set {                     \
  const Kernels<float>& table_f32();  \
  const Kernels<double>& table_f64(); \
  }

#ifdef UNROLLED_HAS_AVX512
UNROLLED_DECLARE(avx512)
#endif
#ifdef UNROLLED_HAS_AVX2
UNROLLED_DECLARE(avx2)
#endif
UNROLLED_DECLARE(baseline)

namespace {

struct Set {
  const char* name;
  bool runs;
  const Kernels<float>& (*f32)();
  const Kernels<double>& (*f64)();
};

const Set* sets(int& count) {
  static const Set all[] = {
#ifdef UNROLLED_HAS_AVX512
      {"avx512",
       __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw"),
       avx512::table_f32, avx512::table_f64},
#endif
#ifdef UNROLLED_HAS_AVX2
      {"avx2", __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"), avx2::table_f32, avx2::table_f64},
#endif
      {"baseline", true, baseline::table_f32, baseline::table_f64},
  };
  count = static_cast<int>(sizeof all / sizeof all[0]);
  return all;
}

const Set& choose() {
  int count = 0;
  const Set* all = sets(count);
  const char* wanted = std::getenv("UNROLLED_ISA");
  for (int i = 0; i < count; ++i) {
    if (!all[i].runs) continue;
    if (wanted == nullptr || *wanted == '\0' || std::strcmp(wanted, all[i].name) == 0) return all[i];
  }
  std::string message = "UNROLLED_ISA names an instruction set that this machine or this build does not have.\n";
  message += "  expected: one of";
  const IsaList list = available_isas();
  for (int i = 0; i < list.count; ++i) message += std::string(i > 0 ? ", " : " ") + list.names[i];
  message += std::string("\n  got: ") + wanted + "\n  try: unset UNROLLED_ISA";
  throw std::invalid_argument(message);
}

const Set& chosen() {
  static const Set& set = choose();
  return set;
}

}  // namespace

template <>
const Kernels<float>& kernels<float>() {
  return chosen().f32();
}

template <>
const Kernels<double>& kernels<double>() {
  return chosen().f64();
}

IsaList available_isas() {
  IsaList list{};
  int count = 0;
  const Set* all = sets(count);
  for (int i = 0; i < count; ++i) {
    if (all[i].runs) list.names[list.count++] = all[i].name;
  }
  return list;
}

}  // namespace unrolled
