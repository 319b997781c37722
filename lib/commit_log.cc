#include <plurix/base/mutation.h>
#include <plurix/dsm/commit_log.h>

namespace plurix {

void CommitLog::restart_at(CommitTime applied) noexcept {
  newest_ = applied;
  oldest_ = applied + 1;
}

void CommitLog::append(const wire::RecordHeader& header, Bytes words) noexcept {
  PLURIX_ASSERT(header.time == newest_ + 1);
  PLURIX_ASSERT(words.size() == std::size_t{header.words} * 4);
  PLURIX_ASSERT(header.words <= words_.size());
  newest_ = header.time;
  if (newest_ - oldest_ == records_.size()) oldest_ = oldest_ + 1;
  entry(newest_) = {header, position_};
  for (std::uint32_t i = 0; i < header.words; ++i) {
    words_[position_++ & (words_.size() - 1)] = wire::element<std::uint32_t>(words, i);
  }
  if (mutated("log_words_without_limit")) return;
  while (position_ - entry(oldest_).position > words_.size()) oldest_ = oldest_ + 1;
}

bool CommitLog::has(CommitTime time) const noexcept { return time >= oldest_ && time <= newest_; }

std::size_t CommitLog::copy(CommitTime time, std::span<std::byte> room) const noexcept {
  PLURIX_ASSERT(has(time));
  const auto& record = entry(time);
  const auto bytes = sizeof(wire::RecordHeader) + std::size_t{record.header.words} * 4;
  if (bytes > room.size()) return 0;
  std::memcpy(room.data(), &record.header, sizeof record.header);
  for (std::uint32_t i = 0; i < record.header.words; ++i) {
    const auto word = words_[(record.position + i) & (words_.size() - 1)];
    std::memcpy(room.data() + sizeof record.header + std::size_t{i} * 4, &word, 4);
  }
  return bytes;
}

}  // namespace plurix
