#include <plurix/sim/checkers/at_rest.h>
#include <plurix/sim/checkers/violation.h>

#include <cstring>

namespace plurix::sim {
namespace {

void check_copies_of(const NodeState& owner, PageIndex page, std::span<const NodeState> nodes) {
  for (const auto& node : nodes) {
    if (!node.member || node.pages[page] == PageState::kAbsent) continue;
    if (std::memcmp(node.frame(page).data(), owner.frame(page).data(), kPageSize) == 0) continue;
    throw Violation("T1: the copy of page " + std::to_string(page) + " on " + name_of(node.self) +
                    " differs from what its owner, " + name_of(owner.self) + ", has");
  }
}

}  // namespace

void check_all_applied(std::span<const NodeState> nodes, CommitTime newest) {
  for (const auto& node : nodes) {
    if (!node.member || node.applied == newest) continue;
    throw Violation("P4: " + name_of(node.self) + " rests at commit time " +
                    to_string(node.applied) + "; the newest is " + to_string(newest));
  }
}

void check_equal_copies(std::span<const NodeState> nodes) {
  for (const auto& owner : nodes) {
    if (!owner.member) continue;
    for (PageIndex page = 0; page < owner.pages.size(); ++page) {
      if (owner.owns(page)) check_copies_of(owner, page, nodes);
    }
  }
}

}  // namespace plurix::sim
