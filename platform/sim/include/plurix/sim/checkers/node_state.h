// What the checkers look at in a node: plain values, so that a test can make up a state that no
// correct node would ever be in.
#pragma once

#include <plurix/dsm/protocol.h>

#include <span>

namespace plurix::sim {

struct NodeState {
  NodeId self = kNoNode;
  std::uint32_t incarnation = 0;
  Epoch epoch = 0;
  ClusterId cluster = 0;
  bool member = false;
  bool frozen = false;      ///< takes nothing of its epoch any more
  bool in_service = false;  ///< a member that is not resynchronizing
  CommitTime applied;
  bool holds_token = false;
  std::uint32_t token_number = 0;  ///< of the newest grant it has seen
  std::span<const PageState> pages;
  const std::byte* frames = nullptr;  ///< of all pages

  bool owns(PageIndex page) const { return pages[page] == PageState::kOwned; }
  Bytes frame(PageIndex page) const { return {frames + std::size_t{page} * kPageSize, kPageSize}; }
};

/// The state of a real node; it changes with the node's next step.
NodeState observe(const ProtocolCore& node);

}  // namespace plurix::sim
