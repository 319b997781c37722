#include <plurix/base/crc32c.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <array>
#include <atomic>

namespace plurix {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // reflected 0x1edc6f41

using Table = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Table make_table() {
  Table table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    auto crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    table[0][i] = crc;
  }
  for (std::uint32_t i = 0; i < 256; ++i) {
    for (std::size_t k = 1; k < 8; ++k) {
      table[k][i] = (table[k - 1][i] >> 8) ^ table[0][table[k - 1][i] & 0xff];
    }
  }
  return table;
}

constexpr Table kTable = make_table();

// The builtin, because without a hosted library a memcpy of eight bytes may be a call.
std::uint64_t load64(const std::byte* at) noexcept {
  std::uint64_t value;
  __builtin_memcpy(&value, at, sizeof value);
  return value;
}

// Written out, because a compiler that keeps code small leaves a loop, which in an emulator costs
// twice as much.
std::uint32_t reduce8(std::uint64_t word) noexcept {
  const auto byte = [word](unsigned k) { return (word >> (8 * k)) & 0xff; };
  return kTable[7][byte(0)] ^ kTable[6][byte(1)] ^ kTable[5][byte(2)] ^ kTable[4][byte(3)] ^
         kTable[3][byte(4)] ^ kTable[2][byte(5)] ^ kTable[1][byte(6)] ^ kTable[0][byte(7)];
}

#if defined(__x86_64__)

// Three independent streams hide the instruction's latency of three cycles; the streams are joined
// by multiplying with x^(8*kStream) and x^(16*kStream), done here by table look-ups.
constexpr std::size_t kStream = 1360;  // three streams cover a 4 KiB page and leave 16 bytes

constexpr std::uint32_t advance_zeros(std::uint32_t crc, std::size_t bytes) {
  while (bytes-- > 0) crc = (crc >> 8) ^ kTable[0][crc & 0xff];
  return crc;
}

struct Shift {
  std::array<std::array<std::uint32_t, 256>, 4> table{};
  constexpr std::uint32_t apply(std::uint32_t crc) const {
    return table[0][crc & 0xff] ^ table[1][(crc >> 8) & 0xff] ^ table[2][(crc >> 16) & 0xff] ^
           table[3][crc >> 24];
  }
};

constexpr Shift make_shift(std::size_t bytes) {
  // Linear in the crc's bits: 32 basis values suffice.
  std::uint32_t basis[32] = {};
  for (unsigned bit = 0; bit < 32; ++bit) basis[bit] = advance_zeros(1u << bit, bytes);
  Shift shift;
  for (std::size_t k = 0; k < 4; ++k) {
    for (std::uint32_t value = 0; value < 256; ++value) {
      std::uint32_t sum = 0;
      for (unsigned bit = 0; bit < 8; ++bit) {
        if ((value >> bit & 1) != 0) sum ^= basis[8 * k + bit];
      }
      shift.table[k][value] = sum;
    }
  }
  return shift;
}

constexpr Shift kOneStream = make_shift(kStream);

// Inline assembly instead of the intrinsic: the file is also compiled with general registers only,
// where the intrinsics header is not usable.
std::uint64_t step8(std::uint64_t crc, std::uint64_t value) noexcept {
  asm("crc32q %1, %0" : "+r"(crc) : "rm"(value));
  return crc;
}

std::uint32_t step1(std::uint32_t crc, std::byte value) noexcept {
  asm("crc32b %1, %0" : "+r"(crc) : "rm"(static_cast<std::uint8_t>(value)));
  return crc;
}

std::uint32_t crc32c_hardware(std::span<const std::byte> bytes, std::uint32_t crc) noexcept {
  auto* at = bytes.data();
  auto left = bytes.size();
  std::uint64_t a = ~crc;
  while (left >= 3 * kStream) {
    std::uint64_t b = 0;
    std::uint64_t c = 0;
    for (std::size_t i = 0; i < kStream; i += 8) {
      a = step8(a, load64(at + i));
      b = step8(b, load64(at + kStream + i));
      c = step8(c, load64(at + 2 * kStream + i));
    }
    a = kOneStream.apply(static_cast<std::uint32_t>(a)) ^ b;
    a = kOneStream.apply(static_cast<std::uint32_t>(a)) ^ c;
    at += 3 * kStream;
    left -= 3 * kStream;
  }
  for (; left >= 8; left -= 8, at += 8) a = step8(a, load64(at));
  auto tail = static_cast<std::uint32_t>(a);
  for (; left > 0; --left, ++at) tail = step1(tail, *at);
  return ~tail;
}

bool has_crc_instruction() noexcept {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_SSE4_2) != 0;
}

// cpuid traps in virtual machines (tens of microseconds), so it is asked once. The answer is a
// property of the processor, the same for every node of the process.
enum class Instruction : std::uint8_t { kUnknown, kAbsent, kPresent };
constinit std::atomic<Instruction> known_instruction = Instruction::kUnknown;

bool use_instruction() noexcept {
  auto known = known_instruction.load(std::memory_order_relaxed);
  if (known == Instruction::kUnknown) {
    known = has_crc_instruction() ? Instruction::kPresent : Instruction::kAbsent;
    known_instruction.store(known, std::memory_order_relaxed);
  }
  return known == Instruction::kPresent;
}

#endif

}  // namespace

std::uint32_t crc32c_portable(std::span<const std::byte> bytes, std::uint32_t crc) noexcept {
  auto* at = bytes.data();
  auto left = bytes.size();
  crc = ~crc;
  for (; left >= 8; left -= 8, at += 8) crc = reduce8(load64(at) ^ crc);
  for (; left > 0; --left, ++at) {
    crc = (crc >> 8) ^ kTable[0][(crc ^ static_cast<std::uint32_t>(*at)) & 0xff];
  }
  return ~crc;
}

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc) noexcept {
#if defined(__x86_64__)
  if (use_instruction()) return crc32c_hardware(bytes, crc);
#endif
  return crc32c_portable(bytes, crc);
}

}  // namespace plurix
