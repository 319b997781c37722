#include <plurix/sim/cluster_checker.h>

#include <plurix/sim/checkers/at_rest.h>
#include <plurix/sim/checkers/bounded_memory.h>
#include <plurix/sim/checkers/whole_commits.h>
#include <plurix/sim/network.h>

namespace plurix::sim {
namespace {

bool looks_like_a_grant(Bytes frame) {
  const auto at = offsetof(wire::FrameHeader, type);
  return frame.size() > at &&
         frame[at] == std::byte{static_cast<std::uint8_t>(wire::MessageType::kTokenGrant)};
}

}  // namespace

ClusterChecker::ClusterChecker(std::uint32_t heap_pages, Network* network)
    : network_(network), commits_(heap_pages) {
  if (network_ != nullptr) network_->watch(looks_like_a_grant);
}

void ClusterChecker::check_after(std::size_t index) {
  ++checks_;
  auto& node = nodes_[index];
  check_token();
  follow_epoch(node);
  // Who has not heard that the cluster went on without it lives in a past that is over.
  if (node.core->core().epoch != epoch_) return;
  learn_records(node);
  const auto state = observe(*node.core);
  check_whole_commits(commits_, state);
  owners_.check(state);
}

void ClusterChecker::check_token() {
  grants_.clear();
  if (network_ != nullptr) {
    network_->for_each_watched([this](Bytes frame) {
      if (const auto grant = read_grant(frame)) grants_.push_back(*grant);
    });
  }
  check_one_token(observe_all(), grants_);
}

void ClusterChecker::follow_epoch(Watched& node) {
  const auto& core = node.core->core();
  if (core.incarnation != node.incarnation) node = born(*node.core);  // it has joined anew
  if (core.epoch > epoch_) {
    epoch_ = core.epoch;
    const bool founded = node.epoch == 0;
    const bool from_image = founded || core.counters.rollbacks != node.rollbacks;
    commits_.undo_after(core.epoch_start);
    owners_.undo_after(core.epoch_start);
    if (from_image) owners_.go_back_to(core.epoch_start, core.page_server);
    if (founded) {
      node.joined = true;
      node.seen = core.epoch_start;
    }
  }
  node.rollbacks = core.counters.rollbacks;
  if (core.epoch == node.epoch) return;
  node.epoch = core.epoch;
  if (core.epoch_start < node.seen) node.seen = core.epoch_start;
}

void ClusterChecker::learn_records(Watched& node) {
  const auto& core = node.core->core();
  if (!core.member || core.resyncing) return;
  if (!node.joined) {
    node.joined = true;
    node.seen = core.applied;  // a newcomer starts wherever its import ended
  }
  commits_.check_forward(core.self, node.seen, core.applied);
  if (core.applied == node.seen) return;
  const auto& log = node.core->catch_up().log;
  for (auto time = node.seen + 1; time <= core.applied; time = time + 1) {
    if (log.has(time)) learn(*node.core, time);  // skipped by a resynchronization otherwise
  }
  node.seen = core.applied;
  check_bounded(core.self, usage_of(*node.core));
}

void ClusterChecker::learn(const ProtocolCore& node, CommitTime time) {
  std::byte bytes[wire::kSmallBody];
  const auto size = node.catch_up().log.copy(time, bytes);
  const auto before = newest();
  const auto* learned = commits_.learn(node.core().self, time, Bytes{bytes, size});
  if (learned == nullptr) return;
  check_packets_follow(before == CommitTime{} ? nullptr : &commits_.at(before), *learned);
  owners_.learn(*learned);
}

std::span<const NodeState> ClusterChecker::observe_all() {
  states_.clear();
  for (const auto& node : nodes_) {
    if (node.alive) states_.push_back(observe(*node.core));
  }
  return states_;
}

void ClusterChecker::check_at_rest() {
  const auto nodes = observe_all();
  check_all_applied(nodes, newest());
  check_equal_copies(nodes);
  owners_.check_nothing_lost(nodes);
}

}  // namespace plurix::sim
