// The hosted node: what an application on Linux writes against.
//
//   plurix::posix::Node here{{.cluster = "demo"}};
//   here.run([&](plurix::Transaction& t) { t.root<Counter>("visits").mut()->value++; });
//
// The constructor joins the cluster of that name or founds it, the destructor hands over what the
// node owns and leaves. In between the node belongs to the thread that constructed it: while that
// thread computes, or sleeps in a system call, signals let the node answer the others.
#pragma once

#include <plurix/commit/fair.h>
#include <plurix/posix/background_collector.h>
#include <plurix/posix/hosted_machine.h>
#include <plurix/posix/udp_link.h>
#include <plurix/posix/watched_transport.h>

#include <algorithm>
#include <memory>
#include <type_traits>
#include <utility>

namespace plurix::posix {

/// `Way` makes the transport from the options: UdpLink, SegmentLink. `Wrapper` is a transport over
/// that one, made from a reference to it and the constructor's further arguments: faults for tests,
/// a trace.
template <CommitStrategy Strategy = Fair, class Trace = NullTraceSink,
          template <class> class Wrapper = Unwrapped, Link Way = UdpLink>
class BasicNode {
 public:
  using Net = WatchedTransport<Wrapper<typename Way::Net>>;
  using Core = plurix::Node<HostedFaultSource, Net, Strategy, MonotonicClock, Trace>;

  /// Returns as a member of the cluster. Throws NotReachable, JoinRefused, EnvironmentError,
  /// std::invalid_argument (options), and what the link throws: udp::SetupError (the address cannot
  /// be bound).
  template <class... WrapperArguments>
  explicit BasicNode(const NodeOptions& options, WrapperArguments&&... wrapper_arguments)
      : machine_(options),
        link_(Way::open(machine_.options)),
        net_(machine_.interrupt, *link_, std::forward<WrapperArguments>(wrapper_arguments)...),
        core_(machine_.config, machine_.faults, net_, machine_.clock, trace_,
              machine_.storage.bytes()) {
    machine_.faults.on_restart(
        {[](void* self) noexcept { static_cast<BasicNode*>(self)->core_.restart(); }, this});
    link_->set_sleep_mask(machine_.sleep_mask());
    machine_.interrupt.attach(link_->fd(), on_interrupt, this);
    enter();
    if (machine_.options.collect) collector_ = std::make_unique<BackgroundCollector<Core>>(core_);
  }

  ~BasicNode() {
    if (machine_.options.leave_timeout.ns > 0) (void)leave(leave_deadline());
    machine_.interrupt.detach();
  }
  BasicNode(const BasicNode&) = delete;
  BasicNode& operator=(const BasicNode&) = delete;

  /// Runs `body(Transaction&)` until it commits and returns its value. Throws Stopped, Misuse,
  /// OutOfMemory (not even the collector finds room), and what the body throws; in each case
  /// nothing of the transaction has happened.
  template <class Body>
  auto run(Body&& body) {
    if (!collector_ || core_.protocol().attempt().active()) return core_.run(body);
    if constexpr (std::is_void_v<std::invoke_result_t<Body&, Transaction&>>) {
      run_or_make_room(body);
      collector_->after_transaction();
    } else {
      auto value = run_or_make_room(body);
      collector_->after_transaction();
      return value;
    }
  }

  /// Runs `body` until it commits or refuses; returns the outcome. See plurix::Node.
  template <class Body>
  auto try_run(Body&& body) {
    if (!collector_) return core_.try_run(body);
    auto outcome = try_run_or_collect(body);
    if (outcome.out_of_memory() && collector_->make_room()) outcome = try_run_or_collect(body);
    collector_->after_transaction();
    return outcome;
  }

  /// Runs `body` as a transaction that writes nothing.
  template <class Body>
  auto read_only(Freshness freshness, Body&& body) {
    auto outcome = core_.read_only(freshness, std::forward<Body>(body));
    if (collector_) collector_->after_transaction();
    return outcome;
  }

  /// Waits until the commit at `time` of `epoch` (an Outcome's) is in an image of the PageServer,
  /// so that nothing that happens to the cluster can undo it.
  Durability wait_durable(CommitTime time, Epoch epoch, Instant until = kNever) noexcept {
    return core_.wait_durable(time, epoch, until);
  }

  Endpoint local_endpoint() const noexcept { return core_.local_endpoint(); }

  // For the PageServer (checkpoint::PageServer): see plurix::Node.
  void load_image(CommitTime time) noexcept { core_.load_image(time); }
  void resume(const event::StoredCluster& cluster) noexcept { core_.resume(cluster); }

  /// Joins the cluster that this PageServer has left and that went on (Founding::kLater). False if
  /// nobody there is heard for `silence`, or if whoever is has a PageServer: then `resume` may
  /// follow. Throws JoinRefused and NotReachable.
  [[nodiscard]] bool rejoin(const event::StoredCluster& stored, Duration silence) {
    const auto seeds = Way::seeds(machine_.options);
    const auto until = now() + machine_.options.join_timeout;
    if (core_.rejoin(stored, seeds, silence, until)) return true;
    const auto& membership = core_.protocol().membership();
    const auto progress = membership.join_progress();
    const bool busy = now() >= until;
    (void)leave(leave_deadline());
    const bool refused = membership.refused() && !has_page_server();
    if (busy || refused) report_failed_join(progress);
    return false;
  }

  /// The cluster that was asked last has not let this node in because it has a PageServer.
  bool has_page_server() const noexcept {
    const auto& membership = core_.protocol().membership();
    return membership.refused() && membership.refusal().reason == wire::RefusalReason::kPageServer;
  }

  /// Hands over what this node owns and leaves, as the destructor does; nothing but the destructor
  /// follows. False if nobody took it until then.
  bool leave(Instant until) noexcept { return core_.leave(until); }
  Instant leave_deadline() const noexcept { return now() + machine_.options.leave_timeout; }
  void set_image_sink(ImageSink sink) noexcept { core_.set_image_sink(sink); }
  template <class Work>
  decltype(auto) undisturbed(Work&& work) {
    return core_.undisturbed(std::forward<Work>(work));
  }
  void want_image(bool stop_cluster) noexcept { core_.want_image(stop_cluster); }
  void hold_image(bool held) noexcept { core_.hold_image(held); }
  void image_stored(bool durable) noexcept { core_.image_stored(durable); }

  /// Serves the others until `until`, or until stopped: what an idle node does. Meanwhile its
  /// collector works, and a step that waits for a page of another node may end a little late.
  void serve(Instant until = kNever) noexcept {
    while (collector_ && !stopped() && now() < until) {
      const bool more = collector_->idle();
      core_.serve(std::min(until, now() + (more ? kBetweenSteps : kBetweenLooks)));
    }
    core_.serve(until);
  }

  /// Makes transactions and `serve` end: those that wait end as unknown. Any thread, any signal
  /// handler; for good. The destructor still leaves in an orderly way.
  void stop() noexcept { core_.stop(); }
  bool stopped() const noexcept { return core_.stopped(); }

  /// See plurix::Node.
  void forget_pages(PageIndex first, std::uint32_t count, CommitTime snapshot) noexcept {
    core_.forget_pages(first, count, snapshot);
  }

  /// Throws Misuse, naming type and field, if the heap knows one of these types with another layout
  /// than this program: what to ask when the program starts.
  template <class... Types>
  void check_layouts() {
    core_.run([](Transaction& t) { t.check_layouts<Types...>(); });
  }

  /// Pages whose accesses and collisions are told to an observer. Between transactions.
  PageWatch& watch() noexcept { return core_.watch(); }

  NodeId id() const noexcept { return core_.id(); }
  CommitTime commit_time() const noexcept { return core_.commit_time(); }
  Instant now() const noexcept { return core_.now(); }
  const NodeCounters& counters() const noexcept { return core_.counters(); }

  /// Null if this node does not collect (NodeOptions::collect).
  const BackgroundCollector<Core>* collector() const noexcept { return collector_.get(); }
  const ProtocolCore& protocol() const noexcept { return core_.protocol(); }
  const NodeOptions& options() const noexcept { return machine_.options; }
  std::uint32_t incarnation() const noexcept { return machine_.config.core.incarnation; }

  /// "127.0.0.1:20017": what other nodes may be given as a seed.
  std::string address() const { return Way::to_text(link_->local_endpoint()); }

  const HostedFaultSource& fault_source() const noexcept { return machine_.faults; }
  const typename Way::Net& link() const noexcept { return *link_; }
  const DatagramInterrupt& interrupt() const noexcept { return machine_.interrupt; }
  const auto& wrapper() const noexcept { return net_.inner(); }
  auto& wrapper() noexcept { return net_.inner(); }
  Trace& trace() noexcept { return trace_; }

 private:
  static constexpr Duration kBetweenSteps = microseconds(20);
  static constexpr Duration kBetweenLooks = milliseconds(50);

  template <class Body>
  auto run_or_make_room(Body& body) {
    try {
      return core_.run(body);
    } catch (const OutOfMemory&) {
      if (!collector_->make_room()) throw;
    }
    return core_.run(body);
  }

  /// A body that waits for a change waits only when there is nothing left to collect: somebody may
  /// need the room, or the change be that a weak link is cleared.
  template <class Body>
  auto try_run_or_collect(Body& body) {
    using Result = std::invoke_result_t<Body&, Transaction&>;
    if constexpr (!std::is_same_v<Result, Verdict>) {
      return core_.try_run(body);
    } else {
      std::uint32_t restarts = 0;
      for (;;) {
        bool collects = false;
        auto outcome = core_.try_run([&](Transaction& t) -> Verdict {
          collects = false;
          const Verdict verdict = body(t);
          collects = verdict.kind == Verdict::Kind::kWait && !collector_->rests();
          return collects ? t.cancel("collects before it waits") : verdict;
        });
        outcome.restarts += restarts;
        if (!collects || !outcome.cancelled()) return outcome;
        restarts = outcome.restarts;
        collector_->work_before_a_wait();
      }
    }
  }

  static void on_interrupt(void* self, const InterruptContext& interrupted) noexcept {
    auto& core = static_cast<BasicNode*>(self)->core_;
    const auto verdict = core.on_interrupt(!interrupted.interrupted_in_runtime);
    if (verdict == FaultVerdict::kResume) return;
    DatagramInterrupt::unblock(interrupted);
    core.restart();
  }

  void enter() {
    if (machine_.options.found == Founding::kLater) return;
    if (machine_.options.found == Founding::kAlways) return core_.found();
    const bool may_found = machine_.options.found == Founding::kAuto;
    const auto seeds = Way::seeds(machine_.options);
    if (core_.join(seeds, may_found, now() + machine_.options.join_timeout)) return;
    const auto progress = core_.protocol().membership().join_progress();
    // Let in already but not brought up to date in time: nobody shall wait for a node that is gone.
    (void)leave(leave_deadline());
    report_failed_join(progress);
  }

  [[noreturn]] void report_failed_join(JoinProgress progress) const {
    machine_.report_failed_join(core_.protocol().membership(), progress,
                                Way::asked(machine_.options));
  }

  HostedMachine machine_;
  std::unique_ptr<typename Way::Net> link_;
  Net net_;
  [[no_unique_address]] Trace trace_;
  Core core_;
  std::unique_ptr<BackgroundCollector<Core>> collector_;
};

using Node = BasicNode<>;

}  // namespace plurix::posix
