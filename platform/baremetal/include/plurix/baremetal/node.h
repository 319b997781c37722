// BasicNode: a node on the bare machine: page faults, the timer and a network card's interrupt
// reach it, and each of them can leave the body of a doomed attempt.
//
// An application that computes is interrupted by the card when a frame arrives, and by the timer
// every kTick, so that timeouts pass and a body that loops is left. A node that waits sleeps.
#pragma once

#include <plurix/commit/fair.h>
#include <plurix/node.h>

#include <plurix/baremetal/machine.h>
#include <plurix/baremetal/page_table_fault_source.h>

namespace plurix::baremetal {

/// Sleeps until something may have happened.
class InterruptSleep {
 public:
  InterruptSleep(const TscClock& clock, AlarmTimer& alarm) noexcept
      : clock_(clock), alarm_(alarm) {}

  /// Returns at the next interrupt, at `until`, or at once if `ready()`. An interrupt between the
  /// look at `ready` and the sleep ends the sleep.
  template <class Ready>
  void sleep(Instant until, Ready ready) noexcept {
    const auto left = until == kNever ? AlarmTimer::kLongest : until - clock_.now();
    if (left.ns <= 0) return;
    disable_interrupts();
    if (ready()) return enable_interrupts();
    alarm_.set(left);
    sleep_until_interrupt();
  }

 private:
  const TscClock& clock_;
  AlarmTimer& alarm_;
};

/// A transport for a machine without a network.
class NoNetwork {
 public:
  explicit NoNetwork(InterruptSleep& sleep) noexcept : sleep_(sleep) {}

  void send(NodeId, Bytes, Bytes) noexcept {}
  void broadcast(Bytes, Bytes) noexcept {}
  void send_to(const Endpoint&, Bytes, Bytes) noexcept {}
  std::size_t poll(FrameSink) noexcept { return 0; }
  void wait(Instant until) noexcept {
    sleep_.sleep(until, [] { return false; });
  }
  void set_peer(NodeId, const Endpoint&) noexcept {}
  void remove_peer(NodeId) noexcept {}
  Endpoint local_endpoint() const noexcept { return {}; }

 private:
  InterruptSleep& sleep_;
};
static_assert(Transport<NoNetwork>);

template <class Net, CommitStrategy Strategy = Fair, class Trace = NullTraceSink>
class BasicNode {
 public:
  using Core = plurix::Node<PageTableFaultSource, Net, Strategy, TscClock, Trace>;

  static constexpr Duration kTick = milliseconds(5);

  /// Where the protocol's tables stand.
  static constexpr std::uint64_t kStorageBase = 0x5700'0000'0000;

  /// The parts outlive the node. The machine's clock runs from here on.
  BasicNode(Machine& machine, const NodeConfig& config, PageTableFaultSource& faults, Net& net,
            Trace& trace) noexcept
      : machine_(machine),
        storage_(machine.memory, kStorageBase, ProtocolCore::storage_needed(config.core)),
        core_(config, faults, net, machine.clock, trace, storage_.bytes()) {
    machine.clock.run();
    faults.on_restart(
        {[](void* self) noexcept { static_cast<BasicNode*>(self)->core_.restart(); }, this});
    set_interrupt_handler(vector_of_line(kTimerLine), {on_tick, this});
    enable_line(kTimerLine);
    machine_.alarm.set(kTick);
  }
  BasicNode(const BasicNode&) = delete;
  BasicNode& operator=(const BasicNode&) = delete;

  /// `acknowledge(device)` makes the network card take its interrupt back.
  void attach_card(unsigned line, void (*acknowledge)(void* device) noexcept,
                   void* device) noexcept {
    card_line_ = line;
    acknowledge_ = acknowledge;
    device_ = device;
    set_interrupt_handler(vector_of_line(line), {on_card, this});
    enable_line(line);
  }

  /// Lets the card interrupt again: to be called before sleeping until it does.
  void hear_card() noexcept {
    if (!card_is_silent_) return;
    card_is_silent_ = false;
    enable_line(card_line_);
  }

  Core& core() noexcept { return core_; }
  const Core& core() const noexcept { return core_; }

 private:
  static void on_tick(void* self, InterruptFrame&) noexcept {
    auto& node = *static_cast<BasicNode*>(self);
    node.machine_.alarm.set(kTick);
    node.hear_card();
    node.interrupt();
  }

  static void on_card(void* self, InterruptFrame&) noexcept {
    auto& node = *static_cast<BasicNode*>(self);
    node.acknowledge_(node.device_);
    const auto served = node.core_.counters().interrupts;
    node.interrupt();
    if (node.core_.counters().interrupts == served) node.silence_card();
  }

  // The node is at work already and looks at the card by itself: further interrupts would only keep
  // it from that. They come again when it sleeps, or with the next tick.
  void silence_card() noexcept {
    disable_line(card_line_);
    card_is_silent_ = true;
  }

  // With interrupts off, on the stack of what was interrupted, which is dropped if it is left.
  void interrupt() noexcept {
    if (core_.on_interrupt(true) == FaultVerdict::kResume) return;
    enable_interrupts();
    core_.restart();
  }

  Machine& machine_;
  LazyMemory storage_;
  Core core_;
  void (*acknowledge_)(void* device) noexcept = nullptr;
  void* device_ = nullptr;
  unsigned card_line_ = 0;
  volatile bool card_is_silent_ = false;
};

}  // namespace plurix::baremetal
