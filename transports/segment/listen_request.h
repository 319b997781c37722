// What a station sends its hub in order to hear all others: a frame of its own that no switch
// passes on, and that no card takes for anything else.
#pragma once

#include <plurix/concepts/transport.h>
#include <plurix/ethernet/frame.h>

#include <array>
#include <cstring>

namespace plurix::segment {

/// IEEE 802.1Q, table 8-1: frames to this group stay on their cable.
inline constexpr ethernet::MacAddress kThisCable{{std::byte{0x01}, std::byte{0x80}, std::byte{0xc2},
                                                  std::byte{0}, std::byte{0}, std::byte{0x0e}}};

/// IEEE 802: local experimental EtherType 2.
inline constexpr std::uint16_t kListenEtherType = 0x88b6;

/// Pages are what is listened for, and each of the three frames of one is longer. Most traffic is
/// shorter: nobody shall wake up for it who is not meant.
inline constexpr std::size_t kWorthHearing = 1024;

using ListenRequest = std::array<std::byte, ethernet::kShortestFrame>;

inline ListenRequest listen_request(const ethernet::MacAddress& from) noexcept {
  ListenRequest frame = {};
  std::memcpy(frame.data(), kThisCable.bytes, 6);
  std::memcpy(frame.data() + 6, from.bytes, 6);
  frame[12] = std::byte{kListenEtherType >> 8};
  frame[13] = std::byte{kListenEtherType & 0xff};
  return frame;
}

/// `frame` has at least an Ethernet header.
inline bool is_listen_request(Bytes frame) noexcept {
  const auto model = listen_request({});
  return std::memcmp(frame.data(), model.data(), 6) == 0 &&
         std::memcmp(frame.data() + 12, model.data() + 12, 2) == 0;
}

}  // namespace plurix::segment
