#include <plurix/history/graph.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <plurix/history/dependency_edges.h>
#include <plurix/history/explain.h>

namespace plurix::history {
namespace {

struct Label {
  Why why = Why::kInner;
  Key key = 0;
};

struct Step {
  AttemptId from;
  AttemptId to;
  Label label;
};

Digraph graph_of(const DependencyEdges& edges) {
  Digraph graph(edges.node_count());
  edges.each([&](Node from, Node, Why, Key) { graph.count(from); });
  graph.counted();
  edges.each([&](Node from, Node to, Why, Key) { graph.add(from, to); });
  return graph;
}

// Which edges the cycle goes through. All edges are made once more: labels are needed too rarely to
// be kept.
std::map<std::pair<Node, Node>, Label> labels_of(const DependencyEdges& edges,
                                                 const std::vector<Node>& cycle) {
  std::map<std::pair<Node, Node>, Label> labels;
  for (std::size_t i = 0; i < cycle.size(); ++i) labels[{cycle[i], cycle[(i + 1) % cycle.size()]}];
  edges.each([&](Node from, Node to, Why why, Key key) {
    const auto found = labels.find({from, to});
    if (found != labels.end()) found->second = {why, key};
  });
  return labels;
}

// From transaction to transaction; the label of a way through inner nodes is that of its first
// edge.
std::vector<Step> steps_of(const DependencyEdges& edges, std::vector<Node> cycle) {
  const auto labels = labels_of(edges, cycle);
  const auto is_real = [&](Node node) { return node < edges.first_inner(); };
  std::rotate(cycle.begin(), std::find_if(cycle.begin(), cycle.end(), is_real), cycle.end());
  std::vector<Step> steps;
  for (std::size_t i = 0; i < cycle.size(); ++i) {
    if (!is_real(cycle[i])) continue;
    const Label label = labels.at({cycle[i], cycle[(i + 1) % cycle.size()]});
    std::size_t next = i + 1;
    while (next < cycle.size() && !is_real(cycle[next])) ++next;
    const Node to = cycle[next % cycle.size()];
    steps.push_back({edges.attempt_at(cycle[i]), edges.attempt_at(to), label});
  }
  return steps;
}

std::string words_of(const Index& index, const Step& step) {
  const std::string from = name_of(index.attempt(step.from));
  const std::string to = name_of(index.attempt(step.to));
  const std::string key(index.key_name(step.label.key));
  switch (step.label.why) {
    case Why::kReadFrom:
      return to + " read " + key + " as " + from + " left it";
    case Why::kOverwritten:
      return from + " read " + key + " as it was before " + to + " changed it";
    case Why::kNextInList:
      return to + " appended to " + key + " behind " + from;
    case Why::kBlindlyLater:
      return from + " read " + key + " as it was before " + to +
             ", which began later than that version, changed it";
    case Why::kNotInList:
      return from + " read the list " + key + " without the append of " + to;
    case Why::kBehindLongest:
      return "no list of " + key + " shows the append of " + to + ", so it follows that of " + from;
    case Why::kEndedBefore:
      return from + " had ended before " + to + " began";
    case Why::kInner:
      break;
  }
  return from + " comes before " + to;
}

Violation explain(const Index& index, const std::vector<Step>& steps) {
  Violation violation{"dependency_cycle", "", {}};
  for (const Step& step : steps) {
    const bool unseen = step.label.why == Why::kNotInList || step.label.why == Why::kBehindLongest;
    if (unseen) violation.invariant = "lost_append";
    violation.words += (violation.attempts.empty() ? "" : "; ") + words_of(index, step);
    violation.attempts.push_back(step.from);
  }
  violation.words = "no serial order explains these " + std::to_string(steps.size()) +
                    " transactions: " + violation.words;
  return violation;
}

// Whose write a read saw last; kNobody if none or not known.
AttemptId newest_source(const VersionOrder& versions, const OutsideRead& read) {
  if (!versions.applicable(read.key)) return kNobody;
  if (!versions.is_list(read.key)) return versions.source_of(read).value_or(kNobody);
  const auto order = versions.list_order(read.key);
  return read.length == 0 || read.length > order.size() ? kNobody : order[read.length - 1];
}

Violation future_read(const Index& index, AttemptId reader, Key key, AttemptId writer) {
  const std::string read =
      name_of(index.attempt(reader)) + " read " + std::string(index.key_name(key)) + " as ";
  if (reader == writer) return {"dependency_cycle", read + "it left it itself, later on", {reader}};
  return {"dependency_cycle",
          read + name_of(index.attempt(writer)) + " left it, and had ended before that began",
          {reader, writer}};
}

void check_future_reads(const VersionOrder& versions, Findings& findings) {
  const Index& index = versions.index();
  for (const AttemptId reader : versions.participants()) {
    const std::int64_t end_ns = index.attempt(reader).end_ns;
    for (const OutsideRead& read : index.reads(reader)) {
      const AttemptId writer = newest_source(versions, read);
      const bool possible =
          writer != reader && (writer == kNobody || index.attempt(writer).begin_ns <= end_ns);
      if (possible) continue;
      findings.add([&] { return future_read(index, reader, read.key, writer); });
    }
  }
}

void check_own_writes(const VersionOrder& versions, Findings& findings) {
  const auto& all = versions.participants();  // sorted
  for (const OwnWriteLost& lost : versions.index().own_writes_lost()) {
    if (!std::binary_search(all.begin(), all.end(), lost.attempt)) continue;
    findings.add([&] { return own_write_violation(versions.index(), "own_write_lost", lost); });
  }
}

bool anything_applicable(const VersionOrder& versions) {
  for (Key key = 0; key < versions.index().key_count(); ++key) {
    if (versions.applicable(key)) return true;
  }
  return versions.index().key_count() == 0;
}

}  // namespace

Findings check_graph(const Timeline& timeline, std::size_t limit) {
  Findings findings(limit);
  const VersionOrder versions(timeline, findings);
  check_own_writes(versions, findings);
  if (!anything_applicable(versions)) return findings;
  check_future_reads(versions, findings);
  const DependencyEdges edges(versions);
  const Digraph graph = graph_of(edges);
  for (const auto& component : cyclic_components(graph)) {
    findings.add([&] {
      const auto cycle = short_cycle(graph, component, edges.first_inner());
      return explain(timeline.index(), steps_of(edges, cycle));
    });
  }
  return findings;
}

}  // namespace plurix::history
