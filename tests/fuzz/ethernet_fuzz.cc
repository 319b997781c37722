// Feeds arbitrary frames to the Ethernet transport, mixed with honest fragments of one member. What
// comes out is within its limits, the member's messages come out as they were sent, and whoever is
// a stranger cannot keep them from doing so.
#include <plurix/base/assert.h>
#include <plurix/ethernet/transport.h>

#include <cstdint>
#include <vector>

namespace {

using namespace plurix;
using namespace plurix::ethernet;

constexpr MacAddress kOwn{{std::byte{2}, {}, {}, {}, {}, std::byte{1}}};
constexpr MacAddress kMember{{std::byte{2}, {}, {}, {}, {}, std::byte{2}}};
constexpr std::byte kMark{0x5a};

/// Hands out what it is given.
struct Wire {
  std::vector<Bytes> frames;

  MacAddress address() const noexcept { return kOwn; }
  bool transmit(Bytes, Bytes, Bytes) noexcept { return true; }
  std::size_t receive(RawSink sink) noexcept {
    for (const auto frame : frames) sink(frame);
    const auto count = frames.size();
    frames.clear();
    return count;
  }
  void wait(Instant) noexcept {}
};

struct Seen {
  std::size_t honest = 0;
};

void check(void* seen, Bytes message, const Endpoint& from) noexcept {
  PLURIX_ASSERT(message.size() <= kMaxFrame);
  if (from != make_endpoint(kMember)) return;
  for (const auto byte : message) PLURIX_ASSERT(byte == kMark);
  ++static_cast<Seen*>(seen)->honest;
}

/// Of members only, in several frames only.
void check_overheard(void*, Bytes message, const Endpoint& from) noexcept {
  PLURIX_ASSERT(message.size() > kFragment && message.size() <= kMaxFrame);
  PLURIX_ASSERT(from == make_endpoint(kMember));
}

/// Makes the bytes a right fragment of a message they choose, from a stranger or (`between`) from a
/// member to somebody else: what no fuzzer would find by itself.
void dress(std::vector<std::byte>& frame, bool between) {
  frame.resize(std::max(frame.size(), sizeof(FragmentHeader)));
  FragmentHeader header;
  std::memcpy(&header, frame.data(), sizeof header);
  MacAddress from;
  std::memcpy(from.bytes, header.source, sizeof from.bytes);
  from.bytes[0] = std::byte{0xf2};
  const auto total = detail::load<std::uint16_t>(header.total) % (kMaxFrame + 1);
  const auto index = header.index % fragments_for(total);
  const MessageNumber number{detail::load<std::uint32_t>(header.session),
                             detail::load<std::uint32_t>(header.number)};
  const auto to = between ? from : kOwn;
  header = make_header(between ? kMember : from, to, number, total, index);
  frame.resize(sizeof header + contents_of(total, index));
  std::memcpy(frame.data(), &header, sizeof header);
}

std::vector<std::byte> honest_fragment(std::size_t index) {
  const auto header = make_header(kMember, kOwn, {7, 7}, kMaxFrame, index);
  std::vector<std::byte> frame(sizeof header + contents_of(kMaxFrame, index), kMark);
  std::memcpy(frame.data(), &header, sizeof header);
  return frame;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Wire wire;
  static auto* transport = new EthernetTransport<Wire>(wire, 1);
  static auto* overheard = new Reassembly;
  transport->overhear({check_overheard, nullptr}, *overheard);
  transport->set_peer(3, make_endpoint(kMember));
  const auto bytes = std::as_bytes(std::span{data, size});
  std::vector<std::vector<std::byte>> frames;
  std::size_t honest = 0;
  for (std::size_t at = 0; at + 2 < size;) {
    const auto length = std::min<std::size_t>(data[at] * 8u, size - at - 2);
    frames.emplace_back(bytes.begin() + static_cast<std::ptrdiff_t>(at + 2),
                        bytes.begin() + static_cast<std::ptrdiff_t>(at + 2 + length));
    if (data[at + 1] < 200) dress(frames.back(), data[at + 1] % 8 == 1);
    if (data[at + 1] % 4 == 0 && honest < kMostFragments) {
      frames.push_back(honest_fragment(honest++));
    }
    at += 2 + length;
  }
  while (honest < kMostFragments) frames.push_back(honest_fragment(honest++));
  for (const auto& frame : frames) wire.frames.push_back(frame);
  Seen seen;
  (void)transport->poll({check, &seen});
  PLURIX_ASSERT(seen.honest == 1);
  return 0;
}
