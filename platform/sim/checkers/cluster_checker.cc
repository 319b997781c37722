#include <plurix/sim/cluster_checker.h>

#include <cstring>

namespace plurix::sim {
namespace {

std::string text(CommitTime time) { return std::to_string(time.value); }

[[noreturn]] void fail(const std::string& words) { throw Violation(words); }

}  // namespace

void ClusterChecker::check_after(std::size_t index) {
  ++checks_;
  check_token();
  learn_records(index);
  check_owners(index);
}

void ClusterChecker::check_token() const {
  const Watched* holder = nullptr;
  for (const auto& node : nodes_) {
    if (!node.core->token().held()) continue;
    if (holder != nullptr) {
      fail("P1: two tokens: node " + std::to_string(holder->core->core().self) + " and node " +
           std::to_string(node.core->core().self) + " both hold it");
    }
    holder = &node;
  }
}

void ClusterChecker::learn_records(std::size_t index) {
  auto& node = nodes_[index];
  const auto& core = node.core->core();
  if (!core.in_service()) return;
  if (!node.joined) {
    // A founder's first record has time 1; a newcomer starts wherever its import ended.
    node.joined = true;
    node.seen = core.self == 0 && records_.empty() ? CommitTime{} : core.applied;
  }
  const auto& log = node.core->catch_up().log;
  for (auto time = node.seen + 1; time <= core.applied; time = time + 1) {
    if (log.has(time)) learn(index, time);  // skipped by a resynchronization otherwise
  }
  if (core.applied < node.seen) {
    fail("P3: node " + std::to_string(core.self) + " went back from " + text(node.seen) + " to " +
         text(core.applied));
  }
  node.seen = core.applied;
}

void ClusterChecker::learn(std::size_t index, CommitTime time) {
  std::byte bytes[wire::kSmallBody];
  const auto& log = nodes_[index].core->catch_up().log;
  const auto size = log.copy(time, bytes);
  Bytes rest{bytes, size};
  wire::RecordView record;
  if (!wire::read_record(rest, nodes_[index].core->directory().pages(), record)) {
    fail("P3: the record of commit time " + text(time) + " is malformed in a log");
  }
  const auto self = nodes_[index].core->core().self;
  if (time.value > records_.size()) {
    if (time.value != records_.size() + 1 || record.header.writer != self) {
      fail("P3: node " + std::to_string(self) + " applied commit time " + text(time) +
           " before anybody made it; the newest is " + text(newest()));
    }
    records_.push_back({self, {bytes, bytes + size}});
    if (record.header.kind != wire::RecordKind::kWrite &&
        record.header.kind != wire::RecordKind::kAdopt) {
      return;
    }
    for (std::size_t i = 0; i < record.header.words; ++i) {
      const auto page = record.word(i);
      if (owners_.size() <= page) owners_.resize(page + 1);
      owners_[page].emplace_back(time + (record.header.count - 1u - record.header.index), self);
    }
    return;
  }
  const auto& known = records_[time.value - 1];
  if (known.bytes.size() != size || std::memcmp(known.bytes.data(), bytes, size) != 0) {
    fail("P3: commit time " + text(time) + " is two different commits: node " +
         std::to_string(known.writer) + " made one, node " + std::to_string(self) + " has another");
  }
}

void ClusterChecker::check_owners(std::size_t index) const {
  const auto& node = *nodes_[index].core;
  const auto& core = node.core();
  if (!core.in_service()) return;
  for (PageIndex page = 0; page < owners_.size(); ++page) {
    if (owners_[page].empty() || node.directory().state(page) != PageState::kOwned) continue;
    NodeId owner = kNoNode;
    for (auto it = owners_[page].rbegin(); it != owners_[page].rend(); ++it) {
      if (it->first > core.applied) continue;
      owner = it->second;
      break;
    }
    if (owner != kNoNode && owner != core.self) {
      fail("P2: node " + std::to_string(core.self) + " owns page " + std::to_string(page) +
           " at commit time " + text(core.applied) + ", and so does node " + std::to_string(owner));
    }
  }
}

void ClusterChecker::check_at_rest() const {
  for (const auto& node : nodes_) {
    const auto& core = node.core->core();
    if (!core.member) continue;
    if (core.applied != newest()) {
      fail("P4: node " + std::to_string(core.self) + " rests at commit time " + text(core.applied) +
           "; the newest is " + text(newest()));
    }
    for (PageIndex page = 0; page < node.core->directory().pages(); ++page) {
      if (node.core->directory().state(page) == PageState::kAbsent) continue;
      for (const auto& other : nodes_) {
        const auto& directory = other.core->directory();
        if (!other.core->core().member || directory.state(page) != PageState::kOwned) continue;
        if (std::memcmp(directory.frame(page).data(), node.core->directory().frame(page).data(),
                        kPageSize) != 0) {
          fail("T1: the copy of page " + std::to_string(page) + " on node " +
               std::to_string(core.self) + " differs from what its owner, node " +
               std::to_string(other.core->core().self) + ", has");
        }
      }
    }
  }
}

}  // namespace plurix::sim
