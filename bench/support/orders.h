// How the process that measures tells its peers what to do next: a word in shared memory. A peer
// that has nothing to do idles in the way the phase asks for (as a node that serves, as a socket
// that echoes), so that product and yardstick take turns in the same processes.
#pragma once

#include <plurix/base/time.h>

#include <array>
#include <atomic>
#include <cstdint>

namespace plurix::bench {

inline constexpr int kMaxPeers = 8;

class Orders {
 public:
  /// Gives the next order to all peers.
  void give(int what, std::int64_t argument = 0) noexcept {
    what_.store(what, std::memory_order_relaxed);
    argument_.store(argument, std::memory_order_relaxed);
    number_.fetch_add(1, std::memory_order_release);
  }

  /// Whether the first `peers` peers have carried out the newest order.
  bool done(int peers) const noexcept {
    for (int i = 0; i < peers; ++i) {
      const auto done = done_[static_cast<std::size_t>(i)].load(std::memory_order_acquire);
      if (done != number_.load(std::memory_order_relaxed)) return false;
    }
    return true;
  }

  /// A peer's life: `idle()` while there is nothing new, `obey(what, argument)` for each order
  /// until it returns false.
  template <class Idle, class Obey>
  void follow(int peer, Idle idle, Obey obey) noexcept(false) {
    for (std::uint64_t last = 0;;) {
      const auto number = number_.load(std::memory_order_acquire);
      if (number == last) {
        idle();
        continue;
      }
      last = number;
      const bool more =
          obey(what_.load(std::memory_order_relaxed), argument_.load(std::memory_order_relaxed));
      done_[static_cast<std::size_t>(peer)].store(number, std::memory_order_release);
      if (!more) return;
    }
  }

  /// The newest order's number: what is carried out may end when it changes.
  std::uint64_t newest() const noexcept { return number_.load(std::memory_order_acquire); }

  /// Whether there is an order newer than the one a peer carries out or idles after.
  bool pending(int peer) const noexcept {
    return number_.load(std::memory_order_acquire) !=
           done_[static_cast<std::size_t>(peer)].load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> number_{0};
  std::atomic<int> what_{0};
  std::atomic<std::int64_t> argument_{0};
  std::array<std::atomic<std::uint64_t>, kMaxPeers> done_{};
};

}  // namespace plurix::bench
