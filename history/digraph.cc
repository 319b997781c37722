#include <plurix/history/digraph.h>

#include <algorithm>
#include <deque>
#include <unordered_map>

namespace plurix::history {
namespace {

constexpr std::uint32_t kUnvisited = 0;

// Tarjan's algorithm with its own stack: a chain of a million transactions must not end in a stack
// overflow.
class Components {
 public:
  explicit Components(const Digraph& graph)
      : graph_(graph), low_(graph.size(), kUnvisited), done_(graph.size()) {}

  std::vector<std::vector<Node>> find() {
    for (Node node = 0; node < graph_.size(); ++node) {
      if (low_[node] == kUnvisited) search_from(node);
    }
    return std::move(found_);
  }

 private:
  struct Frame {
    Node node;
    std::uint32_t number;
    std::uint32_t next_edge;
  };

  void search_from(Node root) {
    enter(root);
    while (!frames_.empty()) {
      Frame& frame = frames_.back();
      const auto successors = graph_.successors(frame.node);
      if (frame.next_edge == successors.size()) {
        leave(frame);
        continue;
      }
      const Node next = successors[frame.next_edge++];
      if (low_[next] == kUnvisited) {
        enter(next);
      } else if (!done_[next]) {
        low_[frame.node] = std::min(low_[frame.node], low_[next]);
      }
    }
  }

  void enter(Node node) {
    low_[node] = ++last_number_;
    frames_.push_back({node, last_number_, 0});
    open_.push_back(node);
  }

  void leave(Frame frame) {
    frames_.pop_back();
    if (!frames_.empty()) {
      Node parent = frames_.back().node;
      low_[parent] = std::min(low_[parent], low_[frame.node]);
    }
    if (low_[frame.node] == frame.number) close(frame.node);
  }

  void close(Node root) {
    const auto first = std::find(open_.rbegin(), open_.rend(), root).base() - 1;
    for (auto node = first; node != open_.end(); ++node) done_[*node] = true;
    if (open_.end() - first > 1) found_.emplace_back(first, open_.end());
    open_.erase(first, open_.end());
  }

  const Digraph& graph_;
  std::vector<std::uint32_t> low_;
  std::vector<bool> done_;
  std::vector<Frame> frames_;
  std::vector<Node> open_;
  std::uint32_t last_number_ = kUnvisited;
  std::vector<std::vector<Node>> found_;
};

// Searches by breadth, free nodes first, inside one component.
class CycleSearch {
 public:
  CycleSearch(const Digraph& graph, const std::vector<Node>& component, Node first_free)
      : graph_(graph), first_free_(first_free) {
    for (const Node node : component) reached_.emplace(node, Reached{});
  }

  struct Cycle {
    std::size_t cost = ~std::size_t{0};
    std::vector<Node> nodes;
  };

  Cycle through(Node start) {
    for (auto& [node, reached] : reached_) reached = {};
    std::deque<Node> queue{start};
    reached_.at(start).cost = cost_of(start);
    while (!queue.empty()) {
      const Node node = queue.front();
      queue.pop_front();
      if (visit(node, start, queue)) return {reached_.at(node).cost, path_to(node, start)};
    }
    return {};
  }

 private:
  static constexpr std::size_t kFar = ~std::size_t{0};
  struct Reached {
    std::size_t cost = kFar;
    Node from = 0;
    bool visited = false;
  };

  std::size_t cost_of(Node node) const { return node < first_free_ ? 1 : 0; }

  // True if an edge leads back to the start.
  bool visit(Node node, Node start, std::deque<Node>& queue) {
    Reached& here = reached_.at(node);
    if (here.visited) return false;
    here.visited = true;
    for (const Node next : graph_.successors(node)) {
      if (next == start) return true;
      const auto found = reached_.find(next);
      if (found == reached_.end()) continue;
      const std::size_t cost = here.cost + cost_of(next);
      if (cost >= found->second.cost) continue;
      found->second.cost = cost;
      found->second.from = node;
      cost_of(next) == 0 ? queue.push_front(next) : queue.push_back(next);
    }
    return false;
  }

  std::vector<Node> path_to(Node node, Node start) const {
    std::vector<Node> path{node};
    while (path.back() != start) path.push_back(reached_.at(path.back()).from);
    std::reverse(path.begin(), path.end());
    return path;
  }

  const Digraph& graph_;
  Node first_free_;
  std::unordered_map<Node, Reached> reached_;
};

}  // namespace

void Digraph::counted() {
  for (std::size_t i = 1; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
  to_.resize(begin_.back());
}

std::vector<std::vector<Node>> cyclic_components(const Digraph& graph) {
  return Components(graph).find();
}

std::vector<Node> short_cycle(const Digraph& graph, const std::vector<Node>& component,
                              Node first_free) {
  constexpr std::size_t kVisits =
      1'000'000;  // in all, so that one giant component cannot take minutes
  CycleSearch search(graph, component, first_free);
  const std::size_t tries =
      std::clamp<std::size_t>(kVisits / component.size(), 2, component.size());
  const std::size_t stride = component.size() / tries;
  CycleSearch::Cycle best;
  for (std::size_t i = 0; i < component.size(); i += stride) {
    CycleSearch::Cycle cycle = search.through(component[i]);
    if (cycle.cost < best.cost) best = std::move(cycle);
  }
  return best.nodes;
}

}  // namespace plurix::history
