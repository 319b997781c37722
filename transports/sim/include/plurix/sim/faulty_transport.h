// FaultyTransport: any transport, made worse on receipt. Frames are dropped, doubled, damaged, or
// held back until others have overtaken them, by percent and from a seed: the same arrivals meet
// the same faults.
#pragma once

#include <plurix/base/prng.h>
#include <plurix/concepts/transport.h>

#include <cstring>

namespace plurix::sim {

/// Percentages of the frames received, 0 to 100 with fractions.
struct FaultOptions {
  double drop_percent = 0;
  double duplicate_percent = 0;
  double delay_percent = 0;  ///< comes after the frame behind it
  double corrupt_percent = 0;
  std::uint64_t seed = 1;
};

struct FaultCounters {
  std::uint64_t received = 0;
  std::uint64_t dropped = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t delayed = 0;
  std::uint64_t corrupted = 0;
};

/// Wraps a transport that outlives it. Same contexts as that one.
template <Transport Inner>
class FaultyTransport {
 public:
  explicit FaultyTransport(Inner& inner, const FaultOptions& options = {}) noexcept
      : inner_(inner),
        prng_(options.seed),
        drop_(per_million(options.drop_percent)),
        duplicate_(per_million(options.duplicate_percent)),
        delay_(per_million(options.delay_percent)),
        corrupt_(per_million(options.corrupt_percent)) {}

  void send(NodeId to, Bytes head, Bytes payload) noexcept { inner_.send(to, head, payload); }
  void broadcast(Bytes head, Bytes payload) noexcept { inner_.broadcast(head, payload); }
  void send_to(const Endpoint& endpoint, Bytes head, Bytes payload) noexcept {
    inner_.send_to(endpoint, head, payload);
  }

  std::size_t poll(FrameSink sink) noexcept {
    sink_ = sink;
    return inner_.poll({[](void* self, Bytes frame, const Endpoint& from) noexcept {
                          static_cast<FaultyTransport*>(self)->receive(frame, from);
                        },
                        this});
  }
  void wait(Instant until) noexcept { inner_.wait(until); }

  void set_peer(NodeId node, const Endpoint& endpoint) noexcept { inner_.set_peer(node, endpoint); }
  void remove_peer(NodeId node) noexcept { inner_.remove_peer(node); }
  Endpoint local_endpoint() const noexcept { return inner_.local_endpoint(); }

  const FaultCounters& counters() const noexcept { return counters_; }

 private:
  static constexpr std::uint32_t per_million(double percent) noexcept {
    return static_cast<std::uint32_t>(percent * 10'000);
  }

  void receive(Bytes frame, const Endpoint& from) noexcept {
    ++counters_.received;
    if (prng_.chance(drop_)) {
      ++counters_.dropped;
    } else if (held_size_ == 0 && prng_.chance(delay_)) {
      hold(frame, from);
      return;
    } else {
      deliver(frame, from);
    }
    release();
  }

  void deliver(Bytes frame, const Endpoint& from) noexcept {
    if (prng_.chance(duplicate_)) {
      ++counters_.duplicated;
      sink_(frame, from);
    }
    if (prng_.chance(corrupt_)) return deliver_damaged(frame, from);
    sink_(frame, from);
  }

  void deliver_damaged(Bytes frame, const Endpoint& from) noexcept {
    ++counters_.corrupted;
    std::memcpy(damaged_, frame.data(), frame.size());
    const auto bit = prng_.below(frame.size() * 8);
    damaged_[bit / 8] ^= std::byte{1} << (bit % 8);
    sink_({damaged_, frame.size()}, from);
  }

  void hold(Bytes frame, const Endpoint& from) noexcept {
    ++counters_.delayed;
    std::memcpy(held_, frame.data(), frame.size());
    held_size_ = frame.size();
    held_from_ = from;
  }

  void release() noexcept {
    if (held_size_ == 0) return;
    const auto size = held_size_;
    held_size_ = 0;
    sink_({held_, size}, held_from_);
  }

  Inner& inner_;
  FrameSink sink_;
  Prng prng_;
  const std::uint32_t drop_;
  const std::uint32_t duplicate_;
  const std::uint32_t delay_;
  const std::uint32_t corrupt_;
  FaultCounters counters_;
  std::size_t held_size_ = 0;
  Endpoint held_from_;
  std::byte held_[kMaxFrame];
  std::byte damaged_[kMaxFrame];
};

}  // namespace plurix::sim
