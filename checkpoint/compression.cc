#include <plurix/checkpoint/compression.h>

#if defined(PLURIX_HAS_ZSTD)
#include <zstd.h>
#endif

namespace plurix::checkpoint {

#if defined(PLURIX_HAS_ZSTD)

namespace {

std::size_t pack(Bytes in, std::span<std::byte> out, int level) noexcept {
  const auto used = ZSTD_compress(out.data(), out.size(), in.data(), in.size(), level);
  return ZSTD_isError(used) != 0 ? 0 : used;
}

bool unpack(Bytes in, std::span<std::byte> out) noexcept {
  if (ZSTD_getFrameContentSize(in.data(), in.size()) != out.size()) return false;
  return ZSTD_decompress(out.data(), out.size(), in.data(), in.size()) == out.size();
}

}  // namespace

Compression zstd(int level) noexcept { return {pack, unpack, level}; }

#else

Compression zstd(int level) noexcept { return {nullptr, nullptr, level}; }

#endif

}  // namespace plurix::checkpoint
