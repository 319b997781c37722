#include <plurix/base/assert.h>

#include <plurix/baremetal/physical_memory.h>

#include <algorithm>
#include <cstring>

extern "C" const std::byte plurix_image_end[];

namespace plurix::baremetal {
namespace {

constexpr std::uint64_t kMappedBytes = std::uint64_t{4} << 30;

/// What is behind everything that stands in `range`.
MemoryRange behind_occupied(MemoryRange range, const BootInfo& boot) noexcept {
  range.end = std::min(range.end, kMappedBytes);
  const auto skip = [&](std::uint64_t begin, std::uint64_t end) {
    if (begin < range.end && end > range.begin) range.begin = end;
  };
  skip(0, reinterpret_cast<std::uint64_t>(plurix_image_end));
  for (const auto& module : boot.modules) skip(module.begin, module.end);
  if (range.begin > range.end) range.begin = range.end;
  return range;
}

}  // namespace

PhysicalMemory::PhysicalMemory(const BootInfo& boot) noexcept {
  for (const auto& range : boot.usable) {
    const auto rest = behind_occupied(range, boot);
    if (rest.begin < rest.end && rest.bytes() > free_.bytes()) free_ = rest;
  }
}

std::span<std::byte> PhysicalMemory::take(std::size_t bytes, std::size_t alignment,
                                          const char* purpose) noexcept {
  const auto begin = (free_.begin + alignment - 1) & ~(std::uint64_t{alignment} - 1);
  if (begin > free_.end || bytes > free_.end - begin) panic(purpose, __FILE__, __LINE__);
  free_.begin = begin + bytes;
  auto* memory = reinterpret_cast<std::byte*>(begin);
  std::memset(memory, 0, bytes);
  return {memory, bytes};
}

}  // namespace plurix::baremetal
