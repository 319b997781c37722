// What the compiler tells of a type, and what becomes of two programs that disagree (DESIGN H5).
#include <gtest/gtest.h>

#include "support/lone_node.h"
#include "unit/heap_types.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace shop {

class Account {
 public:
  PLURIX_FIELDS(owner_, cents_, history_)

 private:
  plurix::Link<Account> owner_;
  long cents_ = 0;
  plurix::Link<Account> history_[3];
};

}  // namespace shop

// The same name in two programs: each test is one of them. (A type in a function has no other name
// than this in g++ either, once its function is left out.)
namespace first_program {
struct Order {
  int number;
  long cents;
};
}  // namespace first_program
namespace second_program {
struct Order {
  long cents;
  int number;
};
}  // namespace second_program
namespace longer_program {
struct Order {
  int number;
  long cents;
  long tax;
};
}  // namespace longer_program

namespace plurix::testing {
namespace {

using heap::LinkRun;
using heap::TypeLayout;

struct Empty {};
struct Flags {
  unsigned one : 1;
  unsigned rest : 31;
  int number;
};
struct Derived : Empty {
  int number;
};
struct Pair {
  Link<Item> left;
  long weight;
  Link<Item> right;
};
struct Everything {
  char letter;
  std::array<int, 3> numbers;
  Pair pairs[5];
  Link<Item> table[2][3];
  std::array<Link<Item>, 4> more;
  shop::Account account;
  std::pair<int, long> both;
};

template <class T>
TypeLayout layout_of() {
  TypeLayout layout;
  heap::describe<T>(layout);
  return layout;
}

template <class T>
std::vector<std::string> names_of() {
  std::vector<std::string> names;
  for (const auto& field : layout_of<T>().fields) names.emplace_back(field.name);
  return names;
}

/// Offsets of all links.
template <class T>
std::vector<std::uint64_t> links_of() {
  std::vector<std::uint64_t> links;
  for (const auto& run : layout_of<T>().links) {
    for (std::uint32_t i = 0; i < run.count; ++i) links.push_back(run.offset + i * run.stride);
  }
  std::sort(links.begin(), links.end());
  return links;
}

TEST(TypeLayout, HasTheNamesOfTheFields) {
  EXPECT_EQ(names_of<Item>(), (std::vector<std::string>{"value", "next"}));
  EXPECT_EQ(names_of<Everything>(), (std::vector<std::string>{"letter", "numbers", "pairs", "table",
                                                              "more", "account", "both"}));
  EXPECT_EQ(names_of<shop::Account>(), (std::vector<std::string>{"owner_", "cents_", "history_"}));
  EXPECT_TRUE(names_of<Empty>().empty());
  EXPECT_TRUE(names_of<int>().empty());
}

TEST(TypeLayout, HasTheirPlaces) {
  const auto layout = layout_of<Everything>();
  EXPECT_EQ(layout.fields[1].offset, offsetof(Everything, numbers));
  EXPECT_EQ(layout.fields[2].offset, offsetof(Everything, pairs));
  EXPECT_EQ(layout.fields[2].size, sizeof(Everything::pairs));
  EXPECT_EQ(layout.fields[6].offset, offsetof(Everything, both));
  EXPECT_EQ(layout.size, sizeof(Everything));
}

TEST(TypeLayout, LeavesBitFieldsAndBaseClassesOut) {
  EXPECT_EQ(names_of<Flags>(), (std::vector<std::string>{""}));  // and tells no names beside them
  EXPECT_EQ(layout_of<Flags>().fields[0].offset, offsetof(Flags, number));
  EXPECT_TRUE(names_of<Derived>().empty());
}

TEST(TypeLayout, FindsEveryLink) {
  EXPECT_EQ(links_of<Item>(), (std::vector<std::uint64_t>{8}));
  EXPECT_TRUE(links_of<Bytes64>().empty());
  std::vector<std::uint64_t> expected;
  for (int i = 0; i < 5; ++i) {
    expected.push_back(offsetof(Everything, pairs) + i * sizeof(Pair) + offsetof(Pair, left));
    expected.push_back(offsetof(Everything, pairs) + i * sizeof(Pair) + offsetof(Pair, right));
  }
  for (int i = 0; i < 6; ++i) expected.push_back(offsetof(Everything, table) + i * 24);
  for (int i = 0; i < 4; ++i) expected.push_back(offsetof(Everything, more) + i * 24);
  const auto account = offsetof(Everything, account);
  expected.insert(expected.end(), {account, account + 32, account + 56, account + 80});
  EXPECT_EQ(links_of<Everything>(), expected);
}

struct Row {
  long number;
  Link<Item> links[2];
};
struct Rows {
  Row rows[3];
  long behind;
};

TEST(TypeLayout, FindsTheLinksOfElementsThatHaveMoreBesideThem) {
  std::vector<std::uint64_t> expected;
  for (int i = 0; i < 3; ++i) {
    for (int k = 0; k < 2; ++k) expected.push_back(i * sizeof(Row) + 8 + k * 24);
  }
  EXPECT_EQ(links_of<Rows>(), expected);
}

TEST(TypeLayout, KeepsLinksThatStandInARowTogether) {
  struct Table {
    Link<Item> rows[100][50];
  };
  const auto layout = layout_of<Table>();
  ASSERT_EQ(layout.links.size(), 1u);
  EXPECT_EQ(layout.links[0], (LinkRun{.offset = 0, .count = 5000, .stride = 24}));
}

TEST(TypeLayout, SaysWhenThereAreTooManyPlaces) {
  struct Sparse {
    Pair first;
    struct Row {
      Link<Item> a;
      long x;
      Link<Item> b[2];
      long y;
    } rows[40];
  };
  EXPECT_FALSE(layout_of<Everything>().too_many_links);
  const auto layout = layout_of<Sparse>();
  EXPECT_FALSE(layout.too_many_links);  // the single ones are one run, each pair is another
  struct Sparser {
    Sparse::Row rows[70];
  };
  EXPECT_TRUE(layout_of<Sparser>().too_many_links);
}

TEST(TypeLayout, HashesWhatIsInside) {
  const auto hash = [](const TypeLayout& layout) { return layout.layout_hash; };
  EXPECT_NE(hash(layout_of<first_program::Order>()), hash(layout_of<second_program::Order>()));
  struct Outer1 {
    first_program::Order order;
  };
  struct Outer2 {
    second_program::Order order;
  };
  EXPECT_NE(layout_of<Outer1>().fields[0].hash, layout_of<Outer2>().fields[0].hash);
}

// Another program's idea of a type: the same name, other fields.
template <class Theirs, class Ours>
TypeLayout as_if_named(const TypeLayout& ours) {
  auto theirs = layout_of<Theirs>();
  theirs.name = ours.name;
  theirs.name_hash = ours.name_hash;
  return theirs;
}

TEST(TypeMismatch, NamesTypeAndField) {
  LoneNode node;
  node->run([](Transaction& t) {
    (void)t.make<first_program::Order>();
    EXPECT_FALSE(heap::compare_type(t, layout_of<first_program::Order>()));
    EXPECT_FALSE(heap::compare_type(t, layout_of<second_program::Order>()));  // another name
    const auto theirs =
        as_if_named<second_program::Order, first_program::Order>(layout_of<first_program::Order>());
    const auto mismatch = heap::compare_type(t, theirs);
    EXPECT_STREQ(mismatch.words,
                 "the type first_program::Order has another layout in the heap: they differ from "
                 "field cents on");
  });
}

TEST(TypeMismatch, NamesTheFieldThatOnlyOneOfThemHas) {
  constexpr auto kDiffer = " has another layout in the heap: they differ from field tax on";
  LoneNode node;
  node->run([&](Transaction& t) {
    (void)t.make<first_program::Order>();
    (void)t.make<longer_program::Order>();
    const auto longer = as_if_named<longer_program::Order, void>(layout_of<first_program::Order>());
    EXPECT_EQ(std::string(heap::compare_type(t, longer).words),
              std::string("the type first_program::Order") + kDiffer);
    const auto shorter =
        as_if_named<first_program::Order, void>(layout_of<longer_program::Order>());
    EXPECT_EQ(std::string(heap::compare_type(t, shorter).words),
              std::string("the type longer_program::Order") + kDiffer);
  });
}

TEST(TypeMismatch, IsMisuseOnFirstUse) {
  LoneNode node;
  const auto describe_wrongly = [](TypeLayout& layout) {
    layout =
        as_if_named<second_program::Order, first_program::Order>(layout_of<first_program::Order>());
  };
  try {
    node->run([&](Transaction& t) {
      (void)t.make<first_program::Order>();
      (void)heap::find_or_create_type(t, 0, describe_wrongly);
    });
    FAIL();
  } catch (const Misuse& error) {
    EXPECT_STREQ(error.what(),
                 "the type first_program::Order has another layout in the heap: they differ from "
                 "field cents on");
  }
}

TEST(TypeDescriptor, TellsTheHeapWhatTheProgramKnows) {
  LoneNode node;
  node->run([](Transaction& t) {
    (void)t.make<Everything>();
    const heap::TypeView type(t, t.type<Everything>());
    ASSERT_TRUE(type);
    EXPECT_EQ(type.head().size, sizeof(Everything));
    EXPECT_TRUE(type.name().ends_with("Everything"));
    ASSERT_EQ(type.fields().size(), 7u);
    EXPECT_EQ(type.name_of(type.fields()[2]), "pairs");
    EXPECT_EQ(type.fields()[2].offset, offsetof(Everything, pairs));
    std::size_t text = type.name().size();
    for (const auto& field : type.fields()) text += field.name_length + field.type_length;
    EXPECT_EQ(type.head().text_length, text);
  });
}

TEST(TypeDescriptor, IsMadeOnceAndForgottenWithItsTransaction) {
  LoneNode node;
  const auto outcome = node->try_run([](Transaction& t) -> Verdict {
    (void)t.make<Item>();
    return t.cancel("no");
  });
  EXPECT_TRUE(outcome.cancelled());
  node->run([](Transaction& t) {
    const auto type = t.type<Item>();
    EXPECT_EQ(t.type<Item>(), type);
    (void)t.make<Item>();
  });
  EXPECT_EQ(node.verify().types, 1u);
  EXPECT_EQ(to_words(node.verify()), "");
}

}  // namespace
}  // namespace plurix::testing
