#include <plurix/base/mutation.h>
#include <plurix/dsm/attempt.h>

#include <algorithm>
#include <cstring>

namespace plurix {

void Attempt::begin() noexcept {
  PLURIX_ASSERT(!active_);
  PLURIX_ASSERT(reads_ == 0 && writes_ == 0);
  if (number_ == 0 || !mutated("attempt_stamp_not_advanced")) ++number_;
  active_ = true;
  doomed_ = false;
  reads_everything_ = false;
  collision_page_ = kNoPage;
  live_stamp_.store(number_, std::memory_order_relaxed);
}

void Attempt::end() noexcept {
  PLURIX_ASSERT(active_);
  // A doomed attempt keeps the pages it has read mapped, so that it sees one snapshot to its end;
  // pages that were taken away meanwhile are unmapped only now.
  for (const auto page : read_set()) {
    if (directory_.state(page) == PageState::kAbsent) directory_.protect(page, Rights::kNone);
  }
  reads_ = 0;
  writes_ = 0;
  active_ = false;
  live_stamp_.store(kNoStamp, std::memory_order_relaxed);
}

void Attempt::roll_back() noexcept {
  PLURIX_ASSERT(active_);
  for (const auto page : write_set()) {
    if (mutated("shadow_not_restored") && page != write_set().front()) continue;
    std::memcpy(directory_.frame(page).data(), shadow(page).data(), kPageSize);
    if (mutated("write_access_left_on")) continue;
    if (directory_.rights(page) == Rights::kWrite) directory_.protect(page, Rights::kRead);
  }
  end();
}

std::span<const PageIndex> Attempt::sorted_write_set() noexcept {
  if (writes_ > 1) std::sort(write_set_.begin(), write_set_.begin() + writes_);
  return write_set();
}

void Attempt::add_read(PageIndex page) noexcept {
  PLURIX_ASSERT(active_ && !doomed_);
  PLURIX_ASSERT(directory_.state(page) != PageState::kAbsent);
  if (has_read(page)) return;
  if (mutated("page_missing_from_read_set") && reads_ % 4 == 3) return;
  read_set_[reads_++] = page;
  read_stamp_[page] = stamp_for(page);
}

bool Attempt::add_write(PageIndex page) noexcept {
  PLURIX_ASSERT(active_ && !doomed_);
  if (has_written(page)) return true;
  if (writes_ == write_set_.size()) return false;
  add_read(page);
  slot_[page] = static_cast<std::uint32_t>(writes_);
  std::memcpy(shadow(page).data(), directory_.frame(page).data(), kPageSize);
  write_set_[writes_++] = page;
  write_stamp_[page] = stamp_for(page);
  return true;
}

std::span<std::byte, kPageSize> Attempt::committed_contents(PageIndex page) const noexcept {
  const bool written = active_ && has_written(page) && !mutated("uncommitted_page_served");
  return written ? shadow(page) : directory_.frame(page);
}

void Attempt::collide(PageIndex page, CommitTime time, NodeId writer) noexcept {
  if (watch_.watches(page)) tell_overwritten(page, writer);
  if (!active_ || doomed_) return;
  const bool held = directory_.state(page) != PageState::kAbsent;
  const bool counts = reads_everything_ && !mutated("conservative_reads_forgotten");
  if (!has_read(page) && !(counts && held)) return;
  tell_collided(page, writer);
  doom(page, time);
}

void Attempt::tell_access(PageIndex page, std::uint64_t offset, std::uint64_t size,
                          Access access) noexcept {
  const auto& observer = watch_.observer();
  if (observer.accessed == nullptr || !active_ || doomed_) return;
  const auto first = std::uint64_t{page} * kPageSize;
  const auto begin = std::max(offset, first) - first;
  const auto end = std::min<std::uint64_t>(offset + size - first, kPageSize);
  observer.accessed(observer.self,
                    {.attempt = number_,
                     .page = page,
                     .begin = static_cast<std::uint32_t>(begin),
                     .end = static_cast<std::uint32_t>(end),
                     .access = access},
                    committed_contents(page));
}

void Attempt::tell_overwritten(PageIndex page, NodeId writer) noexcept {
  const auto& observer = watch_.observer();
  if (observer.overwritten != nullptr) observer.overwritten(observer.self, page, writer);
}

void Attempt::tell_collided(PageIndex page, NodeId writer) noexcept {
  const auto& observer = watch_.observer();
  if (observer.collided == nullptr) return;
  observer.collided(observer.self, page, writer, number_, committed_contents(page));
}

void Attempt::doom(PageIndex page, CommitTime time) noexcept {
  if (!active_ || doomed_) return;
  doomed_ = true;
  collision_page_ = page;
  collision_time_ = time;
  if (mutated("doomed_attempt_not_stopped")) return;
  live_stamp_.store(kNoStamp, std::memory_order_relaxed);
}

}  // namespace plurix
