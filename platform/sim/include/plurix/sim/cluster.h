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

#include <plurix/base/bounded_vector.h>
#include <plurix/checkpoint/page_server.h>
#include <plurix/checkpoint/policies.h>
#include <plurix/commit/fair.h>
#include <plurix/node.h>
#include <plurix/sim/checkers/durable_commits.h>
#include <plurix/sim/checkers/image_contents.h>
#include <plurix/sim/cluster_checker.h>
#include <plurix/sim/machine.h>
#include <plurix/sim/memory_block_store.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

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
  bool page_server = false;  ///< node 0 watches the others and opens new epochs
  /// Node 0 takes an image so often, on a disk that is lost with nothing but what was not flushed;
  /// 0: never.
  Duration image_interval;
  bool shared_cable = false;  ///< node 0, if it is the PageServer, hears what the others say
};

/// An epoch that began, from which commit time, and when.
struct EpochStart {
  Epoch epoch = 0;
  CommitTime start;
  Instant at;
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
        checker_(options.heap_pages, &network_),
        image_checker_({.pages = options.heap_pages}),
        disk_(mix(options.seed, 2) | 1) {
    network_.set_faults(options.faults);
    if (options.shared_cable) network_.share_cable();
    for (std::size_t i = 0; i < options.nodes; ++i) {
      hosts_.push_back(std::make_unique<Host>(*this, i, strategy));
      checker_.add(hosts_.back()->node->protocol());
    }
  }

  /// Runs `program(node, index)` on every node to its end, then the liveness phase. Throws
  /// Violation when an invariant does not hold, and what a program throws. On a node that crashes
  /// the program is started again in its next life.
  template <class Program>
  void run(Program program) {
    program_ = [program](NodeType& node, std::size_t index) mutable { program(node, index); };
    for (auto& host : hosts_) start(*host);
    const auto limit = scheduler_.now() + options_.time_limit;
    advance_until([this] { return all(&Host::finished); }, limit, "its programs end");
    network_.set_faults({});
    phase_ = Phase::kLiveness;
    const auto bound = scheduler_.now() + options_.liveness_bound;
    advance_until([this] { return all(&Host::proved_alive); }, bound,
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
    if (leaving_ != nullptr || core.peers == 0) return *host.node;
    const bool page_server = options_.page_server && index == 0;
    if (page_server && !(takes_images() && everybody_is_well())) return *host.node;
    leaving_ = &host;
    page_server_away_ = page_server;
    leave(host);
    if (!page_server) leaving_ = nullptr;
    ++rejoins_;
    add(past_counters_, host.node->protocol().core().counters);
    host.be_born(*this);
    checker_.replace(index, host.node->protocol());
    page_server ? come_back(host) : join(host);
    return *host.node;
  }
  std::uint64_t rejoins() const { return rejoins_; }

  /// The programs have ended: from now on nothing goes wrong any more.
  bool faults_are_over() const { return phase_ != Phase::kPrograms; }
  /// Node `index` crashes now, memory and all, and starts again after `down`; only while programs
  /// run, and only if `page_server`, who crashes itself only if it takes images: its disk keeps
  /// what was flushed. Nobody else crashes where the PageServer has left, until it is back: what
  /// died with him would be gone for good. Not from inside a program.
  void crash(std::size_t index, Duration down) {
    auto& host = *hosts_[index];
    const bool can_come_back = index > 0 || takes_images();
    if (phase_ != Phase::kPrograms || !options_.page_server || !can_come_back ||
        (page_server_away_ && index > 0) || !host.machine.on()) {
      return;
    }
    ++crashes_;
    if (index == 0) disk_.crash();
    // The PageServer is on its way until it is back.
    if (leaving_ == &host && index > 0) leaving_ = nullptr;
    if (on_crash_) on_crash_(*host.node, index);
    host.machine.kill();
    checker_.remove(index);
    add(past_counters_, host.node->protocol().core().counters);
    scheduler_.after(down, [this, &host] {
      host.be_born(*this);
      checker_.replace(host.index, host.node->protocol());
      start(host);
    });
  }
  std::uint64_t crashes() const { return crashes_; }

  bool takes_images() const { return options_.image_interval.ns > 0; }
  const ImageContentsChecker& image_checker() const { return image_checker_; }
  MemoryBlockStore& disk() { return disk_; }

  /// From the program of node `index`, between transactions: the PageServer's part.
  void tick(std::size_t index) {
    auto& images = hosts_[index]->images;
    if (!images) return;
    const auto stored = images->counters().images;
    images->tick();
    if (images->counters().images != stored) check_image(*hosts_[index]->store);
  }

  /// Called with a node that is about to crash, and its index.
  void on_crash(std::function<void(const NodeType&, std::size_t)> handler) {
    on_crash_ = std::move(handler);
  }

  /// Every epoch but the first.
  const std::vector<EpochStart>& epochs() const { return epochs_; }

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

  using Store = checkpoint::ImageStore<MemoryBlockStore>;
  using Images = checkpoint::PageServer<NodeType, MemoryBlockStore, checkpoint::Asynchronous>;
  /// A disk of a simulated cluster fails for a while, not for good.
  static constexpr int kDiskTries = 64;
  /// Longer than anybody is kept from answering by faults.
  static constexpr Duration kSilence = milliseconds(200);

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
        machine.after_each_slice([&cluster, number] { cluster.check_after(number); });
      }
    }

    /// A new life of the node: another incarnation, empty memory, the same address.
    void be_born(Cluster& cluster) {
      images.reset();
      node.reset();
      store.reset();
      faults.erase();
      port = SimTransport(machine);
      transport.emplace(port);
      config = cluster.config_for(index + kMaxNodes * lives++);
      if (has_disk(cluster)) open_disk(cluster.disk_);
      storage.assign(ProtocolCore::storage_needed(config.core), std::byte{0});
      node.emplace(config, faults, *transport, clock, trace, storage, strategy);
      const auto interval = cluster.options_.image_interval;
      if (store) images.emplace(*node, *store, schedule_of(interval));
    }

    bool has_disk(const Cluster& cluster) const { return index == 0 && cluster.takes_images(); }

    static checkpoint::Asynchronous schedule_of(Duration interval) {
      return {{.interval = interval, .idle = interval}};
    }

    void open_disk(MemoryBlockStore& disk) {
      const checkpoint::Identity nobody;
      try_often([&] {
        store.emplace(disk, checkpoint::StoreOptions{.segment_blocks = 8, .keep_images = 3});
        return store->open(&nobody);
      });
    }

    bool was_used() const { return store->identity().incarnation != 0; }

    Machine machine;
    SoftwareFaultSource faults;
    SimTransport port;
    std::optional<Net> transport;
    SimClock clock;
    DigestTraceSink trace;
    std::size_t index;
    Strategy strategy;
    std::size_t lives = 0;
    bool finished = false;      ///< its program has ended
    bool proved_alive = false;  ///< it has committed in the liveness phase
    NodeConfig config;
    std::vector<std::byte> storage;
    std::optional<Store> store;  ///< node 0's, if it takes images
    std::optional<NodeType> node;
    std::optional<Images> images;
  };

  NodeConfig config_for(std::size_t index) const {
    auto config = options_.node;
    config.core.geometry.pages = options_.heap_pages;
    if (config.core.shadow_pages > options_.heap_pages) {
      config.core.shadow_pages = options_.heap_pages;
    }
    if (config.core.pre_images > options_.heap_pages) config.core.pre_images = options_.heap_pages;
    config.core.cluster_name_hash = std::uint64_t{0x73696d} << 32;
    config.core.incarnation = static_cast<std::uint32_t>(mix(options_.seed, index + 7));
    config.core.page_server = options_.page_server && index % kMaxNodes == 0;
    return config;
  }

  void start(Host& host) {
    host.machine.start([this, &host] { live(host); });
  }

  void found(Host& host) {
    if (!host.images) return host.node->found();
    if (!host.was_used()) {
      host.node->found();
      return try_often([&] { return host.images->start(); });
    }
    if (host.images->has_left() && finds_those_it_left(host)) {
      return try_often([&] { return host.images->rejoin(); });
    }
    try_often([&] { return host.images->resume(); });
  }

  bool finds_those_it_left(Host& host) {
    const auto until = host.node->now() + options_.time_limit;
    event::StoredCluster stored;
    try_often([&] { return host.images->prepare_rejoin(stored); });
    if (host.node->rejoin(stored, seeds_of(host).view(), kSilence, until)) return true;
    if (host.node->now() >= until) throw Violation(stuck("the PageServer has joined again"));
    (void)host.node->leave(until);
    return false;
  }

  void leave(Host& host) {
    const auto until = host.node->now() + options_.time_limit;
    if (host.images) {
      try_often([&] { return host.images->leave(until); });
    } else {
      (void)host.node->leave(until);
    }
    if (host.node->protocol().core().member) {
      throw Violation(stuck("node " + std::to_string(host.index) + " has left"));
    }
  }

  /// All are in service in one epoch, and know each other as they are now.
  bool everybody_is_well() const {
    const auto knows = [](const CoreContext& core, const CoreContext& other) {
      return core.is_member[other.self] && core.incarnation_of[other.self] == other.incarnation;
    };
    for (const auto& host : hosts_) {
      const auto& core = host->node->protocol().core();
      if (!host->machine.on() || !core.in_service()) return false;
      for (const auto& peer : hosts_) {
        const auto& other = peer->node->protocol().core();
        if (other.epoch != core.epoch || !knows(core, other)) return false;
      }
    }
    return true;
  }

  /// Until nothing is returned in words. None are kept over the next try, in which the machine may
  /// crash: its stack is left as it is then.
  template <class Action>
  static void try_often(Action action) {
    for (int i = 1;; ++i) {
      const std::string words = action();
      if (words.empty()) return;
      if (i == kDiskTries) throw Violation("C2: " + words);
    }
  }

  /// The newest image against what the owners had.
  void check_image(Store& store) {
    std::map<PageIndex, std::uint64_t> digests;
    const auto& image = *store.newest();
    try_often([&] {
      return store.read_image(image, [&](PageIndex page, checkpoint::ConstBlock block) {
        digests[page] = ImageContentsChecker::digest_of(block);
      });
    });
    const auto time = image.commit_time();
    image_checker_.check_image(time, checker_.last_writes(time), digests);
  }

  void live(Host& host) {
    host.index == 0 ? come_back(host) : join(host);
    program_(*host.node, host.index);
    host.finished = true;
    serve_while(host, Phase::kPrograms);
    host.node->run([](Transaction& t) { ++t.root<std::uint64_t>("liveness").mut()[0]; });
    host.proved_alive = true;
    serve_while(host, Phase::kLiveness);
  }

  void come_back(Host& host) {
    found(host);
    if (page_server_away_) leaving_ = nullptr;
    page_server_away_ = false;
  }

  bool all(bool Host::* flag) const {
    return std::all_of(hosts_.begin(), hosts_.end(),
                       [flag](const auto& host) { return (*host).*flag; });
  }

  void check_after(std::size_t index) {
    const auto epoch = checker_.epoch();
    checker_.check_after(index);
    const auto& core = hosts_[index]->node->protocol().core();
    const bool began = checker_.epoch() != epoch && checker_.epoch() != 1;
    if (began) on_epoch(core);
    if (core.epoch != checker_.epoch() || !takes_images()) return;
    durable_checker_.learn(core);
    image_checker_.check_after(hosts_[index]->node->protocol());
  }

  void on_epoch(const CoreContext& core) {
    image_checker_.undo_after(core.epoch_start);
    durable_checker_.check_start(core.epoch, core.epoch_start);
    epochs_.push_back({core.epoch, core.epoch_start, scheduler_.now()});
  }

  /// Not on the heap: who crashes never returns from where it is needed.
  BoundedVector<Endpoint, kMaxNodes> seeds_of(const Host& host) const {
    BoundedVector<Endpoint, kMaxNodes> seeds;
    for (const auto& other : hosts_) {
      if (other.get() != &host) (void)seeds.push(other->transport->local_endpoint());
    }
    return seeds;
  }

  void join(Host& host) {
    const auto seeds = seeds_of(host);
    if (!host.node->join(seeds.view(), false, host.node->now() + options_.time_limit)) {
      throw Violation(stuck("node " + std::to_string(host.index) + " has joined"));
    }
  }

  void serve_while(Host& host, Phase phase) {
    const auto slice = host.images ? microseconds(200) : milliseconds(5);
    while (phase_ == phase) {
      host.node->serve(host.node->now() + slice);
      tick(host.index);
    }
  }

  bool at_rest() const {
    for (const auto& host : hosts_) {
      const auto& protocol = host->node->protocol();
      if (protocol.core().applied != checker_.newest() || !protocol.core().in_service() ||
          protocol.core().epoch != checker_.epoch() || protocol.recovery().busy()) {
        return false;
      }
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
               (protocol.core().resyncing ? ", resynchronizing" : "") + ", epoch " +
               std::to_string(protocol.core().epoch) +
               (protocol.core().page_server != kNoNode
                    ? ", PageServer " + std::to_string(protocol.core().page_server)
                    : "") +
               (protocol.core().frozen() ? ", frozen" : "") +
               (protocol.core().cut_off ? ", cut off" : "") +
               (protocol.core().member ? "" : ", no member") +
               (protocol.recovery().busy() ? ", recovering" : "") +
               (host->machine.done() ? ", done" : "") + ", " + host->machine.state_name();
    }
    return words;
  }

  const ClusterOptions options_;
  Scheduler scheduler_;
  Network network_;
  RunTrace trace_;
  ClusterChecker checker_;
  ImageContentsChecker image_checker_;
  DurableCommitsChecker durable_checker_;
  MemoryBlockStore disk_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::function<void(NodeType&, std::size_t)> program_;
  std::function<void(const NodeType&, std::size_t)> on_crash_;
  std::vector<EpochStart> epochs_;
  const Host* leaving_ = nullptr;
  bool page_server_away_ = false;  ///< on its own wish, and with the others in service
  std::uint64_t rejoins_ = 0;
  std::uint64_t crashes_ = 0;
  CoreCounters past_counters_;
  Phase phase_ = Phase::kPrograms;
};

}  // namespace plurix::sim
