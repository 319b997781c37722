// CRC32C against the vectors of RFC 3720, appendix B.4, and the two implementations against each
// other.
#include <gtest/gtest.h>
#include <plurix/base/crc32c.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace plurix {
namespace {

using ByteVector = std::vector<std::byte>;

ByteVector counting(int first, int step) {
  ByteVector bytes(32);
  for (int i = 0; i < 32; ++i) bytes[static_cast<std::size_t>(i)] = std::byte(first + step * i);
  return bytes;
}

void expect_crc(const ByteVector& bytes, std::uint32_t crc) {
  EXPECT_EQ(crc32c(bytes), crc);
  EXPECT_EQ(crc32c_portable(bytes), crc);
}

TEST(Crc32c, AgreesWithRfc3720) {
  expect_crc(ByteVector(32, std::byte{0x00}), 0x8a9136aa);
  expect_crc(ByteVector(32, std::byte{0xff}), 0x62a8ab43);
  expect_crc(counting(0, 1), 0x46dd794e);
  expect_crc(counting(31, -1), 0x113fdb5c);
}

TEST(Crc32c, OfTheNineDigitsIsTheUsualCheckValue) {
  ByteVector digits;
  for (int digit = 1; digit <= 9; ++digit) digits.push_back(std::byte('0' + digit));
  expect_crc(digits, 0xe3069283);
}

TEST(Crc32c, OfNothingIsZero) { expect_crc({}, 0); }

RC_GTEST_PROP(Crc32c, IsTheSameByInstructionAndByTable, (std::vector<std::uint8_t> head)) {
  // Long enough to reach whatever a wide implementation does, at every alignment.
  ByteVector bytes(head.size() + *rc::gen::inRange<std::size_t>(0, 5000));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = std::byte(i < head.size() ? head[i] : static_cast<std::uint8_t>(i * 167 + i / 256));
  }
  const auto start = *rc::gen::inRange<std::size_t>(0, bytes.size() + 1);
  const auto part = std::span<const std::byte>(bytes).subspan(start);
  RC_ASSERT(crc32c(part) == crc32c_portable(part));
}

RC_GTEST_PROP(Crc32c, CanBeContinuedAnywhere, (std::vector<std::uint8_t> values)) {
  const auto bytes = std::as_bytes(std::span(values));
  const auto cut = *rc::gen::inRange<std::size_t>(0, bytes.size() + 1);
  RC_ASSERT(crc32c(bytes.subspan(cut), crc32c(bytes.first(cut))) == crc32c(bytes));
  RC_ASSERT(crc32c_portable(bytes.subspan(cut), crc32c_portable(bytes.first(cut))) ==
            crc32c_portable(bytes));
}

}  // namespace
}  // namespace plurix
