// What every workload has in common. A workload is a class with
//
//   static constexpr std::string_view kName;
//   static std::string key_name(std::uint64_t key);                 of the history
//   template <class Node> void setup(Node&, Recorder&);             once, by one node; may be
//   repeated template <class Node> Status step(Node&, Recorder&, Prng&);     one transaction
//   template <class Node> Verification verify(Node&);               at the end, by one node
//
// and the same code runs on every kind of node.
#pragma once

#include <plurix/base/prng.h>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workloads/recorder.h"

namespace plurix::workloads {

/// What the heap shows at the end.
struct Verification {
  bool ok = false;
  std::string words;  ///< a sentence for people
  std::vector<std::pair<std::string, std::int64_t>> numbers;

  /// If `counts_effects`, what all nodes say they changed adds up to this (see
  /// Recorder::add_effects).
  bool counts_effects = false;
  std::uint64_t effects = 0;
};

/// A number nobody else writes: who, in which incarnation, and a running number.
class UniqueNumbers {
 public:
  std::int64_t next(std::uint32_t node, std::uint32_t incarnation) noexcept {
    const auto who = (std::uint64_t{incarnation} << 7) | (node & 0x7f);
    return static_cast<std::int64_t>((who << 24) | (++count_ & 0xff'ffff));
  }

 private:
  std::uint64_t count_ = 0;
};

/// Keeps a workload going when one transaction cannot: the verification fails in words.
inline Verification unread(std::string_view name, const char* reason) {
  return {.ok = false, .words = "the " + std::string(name) + " could not be read: " + reason};
}

}  // namespace plurix::workloads
