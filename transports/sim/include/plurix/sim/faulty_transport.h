// FaultyTransport: any transport, made worse on receipt. Frames are dropped, doubled, damaged,
// delayed, held back until others have overtaken them, or followed by ones that are long past, by
// percent and from a seed: the same arrivals meet the same faults.
#pragma once

#include <plurix/base/mutation.h>
#include <plurix/base/prng.h>
#include <plurix/concepts/transport.h>

#include <cstring>

namespace plurix::sim {

/// Percentages of the frames received, 0 to 100 with fractions.
struct FaultOptions {
  double drop_percent = 0;
  double duplicate_percent = 0;
  double reorder_percent = 0;  ///< comes after the frame behind it
  double delay_percent = 0;    ///< comes up to `longest_delay` later; needs `now`
  double corrupt_percent = 0;  ///< one bit is turned
  double replay_percent = 0;   ///< an earlier frame, perhaps an old one, comes once more before it
  Duration longest_delay = milliseconds(20);
  Instant (*now)() noexcept = nullptr;  ///< the clock of `Transport::wait`
  std::uint64_t seed = 1;
};

struct FaultCounters {
  std::uint64_t received = 0;
  std::uint64_t dropped = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t delayed = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t replayed = 0;
};

/// A frame put aside, with whom it came from.
struct KeptFrame {
  Instant due = kNever;
  std::size_t size = 0;  ///< 0: nothing is kept here
  Endpoint from;
  bool overheard = false;
  std::byte bytes[kMaxFrame];

  bool empty() const noexcept { return size == 0; }
  Bytes view() const noexcept { return {bytes, size}; }
  void keep(Bytes frame, const Endpoint& sender, bool by_another, Instant at = kNever) noexcept {
    std::memcpy(bytes, frame.data(), frame.size());
    size = frame.size();
    from = sender;
    overheard = by_another;
    due = at;
  }
};

/// Wraps a transport that outlives it. Same contexts as that one.
template <Transport Inner>
class FaultyTransport {
 public:
  static constexpr std::size_t kDelayed = 16;  ///< at once; more come without delay
  static constexpr std::size_t kPast = 16;     ///< frames that may be replayed

  explicit FaultyTransport(Inner& inner, const FaultOptions& options = {}) noexcept
      : inner_(inner),
        now_(options.now),
        longest_delay_(options.longest_delay),
        prng_(options.seed),
        drop_(per_million(options.drop_percent)),
        duplicate_(per_million(options.duplicate_percent)),
        reorder_(per_million(options.reorder_percent)),
        delay_(now_ == nullptr ? 0 : per_million(options.delay_percent)),
        corrupt_(per_million(options.corrupt_percent)),
        replay_(per_million(options.replay_percent)) {}

  void send(NodeId to, Bytes head, Bytes payload) noexcept { inner_.send(to, head, payload); }
  void broadcast(Bytes head, Bytes payload) noexcept { inner_.broadcast(head, payload); }
  void send_to(const Endpoint& endpoint, Bytes head, Bytes payload) noexcept {
    inner_.send_to(endpoint, head, payload);
  }

  std::size_t poll(FrameSink sink) noexcept {
    sink_ = sink;
    const auto late = deliver_due();
    return late + inner_.poll({[](void* self, Bytes frame, const Endpoint& from) noexcept {
                                 static_cast<FaultyTransport*>(self)->receive(frame, from, false);
                               },
                               this});
  }
  void overhear(FrameSink sink) noexcept
    requires Overhears<Inner>
  {
    overheard_ = sink;
    inner_.overhear({[](void* self, Bytes frame, const Endpoint& from) noexcept {
                       static_cast<FaultyTransport*>(self)->receive(frame, from, true);
                     },
                     this});
  }
  void wait(Instant until) noexcept {
    inner_.wait(mutated("delayed_frame_wakes_nobody") ? until : earlier(until, next_due_));
  }

  void set_peer(NodeId node, const Endpoint& endpoint) noexcept { inner_.set_peer(node, endpoint); }
  void remove_peer(NodeId node) noexcept { inner_.remove_peer(node); }
  Endpoint local_endpoint() const noexcept { return inner_.local_endpoint(); }
  bool is_absent(const Endpoint& endpoint) noexcept
    requires KnowsAbsence<Inner>
  {
    return inner_.is_absent(endpoint);
  }

  const FaultCounters& counters() const noexcept { return counters_; }

 private:
  static constexpr std::uint32_t per_million(double percent) noexcept {
    return static_cast<std::uint32_t>(percent * 10'000);
  }

  void receive(Bytes frame, const Endpoint& from, bool overheard) noexcept {
    ++counters_.received;
    remember(frame, from, overheard);
    if (prng_.chance(replay_)) replay();
    if (prng_.chance(drop_)) {
      ++counters_.dropped;
    } else if (held_.empty() && prng_.chance(reorder_)) {
      ++counters_.reordered;
      held_.keep(frame, from, overheard);
      return;
    } else if (!prng_.chance(delay_) || !delay(frame, from, overheard)) {
      deliver(frame, from, overheard);
    }
    release();
  }

  void deliver(Bytes frame, const Endpoint& from, bool overheard) noexcept {
    const auto& sink = overheard ? overheard_ : sink_;
    if (prng_.chance(duplicate_)) {
      ++counters_.duplicated;
      sink(frame, from);
    }
    if (prng_.chance(corrupt_)) return deliver_damaged(frame, from, overheard);
    sink(frame, from);
  }

  void deliver_damaged(Bytes frame, const Endpoint& from, bool overheard) noexcept {
    ++counters_.corrupted;
    damaged_.keep(frame, from, overheard);
    const auto bit = prng_.below(frame.size() * 8);
    damaged_.bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    hand_out(damaged_);
  }

  void release() noexcept {
    if (held_.empty()) return;
    hand_out(held_);
    held_.size = 0;
  }

  void hand_out(const KeptFrame& frame) noexcept {
    (frame.overheard ? overheard_ : sink_)(frame.view(), frame.from);
  }

  bool delay(Bytes frame, const Endpoint& from, bool overheard) noexcept {
    for (auto& place : delayed_) {
      if (!place.empty()) continue;
      ++counters_.delayed;
      const auto longest = static_cast<std::uint64_t>(longest_delay_.ns);
      place.keep(frame, from, overheard,
                 now_() + Duration{static_cast<std::int64_t>(prng_.below(longest))});
      next_due_ = earlier(next_due_, place.due);
      return true;
    }
    return false;
  }

  std::size_t deliver_due() noexcept {
    if (next_due_ == kNever) return 0;
    const auto now = now_();
    if (now < next_due_) return 0;
    std::size_t count = 0;
    next_due_ = kNever;
    for (auto& place : delayed_) {
      if (place.empty()) continue;
      if (place.due <= now) {
        ++count;
        hand_out(place);
        place.size = 0;
      } else {
        next_due_ = earlier(next_due_, place.due);
      }
    }
    return count;
  }

  // One frame in 64 is kept, so that what is replayed reaches far back.
  void remember(Bytes frame, const Endpoint& from, bool overheard) noexcept {
    if (replay_ == 0 || prng_.below(64) != 0) return;
    past_[prng_.below(kPast)].keep(frame, from, overheard);
  }

  void replay() noexcept {
    const auto& frame = past_[prng_.below(kPast)];
    if (frame.empty()) return;
    if (!mutated("replay_not_counted")) ++counters_.replayed;
    hand_out(frame);
  }

  Inner& inner_;
  FrameSink sink_;
  FrameSink overheard_;
  Instant (*const now_)() noexcept;
  const Duration longest_delay_;
  Prng prng_;
  const std::uint32_t drop_;
  const std::uint32_t duplicate_;
  const std::uint32_t reorder_;
  const std::uint32_t delay_;
  const std::uint32_t corrupt_;
  const std::uint32_t replay_;
  FaultCounters counters_;
  Instant next_due_ = kNever;
  KeptFrame held_;
  KeptFrame damaged_;
  KeptFrame delayed_[kDelayed];
  KeptFrame past_[kPast];
};

}  // namespace plurix::sim
