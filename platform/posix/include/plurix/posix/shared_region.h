// SharedRegion: the memory of one heap. A memfd is mapped twice: the *view* at the geometry's base,
// where the application works and rights apply, and the *frames* anywhere, always readable and
// writable, where the protocol works. A store through one is seen through the other.
#pragma once

#include <plurix/base/page.h>

#include <cstddef>
#include <string>

namespace plurix::posix {

enum class RegionKind : std::uint8_t {
  kProtectedView,  ///< two mappings, the view at the geometry's base and closed at first
  kPlain,          ///< one private mapping anywhere, view == frames: several fit in one process
};

/// Owns the mappings. Construction allocates; `view` and `frames` may be asked in any context.
///
/// A child made by fork() does not inherit the mappings, so it can neither change the heap behind
/// the parent's back nor be hindered from mapping a heap of its own.
class SharedRegion {
 public:
  /// Throws EnvironmentError: the address range is taken, no memory, memfd forbidden.
  explicit SharedRegion(const HeapGeometry& geometry, RegionKind kind = RegionKind::kProtectedView);
  ~SharedRegion();

  SharedRegion(SharedRegion&& other) noexcept;
  SharedRegion& operator=(SharedRegion&& other) noexcept;

  std::byte* view() const noexcept { return view_; }
  std::byte* frames() const noexcept { return frames_; }
  std::size_t bytes() const noexcept { return geometry_.bytes(); }
  std::uint32_t pages() const noexcept { return geometry_.pages; }
  const HeapGeometry& geometry() const noexcept { return geometry_; }
  RegionKind kind() const noexcept { return kind_; }

 private:
  void map_protected();
  void map_plain();
  void unmap() noexcept;

  HeapGeometry geometry_;
  RegionKind kind_;
  std::byte* view_ = nullptr;
  std::byte* frames_ = nullptr;
};

/// Empty when nothing occupies the geometry's address range, else a sentence naming what does.
std::string why_range_taken(const HeapGeometry& geometry);

}  // namespace plurix::posix
