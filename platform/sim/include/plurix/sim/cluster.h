// A whole cluster in one process, from one seed: the real core on simulated machines. Programs are
// written against the node as in every other world; the run is deterministic to the last event.
//
//   sim::Cluster<Fair> cluster({.nodes = 5, .seed = 42});
//   cluster.run([](auto& node, std::size_t index) { node.run([&](Transaction& t) { … }); });
//
// Node 0 founds the cluster, the others join it through node 0. When every program has returned,
// faults are switched off and every node must commit once more within `liveness_bound` (the
// liveness phase), then the cluster must come to rest with equal copies everywhere.
#pragma once

#include <plurix/commit/fair.h>
#include <plurix/node.h>
#include <plurix/sim/cluster_checker.h>
#include <plurix/sim/machine.h>

#include <memory>
#include <optional>

namespace plurix::sim {

/// Adds up counters field by field.
void add(CoreCounters& sum, const CoreCounters& more);
void add(NetworkCounters& sum, const NetworkCounters& more);

struct ClusterOptions {
  std::size_t nodes = 3;
  std::uint64_t seed = 1;
  std::uint32_t heap_pages = 64;
  LinkFaults faults;
  NodeConfig node;  ///< sizes and intervals; geometry and names are set here
  Duration time_limit = milliseconds(600'000);  ///< simulated; a run that takes longer is stuck
  Duration liveness_bound = milliseconds(5'000);
  bool check_every_slice = true;
};

/// No wrapper around the simulated network.
template <class Inner>
using Bare = Inner;

/// `Wrapper<SimTransport>` is a transport constructed from a SimTransport&, which outlives it.
template <CommitStrategy Strategy = Fair, template <class> class Wrapper = Bare>
class Cluster {
 public:
  using Net = Wrapper<SimTransport>;
  using NodeType = plurix::Node<SoftwareFaultSource, Net, Strategy, SimClock, DigestTraceSink>;

  explicit Cluster(const ClusterOptions& options, Strategy strategy = {})
      : options_(options),
        network_(scheduler_, mix(options.seed, 1)),
        checker_(options.heap_pages, &network_) {
    network_.set_faults(options.faults);
    for (std::size_t i = 0; i < options.nodes; ++i) {
      hosts_.push_back(std::make_unique<Host>(*this, i, strategy));
      checker_.add(hosts_.back()->node->protocol());
    }
  }

  /// Runs `program(node, index)` on every node to its end, then the liveness phase. Throws
  /// Violation when an invariant does not hold, and what a program throws.
  template <class Program>
  void run(Program program) {
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      hosts_[i]->machine.start([this, i, program] { live(*hosts_[i], i, program); });
    }
    const auto limit = scheduler_.now() + options_.time_limit;
    advance_until([this] { return finished_ == hosts_.size(); }, limit, "its programs end");
    network_.set_faults({});
    phase_ = Phase::kLiveness;
    const auto bound = scheduler_.now() + options_.liveness_bound;
    advance_until([this] { return alive_ == hosts_.size(); }, bound,
                  "every node has committed once more without faults");
    advance_until([this] { return at_rest(); }, bound, "every node has applied everything");
    checker_.check_at_rest();
    phase_ = Phase::kOver;
    advance_until([this] { return over(); }, bound, "every node has stopped");
  }

  /// From the program of node `index`: leaves the cluster and joins it again with empty memory.
  /// Returns the new node; does nothing when the node is alone or another one is leaving, because
  /// the last member takes the heap with it.
  NodeType& rejoin(std::size_t index) {
    auto& host = *hosts_[index];
    const auto& core = host.node->protocol().core();
    if (leaving_ || core.peers == 0) return *host.node;
    leaving_ = true;
    if (!host.node->leave(host.node->now() + options_.time_limit)) {
      throw Violation(stuck("node " + std::to_string(index) + " has left"));
    }
    leaving_ = false;
    ++rejoins_;
    add(past_counters_, host.node->protocol().core().counters);
    host.be_born(*this);
    checker_.replace(index, host.node->protocol());
    join(host);
    return *host.node;
  }
  std::uint64_t rejoins() const { return rejoins_; }

  /// The programs have ended: from now on nothing goes wrong any more.
  bool faults_are_over() const { return phase_ != Phase::kPrograms; }

  /// Of all nodes in all their lives.
  CoreCounters counters() const {
    auto sum = past_counters_;
    for (const auto& host : hosts_) add(sum, host->node->protocol().core().counters);
    return sum;
  }

  NodeType& node(std::size_t index) { return *hosts_[index]->node; }
  Machine& machine(std::size_t index) { return hosts_[index]->machine; }
  std::size_t size() const { return hosts_.size(); }
  Network& network() { return network_; }
  Scheduler& scheduler() { return scheduler_; }
  const ClusterChecker& checker() const { return checker_; }

  /// Equal for equal runs: every event of every node is in it.
  std::uint64_t digest() const { return trace_.digest; }

  /// The digest, and the newest events if `keep` was set before the run.
  RunTrace& trace() { return trace_; }

 private:
  enum class Phase : std::uint8_t { kPrograms, kLiveness, kOver };

  struct Host {
    Host(Cluster& cluster, std::size_t number, Strategy policy)
        : machine(cluster.scheduler_, cluster.network_, mix(cluster.options_.seed, number + 100)),
          faults(machine, cluster.options_.heap_pages),
          port(machine),
          clock(machine),
          trace(cluster.trace_, cluster.scheduler_),
          index(number),
          strategy(policy) {
      be_born(cluster);
      machine.on_interrupt([this] { (void)node->on_interrupt(false); });
      if (cluster.options_.check_every_slice) {
        machine.after_each_slice([&cluster, number] { cluster.checker_.check_after(number); });
      }
    }

    /// A new life of the node: another incarnation, empty memory, the same address.
    void be_born(Cluster& cluster) {
      node.reset();
      faults.erase();
      port = SimTransport(machine);
      transport.emplace(port);
      config = cluster.config_for(index + kMaxNodes * lives++);
      storage.assign(ProtocolCore::storage_needed(config.core), std::byte{0});
      node.emplace(config, faults, *transport, clock, trace, storage, strategy);
    }

    Machine machine;
    SoftwareFaultSource faults;
    SimTransport port;
    std::optional<Net> transport;
    SimClock clock;
    DigestTraceSink trace;
    std::size_t index;
    Strategy strategy;
    std::size_t lives = 0;
    NodeConfig config;
    std::vector<std::byte> storage;
    std::optional<NodeType> node;
  };

  NodeConfig config_for(std::size_t index) const {
    auto config = options_.node;
    config.core.geometry.pages = options_.heap_pages;
    if (config.core.shadow_pages > options_.heap_pages) {
      config.core.shadow_pages = options_.heap_pages;
    }
    config.core.cluster_name_hash = std::uint64_t{0x73696d} << 32;
    config.core.incarnation = static_cast<std::uint32_t>(mix(options_.seed, index + 7));
    return config;
  }

  template <class Program>
  void live(Host& host, std::size_t index, Program& program) {
    if (index == 0) {
      host.node->found();
    } else {
      join(host);
    }
    program(*host.node, index);
    ++finished_;
    serve_while(host, Phase::kPrograms);
    host.node->run([](Transaction& t) { ++t.root<std::uint64_t>("liveness").mut()[0]; });
    ++alive_;
    serve_while(host, Phase::kLiveness);
  }

  void join(Host& host) {
    std::vector<Endpoint> seeds;
    for (const auto& other : hosts_) {
      if (other.get() != &host) seeds.push_back(other->transport->local_endpoint());
    }
    if (!host.node->join(seeds, false, host.node->now() + options_.time_limit)) {
      throw Violation(stuck("node " + std::to_string(host.index) + " has joined"));
    }
  }

  void serve_while(Host& host, Phase phase) {
    while (phase_ == phase) host.node->serve(host.node->now() + milliseconds(5));
  }

  bool at_rest() const {
    for (const auto& host : hosts_) {
      if (host->node->commit_time() != checker_.newest()) return false;
    }
    return true;
  }

  bool over() const {
    for (const auto& host : hosts_) {
      if (!host->machine.done()) return false;
    }
    return true;
  }

  template <class Done>
  void advance_until(Done done, Instant limit, const char* awaited) {
    while (!done()) {
      if (scheduler_.now() > limit) throw Violation(stuck(awaited));
      if (!scheduler_.advance()) throw Violation(stuck(awaited));
    }
  }

  std::string stuck(const std::string& awaited) const {
    std::string words = "progress: the cluster waits in vain until ";
    words += awaited;
    for (const auto& host : hosts_) {
      const auto& protocol = host->node->protocol();
      words += "\n  node " + std::to_string(protocol.core().self) + ": commit time " +
               std::to_string(protocol.core().applied.value) +
               (protocol.token().held() ? ", holds the token" : "") +
               (protocol.token().wanted() ? ", wants the token" : "") +
               (protocol.attempt().active() ? ", in an attempt" : "") +
               (protocol.catch_up().behind()
                    ? ", behind " + std::to_string(protocol.catch_up().known().value)
                    : "") +
               (protocol.core().resyncing ? ", resynchronizing" : "") +
               (host->machine.done() ? ", done" : "") + ", " + host->machine.state_name();
    }
    return words;
  }

  const ClusterOptions options_;
  Scheduler scheduler_;
  Network network_;
  RunTrace trace_;
  ClusterChecker checker_;
  std::vector<std::unique_ptr<Host>> hosts_;
  bool leaving_ = false;
  std::uint64_t rejoins_ = 0;
  CoreCounters past_counters_;
  std::size_t finished_ = 0;
  std::size_t alive_ = 0;
  Phase phase_ = Phase::kPrograms;
};

}  // namespace plurix::sim
