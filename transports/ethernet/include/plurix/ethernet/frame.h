// What stands on the segment: Ethernet II frames of a private EtherType, each with one fragment of
// a message. A message has at most kMaxFrame bytes, so at most three fragments; a page reply takes
// exactly three. Little-endian behind the Ethernet header, no padding between the fields.
//
//    0  destination, 6 source   MAC addresses
//   12  EtherType 0x88b5        as Ethernet has it, big-endian
//   14  session                 drawn when the sender started: its former lives' numbers are others
//   18  number                  of the message in that session
//   22  total                   bytes of the whole message
//   24  index, 25 count         which of its fragments this is; count follows from total
//   26  version, 27 zero        of this format
//   30  contents                kFragment bytes, fewer in the last fragment; behind it only what
//                               pads a frame to 60 bytes
#pragma once

#include <plurix/concepts/transport.h>
#include <plurix/ethernet/address.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace plurix::ethernet {

static_assert(std::endian::native == std::endian::little, "the fragment header is little-endian");

/// IEEE 802: local experimental EtherType 1, which no protocol may claim for itself.
inline constexpr std::uint16_t kEtherType = 0x88b5;
inline constexpr std::uint8_t kVersion = 1;

/// Bytes of an Ethernet frame without its checksum (IEEE 802.3).
inline constexpr std::size_t kShortestFrame = 60;
inline constexpr std::size_t kLongestFrame = 1514;

struct FragmentHeader {
  std::byte destination[6] = {};
  std::byte source[6] = {};
  std::byte ether_type[2] = {std::byte{kEtherType >> 8}, std::byte{kEtherType & 0xff}};
  std::byte session[4] = {};
  std::byte number[4] = {};
  std::byte total[2] = {};
  std::uint8_t index = 0;
  std::uint8_t count = 0;
  std::uint8_t version = kVersion;
  std::uint8_t zero[3] = {};
};
static_assert(sizeof(FragmentHeader) == 30 && alignof(FragmentHeader) == 1);

inline constexpr std::size_t kFragment = kLongestFrame - sizeof(FragmentHeader);
inline constexpr std::size_t kMostFragments = (kMaxFrame + kFragment - 1) / kFragment;
static_assert(kMostFragments == 3, "a page takes three frames");

/// Which message of which life of a sender.
struct MessageNumber {
  std::uint32_t session = 0;
  std::uint32_t number = 0;

  friend constexpr bool operator==(const MessageNumber&, const MessageNumber&) noexcept = default;
};

/// An empty message still takes one frame.
constexpr std::size_t fragments_for(std::size_t total) noexcept {
  return total == 0 ? 1 : (total + kFragment - 1) / kFragment;
}

/// Bytes of the message that fragment `index` carries.
constexpr std::size_t contents_of(std::size_t total, std::size_t index) noexcept {
  return std::min(kFragment, total - index * kFragment);
}

/// A fragment as it stands in the receive buffer; its fields agree with each other.
struct Fragment {
  MacAddress from;
  MacAddress to;
  MessageNumber message;
  std::size_t total = 0;
  std::size_t index = 0;
  std::size_t count = 0;
  Bytes contents;
};

/// Why a frame is no fragment of ours.
enum class NotOurs : std::uint8_t { kNothing, kForeign, kMalformed };

namespace detail {

template <class Word, std::size_t kSize>
Word load(const std::byte (&bytes)[kSize]) noexcept {
  static_assert(sizeof(Word) == kSize);
  return std::bit_cast<Word>(bytes);
}

template <class Word, std::size_t kSize>
void store(std::byte (&bytes)[kSize], Word word) noexcept {
  static_assert(sizeof(Word) == kSize);
  std::memcpy(bytes, &word, kSize);
}

inline bool is_consistent(const FragmentHeader& header, const Fragment& fragment,
                          std::size_t size) noexcept {
  if (header.version != kVersion || fragment.total > kMaxFrame) return false;
  if (header.zero[0] != 0 || header.zero[1] != 0 || header.zero[2] != 0) return false;
  if (fragment.count != fragments_for(fragment.total) || fragment.index >= fragment.count) {
    return false;
  }
  const auto needed = sizeof header + contents_of(fragment.total, fragment.index);
  return size == needed || (needed < kShortestFrame && size == kShortestFrame);
}

}  // namespace detail

/// Reads a frame (without its checksum). Fills `fragment` only when it returns kNothing; reads
/// nothing outside `frame`. Any context.
inline NotOurs read_fragment(Bytes frame, Fragment& fragment) noexcept {
  FragmentHeader header;
  constexpr std::size_t kEthernetHeader = 14;
  if (frame.size() < kEthernetHeader) return NotOurs::kMalformed;
  std::memcpy(&header, frame.data(), std::min(frame.size(), sizeof header));
  if (std::memcmp(header.ether_type, FragmentHeader{}.ether_type, 2) != 0) return NotOurs::kForeign;
  if (frame.size() < sizeof header) return NotOurs::kMalformed;
  Fragment read;
  std::memcpy(&read.from, header.source, sizeof header.source);
  std::memcpy(&read.to, header.destination, sizeof header.destination);
  read.message = {detail::load<std::uint32_t>(header.session),
                  detail::load<std::uint32_t>(header.number)};
  read.total = detail::load<std::uint16_t>(header.total);
  read.index = header.index;
  read.count = header.count;
  const bool from_a_station = !read.from.is_group() && read.from != MacAddress{};
  if (!from_a_station || !detail::is_consistent(header, read, frame.size())) {
    return NotOurs::kMalformed;
  }
  read.contents = frame.subspan(sizeof header, contents_of(read.total, read.index));
  fragment = read;
  return NotOurs::kNothing;
}

/// The header of fragment `index` of a message of `total` bytes.
inline FragmentHeader make_header(const MacAddress& from, const MacAddress& to,
                                  MessageNumber message, std::size_t total,
                                  std::size_t index) noexcept {
  FragmentHeader header;
  std::memcpy(header.destination, to.bytes, sizeof header.destination);
  std::memcpy(header.source, from.bytes, sizeof header.source);
  detail::store(header.session, message.session);
  detail::store(header.number, message.number);
  detail::store(header.total, static_cast<std::uint16_t>(total));
  header.index = static_cast<std::uint8_t>(index);
  header.count = static_cast<std::uint8_t>(fragments_for(total));
  return header;
}

/// A stretch of a message that stands in two parts.
struct TwoParts {
  Bytes first;
  Bytes second;
};

/// Bytes `from` … `from + size` of `head` followed by `payload`.
inline TwoParts stretch_of(Bytes head, Bytes payload, std::size_t from, std::size_t size) noexcept {
  if (from >= head.size()) return {payload.subspan(from - head.size(), size), {}};
  const auto of_head = std::min(size, head.size() - from);
  return {head.subspan(from, of_head), payload.first(size - of_head)};
}

}  // namespace plurix::ethernet
