// Frames for tests: correct ones, as a core would send them, to be damaged on purpose.
#pragma once

#include <plurix/wire/messages.h>

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <vector>

namespace plurix::testing {

using ByteVector = std::vector<std::byte>;

/// The bytes of trivially copyable things, one behind the other.
template <class... Parts>
ByteVector bytes_of(const Parts&... parts) {
  ByteVector out((sizeof(Parts) + ...));
  auto* next = out.data();
  ((std::memcpy(next, &parts, sizeof parts), next += sizeof parts), ...);
  return out;
}

inline ByteVector joined(const ByteVector& head, const ByteVector& tail) {
  ByteVector out(head.size() + tail.size());
  std::copy(tail.begin(), tail.end(), std::copy(head.begin(), head.end(), out.begin()));
  return out;
}

/// A frame with `header`'s fields around `body`; length and checksum are right.
inline ByteVector frame_of(wire::FrameHeader header, const ByteVector& body) {
  wire::finish_frame(header, body, {});
  return joined(bytes_of(header), body);
}

/// The same with the header's length and checksum as given, right or wrong.
inline ByteVector raw_frame(const wire::FrameHeader& header, const ByteVector& body) {
  return joined(bytes_of(header), body);
}

/// Makes the checksum of a changed frame right again: what an attacker would do.
inline void reseal(ByteVector& frame) {
  const auto crc = crc32c(Bytes{frame}.subspan(sizeof(std::uint32_t)));
  std::memcpy(frame.data(), &crc, sizeof crc);
}

/// A commit record of one packet with its words.
inline ByteVector record_of(wire::RecordHeader header, const std::vector<std::uint32_t>& words) {
  header.words = static_cast<std::uint32_t>(words.size());
  auto out = bytes_of(header);
  for (const auto word : words) out = joined(out, bytes_of(word));
  return out;
}

}  // namespace plurix::testing
