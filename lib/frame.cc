#include <plurix/base/mutation.h>
#include <plurix/wire/frame.h>

#include <cstring>

namespace plurix::wire {
namespace {

constexpr std::size_t kChecksumBytes = sizeof(std::uint32_t);

Bytes behind_checksum(const FrameHeader& header) noexcept {
  return {reinterpret_cast<const std::byte*>(&header) + kChecksumBytes,
          sizeof header - kChecksumBytes};
}

}  // namespace

DropReason check_frame(Bytes frame, FrameView& view) noexcept {
  if (frame.size() < sizeof(FrameHeader)) return DropReason::kTooShort;
  FrameHeader header;
  std::memcpy(&header, frame.data(), sizeof header);
  if (header.magic != kMagic) return DropReason::kBadMagic;
  if (header.version != kVersion) return DropReason::kBadVersion;
  if (frame.size() > kMaxFrame || frame.size() - sizeof header != header.body_bytes) {
    return DropReason::kBadLength;
  }
  if (crc32c(frame.subspan(kChecksumBytes)) != header.crc32c && !mutated("crc_not_checked")) {
    return DropReason::kBadChecksum;
  }
  const auto type = static_cast<std::uint8_t>(header.type);
  if (type < kFirstType || type > kLastType) return DropReason::kBadType;
  view.header = header;
  view.body = frame.subspan(sizeof header);
  return DropReason::kNone;
}

void finish_frame(FrameHeader& header, Bytes body, Bytes payload) noexcept {
  header.body_bytes = static_cast<std::uint16_t>(body.size() + payload.size());
  header.crc32c = crc32c(payload, crc32c(body, crc32c(behind_checksum(header))));
}

}  // namespace plurix::wire
