#include <plurix/sim/network.h>

#include <plurix/wire/frame.h>

#include <cstring>

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
  if (head.size() + payload.size() > kMaxFrame) {
    ++counters_.too_large;
    return;
  }
  ++counters_.sent;
  carry(from, to, head, payload, false);
  for (PortNumber port = 0; port < ports_.size(); ++port) {
    const bool another = port != from && port != to;
    if (another && ports_[port]->listens) carry(from, port, head, payload, true);
  }
}

void Network::carry(PortNumber from, PortNumber to, Bytes head, Bytes payload, bool overheard) {
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
  if (remembers_) remember({bytes, from, to, overheard});
  if (prng_.chance(faults_.duplication)) {
    ++counters_.duplicated;
    deliver_later(from, to, bytes, overheard);
  }
  if (prng_.chance(faults_.corruption)) {
    ++counters_.corrupted;
    const auto bit = prng_.below(bytes.size() * 8);
    bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
  }
  deliver_later(from, to, std::move(bytes), overheard);
}

void Network::deliver_later(PortNumber from, PortNumber to, std::vector<std::byte> bytes,
                            bool overheard) {
  const auto spread =
      static_cast<std::uint64_t>((faults_.longest_delay.ns - faults_.shortest_delay.ns) + 1);
  Duration delay{faults_.shortest_delay.ns + static_cast<std::int64_t>(prng_.below(spread))};
  if (prng_.chance(faults_.reordering)) {
    ++counters_.reordered;
    delay.ns += static_cast<std::int64_t>(
        prng_.below(static_cast<std::uint64_t>(faults_.longest_delay.ns) * 10));
  }
  auto frame_mark = overheard ? nullptr : mark(bytes);
  scheduler_.after(delay, [this, from, to, overheard, bytes = std::move(bytes),
                           frame_mark = std::move(frame_mark)]() mutable {
    auto& port = *ports_[to];
    if (port.inbox.size() >= kInboxLimit) {
      ++counters_.overflowed;
      return;
    }
    ++(overheard ? counters_.overheard : counters_.delivered);
    port.inbox.push_back({std::move(bytes), port_endpoint(from), std::move(frame_mark), overheard});
    port.on_arrival();
  });
}

FrameMark Network::mark(const std::vector<std::byte>& bytes) {
  if (wanted_ == nullptr || !wanted_(bytes)) return nullptr;
  auto made = std::make_shared<const std::vector<std::byte>>(bytes);
  watched_.push_back(made);
  return made;
}

void Network::remember(Remembered frame) {
  if (memory_.size() < kMemory) memory_.emplace_back();
  memory_[next_memory_ % kMemory] = std::move(frame);
  ++next_memory_;
}

void Network::replay(PortNumber to, int count) {
  for (int i = 0; i < count && !memory_.empty(); ++i) {
    const auto& frame = memory_[prng_.below(memory_.size())];
    if (frame.to != to) continue;
    ++counters_.replayed;
    deliver_later(frame.from, frame.to, frame.bytes, frame.overheard);
  }
}

std::vector<std::byte> Network::forge(const std::vector<std::byte>& model) {
  auto bytes = model;
  const auto resize_to = [&](std::size_t size) {
    bytes.resize(size);
    for (std::size_t i = model.size(); i < size; ++i)
      bytes[i] = static_cast<std::byte>(prng_.next());
  };
  switch (prng_.below(4)) {
    case 0:  // random bytes
      for (auto& byte : bytes) byte = static_cast<std::byte>(prng_.next());
      break;
    case 1:
      resize_to(prng_.below(bytes.size()));
      break;  // cut off
    case 2:
      resize_to(bytes.size() + 1 + prng_.below(64));
      break;    // prolonged
    default: {  // another cluster of the same name, or of another one; otherwise faultless
      wire::FrameHeader header;
      if (bytes.size() < sizeof header) break;
      std::memcpy(&header, bytes.data(), sizeof header);
      header.cluster ^= std::uint64_t{1} << (32 * prng_.below(2) + prng_.below(32));
      const auto body = Bytes{bytes}.subspan(sizeof header);
      wire::finish_frame(header, body, {});
      std::memcpy(bytes.data(), &header, sizeof header);
    }
  }
  return bytes;
}

void Network::send_garbage(PortNumber to, int count) {
  for (int i = 0; i < count && !memory_.empty(); ++i) {
    const auto& model = memory_[prng_.below(memory_.size())];
    ++counters_.forged;
    if (prng_.below(4) == 0) {  // a faultless frame from a port that is no member's
      deliver_later(0xffff, to, model.bytes, model.overheard);
    } else {
      deliver_later(model.from, to, forge(model.bytes), model.overheard);
    }
  }
}

}  // namespace plurix::sim
