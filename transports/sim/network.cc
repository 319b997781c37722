#include <plurix/sim/network.h>

namespace plurix::sim {

void Network::cut(PortNumber from, PortNumber to, bool on) {
  auto& cut_to = ports_[from]->cut_to;
  if (cut_to.size() <= to) cut_to.resize(to + 1);
  cut_to[to] = on;
}

bool Network::is_cut(PortNumber from, PortNumber to) const {
  const auto& cut_to = ports_[from]->cut_to;
  return to < cut_to.size() && cut_to[to];
}

void Network::send(PortNumber from, PortNumber to, Bytes head, Bytes payload) {
  if (to >= ports_.size()) return;
  ++counters_.sent;
  if (is_cut(from, to)) {
    ++counters_.cut_off;
    return;
  }
  if (prng_.chance(faults_.loss)) {
    ++counters_.lost;
    return;
  }
  std::vector<std::byte> bytes(head.begin(), head.end());
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  if (prng_.chance(faults_.duplication)) {
    ++counters_.duplicated;
    deliver_later(from, to, bytes);
  }
  if (prng_.chance(faults_.corruption)) {
    ++counters_.corrupted;
    const auto bit = prng_.below(bytes.size() * 8);
    bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
  }
  deliver_later(from, to, std::move(bytes));
}

void Network::deliver_later(PortNumber from, PortNumber to, std::vector<std::byte> bytes) {
  const auto spread =
      static_cast<std::uint64_t>((faults_.longest_delay.ns - faults_.shortest_delay.ns) + 1);
  Duration delay{faults_.shortest_delay.ns + static_cast<std::int64_t>(prng_.below(spread))};
  if (prng_.chance(faults_.reordering)) {
    ++counters_.reordered;
    delay.ns += static_cast<std::int64_t>(
        prng_.below(static_cast<std::uint64_t>(faults_.longest_delay.ns) * 10));
  }
  scheduler_.after(delay, [this, from, to, bytes = std::move(bytes)]() mutable {
    auto& port = *ports_[to];
    if (port.inbox.size() >= kInboxLimit) {
      ++counters_.overflowed;
      return;
    }
    ++counters_.delivered;
    port.inbox.push_back({std::move(bytes), port_endpoint(from)});
    port.on_arrival();
  });
}

}  // namespace plurix::sim
