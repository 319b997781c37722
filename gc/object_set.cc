#include <plurix/base/assert.h>
#include <plurix/gc/object_set.h>

namespace plurix::gc {

ObjectSet::Words ObjectSet::take(std::span<std::byte>& storage, std::size_t words) noexcept {
  const auto bytes = words * sizeof(std::uint64_t);
  PLURIX_ASSERT(storage.size() >= bytes);
  const Words taken(reinterpret_cast<std::uint64_t*>(storage.data()), words);
  storage = storage.subspan(bytes);
  return taken;
}

/// The first bit at or behind `from`; behind the last word if there is none.
std::size_t ObjectSet::find(Words words, std::size_t from) noexcept {
  const auto none = words.size() * 64;
  for (auto index = from / 64; index < words.size(); ++index) {
    auto word = words[index];
    if (index == from / 64) word &= ~std::uint64_t{0} << from % 64;
    if (word != 0) return index * 64 + static_cast<std::size_t>(std::countr_zero(word));
  }
  return none;
}

heap::Offset ObjectSet::next(heap::Offset from) const noexcept {
  const auto bit = from / heap::kGranule;
  if (bit / 64 >= bits_.size()) return 0;
  const auto rest = bits_[bit / 64] & ~std::uint64_t{0} << bit % 64;
  if (rest != 0) return (bit / 64 * 64 + static_cast<unsigned>(std::countr_zero(rest))) * 8;
  // The rest of this word of the summary, else the next one that is not empty.
  const auto word = bit / 64 + 1;
  const auto in_summary = find(summary_.first(std::min(summary_.size(), word / 64 + 1)), word);
  auto found = in_summary;
  if (word / 64 >= summary_.size() || in_summary >= (word / 64 + 1) * 64) {
    const auto group = find(top_, word / 64 + 1);
    if (group >= summary_.size()) return 0;
    found = find(summary_, group * 64);
  }
  return (found * 64 + static_cast<unsigned>(std::countr_zero(bits_[found]))) * heap::kGranule;
}

void ObjectSet::erase(heap::Offset object) noexcept {
  const auto bit = object / heap::kGranule;
  if (!contains(object)) return;
  --size_;
  reset(bits_, bit);
  if (bits_[bit / 64] != 0) return;
  reset(summary_, bit / 64);
  if (summary_[bit / 64 / 64] == 0) reset(top_, bit / 64 / 64);
}

void ObjectSet::clear() noexcept {
  for (auto group = find(top_, 0); group < summary_.size(); group = find(top_, group)) {
    for (auto word = summary_[group]; word != 0; word &= word - 1) {
      bits_[group * 64 + static_cast<unsigned>(std::countr_zero(word))] = 0;
    }
    summary_[group] = 0;
    reset(top_, group);
  }
  size_ = 0;
}

}  // namespace plurix::gc
