// Node: the only place where policies meet. It pumps frames and timers into the protocol, performs
// its actions through the fault source and the transport, and runs transactions.
//
// One thread runs the application and the node. While the application computes, an interrupt (a
// signal, a NIC) calls `on_interrupt`; a fault calls `on_fault`. Both run on the same thread, so
// the only protection needed is the mask: an interrupt that finds it set is noted and served when
// it is cleared. Nothing here allocates, locks or blocks except in the transport's wait.
#pragma once

#include <plurix/base/context.h>
#include <plurix/concepts/clock.h>
#include <plurix/concepts/fault_source.h>
#include <plurix/concepts/image_sink.h>
#include <plurix/concepts/trace_sink.h>
#include <plurix/dsm/protocol.h>
#include <plurix/outcome.h>
#include <plurix/transaction.h>

#include <tuple>

namespace plurix {

struct NodeConfig {
  CoreConfig core;

  /// Every n-th transaction is executed twice before it may commit, to flush out bodies with side
  /// effects; 0: never.
  std::uint32_t restart_every = 0;

  /// Frames are looked for between transactions at least this often.
  Duration poll_interval = microseconds(20);

  /// A doomed attempt that does not touch the heap for so long is cut off by the next interrupt.
  Duration runaway_grace = milliseconds(20);
};

struct NodeCounters {
  std::uint64_t transactions = 0;
  std::uint64_t read_only = 0;
  std::uint64_t aborted = 0;
  std::uint64_t faults = 0;  ///< traps and checked touches of absent or closed pages
  std::uint64_t interrupts = 0;
  std::uint64_t bodies_cut = 0;  ///< left from a fault or an interrupt, without destructors
  std::uint32_t most_restarts = 0;
};

template <class Faults, class Net, class Strategy, class Time, class Trace = NullTraceSink>
class Node {
  static_assert(FaultSource<Faults>);
  static_assert(Transport<Net>);
  static_assert(CommitStrategy<Strategy>);
  static_assert(Clock<Time>);
  static_assert(TraceSink<Trace>);

 public:
  /// `storage` has at least ProtocolCore::storage_needed(config.core) zeroed bytes. The parts
  /// outlive the node.
  Node(const NodeConfig& config, Faults& faults, Net& net, Time& time, Trace& trace,
       std::span<std::byte> storage, Strategy strategy = {}) noexcept
      : config_(config),
        faults_(faults),
        net_(net),
        time_(time),
        trace_(trace),
        protocol_(config.core, faults.frames(), storage, strategy),
        transaction_(kHost, this) {
    transaction_.view_ = faults.view();
    transaction_.frames_ = faults.frames();
    transaction_.heap_bytes_ = config.core.geometry.bytes();
    transaction_.read_stamps_ = protocol_.attempt().read_stamps();
    transaction_.write_stamps_ = protocol_.attempt().write_stamps();
    transaction_.live_stamp_ = &protocol_.attempt().live_stamp();
    faults.on_fault({[](void* self, PageIndex page, Access access) noexcept {
                       return static_cast<Node*>(self)->on_fault(page, access);
                     },
                     this});
    listen();
  }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // ---- membership

  /// Formats the heap and founds a cluster of this node alone.
  void found() noexcept {
    const Masked masked(*this);
    format_heap(faults_.frames(), config_.core.geometry);
    step(event::FoundWanted{net_.local_endpoint(), kFormattedPages});
  }

  /// The first part of going on with a stored cluster: the sink puts its newest image, that of
  /// `time`, into the frames.
  void load_image(CommitTime time) noexcept {
    const Masked masked(*this);
    format_heap(faults_.frames(), config_.core.geometry);
    if (time > CommitTime{}) restore(time, {});
  }

  /// Goes on as the PageServer of the stored cluster whose image is loaded, with those of its
  /// members that are still there. Returns in the next epoch, or when stopped.
  void resume(const event::StoredCluster& cluster) noexcept {
    const Masked masked(*this);
    step(event::ResumeWanted{net_.local_endpoint(), kFormattedPages, cluster});
    wait([this] { return !protocol_.core().frozen(); }, kNever);
  }

  /// Joins through one of the seeds; with `may_found` founds the cluster if nobody answers. Returns
  /// true as a member, false at `until`, when refused, or when stopped.
  [[nodiscard]] bool join(std::span<const Endpoint> seeds, bool may_found, Instant until) noexcept {
    const Masked masked(*this);
    start_joining({seeds, net_.local_endpoint(), may_found, kFormattedPages});
    const auto& core = protocol_.core();
    const auto& membership = protocol_.membership();
    wait([&] { return core.in_service() || membership.refused() || time_.now() >= until; }, until);
    return core.in_service();
  }

  /// Joins, as PageServer, the cluster `stored` that it has left and that went on without it. False
  /// if nobody who could let it in is heard for `silence`, or if whoever is knows its former life
  /// as a member, or another PageServer: then, after `leave`, it may resume. False also at `until`.
  [[nodiscard]] bool rejoin(const event::StoredCluster& stored, std::span<const Endpoint> seeds,
                            Duration silence, Instant until) noexcept {
    const Masked masked(*this);
    start_joining({seeds, net_.local_endpoint(), false, kFormattedPages, stored});
    const auto begin = time_.now();
    const auto& core = protocol_.core();
    const auto& membership = protocol_.membership();
    const auto over = [&] {
      const auto now = time_.now();
      // Who refuses it may not have heard yet that it has left.
      const auto in_vain_since = membership.refused() ? begin : membership.answered_at();
      return core.in_service() || now - in_vain_since >= silence || now >= until;
    };
    wait(over, until);
    return core.in_service();
  }

  /// Hands over what this node owns and leaves. False if nobody took it until `until`. A stopped
  /// node may leave too: what only it holds is still the cluster's. So may one that has given up to
  /// join: somebody may have let it in without its knowledge.
  [[nodiscard]] bool leave(Instant until) noexcept {
    const Masked masked(*this);
    const auto is_out = [&] {
      return !protocol_.core().member && !protocol_.membership().joining();
    };
    if (is_out()) return true;
    step(event::LeaveWanted{});
    const auto over = [&] { return is_out() || time_.now() >= until; };
    for (pump(); !over(); pump()) net_.wait(earlier(protocol_.deadline(), until));
    return is_out();
  }

  // ---- transactions

  /// Runs `body(Transaction&)` until it commits and returns its value. Inside another transaction
  /// of this node it is simply part of it (flat nesting). Throws OutOfMemory, Stopped, Misuse, and
  /// what the body throws; in each case nothing of the transaction has happened.
  template <class Body>
  auto run(Body&& body) {
    using R = std::invoke_result_t<Body&, Transaction&>;
    static_assert(!std::is_same_v<R, Verdict>,
                  "a body that may refuse (returns a Verdict) is run by try_run");
    if (protocol_.attempt().active()) return body(transaction_);
    auto outcome = execute<R>(body, {});
    demand(outcome.status, outcome.reason);
    if constexpr (!std::is_void_v<R>) return std::move(*outcome.value);
  }

  /// Runs `body` until it commits or refuses. The body returns a Verdict, or any value (it commits
  /// then). Throws only Misuse and what the body throws.
  template <class Body>
  auto try_run(Body&& body) {
    using R = std::invoke_result_t<Body&, Transaction&>;
    PLURIX_ASSERT(!protocol_.attempt().active());
    return execute<R>(body, {});
  }

  /// Runs `body` as a transaction that writes nothing. The outcome's commit time is its snapshot's.
  template <class Body>
  auto read_only(Freshness freshness, Body&& body) {
    using R = std::invoke_result_t<Body&, Transaction&>;
    PLURIX_ASSERT(!protocol_.attempt().active());
    return execute<R>(body, {true, freshness});
  }

  /// Serves the others until `until` (or until stopped): what an idle node does.
  void serve(Instant until) noexcept {
    const Masked masked(*this);
    wait([&] { return time_.now() >= until; }, until);
  }

  /// Waits until the commit at `time` of `epoch` (an Outcome's) is in an image, asking for one.
  Durability wait_durable(CommitTime time, Epoch epoch, Instant until = kNever) noexcept {
    const Masked masked(*this);
    auto answer = durability(time, epoch);
    if (answer != Durability::kUnknown || lost_thread(time, epoch)) return answer;
    step(event::DurableWanted{true});
    const auto over = [&] {
      answer = durability(time, epoch);
      return answer != Durability::kUnknown || lost_thread(time, epoch) || time_.now() >= until;
    };
    (void)wait(over, until);
    step(event::DurableWanted{false});
    return answer;
  }

  // ---- images, on the PageServer

  /// Who stores images, and gives them back.
  void set_image_sink(ImageSink sink) noexcept {
    const Masked masked(*this);
    image_sink_ = sink;
  }

  /// Runs `work` with interrupts kept out: for what the sink works on as well, which an interrupt
  /// may call at any instruction. What comes meanwhile is taken in behind it.
  template <class Work>
  decltype(auto) undisturbed(Work&& work) {
    const Masked masked(*this);
    return work();
  }

  /// Takes an image as soon as possible; nobody commits meanwhile with `stop_cluster`.
  void want_image(bool stop_cluster) noexcept {
    const Masked masked(*this);
    step(event::ImageWanted{stop_cluster});
  }

  /// The store has no room for further pages of an image now, or has it again.
  void hold_image(bool held) noexcept {
    if (held == protocol_.imaging().held()) return;
    const Masked masked(*this);
    step(event::ImageHeld{held});
  }

  /// What has become of the image whose end the sink was told.
  void image_stored(bool durable) noexcept {
    const Masked masked(*this);
    step(event::ImageStored{durable});
  }

  /// Makes every wait of this node end: transactions end as unknown. Any context.
  void stop() noexcept { stopped_.store(true, std::memory_order_relaxed); }
  bool stopped() const noexcept { return stopped_.load(std::memory_order_relaxed); }

  // ---- called by the machine

  /// A forbidden access through the view. Returns when the access may be repeated, or says that the
  /// body must be left: the machine then calls `restart`.
  FaultVerdict on_fault(PageIndex page, Access access) noexcept {
    const Masked masked(*this);
    PLURIX_ASSERT(protocol_.attempt().active());  // the heap is touched inside transactions only
    ++counters_.faults;
    if (!touching_) protocol_.attempt().read_everything();
    trace(TraceKind::kFault, page, access == Access::kWrite ? 1 : 0);
    if (fault_in(page, access, true)) return FaultVerdict::kResume;
    if (!touching_) return FaultVerdict::kRestart;
    // The checked access that trapped repeats itself once and then notices the doom; it reads
    // whatever stands in the frame and hands it to nobody.
    faults_.protect(page, 1, Rights::kRead);
    torn_page_ = page;
    return FaultVerdict::kResume;
  }

  /// Frames may have arrived while the application computed. `may_cut`: the interrupted code may be
  /// left for ever (it holds no lock of the runtime library).
  FaultVerdict on_interrupt(bool may_cut) noexcept {
    if (depth() > 0) {
      pending_ = true;
      return FaultVerdict::kResume;
    }
    const Masked masked(*this);
    ++counters_.interrupts;
    pump();
    return may_cut && is_runaway() ? FaultVerdict::kRestart : FaultVerdict::kResume;
  }

  /// Leaves the body: continues in the transaction loop, which runs it again. Called outside the
  /// mask, from a fault or an interrupt, after kRestart.
  [[noreturn]] void restart() noexcept { plurix_restore_context(&restart_point_, 1); }

  /// Makes pages come that nobody writes any more, such as a kernel's code, inside an attempt or
  /// outside; they do not count as read. So many are on their way at once. They stand in the frames
  /// then, until the cluster goes back to an older state. False when stopped.
  bool bring(PageIndex first, std::uint32_t count, std::uint32_t at_once) noexcept {
    PLURIX_ASSERT(depth() == 0 && at_once > 0);
    const Masked masked(*this);
    const auto end = first + count;
    const auto all_here = [&] {
      while (first < end && protocol_.is_present(first)) ++first;
      for (auto page = first; page < std::min(end, first + at_once); ++page) {
        if (!protocol_.is_present(page)) step(event::PageWanted{page});
      }
      while (first < end && protocol_.is_present(first)) ++first;
      return first == end;
    };
    return all_here() || wait_more(all_here);
  }

  /// Gives the memory behind pages back to the machine, if that can. No object had them at
  /// `snapshot`, so what stands there means nothing, also where this node owns it; pages written
  /// since then stay. Between transactions.
  void forget_pages(PageIndex first, std::uint32_t count, CommitTime snapshot) noexcept {
    if constexpr (requires { faults_.release(first, count); }) {
      const Masked masked(*this);
      PLURIX_ASSERT(!protocol_.attempt().active());
      for (auto page = first; page < first + count; ++page) {
        if (snapshot < protocol_.directory().written(page)) return;
      }
      faults_.release(first, count);
    }
  }

  /// Pages whose accesses and collisions are told to an observer, between transactions.
  PageWatch& watch() noexcept { return protocol_.attempt().watch(); }

  // ---- to look at

  const ProtocolCore& protocol() const noexcept { return protocol_; }
  const NodeCounters& counters() const noexcept { return counters_; }
  NodeId id() const noexcept { return protocol_.core().self; }
  CommitTime commit_time() const noexcept { return protocol_.core().applied; }
  Instant now() const noexcept { return time_.now(); }
  Endpoint local_endpoint() const noexcept { return net_.local_endpoint(); }
  bool is_member() const noexcept { return protocol_.core().member; }
  const NodeConfig& config() const noexcept { return config_; }

 private:
  /// Thrown through the body when its attempt cannot go on. Not derived from std::exception, so
  /// that a body's own handlers do not mistake it for an error.
  struct LeaveBody {};

  static constexpr std::size_t kMostTogether = 16;

  enum class End : std::uint8_t { kDone, kAborted, kFailed, kMisused, kStopped };

  struct Options {
    bool read_only = false;
    Freshness freshness = Freshness::kSnapshot;
  };

  /// Keeps interrupts out while the node's own state changes.
  class Masked {
   public:
    explicit Masked(Node& node) noexcept : node_(node) {
      node_.mask_.store(node_.depth() + 1, std::memory_order_relaxed);
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    ~Masked() {
      if (node_.depth() == 1) node_.do_postponed();
      std::atomic_signal_fence(std::memory_order_seq_cst);
      node_.mask_.store(node_.depth() - 1, std::memory_order_relaxed);
    }
    Masked(const Masked&) = delete;
    Masked& operator=(const Masked&) = delete;

   private:
    Node& node_;
  };

  // ---- pumping

  int depth() const noexcept { return mask_.load(std::memory_order_relaxed); }

  void step(const Event& event) noexcept { step(event, time_.now()); }

  void step(const Event& event, Instant now) noexcept {
    perform_all(protocol_.step(event, now).view());
    if (!doom_seen_ && protocol_.attempt().doomed()) {
      doom_seen_ = true;
      doomed_at_ = now;
    }
  }

  void perform_all(std::span<const Action> actions) noexcept {
    while (!actions.empty()) {
      const auto done = actions.size() > 1 ? send_together(actions) : 0;
      if (done == 0) perform(actions.front());
      actions = actions.subspan(std::max<std::size_t>(done, 1));
    }
  }

  /// Sends the first of these actions together if they are frames of one size for one node. Returns
  /// how many that were.
  std::size_t send_together(std::span<const Action> actions) noexcept {
    if constexpr (SendsTogether<Net>) {
      const auto& first = actions.front();
      if (first.kind != ActionKind::kSend || first.node == kEveryone) return 0;
      FrameParts frames[kMostTogether];
      std::size_t count = 0;
      for (const auto& action : actions.first(std::min(actions.size(), kMostTogether))) {
        frames[count] = {action.head, action.payload};
        const bool alike = action.kind == ActionKind::kSend && action.node == first.node &&
                           frames[count].size() == frames[0].size();
        if (!alike) break;
        ++count;
      }
      if (count < 2) return 0;
      for (const auto& action : actions.first(count)) trace_frame(TraceKind::kSend, action);
      net_.send_together(first.node, {frames, count});
      return count;
    }
    return 0;
  }

  void perform(const Action& action) noexcept {
    switch (action.kind) {
      case ActionKind::kSend:
        trace_frame(TraceKind::kSend, action);
        if (action.node == kEveryone) {
          net_.broadcast(action.head, action.payload);
        } else {
          net_.send(action.node, action.head, action.payload);
        }
        break;
      case ActionKind::kSendTo:
        net_.send_to(action.endpoint, action.head, action.payload);
        break;
      case ActionKind::kProtect:
        protect(action);
        break;
      case ActionKind::kPeerAdded:
        net_.set_peer(action.node, action.endpoint);
        break;
      case ActionKind::kPeerRemoved:
        net_.remove_peer(action.node);
        break;
      case ActionKind::kPeerSilent:
        silent_ = action.node;
        silent_at_ = action.endpoint;
        break;
      case ActionKind::kJoined:
        image_sink_({ImageEventKind::kLetIn, action.epoch});
        trace(TraceKind::kJoined, kNoPage, 0, action.node);
        break;
      case ActionKind::kLeft:
        trace(TraceKind::kLeft, kNoPage, 0, action.node);
        break;
      case ActionKind::kHeapErased:
        format_heap(faults_.frames(), config_.core.geometry);
        break;
      case ActionKind::kRestore:
        restore(action.time, protocol_.directory().written());
        break;
      case ActionKind::kImageBegin:
        image_sink_({ImageEventKind::kBegin, action.epoch, action.time, action.count});
        break;
      case ActionKind::kImagePage:
        image_sink_({ImageEventKind::kPage, 0, {}, action.page, action.payload});
        break;
      case ActionKind::kImageEnd:
        image_sink_({.kind = ImageEventKind::kEnd, .page = action.count, .snooped = action.page});
        break;
      case ActionKind::kImageGivenUp:
        image_sink_({.kind = ImageEventKind::kGivenUp, .failure = action.failure});
        break;
      case ActionKind::kEpochBegan:
        image_sink_({ImageEventKind::kEpoch, action.epoch});
        trace(TraceKind::kEpoch, kNoPage, 0, action.epoch);
        break;
      case ActionKind::kLogExhausted:
        trace(TraceKind::kResync, kNoPage);
        break;
    }
  }

  // Pages are taken away by the hundred while this node waits: they are closed together before the
  // application goes on.
  void protect(const Action& action) noexcept {
    if constexpr (ClosesTogether<Faults>) {
      if (action.rights == Rights::kNone) return faults_.close_later(action.page, action.count);
    }
    faults_.protect(action.page, action.count, action.rights);
  }

  void start_joining(const event::JoinWanted& wanted) noexcept {
    format_heap(faults_.frames(), config_.core.geometry);
    step(wanted);
  }

  void restore(CommitTime time, std::span<const CommitTime> last_written) noexcept {
    image_sink_({.kind = ImageEventKind::kRestore,
                 .time = time,
                 .frames = faults_.frames(),
                 .last_written = last_written});
  }

  Durability durability(CommitTime time, Epoch epoch) const noexcept {
    const auto& core = protocol_.core();
    const auto undone = core.undone.was(time, epoch);
    if (undone == Undone::Answer::kYes) return Durability::kRolledBack;
    const bool stored = undone == Undone::Answer::kNo && time <= core.durable;
    return stored ? Durability::kDurable : Durability::kUnknown;
  }

  bool lost_thread(CommitTime time, Epoch epoch) const noexcept {
    return protocol_.core().undone.was(time, epoch) == Undone::Answer::kUnknown;
  }

  /// Does what was put off until the application goes on. Closing takes a while, in which there may
  /// be another interrupt.
  void do_postponed() noexcept {
    do {
      if (pending_) {
        pending_ = false;
        pump();
      }
      if constexpr (ClosesTogether<Faults>) faults_.close_now();
    } while (pending_);
  }

  /// Takes in what has arrived and what time has brought. Masked.
  void pump() noexcept {
    const FrameSink sink{[](void* self, Bytes frame, const Endpoint& from) noexcept {
                           auto* node = static_cast<Node*>(self);
                           node->step(event::FrameArrived{frame, from}, node->last_pump_);
                         },
                         this};
    last_pump_ = time_.now();
    (void)net_.poll(sink);
    if (last_pump_ >= protocol_.deadline()) step(event::TimerExpired{}, last_pump_);
    if (silent_ != kNoNode) look_for_silent();
  }

  /// Only a PageServer has a use for pages that nobody here has touched.
  void listen() noexcept {
    if constexpr (Overhears<Net>) {
      if (!config_.core.page_server) return;
      net_.overhear({[](void* self, Bytes frame, const Endpoint& from) noexcept {
                       auto* node = static_cast<Node*>(self);
                       node->step(event::FrameOverheard{frame, from}, node->last_pump_);
                     },
                     this});
    }
  }

  void look_for_silent() noexcept {
    const auto node = std::exchange(silent_, kNoNode);
    if constexpr (KnowsAbsence<std::remove_reference_t<decltype(net_)>>) {
      const auto asked_at = time_.now();
      if (net_.is_absent(silent_at_)) step(event::PeerAbsent{node, asked_at});
    }
  }

  /// Pumps until `done()`, or until stopped (returns false then). Masked.
  template <class Done>
  bool wait(Done done, Instant until = kNever) noexcept {
    pump();
    return done() || wait_more(done, until);
  }

  /// The same after `done()` was just found false: waits before it pumps. A look at the network
  /// right behind a request would be in vain, and is paid for before the other side may run.
  template <class Done>
  bool wait_more(Done done, Instant until = kNever) noexcept {
    while (!stopped()) {
      net_.wait(earlier(protocol_.deadline(), until));
      pump();
      if (done()) return true;
    }
    return false;
  }

  void pump_if_due() noexcept {
    const auto now = time_.now();
    if (pending_ || (now - last_pump_) >= config_.poll_interval || now >= protocol_.deadline()) {
      pending_ = false;
      pump();
    }
  }

  bool is_runaway() const noexcept {
    return protocol_.attempt().doomed() && doom_seen_ && in_body_ &&
           time_.now() - doomed_at_ >= config_.runaway_grace;
  }

  // ---- access to pages

  static constexpr Rights needed_rights(Access access, bool map) noexcept {
    if (!map) return Rights::kNone;
    return access == Access::kWrite ? Rights::kWrite : Rights::kRead;
  }

  /// Makes a page accessible and records the access. False if the attempt cannot go on. Masked.
  bool fault_in(PageIndex page, Access access, bool map) noexcept {
    if (protocol_.record(page, access, needed_rights(access, map))) return true;
    // Asked anew after every look at the network: a page may come and be taken away in one batch.
    const auto over = [&](Instant now) {
      step(event::LocalFault{page, access, map}, now);
      return protocol_.attempt().doomed() || protocol_.out_of_shadows() ||
             protocol_.is_present(page);
    };
    if (!over(time_.now()) && !wait_more([&] { return over(last_pump_); })) return false;
    return !protocol_.attempt().doomed() && !protocol_.out_of_shadows();
  }

  void read(std::uint64_t offset, std::uint64_t size) {
    pause();
    for_each_page(offset, size, [&](PageIndex page) {
      // Absent: really touch it, so that the fault source reports it as it would for any code.
      if (faults_.traps() && protocol_.attempt().active() && !protocol_.attempt().doomed() &&
          !protocol_.is_present(page)) {
        touch(page);
      }
      const Masked masked(*this);
      check_attempt();
      if (!fault_in(page, Access::kRead, faults_.traps())) leave_body();
      protocol_.attempt().tell(page, offset, size, Access::kRead);
    });
  }

  void touch(PageIndex page) {
    touching_ = true;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    (void)*static_cast<volatile std::byte*>(faults_.view() + std::size_t{page} * kPageSize);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    close_torn_page();
  }

  void close_torn_page() noexcept {
    touching_ = false;
    if (torn_page_ == kNoPage) return;
    const Masked masked(*this);
    faults_.protect(torn_page_, 1, protocol_.directory().rights(torn_page_));
    torn_page_ = kNoPage;
  }

  /// Worlds that only simulate time let it pass here, so that anything can happen between any two
  /// accesses of a body.
  void pause() {
    if constexpr (requires { faults_.pause(); }) faults_.pause();
  }

  void write(std::uint64_t offset, std::uint64_t size) {
    pause();
    for_each_page(offset, size, [&](PageIndex page) {
      const Masked masked(*this);
      check_attempt();
      if (!fault_in(page, Access::kWrite, false)) leave_body();
      protocol_.attempt().tell(page, offset, size, Access::kWrite);
    });
  }

  void map(std::uint64_t offset, std::uint64_t size, Access access) {
    for_each_page(offset, size, [this, access](PageIndex page) {
      const Masked masked(*this);
      check_attempt();
      protocol_.attempt().read_everything();
      if (!fault_in(page, access, true)) leave_body();
    });
  }

  template <class Each>
  void for_each_page(std::uint64_t offset, std::uint64_t size, Each each) {
    if (offset > transaction_.heap_bytes_ || size > transaction_.heap_bytes_ - offset) {
      misuse("an object outside the heap");
    }
    const auto last = page_of(offset + size - 1);
    for (auto page = page_of(offset); page <= last; ++page) each(page);
  }

  void check_attempt() {
    if (!protocol_.attempt().active()) misuse("a Ref is used outside its transaction");
    if (protocol_.attempt().doomed()) leave_body();
  }

  // ---- leaving the body

  [[noreturn]] void leave_body() {
    if (protocol_.out_of_shadows())
      failure_ = "the transaction writes more pages than shadow_pages";
    abandon_body();
  }

  [[noreturn]] void fail(const char* what) {
    failure_ = what;
    abandon_body();
  }

  [[noreturn]] void abandon_body() {
#if defined(__cpp_exceptions)
    throw LeaveBody{};
#else
    mask_.store(0, std::memory_order_relaxed);
    restart();
#endif
  }

  [[noreturn]] void misuse(const char* what) {
    misuse_ = what;
#if defined(__cpp_exceptions)
    if (!protocol_.attempt().active()) throw Misuse(what);
#endif
    abandon_body();
  }

  static void demand(Status status, const char* reason) {
#if defined(__cpp_exceptions)
    if (status == Status::kOutOfMemory) throw OutOfMemory(reason);
    if (status != Status::kCommitted) throw Stopped(reason);
#else
    PLURIX_ASSERT(status == Status::kCommitted);
    (void)reason;
#endif
  }

  // ---- the transaction loop

  /// Runs the body once. What it returned is in `value` when the result is kDone.
  template <class R, class Body, class Value>
  End run_body(Body& body, Value& value) {
    if (plurix_save_context(&restart_point_) != 0) {  // left from a fault or an interrupt
      left_body();
      close_torn_page();
      ++counters_.bodies_cut;
      const auto why = why_left();  // without exceptions misuse comes back this way too
      return why == End::kDone ? End::kAborted : why;
    }
    entered_body();
#if defined(__cpp_exceptions)
    try {
      call_body<R>(body, value);
    } catch (const LeaveBody&) {
      left_body();
      return why_left();
    } catch (...) {
      left_body();
      if (doomed()) return End::kAborted;  // it cannot commit, so its error is not to be told yet
      end_attempt();
      release_token();
      throw;
    }
#else
    call_body<R>(body, value);
#endif
    left_body();
    return why_left();
  }

  void entered_body() noexcept {
    outer_ = std::exchange(detail::current_transaction, &transaction_);
    in_body_ = true;
  }
  void left_body() noexcept {
    in_body_ = false;
    detail::current_transaction = outer_;
  }

  template <class R, class Body, class Value>
  void call_body(Body& body, Value& value) {
    if constexpr (std::is_void_v<R>) {
      body(transaction_);
      value.emplace();
    } else {
      value.emplace(body(transaction_));
    }
  }

  End why_left() noexcept {
    if (misuse_ != nullptr) return End::kMisused;
    if (failure_ != nullptr) return doomed() ? End::kAborted : End::kFailed;
    if (doomed()) return End::kAborted;
    return stopped() ? End::kStopped : End::kDone;
  }

  bool doomed() const noexcept { return protocol_.attempt().doomed(); }

  template <class R, class Body>
  Outcome<R> execute(Body& body, Options options) {
    Outcome<R> outcome;
    std::uint32_t collisions = 0;
    ++counters_.transactions;
    bool again = config_.restart_every != 0 && counters_.transactions % config_.restart_every == 0;
    for (;;) {
      if (!begin_attempt(options, collisions)) return end_stopped(outcome);
      const auto end = run_body<R>(body, outcome.value);
      if (end == End::kDone && !again) {
        if (finish(outcome)) break;
      } else if (end == End::kDone) {
        again = false;
      } else if (end == End::kFailed) {
        outcome.value.reset();
        return refuse(outcome, Status::kOutOfMemory, failure_);
      } else if (end == End::kMisused) {
        report_misuse();
      } else if (end == End::kStopped) {
        return end_stopped(outcome);
      }
      outcome.value.reset();
      if (doomed()) ++collisions;
      end_attempt();
      ++outcome.restarts;
      ++counters_.aborted;
    }
    if (collisions > counters_.most_restarts) counters_.most_restarts = collisions;
    release_token();
    return outcome;
  }

  bool begin_attempt(Options options, std::uint32_t collisions) {
    const Masked masked(*this);
    if (stopped()) return false;
    collisions_ = collisions;
    pump_if_due();
    if (!protocol_.core().in_service() || protocol_.catch_up().behind()) {
      if (!wait([&] { return protocol_.core().in_service(); })) return false;
    }
    if (collisions >= hold_after<Strategy>()) {
      step(event::TokenWanted{collisions});
      if (!wait([&] { return protocol_.token().usable() && protocol_.token().held_back(); })) {
        return false;
      }
      holding_ = true;
    }
    doom_seen_ = false;
    failure_ = nullptr;
    misuse_ = nullptr;
    transaction_.read_only_ = options.read_only;
    transaction_.freshness_ = options.freshness;
    transaction_.attempt_ = collisions + 1;
    transaction_.begin(id(), protocol_.core().applied, protocol_.core().epoch);
    step(event::AttemptBegun{});
    trace(TraceKind::kAttemptBegin, kNoPage, 0,
          static_cast<std::uint32_t>(protocol_.attempt().number()));
    return true;
  }

  /// The body has ended. True if the transaction is over, with the outcome filled in; false if it
  /// must run again.
  template <class R>
  bool finish(Outcome<R>& outcome) {
    if constexpr (std::is_same_v<R, Verdict>) {
      if (outcome.value->kind == Verdict::Kind::kCancel) {
        const auto* reason = outcome.value->reason;
        refuse(outcome, Status::kCancelled, reason);
        return true;
      }
      if (outcome.value->kind == Verdict::Kind::kWait) return wait_for_change(outcome);
    }
    return commit(outcome);
  }

  template <class R>
  bool commit(Outcome<R>& outcome) {
    const bool writes = !protocol_.attempt().write_set().empty();
    {
      const Masked masked(*this);
      if (!(writes ? commit_writes() : end_reading(outcome.commit_time))) {
        if (!stopped() || doomed()) return false;
        outcome.value.reset();
        refuse(outcome, Status::kUnknown, "the node was stopped while the transaction committed");
        return true;
      }
    }
    outcome.epoch = writes ? protocol_.last_commit_epoch() : protocol_.core().epoch;
    if (writes) outcome.commit_time = protocol_.last_commit();
    if (!writes) ++counters_.read_only;
    outcome.status = Status::kCommitted;
    transaction_.undo_.clear();
    transaction_.committed_.run_forward();
    transaction_.committed_.clear();
    return true;
  }

  bool commit_writes() noexcept {
    const auto pages = static_cast<std::uint32_t>(protocol_.attempt().write_set().size());
    step(event::CommitWanted{collisions_});
    const auto over = [&] { return !protocol_.attempt().active() || doomed(); };
    if (!over() && !wait_more(over)) return false;
    if (protocol_.attempt().active()) return false;
    trace(TraceKind::kCommit, kNoPage, 0, pages);
    return true;
  }

  bool end_reading(CommitTime& time) noexcept {
    if (transaction_.freshness_ == Freshness::kLatest) {
      step(event::LatestWanted{});
      const auto over = [&] { return protocol_.is_latest() || doomed(); };
      if (!over() && !wait_more(over)) return false;
    }
    if (doomed()) return false;
    time = protocol_.core().applied;
    step(event::AttemptEnded{});
    trace(TraceKind::kReadOnlyEnd, kNoPage);
    return true;
  }

  /// Undoes the attempt's writes and sleeps until something it has read changes.
  template <class R>
  bool wait_for_change(Outcome<R>& outcome) {
    if (protocol_.attempt().read_set().empty()) {
      refuse(outcome, Status::kCancelled, "waits for a change and has read nothing");
      return true;
    }
    const Masked masked(*this);
    release_token();
    if (wait([&] { return doomed(); })) return false;
    end_stopped(outcome);
    return true;
  }

  template <class R>
  Outcome<R>& refuse(Outcome<R>& outcome, Status status, const char* reason) {
    outcome.status = status;
    outcome.reason = reason;
    end_attempt();
    release_token();
    return outcome;
  }

  template <class R>
  Outcome<R>& end_stopped(Outcome<R>& outcome) {
    outcome.value.reset();
    return refuse(outcome, Status::kUnknown, "the node was stopped");
  }

  void report_misuse() {
    const auto* what = misuse_;
    end_attempt();
    release_token();
#if defined(__cpp_exceptions)
    throw Misuse(what);
#else
    panic(what, __FILE__, __LINE__);
#endif
  }

  /// Rolls the attempt back, if it is still there, and lets the local objects know.
  void end_attempt() {
    if (protocol_.attempt().active()) {
      const Masked masked(*this);
      trace(TraceKind::kAttemptAbort, protocol_.attempt().collision_page(), 0,
            static_cast<std::uint32_t>(protocol_.attempt().number()));
      step(event::AttemptEnded{});
      transaction_.forget();
    }
    transaction_.undo_.run_backward();
    transaction_.undo_.clear();
    transaction_.committed_.clear();
  }

  void release_token() noexcept {
    if (!holding_) return;
    holding_ = false;
    const Masked masked(*this);
    step(event::TokenReleased{});
  }

  // ---- trace

  void trace(TraceKind kind, PageIndex page, std::uint8_t flags = 0, std::uint32_t a = 0,
             std::uint32_t b = 0) noexcept {
    if constexpr (Trace::kEnabled) {
      trace_.record({.commit_time = protocol_.core().applied.value,
                     .local_ns = time_.now().ns,
                     .page = page,
                     .node = protocol_.core().self,
                     .kind = kind,
                     .flags = flags,
                     .a = a,
                     .b = b});
    }
  }

  /// The page a message is about; kNoPage for those about no single page.
  static PageIndex page_named_in(wire::MessageType type, Bytes head) noexcept {
    using wire::MessageType;
    PageIndex page = kNoPage;
    const bool about_a_page = type == MessageType::kPageRequest ||
                              type == MessageType::kPageReply || type == MessageType::kPageRedirect;
    // All three begin with it.
    if (about_a_page) std::memcpy(&page, head.data() + sizeof(wire::FrameHeader), sizeof page);
    return page;
  }

  void trace_frame(TraceKind kind, const Action& action) noexcept {
    if constexpr (Trace::kEnabled) {
      wire::FrameHeader header;
      std::memcpy(&header, action.head.data(), sizeof header);
      trace(kind, page_named_in(header.type, action.head), 0,
            static_cast<std::uint32_t>(header.type), action.node);
    }
  }

  static constexpr TransactionHost kHost{
      [](void* n, std::uint64_t o, std::uint64_t s) { static_cast<Node*>(n)->read(o, s); },
      [](void* n, std::uint64_t o, std::uint64_t s) { static_cast<Node*>(n)->write(o, s); },
      [](void* n, std::uint64_t o, std::uint64_t s, Access a) {
        static_cast<Node*>(n)->map(o, s, a);
      },
      [](void* n, const char* what) { static_cast<Node*>(n)->fail(what); },
      [](void* n, const char* what) { static_cast<Node*>(n)->misuse(what); }};

  const NodeConfig config_;
  Faults& faults_;
  Net& net_;
  Time& time_;
  [[no_unique_address]] Trace& trace_;
  Protocol<Strategy> protocol_;
  Transaction transaction_;
  ImageSink image_sink_;
  NodeCounters counters_;
  Context restart_point_;
  Transaction* outer_ = nullptr;  ///< of another node of this thread, inside whose body ours runs
  const char* failure_ = nullptr;
  const char* misuse_ = nullptr;
  Instant doomed_at_;
  Instant last_pump_;
  NodeId silent_ = kNoNode;  ///< to be looked for
  Endpoint silent_at_;
  std::uint32_t collisions_ = 0;
  PageIndex torn_page_ = kNoPage;
  std::atomic<int> mask_ = 0;  ///< same thread only: atomic for its signal handlers
  volatile bool pending_ = false;
  volatile bool touching_ = false;
  volatile bool in_body_ = false;
  bool doom_seen_ = false;
  bool holding_ = false;
  std::atomic<bool> stopped_ = false;
};

}  // namespace plurix
