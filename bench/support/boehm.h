// Boehm's collector to compare with, where it is installed. It runs in a process of its own,
// because it looks for pointers in everything that a process has, and protects pages when it is
// incremental.
#pragma once

namespace plurix::bench {

bool has_boehm();

struct BoehmResult {
  double ns_each = 0;           ///< of the garbage, in whole collections
  double longest_pause_us = 0;  ///< that an allocation or a collection took
};

/// `live` linked objects of the size of ours stay; `garbage` more, in rings, are dropped and
/// collected.
BoehmResult run_boehm(bool incremental, int live, int garbage);

}  // namespace plurix::bench
