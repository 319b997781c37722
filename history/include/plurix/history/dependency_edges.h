// The edges of the dependency graph: "from must come before to in every serial order that explains
// the history".
//
// Nodes 0 … n-1 are the participants. After them come nodes that stand for no transaction and keep
// the number of edges near linear: a chain through the ends of transactions (real time), one chain
// through each register's blind writes in the order they began, and one node for each list's unseen
// appends.
//
// Real time binds updates and strict readers. Of a blind write only this is known: if it began
// after the writer of the version read had ended, it overwrote that version, so the reader comes
// before it.
#pragma once

#include <cstdint>
#include <vector>

#include <plurix/history/digraph.h>
#include <plurix/history/version_order.h>

namespace plurix::history {

enum class Why : std::uint8_t {
  kReadFrom,       // to read what from wrote
  kOverwritten,    // from read what to overwrote
  kNextInList,     // to appended behind from
  kBlindlyLater,   // from read a version whose writer had ended before to, a blind writer, began
  kNotInList,      // from read a list without to's append
  kBehindLongest,  // to's append is in no list, from's is the last of the longest
  kEndedBefore,    // from had ended before to began
  kInner           // inside a chain
};

class DependencyEdges {
 public:
  explicit DependencyEdges(const VersionOrder& versions);

  std::size_t node_count() const { return node_count_; }
  Node first_inner() const { return static_cast<Node>(versions_->participants().size()); }
  AttemptId attempt_at(Node node) const { return versions_->participants()[node]; }

  // Calls emit(from, to, why, key) for every edge, in the same order each time.
  template <typename Emit>
  void each(Emit&& emit) const {
    for (Node node = 0; node < first_inner(); ++node) {
      for (const OutsideRead& read : index().reads(attempt_at(node))) read_edges(node, read, emit);
    }
    for (Key key = 0; key < index().key_count(); ++key) key_edges(key, emit);
    real_time_edges(emit);
  }

 private:
  struct End {
    std::int64_t end_ns;
    Node node;
  };

  const Index& index() const { return versions_->index(); }
  Node node_of(AttemptId id) const { return node_of_[id]; }
  bool bound_by_real_time(Node node) const;
  void collect_ends();
  void reserve_inner_nodes();
  // How many of the sorted ends lie before `begin_ns`.
  std::size_t ends_before(std::int64_t begin_ns) const;

  template <typename Emit>
  static void edge(Node from, Node to, Why why, Key key, Emit&& emit) {
    if (from != to) emit(from, to, why, key);
  }

  template <typename Emit>
  void read_edges(Node node, const OutsideRead& read, Emit&& emit) const {
    if (!versions_->applicable(read.key)) return;
    versions_->is_list(read.key) ? list_read_edges(node, read, emit)
                                 : register_read_edges(node, read, emit);
  }

  template <typename Emit>
  void register_read_edges(Node node, const OutsideRead& read, Emit&& emit) const {
    const auto writer = versions_->source_of(read);
    if (!writer) return;
    if (*writer != kNobody) edge(node_of(*writer), node, Why::kReadFrom, read.key, emit);
    const AttemptId next =
        versions_->overwriter_of(read.key, *writer, static_cast<std::int64_t>(read.word));
    if (next != kNobody) edge(node, node_of(next), Why::kOverwritten, read.key, emit);
    const std::size_t later = first_blind_after(read.key, *writer);
    if (later < versions_->blind_writes(read.key).size()) {
      edge(node, static_cast<Node>(first_inner_of_[read.key] + later), Why::kBlindlyLater, read.key,
           emit);
    }
  }

  std::size_t first_blind_after(Key key, AttemptId writer) const;

  template <typename Emit>
  void list_read_edges(Node node, const OutsideRead& read, Emit&& emit) const {
    const auto order = versions_->list_order(read.key);
    if (read.length > order.size()) return;
    if (read.length > 0)
      edge(node_of(order[read.length - 1]), node, Why::kReadFrom, read.key, emit);
    if (read.length < order.size()) {
      edge(node, node_of(order[read.length]), Why::kOverwritten, read.key, emit);
    } else {
      unseen_edges(node, read.key, emit);
    }
  }

  // A reader that is itself among the unseen cannot take the common way, which would lead back to
  // it.
  template <typename Emit>
  void unseen_edges(Node node, Key key, Emit&& emit) const {
    constexpr std::size_t kDirect =
        64;  // more are left out: an edge too few hides a cycle, never invents one
    const auto unseen = versions_->unseen(key);
    if (unseen.empty()) return;
    if (!is_unseen(key, node)) {
      edge(node, first_inner_of_[key], Why::kNotInList, key, emit);
      return;
    }
    for (std::size_t i = 0; i < unseen.size() && i < kDirect; ++i) {
      edge(node, node_of(unseen[i]), Why::kNotInList, key, emit);
    }
  }

  bool is_unseen(Key key, Node node) const;

  template <typename Emit>
  void key_edges(Key key, Emit&& emit) const {
    if (!versions_->applicable(key)) return;
    const Node inner = first_inner_of_[key];
    const auto blind = versions_->blind_writes(key);
    for (std::size_t i = 0; i < blind.size(); ++i) {
      const auto here = static_cast<Node>(inner + i);
      edge(here, node_of(blind[i].writer), Why::kInner, key, emit);
      if (i + 1 < blind.size()) edge(here, here + 1, Why::kInner, key, emit);
    }
    const auto order = versions_->list_order(key);
    for (std::size_t i = 1; i < order.size(); ++i) {
      edge(node_of(order[i - 1]), node_of(order[i]), Why::kNextInList, key, emit);
    }
    const auto unseen = versions_->unseen(key);
    for (const AttemptId writer : unseen) edge(inner, node_of(writer), Why::kInner, key, emit);
    const bool half_seen = !order.empty() && is_unseen(key, node_of(order.back()));
    if (!order.empty() && !unseen.empty() && !half_seen) {
      edge(node_of(order.back()), inner, Why::kBehindLongest, key, emit);
    }
  }

  template <typename Emit>
  void real_time_edges(Emit&& emit) const {
    for (std::size_t i = 0; i < ends_.size(); ++i) {
      const auto here = static_cast<Node>(first_end_ + i);
      edge(ends_[i].node, here, Why::kEndedBefore, 0, emit);
      if (i + 1 < ends_.size()) edge(here, here + 1, Why::kInner, 0, emit);
    }
    for (Node node = 0; node < first_inner(); ++node) {
      if (!bound_by_real_time(node)) continue;
      const std::size_t before = ends_before(index().attempt(attempt_at(node)).begin_ns);
      if (before > 0) edge(static_cast<Node>(first_end_ + before - 1), node, Why::kInner, 0, emit);
    }
  }

  const VersionOrder* versions_;
  std::vector<Node> node_of_;
  std::vector<Node> first_inner_of_;  // of each key
  std::vector<End> ends_;             // sorted
  std::size_t first_end_ = 0;
  std::size_t node_count_ = 0;
};

}  // namespace plurix::history
