// The hash that tells whether two nodes mean the same type, whichever compiler built them: expected
// values are written here, and this file is part of the tests under both compilers.
#include <gtest/gtest.h>
#include <plurix/heap/object.h>

#include <array>
#include <cstdint>
#include <utility>

namespace bank {

enum class Currency : unsigned char { kEuro, kYen };
struct Account {
  long cents;
};
template <class T, std::size_t kCount>
struct Table {
  T rows[kCount];
  struct Cursor {
    int row;
  };
};
template <Currency kCurrency>
struct Purse {
  int coins;
};

}  // namespace bank

namespace plurix {
namespace {

struct Unnamed {
  int x;
};

struct Narrow {
  std::uint32_t value;
};

TEST(TypeHash, IsTheSameNumberUnderEveryCompiler) {
  EXPECT_EQ(type_hash<int>(), 0xbb4bd643e2295078u);
  EXPECT_EQ(type_hash<std::uint64_t>(), 0x73de226569055607u);
  EXPECT_EQ(type_hash<long long>(), 0xaabdef0b561db6efu);
  EXPECT_EQ(type_hash<unsigned short>(), 0x6d8ebe454e3f3a07u);
  EXPECT_EQ(type_hash<int[3]>(), 0xc4fa22d437ff6d67u);
  EXPECT_EQ((type_hash<std::pair<unsigned long, short>>()), 0x984d82d02a2a399du);
  EXPECT_EQ((type_hash<std::array<unsigned char, 16>>()), 0x7ace9f191315098eu);
  EXPECT_EQ(type_hash<bank::Account>(), 0x5cc5db1d45a4cf72u);
  EXPECT_EQ((type_hash<bank::Table<bank::Account, 4>>()), 0x9e7bb9a8969e2a57u);
  EXPECT_EQ((type_hash<bank::Table<int[2], 2>::Cursor>()), 0x3108149c0c0c324eu);
  EXPECT_EQ(type_hash<bank::Purse<bank::Currency::kYen>>(), 0x4687962a4677ccabu);
  EXPECT_EQ(type_hash<Unnamed>(), 0x7dd3305dffcf08deu);
}

TEST(TypeHash, DiffersByName) {
  struct Here {
    int x;
  };
  EXPECT_NE(type_hash<Here>(), type_hash<Unnamed>());
  EXPECT_NE(type_hash<char>(), type_hash<signed char>());
  EXPECT_NE(type_hash<char>(), type_hash<unsigned char>());
  EXPECT_NE(type_hash<int>(), type_hash<unsigned>());
  EXPECT_NE(type_hash<long>(), type_hash<unsigned long>());
}

TEST(TypeHash, DiffersByTemplateArgumentOfEqualSize) {
  EXPECT_NE((type_hash<bank::Table<int, 4>>()), (type_hash<bank::Table<unsigned, 4>>()));
  EXPECT_NE((type_hash<bank::Table<int, 4>>()),
            (type_hash<bank::Table<bank::Purse<bank::Currency::kYen>, 4>>()));
  EXPECT_NE(type_hash<bank::Purse<bank::Currency::kYen>>(),
            type_hash<bank::Purse<bank::Currency::kEuro>>());
}

TEST(TypeHash, DoesNotStopAtTheExtentOfAnArrayInTheName) {
  EXPECT_NE((type_hash<bank::Table<int[2], 2>::Cursor>()),
            (type_hash<bank::Table<int[2], 3>::Cursor>()));
}

TEST(TypeHash, DiffersBySizeAndByAlignment) {
  // A name can be told apart from itself only across programs: two seeds stand for two programs.
  constexpr auto hashed = [](std::size_t size, std::size_t alignment) {
    return detail::hash_name(type_name<Narrow>(), mix(size, alignment));
  };
  static_assert(hashed(sizeof(Narrow), alignof(Narrow)) == type_hash<Narrow>());
  EXPECT_NE(hashed(8, 4), hashed(4, 4));
  EXPECT_NE(hashed(4, 2), hashed(4, 4));
}

TEST(TypeHash, KnowsOneNameOfATypeSpelledInTwoWays) {
  constexpr auto hashed = [](std::string_view name) { return detail::hash_name(name, 0); };
  EXPECT_EQ(hashed("long unsigned int"), hashed("unsigned long"));
  EXPECT_EQ(hashed("Box<long int, 3>"), hashed("Box<long,3>"));
  EXPECT_EQ(hashed("Any<5>"), hashed("Any<5UL>"));
  EXPECT_EQ(hashed("{anonymous}::X"), hashed("(anonymous namespace)::X"));
  EXPECT_NE(hashed("Box<long, long>"), hashed("Box<long long>"));
  EXPECT_NE(hashed("Box<unsigned, long>"), hashed("Box<unsigned long>"));
  EXPECT_NE(hashed("long_int"), hashed("long int"));
}

}  // namespace
}  // namespace plurix
