#include <plurix/heap/allocator.h>
#include <plurix/transaction.h>

#include <bit>

namespace plurix::heap {
namespace {

/// Turns objects of one page into holes; neighbours become one. Holes that were there before are
/// left alone, because a cursor may stand in them.
class HoleMaker {
 public:
  explicit HoleMaker(std::byte* page) noexcept : page_(page) {}

  void take(std::uint64_t at) noexcept {
    const Tag tag(word(at));
    PLURIX_ASSERT(tag.is_object() && !tag.has(Tag::kLarge));
    if (at != end_) {
      close();
      begin_ = at;
    }
    end_ = at + tag.bytes();
    bytes_ += tag.bytes();
  }

  /// Returns how many bytes have become free.
  std::uint64_t close() noexcept {
    if (end_ != 0) word(begin_) = Tag::hole(end_ - begin_).word();
    return bytes_;
  }

 private:
  std::uint64_t& word(std::uint64_t at) noexcept {
    return *reinterpret_cast<std::uint64_t*>(page_ + at);
  }

  std::byte* page_;
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t bytes_ = 0;
};

/// std::popcount calls a function of the runtime library, which kernels do not have.
constexpr std::size_t count_ones(std::uint64_t word) noexcept {
  word -= word >> 1 & 0x5555'5555'5555'5555;
  word = (word & 0x3333'3333'3333'3333) + (word >> 2 & 0x3333'3333'3333'3333);
  word = (word + (word >> 4)) & 0x0f0f'0f0f'0f0f'0f0f;
  return word * 0x0101'0101'0101'0101 >> 56;
}
static_assert(count_ones(0) == 0 && count_ones(~std::uint64_t{0}) == 64 && count_ones(0x8001) == 2);

}  // namespace

void deallocate_together(Transaction& t, PageIndex page, std::span<const std::uint64_t> places) {
  auto* bytes = t.writing_range(offset_of(page), kPageSize);
  auto* header = reinterpret_cast<PageHeader*>(bytes);
  std::size_t all = 0;
  for (const auto word : places) all += count_ones(word);
  if (all == header->objects && header->node == t.node_id()) {  // no need to look at each
    header->objects = 0;
    header->used = 0;
    return begin_anew(t, page, *header);
  }
  HoleMaker holes(bytes);
  std::uint16_t count = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    for (auto word = places[i]; word != 0; word &= word - 1, ++count) {
      holes.take((i * 64 + static_cast<unsigned>(std::countr_zero(word))) * kGranule);
    }
  }
  const auto used = holes.close();
  PLURIX_ASSERT(header->objects >= count && header->used >= used);
  header->objects = static_cast<std::uint16_t>(header->objects - count);
  header->used -= used;
  if (header->objects == 0) begin_anew(t, page, *header);
}

}  // namespace plurix::heap
