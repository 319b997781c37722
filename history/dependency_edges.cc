#include <plurix/history/dependency_edges.h>

#include <algorithm>
#include <utility>

namespace plurix::history {

DependencyEdges::DependencyEdges(const VersionOrder& versions)
    : versions_(&versions), node_of_(versions.index().size()) {
  for (Node node = 0; node < first_inner(); ++node) node_of_[attempt_at(node)] = node;
  collect_ends();
  reserve_inner_nodes();
}

bool DependencyEdges::bound_by_real_time(Node node) const {
  const AttemptId id = attempt_at(node);
  return index().effect(id) != Effect::kReader || index().attempt(id).strict;
}

void DependencyEdges::collect_ends() {
  for (Node node = 0; node < first_inner(); ++node) {
    const std::int64_t end_ns = surely_done_ns(index().attempt(attempt_at(node)));
    if (bound_by_real_time(node) && end_ns != kNever) ends_.push_back({end_ns, node});
  }
  std::sort(ends_.begin(), ends_.end(), [](const End& a, const End& b) {
    return std::pair(a.end_ns, a.node) < std::pair(b.end_ns, b.node);
  });
}

void DependencyEdges::reserve_inner_nodes() {
  node_count_ = first_inner();
  for (Key key = 0; key < index().key_count(); ++key) {
    first_inner_of_.push_back(static_cast<Node>(node_count_));
    node_count_ += versions_->blind_writes(key).size();
    node_count_ += versions_->unseen(key).empty() ? 0 : 1;
  }
  first_end_ = node_count_;
  node_count_ += ends_.size();
}

std::size_t DependencyEdges::ends_before(std::int64_t begin_ns) const {
  const auto found =
      std::lower_bound(ends_.begin(), ends_.end(), begin_ns,
                       [](const End& end, std::int64_t wanted) { return end.end_ns < wanted; });
  return static_cast<std::size_t>(found - ends_.begin());
}

std::size_t DependencyEdges::first_blind_after(Key key, AttemptId writer) const {
  if (writer == kNobody) return 0;  // everything overwrites the initial value
  const auto blind = versions_->blind_writes(key);
  const std::int64_t done_ns = surely_done_ns(index().attempt(writer));
  const auto found = std::upper_bound(blind.begin(), blind.end(), done_ns,
                                      [](std::int64_t wanted, const VersionOrder::Blind& write) {
                                        return wanted < write.begin_ns;
                                      });
  return static_cast<std::size_t>(found - blind.begin());
}

bool DependencyEdges::is_unseen(Key key, Node node) const {
  const auto unseen = versions_->unseen(key);
  return std::binary_search(unseen.begin(), unseen.end(), attempt_at(node));
}

}  // namespace plurix::history
