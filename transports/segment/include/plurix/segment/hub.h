// Hub: an Ethernet segment without hardware. Stations connect to a unix socket, QEMU machines with
//   -netdev stream,id=n0,server=off,addr.type=unix,addr.path=PATH
// and Linux processes with SegmentDevice; the hub carries frames between them like a switch: to the
// station whose address it has heard, else to all. A station may ask to hear what passes
// between others, as far as it may be part of a page. The hub can lose, double, hold back and
// damage frames on the way to a station, and writes down what it hears.
//
// Every queue is bounded: a station that does not read loses frames, and nobody else does.
#pragma once

#include <plurix/base/prng.h>
#include <plurix/base/time.h>
#include <plurix/ethernet/address.h>
#include <plurix/segment/pcap_writer.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace plurix::segment {

/// Percent of the deliveries to a station.
struct HubFaults {
  double drop = 0;
  double duplicate = 0;
  double reorder = 0;  ///< comes after the next one, or 5 ms late
  double delay = 0;    ///< comes up to 20 ms late
  double corrupt = 0;  ///< one bit is turned
};

struct HubOptions {
  std::string path;  ///< of the socket; must not exist
  HubFaults faults;
  std::uint64_t seed = 1;
  std::string pcap_file;                              ///< empty: none
  std::uint64_t pcap_limit = std::uint64_t{1} << 30;  ///< bytes
};

/// Frames since construction.
struct HubCounters {
  std::uint64_t stations = 0;  ///< that have ever connected
  std::uint64_t heard = 0;
  std::uint64_t delivered = 0;
  std::uint64_t flooded = 0;    ///< heard, for all or for an address nobody has used yet
  std::uint64_t overheard = 0;  ///< heard, and also for a station that listens
  std::uint64_t injected = 0;
  std::uint64_t lost_no_room = 0;   ///< the station does not read
  std::uint64_t not_overheard = 0;  ///< nor does the station that listens
  std::uint64_t dropped = 0;        ///< the faults
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t delayed = 0;
  std::uint64_t corrupted = 0;
};

/// Belongs to one thread.
class Hub {
 public:
  static constexpr std::size_t kMostStations = 80;

  /// Listens from here on. Throws SetupError.
  explicit Hub(const HubOptions& options);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  /// Carries what there is to carry; waits for it no longer than that, or until `other_fd` (or
  /// none: -1) can be read.
  void step(Duration at_most, int other_fd = -1);

  /// A frame that no station has sent, to all of them. No fault happens to it.
  void inject(Bytes frame);

  /// Is shown every frame heard.
  std::function<void(Bytes frame)> on_heard = [](Bytes) {};

  void set_faults(const HubFaults& faults) { options_.faults = faults; }
  const HubCounters& counters() const noexcept { return counters_; }
  std::size_t stations() const noexcept { return ports_.size(); }
  const std::string& path() const noexcept { return options_.path; }

 private:
  struct Port;

  void accept_stations();
  void hear(Port& from);
  void learn(Port& port, const ethernet::MacAddress& address);
  Port* find(const ethernet::MacAddress& address);
  void forward(const Port& from, Bytes frame);
  void let_overhear(const Port& from, const Port& to, Bytes frame);
  void deliver(Port& to, Bytes frame);
  void deliver_once(Port& to, Bytes frame);
  void put(Port& to, Bytes frame);
  bool hold(Port& to, Bytes frame, Duration time, bool until_next);
  void release(Port& port, bool next_has_come);
  Duration until_due(Duration at_most) const;
  void flush_all();
  bool happens(double percent);

  HubOptions options_;
  int listener_ = -1;
  Prng prng_;
  std::optional<PcapWriter> pcap_;
  std::vector<std::unique_ptr<Port>> ports_;
  HubCounters counters_;
};

}  // namespace plurix::segment
