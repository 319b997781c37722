// The functions a compiler may call on its own. Words of eight bytes: string instructions are many
// times slower in an emulator, and not faster by much on a processor for a page.
// Compiled so that the loops below are not recognized as the very functions they define.
#include <cstddef>
#include <cstdint>

namespace {

// An unaligned word that may alias anything.
struct [[gnu::packed, gnu::may_alias]] Word {
  std::uint64_t bits;
};
constexpr std::size_t kWord = sizeof(Word);

Word* word_at(void* base, std::size_t offset) noexcept {
  return reinterpret_cast<Word*>(static_cast<unsigned char*>(base) + offset);
}
const Word* word_at(const void* base, std::size_t offset) noexcept {
  return reinterpret_cast<const Word*>(static_cast<const unsigned char*>(base) + offset);
}

/// What one round of a loop moves. In an emulator each instruction of a loop's own costs as much as
/// one that moves a word.
constexpr std::size_t kRound = 8 * kWord;

void* copy_forward(void* to, const void* from, std::size_t count) noexcept {
  std::size_t i = 0;
  for (; i + kRound <= count; i += kRound) {
    const auto a = word_at(from, i)->bits;
    const auto b = word_at(from, i + kWord)->bits;
    const auto c = word_at(from, i + 2 * kWord)->bits;
    const auto d = word_at(from, i + 3 * kWord)->bits;
    const auto e = word_at(from, i + 4 * kWord)->bits;
    const auto f = word_at(from, i + 5 * kWord)->bits;
    const auto g = word_at(from, i + 6 * kWord)->bits;
    const auto h = word_at(from, i + 7 * kWord)->bits;
    word_at(to, i)->bits = a;
    word_at(to, i + kWord)->bits = b;
    word_at(to, i + 2 * kWord)->bits = c;
    word_at(to, i + 3 * kWord)->bits = d;
    word_at(to, i + 4 * kWord)->bits = e;
    word_at(to, i + 5 * kWord)->bits = f;
    word_at(to, i + 6 * kWord)->bits = g;
    word_at(to, i + 7 * kWord)->bits = h;
  }
  for (; i + kWord <= count; i += kWord) word_at(to, i)->bits = word_at(from, i)->bits;
  for (; i < count; ++i) {
    static_cast<unsigned char*>(to)[i] = static_cast<const unsigned char*>(from)[i];
  }
  return to;
}

}  // namespace

extern "C" {

void* memcpy(void* to, const void* from, std::size_t count) noexcept {
  return copy_forward(to, from, count);
}

void* memmove(void* to, const void* from, std::size_t count) noexcept {
  const auto distance =
      reinterpret_cast<std::uintptr_t>(to) - reinterpret_cast<std::uintptr_t>(from);
  if (distance >= count) return copy_forward(to, from, count);
  for (std::size_t i = count; i > 0; --i) {
    static_cast<unsigned char*>(to)[i - 1] = static_cast<const unsigned char*>(from)[i - 1];
  }
  return to;
}

void* memset(void* to, int value, std::size_t count) noexcept {
  const auto byte = static_cast<unsigned char>(value);
  const auto word = std::uint64_t{byte} * 0x0101010101010101;
  std::size_t i = 0;
  for (; i + kRound <= count; i += kRound) {
    word_at(to, i)->bits = word;
    word_at(to, i + kWord)->bits = word;
    word_at(to, i + 2 * kWord)->bits = word;
    word_at(to, i + 3 * kWord)->bits = word;
    word_at(to, i + 4 * kWord)->bits = word;
    word_at(to, i + 5 * kWord)->bits = word;
    word_at(to, i + 6 * kWord)->bits = word;
    word_at(to, i + 7 * kWord)->bits = word;
  }
  for (; i + kWord <= count; i += kWord) word_at(to, i)->bits = word;
  for (; i < count; ++i) static_cast<unsigned char*>(to)[i] = byte;
  return to;
}

int memcmp(const void* a, const void* b, std::size_t count) noexcept {
  const auto* left = static_cast<const unsigned char*>(a);
  const auto* right = static_cast<const unsigned char*>(b);
  for (std::size_t i = 0; i < count; ++i) {
    if (left[i] != right[i]) return left[i] < right[i] ? -1 : 1;
  }
  return 0;
}

std::size_t strlen(const char* text) noexcept {
  std::size_t length = 0;
  while (text[length] != '\0') ++length;
  return length;
}
}
