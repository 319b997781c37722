// Hosted nodes for benchmarks: a cluster of its own for each measurement, found by a name nobody
// else uses.
#pragma once

#include "support/orders.h"
#include "support/process.h"

#include <plurix/posix/node.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace plurix::bench {

/// A name no other run uses.
std::string fresh_cluster();

/// Options of a node of `cluster`; the founder does not ask around first.
posix::NodeOptions node_options(const std::string& cluster, bool founds,
                                posix::FaultSourceKind source = posix::FaultSourceKind::kAuto);

/// The fault sources this machine permits.
std::vector<posix::FaultSourceKind> fault_sources();

/// Serves the others until `done()`. Throws when that takes longer than any order can.
template <class NodeType, class Done>
void serve_until(NodeType& node, Done done) {
  const auto limit = node.now() + milliseconds(30'000);
  while (!done()) {
    if (node.now() > limit) throw std::runtime_error("a process of this benchmark does not answer");
    node.serve(node.now() + microseconds(50));
  }
}

/// Gives an order and serves until all peers have carried it out.
template <class NodeType>
void order(NodeType& node, Orders& orders, int peers, int what, std::int64_t argument = 0) {
  orders.give(what, argument);
  serve_until(node, [&] { return orders.done(peers); });
}

/// A load and a store that the compiler keeps.
inline void touch(const std::uint64_t& word) noexcept {
  (void)*static_cast<const volatile std::uint64_t*>(&word);
}
inline void write(std::uint64_t& word) noexcept {
  *static_cast<volatile std::uint64_t*>(&word) = 1;
}

/// Pages of the heap that are touched one by one.
template <std::size_t kCount>
struct Pages {
  struct alignas(kPageSize) Page {
    std::uint64_t word;
  };
  Page page[kCount];
};

}  // namespace plurix::bench
