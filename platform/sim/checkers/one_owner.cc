#include <plurix/sim/checkers/one_owner.h>

#include <algorithm>

namespace plurix::sim {

void OwnerChecker::learn(const CommittedRecord& record) {
  using wire::RecordKind;
  const auto& header = record.header;
  const bool assigned = header.kind == RecordKind::kAssign;
  if (header.kind != RecordKind::kWrite && header.kind != RecordKind::kAdopt && !assigned) return;
  const auto owner = assigned ? static_cast<NodeId>(record.word(0)) : header.writer;
  for (std::size_t i = assigned ? 1 : 0; i < header.words; ++i) {
    const auto page = record.word(i);
    if (owners_.size() <= page) owners_.resize(page + 1);
    owners_[page].emplace_back(record.end_of_commit(), owner);
  }
}

void OwnerChecker::undo_after(CommitTime time) {
  for (auto& changes : owners_) {
    while (!changes.empty() && changes.back().first > time) changes.pop_back();
  }
}

void OwnerChecker::go_back_to(CommitTime time, NodeId page_server) {
  undo_after(time);
  for (auto& changes : owners_) {
    if (!changes.empty()) changes.emplace_back(time, page_server);
  }
}

NodeId OwnerChecker::owner_at(PageIndex page, CommitTime time) const {
  const auto& changes = owners_[page];
  const auto now = std::find_if(changes.rbegin(), changes.rend(),
                                [&](const Ownership& since) { return since.first <= time; });
  return now == changes.rend() ? kNoNode : now->second;
}

void OwnerChecker::check(const NodeState& node) const {
  if (!node.in_service) return;
  for (PageIndex page = 0; page < owners_.size(); ++page) {
    if (owners_[page].empty() || !node.owns(page)) continue;
    const auto owner = owner_at(page, node.applied);
    if (owner == kNoNode || owner == node.self) continue;
    throw Violation("P2: " + name_of(node.self) + " owns page " + std::to_string(page) +
                    " at commit time " + to_string(node.applied) + ", and so does " +
                    name_of(owner));
  }
}

void OwnerChecker::check_nothing_lost(std::span<const NodeState> nodes) const {
  for (PageIndex page = 0; page < owners_.size(); ++page) {
    if (owners_[page].empty()) continue;
    const bool owned = std::any_of(nodes.begin(), nodes.end(), [&](const NodeState& node) {
      return node.member && node.owns(page);
    });
    if (owned) continue;
    const auto& [since, owner] = owners_[page].back();
    throw Violation("P2: nobody owns page " + std::to_string(page) + ", which has been " +
                    name_of(owner) + "'s since commit time " + to_string(since));
  }
}

}  // namespace plurix::sim
