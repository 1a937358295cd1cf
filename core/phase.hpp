// Where the time goes, in a build made to tell (CMake option UNROLLED_PHASES); in every other, nothing is left of it.
//
// Knows: the names of the phases, a clock. Must not know: what is done in them. Meant for one thread.
#pragma once

#ifdef UNROLLED_PHASES
#include <chrono>
#endif

namespace unrolled {

enum class Phase : int {
  gather,
  input_product,
  recurrent_product,
  gates,
  backward_gates,
  state_gradients,
  weight_gradients,
  head,
  optimizer,
  pack,
};
inline constexpr const char* kPhaseNames[] = {
    "gather",          "input product",    "recurrent product", "gates",     "backward gates",
    "state gradients", "weight gradients", "head and loss",     "optimizer", "pack"};
inline constexpr int kPhaseCount = 10;

#ifdef UNROLLED_PHASES
inline double phase_seconds[kPhaseCount];

// Adds the time until its end, or until the next phase begins, to a phase.
class PhaseTimer {
 public:
  explicit PhaseTimer(Phase phase) : phase_(phase), began_(Clock::now()) {}
  ~PhaseTimer() { add(Clock::now()); }
  PhaseTimer(const PhaseTimer&) = delete;
  PhaseTimer& operator=(const PhaseTimer&) = delete;

  void next(Phase phase) {
    const Clock::time_point now = Clock::now();
    add(now);
    phase_ = phase;
    began_ = now;
  }

 private:
  using Clock = std::chrono::steady_clock;
  void add(Clock::time_point now) {
    phase_seconds[static_cast<int>(phase_)] += std::chrono::duration<double>(now - began_).count();
  }
  Phase phase_;
  Clock::time_point began_;
};
#else
class PhaseTimer {
 public:
  explicit PhaseTimer(Phase /*phase*/) {}
  ~PhaseTimer() {}
  void next(Phase /*phase*/) {}
};
#endif

}  // namespace unrolled
