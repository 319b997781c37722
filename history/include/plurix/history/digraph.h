// A compact directed graph: edges in one array, grouped by where they leave. Only what cycle search
// needs.
//
// It is built by running the same edge source twice: `count` every edge, then `add` every edge.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace plurix::history {

using Node = std::uint32_t;

class Digraph {
 public:
  explicit Digraph(std::size_t nodes) : begin_(nodes + 2) {}

  void count(Node from) { ++begin_[from + 2]; }
  void counted();  // between the last `count` and the first `add`
  void add(Node from, Node to) { to_[begin_[from + 1]++] = to; }

  std::size_t size() const { return begin_.size() - 2; }
  std::size_t edges() const { return to_.size(); }
  std::span<const Node> successors(Node node) const {
    return {to_.data() + begin_[node], to_.data() + begin_[node + 1]};
  }

 private:
  std::vector<std::uint64_t> begin_;
  std::vector<Node> to_;
};

// The strongly connected components of two or more nodes, in no particular order: every cycle lies
// in one of them.
std::vector<std::vector<Node>> cyclic_components(const Digraph& graph);

// A cycle inside one component (its nodes in order, the first not repeated). Nodes from
// `first_free` on cost nothing; of the starting points tried, the cycle with the fewest other nodes
// wins, and each try finds the shortest through its start.
std::vector<Node> short_cycle(const Digraph& graph, const std::vector<Node>& component,
                              Node first_free);

}  // namespace plurix::history
