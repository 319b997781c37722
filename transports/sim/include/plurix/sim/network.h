// A simulated network: ports joined by links that lose, double, delay, reorder and damage frames,
// as one seed decides.
#pragma once

#include <plurix/base/prng.h>
#include <plurix/concepts/transport.h>
#include <plurix/sim/scheduler.h>

#include <deque>
#include <memory>
#include <vector>

namespace plurix::sim {

/// What a link does to frames; probabilities in parts per million, each drawn for itself.
struct LinkFaults {
  std::uint32_t loss = 0;
  std::uint32_t duplication = 0;
  std::uint32_t reordering = 0;  ///< held back by up to ten times the longest delay
  std::uint32_t corruption = 0;  ///< one bit is flipped
  Duration shortest_delay = microseconds(5);
  Duration longest_delay = microseconds(30);

  friend bool operator==(const LinkFaults&, const LinkFaults&) = default;
};

/// How often each thing happened to frames.
struct NetworkCounters {
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t cut_off = 0;     ///< sent over a link that was cut
  std::uint64_t replayed = 0;    ///< sent again by an attacker, as they were
  std::uint64_t forged = 0;      ///< made up by an attacker
  std::uint64_t overflowed = 0;  ///< arrived at a full inbox
  std::uint64_t too_large = 0;   ///< larger than kMaxFrame; not sent
  std::uint64_t overheard = 0;   ///< arrived at a port they were not sent to
};

using PortNumber = std::uint32_t;

/// The endpoint of nobody is all zero, so that of a port holds its number plus one.
inline Endpoint port_endpoint(PortNumber port) noexcept {
  Endpoint endpoint;
  // Big-endian, so that endpoints compare in the order of their ports.
  for (unsigned i = 0; i < 4; ++i) {
    endpoint.bytes[i] = static_cast<std::byte>(((port + 1) >> (24 - 8 * i)) & 0xff);
  }
  return endpoint;
}

/// A port that does not exist if the endpoint is nobody's.
inline PortNumber endpoint_port(const Endpoint& endpoint) noexcept {
  PortNumber port = 0;
  for (unsigned i = 0; i < 4; ++i) port = port << 8 | static_cast<PortNumber>(endpoint.bytes[i]);
  return port - 1;
}

/// What an observer keeps of a frame that was sent and has not been taken out of an inbox. Lives as
/// long as the frame does.
using FrameMark = std::shared_ptr<const std::vector<std::byte>>;

struct Arrived {
  std::vector<std::byte> bytes;
  Endpoint from;
  FrameMark mark;
  bool overheard = false;  ///< it went to somebody else
};

class Network {
 public:
  static constexpr std::size_t kInboxLimit = 4096;  ///< frames; more are dropped, as by a socket

  Network(Scheduler& scheduler, std::uint64_t seed) : scheduler_(scheduler), prng_(seed) {}

  /// A new port; `on_arrival` is called when a frame was put into its inbox.
  PortNumber open(std::function<void()> on_arrival) {
    ports_.push_back(std::make_unique<Port>());
    ports_.back()->on_arrival = std::move(on_arrival);
    return static_cast<PortNumber>(ports_.size() - 1);
  }

  /// Whether anybody is at a port; at a new one, somebody is.
  void set_absent(PortNumber port, bool on) { ports_[port]->absent = on; }
  bool is_absent(PortNumber port) const { return port < ports_.size() && ports_[port]->absent; }

  /// All ports are on one cable: who listens hears what others say. Else listening is in vain.
  void share_cable() { shared_ = true; }

  /// A copy of each frame between other ports comes to this one, and meets its own fate.
  void listen(PortNumber port) { ports_[port]->listens = shared_; }

  std::deque<Arrived>& inbox(PortNumber port) { return ports_[port]->inbox; }

  void set_faults(const LinkFaults& faults) { faults_ = faults; }
  const LinkFaults& faults() const { return faults_; }

  /// Cuts or heals the link from one port to another (one direction).
  void cut(PortNumber from, PortNumber to, bool on);

  /// Sends a frame. Each copy meets its own fate.
  void send(PortNumber from, PortNumber to, Bytes head, Bytes payload);

  /// Marks the frames for which `wanted` is true, from now on.
  void watch(bool (*wanted)(Bytes frame)) { wanted_ = wanted; }

  /// Calls `visit(Bytes frame)` for each marked frame that is under way or in an inbox.
  template <class Visit>
  void for_each_watched(Visit visit) {
    std::erase_if(watched_, [](const auto& mark) { return mark.expired(); });
    for (const auto& mark : watched_) visit(Bytes{*mark.lock()});
  }

  /// Remembers frames from now on, so that they can be replayed and altered.
  void remember_frames() { remembers_ = true; }

  /// Sends `count` remembered frames again to the port they went to, from where they came.
  void replay(PortNumber to, int count);

  /// Sends `count` frames no member would send: random bytes, cut-off and prolonged frames, frames
  /// of another cluster, frames from a port that is no member's.
  void send_garbage(PortNumber to, int count);

  const NetworkCounters& counters() const { return counters_; }

 private:
  struct Port {
    std::deque<Arrived> inbox;
    std::function<void()> on_arrival;
    std::vector<bool> cut_to;
    bool absent = false;
    bool listens = false;
  };

  struct Remembered {
    std::vector<std::byte> bytes;
    PortNumber from;
    PortNumber to;
    bool overheard;
  };
  static constexpr std::size_t kMemory = 512;

  /// One copy on its way to one port.
  void carry(PortNumber from, PortNumber to, Bytes head, Bytes payload, bool overheard);
  void remember(Remembered frame);
  std::vector<std::byte> forge(const std::vector<std::byte>& model);
  void deliver_later(PortNumber from, PortNumber to, std::vector<std::byte> bytes, bool overheard);
  bool is_cut(PortNumber from, PortNumber to) const;
  FrameMark mark(const std::vector<std::byte>& bytes);

  Scheduler& scheduler_;
  Prng prng_;
  LinkFaults faults_;
  std::vector<std::unique_ptr<Port>> ports_;
  NetworkCounters counters_;
  bool (*wanted_)(Bytes frame) = nullptr;
  std::vector<std::weak_ptr<const std::vector<std::byte>>> watched_;
  bool shared_ = false;
  bool remembers_ = false;
  std::vector<Remembered> memory_;  ///< the newest kMemory frames, as a ring
  std::size_t next_memory_ = 0;
};

}  // namespace plurix::sim
