// How a failed run explains itself: the smallest program and faults that still fail, the events as
// a lane a node, and a case file that replays it.
#pragma once

#include <plurix/sim/run.h>

#include <functional>

namespace plurix::sim {

/// Everything that determines a run.
struct Case {
  std::uint64_t seed = 1;
  std::string strategy = "fair";
  FaultSchedule faults;
  Program program;

  friend bool operator==(const Case&, const Case&) = default;
};

/// The case as text, and back. A case file is read by `plurix sim --case FILE`.
std::string to_string(const Case& c);
std::optional<Case> parse_case(std::string_view text);

/// Makes the case smaller as long as `fails` says that it still fails, with at most `tries` runs of
/// at most 1000 transactions; longer ones count for more.
Case shrink(Case c, const std::function<bool(const Case&)>& fails, int tries = 10000);

/// The newest events as text, a column a node, `lines` lines at most; what a node says over and
/// over while it waits is shown once, with how often.
std::string lanes(const RunTrace& trace, std::size_t nodes, std::size_t lines);

}  // namespace plurix::sim
