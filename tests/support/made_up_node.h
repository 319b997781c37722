// A node state that a test makes up, to see a checker of the simulator object to it.
#pragma once

#include <plurix/sim/checkers/node_state.h>
#include <plurix/sim/checkers/violation.h>

#include <string>
#include <vector>

#include "support/frame_builder.h"

namespace plurix::testing {

/// A member of four pages, all absent and zero. The state points into it: it does not move.
class MadeUpNode {
 public:
  static constexpr std::uint32_t kPages = 4;

  explicit MadeUpNode(NodeId self, std::uint64_t applied = 0)
      : states_(kPages, PageState::kAbsent), bytes_(std::size_t{kPages} * kPageSize) {
    state.self = self;
    state.incarnation = 100u + self;
    state.epoch = 1;
    state.member = true;
    state.in_service = true;
    state.applied = {applied};
    state.pages = states_;
    state.frames = bytes_.data();
  }
  MadeUpNode(const MadeUpNode&) = delete;
  MadeUpNode& operator=(const MadeUpNode&) = delete;

  MadeUpNode& has(PageIndex page, PageState how, unsigned char contents = 0) {
    states_[page] = how;
    bytes_[std::size_t{page} * kPageSize + 7] = std::byte{contents};
    return *this;
  }

  sim::NodeState state;

 private:
  std::vector<PageState> states_;
  std::vector<std::byte> bytes_;
};

/// The head of a commit packet; `record_of` adds the pages it names.
inline wire::RecordHeader packet_header(std::uint64_t time, NodeId writer, std::uint16_t index = 0,
                                        std::uint16_t count = 1) {
  wire::RecordHeader header;
  header.time = {time};
  header.writer = writer;
  header.index = index;
  header.count = count;
  return header;
}

/// What a checker said about what `check` showed it; empty if it was content.
template <class Check>
std::string objection(Check check) {
  try {
    check();
  } catch (const sim::Violation& violation) {
    return violation.what();
  }
  return {};
}

}  // namespace plurix::testing
