// HostileSprayer: sends datagrams to nodes that no node has sent: noise, frames recorded in the
// cluster whole, cut and altered, and frames of other clusters, from sockets that are no members.
//
// What it does not do is claim a commit time of its own in a frame whose cluster, epoch and
// receiver are right: without authentication that keeps a node waiting (docs/protocol.md, P6).
#pragma once

#include <plurix/base/prng.h>
#include <plurix/concepts/transport.h>

#include <cstdint>
#include <string>
#include <vector>

namespace plurix::tool {

struct HostileCounters {
  std::uint64_t noise = 0;      ///< random bytes
  std::uint64_t truncated = 0;  ///< recorded frames without their end
  std::uint64_t altered = 0;    ///< recorded frames with bytes changed
  std::uint64_t forged = 0;     ///< the same, with a right checksum
  std::uint64_t foreign = 0;    ///< frames of another cluster
  std::uint64_t replayed = 0;   ///< recorded frames as they were
  std::uint64_t recorded = 0;   ///< frames heard; not sent

  std::uint64_t sent() const noexcept {
    return noise + truncated + altered + forged + foreign + replayed;
  }
};

class HostileSprayer {
 public:
  /// Throws std::system_error.
  explicit HostileSprayer(std::uint64_t seed);
  ~HostileSprayer();
  HostileSprayer(const HostileSprayer&) = delete;
  HostileSprayer& operator=(const HostileSprayer&) = delete;

  /// "127.0.0.1:4711": where copies of frames may be sent to.
  const std::string& listener() const noexcept { return listener_; }

  void aim_at(const std::vector<std::string>& addresses);
  void spray(std::size_t count);

  const HostileCounters& counters() const noexcept { return counters_; }

 private:
  static constexpr std::size_t kSockets = 4;
  static constexpr std::size_t kKept = 256;

  using Frame = std::vector<std::byte>;

  void listen();
  void send_one();
  Frame make_noise();
  Frame cut(Frame frame);
  Frame alter(Frame frame);
  Frame forge(Frame frame);
  Frame move_to_another_cluster(Frame frame);

  Prng prng_;
  std::string listener_;
  int sockets_[kSockets] = {-1, -1, -1, -1};  ///< the first one listens
  std::vector<Endpoint> targets_;
  std::vector<Frame> kept_;  ///< also of clusters that are gone
  HostileCounters counters_;
};

}  // namespace plurix::tool
