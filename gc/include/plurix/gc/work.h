// Work: how much one collector transaction may do. A unit is about what looking at one object or
// link costs; a page that is written for the first time costs more, because its contents are kept
// for an abort, and their number is limited besides: a transaction has room for so many shadow
// images only.
#pragma once

#include <plurix/base/types.h>

#include <algorithm>
#include <cstdint>

namespace plurix::gc {

/// What one collector transaction may do.
struct Budget {
  std::uint32_t work = 6'000;         ///< units; the default is about a quarter of a millisecond
  std::uint32_t pages_written = 128;  ///< by what is still begun
  std::uint32_t pages_beyond = 256;   ///< by what was begun, when one of the others is used up
};

class Work {
 public:
  static constexpr std::uint32_t kPageWritten = 60;  ///< units

  /// A budget with which nothing could be done at all is raised.
  explicit Work(const Budget& budget) noexcept
      : budget_{std::max(budget.work, kLeastWork), std::max(budget.pages_written, kLeastPages)} {}

  bool left() const noexcept {
    return spent_ < budget_.work && pages_written_ < budget_.pages_written;
  }

  void spend(std::uint32_t units) noexcept { spent_ += units; }

  /// A page is written, perhaps not for the first time: what was written lately is remembered.
  void write(PageIndex page) noexcept {
    auto& known = written_[page % kRemembered];
    if (known == page) return;
    known = page;
    ++pages_written_;
    spent_ += kPageWritten;
  }

  std::uint32_t spent() const noexcept { return spent_; }

 private:
  static constexpr std::uint32_t kLeastWork = 6 * kPageWritten;
  static constexpr std::uint32_t kLeastPages = 4;
  static constexpr std::size_t kRemembered = 64;

  const Budget budget_;
  std::uint32_t spent_ = 0;
  std::uint32_t pages_written_ = 0;
  PageIndex written_[kRemembered] = {};  ///< page 0 is never written
};

}  // namespace plurix::gc
