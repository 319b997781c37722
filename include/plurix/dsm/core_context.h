// What every message family of the protocol needs: who this node is, what it has applied, where
// actions go, and how a frame is built. One object a node; no state outside it.
#pragma once

#include <plurix/base/time.h>
#include <plurix/concepts/trace_sink.h>
#include <plurix/dsm/action.h>
#include <plurix/dsm/core_config.h>
#include <plurix/wire/messages.h>

namespace plurix {

/// Counters of one node; they only grow. The rare paths are counted so that a test can tell which
/// were never taken.
struct CoreCounters {
  std::uint64_t dropped[static_cast<std::size_t>(wire::DropReason::kCount)] = {};
  std::uint64_t frames_received = 0;
  std::uint64_t actions_dropped = 0;
  std::uint64_t fetches = 0;
  std::uint64_t fetch_retries = 0;
  std::uint64_t pages_served = 0;
  std::uint64_t refused_out_of_date = 0;
  std::uint64_t requests_parked = 0;
  std::uint64_t redirects = 0;
  std::uint64_t replies_stale = 0;
  std::uint64_t replies_early = 0;
  std::uint64_t commits = 0;
  std::uint64_t commit_packets = 0;
  std::uint64_t aborts = 0;
  std::uint64_t records_applied = 0;
  std::uint64_t records_duplicate = 0;
  std::uint64_t records_out_of_order = 0;
  std::uint64_t catch_ups = 0;
  std::uint64_t records_resent = 0;
  std::uint64_t rumours = 0;
  std::uint64_t log_exhausted = 0;
  std::uint64_t resyncs = 0;
  std::uint64_t token_requests = 0;
  std::uint64_t token_forwards = 0;
  std::uint64_t token_refused_late = 0;
  std::uint64_t token_grants = 0;
  std::uint64_t token_duplicates = 0;
  std::uint64_t token_yields = 0;
  std::uint64_t throttles = 0;
  std::uint64_t beacons = 0;
  std::uint64_t epochs_opened = 0;
  std::uint64_t epochs_entered = 0;
  std::uint64_t deaths_reported = 0;
  std::uint64_t cut_offs = 0;
  std::uint64_t absences = 0;  ///< leases that went on because there was no PageServer
  std::uint64_t expulsions = 0;
  std::uint64_t rollbacks = 0;
  std::uint64_t pages_assigned = 0;
  std::uint64_t images_begun = 0;
  std::uint64_t images_stored = 0;
  std::uint64_t images_given_up = 0;
  std::uint64_t image_pages_sent = 0;
  std::uint64_t pre_images_kept = 0;
  std::uint64_t pre_images_refused = 0;
  std::uint64_t pages_snooped = 0;  ///< overheard, and kept
  std::uint64_t snooped_early = 0;  ///< overheard before the commit that they are of had come
  std::uint64_t snooped_stale = 0;  ///< overheard after a later one had come
};

/// What recoveries have undone of the commits that this node made or has seen.
class Undone {
 public:
  enum class Answer : std::uint8_t { kNo, kYes, kUnknown };

  struct EpochStart {
    Epoch epoch = 0;
    CommitTime start;
  };

  /// Epoch `epoch` began from `start`: what older epochs committed later is gone.
  void add(Epoch epoch, CommitTime start) noexcept {
    if (epochs_.full()) {
      forgotten_ = epochs_[0].epoch;
      epochs_.erase(0);
    }
    (void)epochs_.push({epoch, start});
  }

  /// The newest epochs that this node was in from their begin, oldest first.
  std::span<const EpochStart> epochs() const noexcept { return epochs_.view(); }

  /// The node has lost the thread: of commits up to this epoch it can say nothing any more.
  void lose_thread(Epoch epoch) noexcept {
    if (epoch >= forgotten_) forgotten_ = epoch + 1;
  }

  /// Whether the commit at `time` of `epoch` was undone.
  Answer was(CommitTime time, Epoch epoch) const noexcept {
    if (epoch < forgotten_) return Answer::kUnknown;
    for (const auto& later : epochs_) {
      if (later.epoch > epoch && later.start < time) return Answer::kYes;
    }
    return Answer::kNo;
  }

 private:
  BoundedVector<EpochStart, 64> epochs_;
  Epoch forgotten_ = 0;  ///< of commits of older epochs than this nothing is known
};

class CoreContext {
 public:
  CoreContext(const CoreConfig& settings, ActionList& out) noexcept
      : config(settings),
        incarnation(settings.incarnation),
        cluster(settings.cluster_name_hash & kNameHalf),
        actions(out) {}

  static constexpr ClusterId kNameHalf = 0xffff'ffff'0000'0000;

  const CoreConfig config;
  std::uint32_t incarnation;  ///< of this life; drawn anew when the cluster went on without us
  NodeId self = kNoNode;
  Epoch epoch = 0;
  Epoch promised = 0;      ///< messages of older epochs no longer count
  CommitTime epoch_start;  ///< the commit time `epoch` began from
  ClusterId cluster;
  CommitTime applied;  ///< every commit up to here is applied
  PageIndex high_water =
      0;  ///< no page from here on was ever part of a commit: it is zero everywhere
  PageIndex formatted = 0;  ///< the first pages, filled alike on every node without a commit
  bool member = false;
  std::uint32_t peers = 0;  ///< members other than this node
  bool is_member[kMaxNodes] = {};
  std::uint32_t incarnation_of[kMaxNodes] = {};  ///< of the members
  NodeId page_server = kNoNode;  ///< the member that opens epochs, if the cluster has one
  bool resyncing = false;
  CommitTime durable;           ///< commits up to here are in an image, as far as this node knows
  bool wants_image = false;     ///< somebody here waits for one
  bool epoch_settling = false;  ///< on the PageServer: not everybody has shown to be in its epoch
  bool image_asked = false;     ///< on the PageServer: somebody waits for one
  bool image_stops_cluster = false;  ///< on the PageServer: the token stays until it is stored
  PageIndex image_high_water = 0;    ///< of the newest image, on the PageServer
  bool frames_hold_image = false;  ///< the frames are the newest image's, no page was written since
  Undone undone;
  bool cut_off = false;  ///< the PageServer has been silent for longer than the lease
  Instant now;
  CoreCounters counters;
  ActionList& actions;

  /// What others commit in its epoch may be applied here. A member whose lease has run out goes on
  /// with that: it would not see the PageServer leave else.
  bool follows() const noexcept { return member && !resyncing && !frozen(); }

  /// Frames of other members may be processed and own commits may be made.
  bool in_service() const noexcept { return follows() && !cut_off; }

  /// A new epoch is being prepared: what is applied here must not change until it begins.
  bool frozen() const noexcept { return promised > epoch; }

  /// Builds a frame in the action list and sends it to `to` (or kEveryone). `body` is copied,
  /// `payload` is sent from where it is.
  void send(NodeId to, wire::MessageType type, Bytes body, Bytes payload = {}) noexcept {
    emit(Action{.kind = ActionKind::kSend, .node = to}, to, type, body, payload);
  }

  void send_to(const Endpoint& endpoint, wire::MessageType type, Bytes body) noexcept {
    Action action{.kind = ActionKind::kSendTo, .endpoint = endpoint};
    emit(action, kNoNode, type, body, {});
  }

  template <class T>
  void send_body(NodeId to, wire::MessageType type, const T& body) noexcept {
    send(to, type, std::as_bytes(std::span{&body, 1}));
  }

  void drop(wire::DropReason reason) noexcept {
    ++counters.dropped[static_cast<std::size_t>(reason)];
  }

  void act(const Action& action) noexcept {
    if (!actions.push(action)) ++counters.actions_dropped;
  }

 private:
  void emit(Action action, NodeId receiver, wire::MessageType type, Bytes body,
            Bytes payload) noexcept;
};

/// A doubling interval with a limit: the wait before the n-th repetition of a message.
constexpr Duration backoff(Duration first, unsigned tries, Duration limit) noexcept {
  const auto doubled = first * (std::int64_t{1} << (tries < 16 ? tries : 16));
  return doubled < limit ? doubled : limit;
}

}  // namespace plurix
