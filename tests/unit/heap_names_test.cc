// The name service.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/lone_node.h"
#include "unit/heap_types.h"

#include <set>
#include <string>

namespace plurix::testing {
namespace {

class Names : public ::testing::Test {
 protected:
  void TearDown() override {
    const auto report = node.verify();
    EXPECT_TRUE(report.ok()) << to_words(report);
  }

  std::set<std::string> listed(std::string_view path) {
    return node->run([&](Transaction& t) {
      std::set<std::string> names;
      EXPECT_TRUE(t.list_names(path, [&](const NameListing& name) {
        names.insert(std::string(name.name) + (name.is_directory ? "/" : ""));
      }));
      return names;
    });
  }

  template <class Body>
  std::string misuse_of(Body body) {
    try {
      node->run(body);
    } catch (const Misuse& error) {
      return error.what();
    }
    return {};
  }

  LoneNode node;
};

TEST_F(Names, LeadToTheSameObjectEachTime) {
  const auto first = node->run([](Transaction& t) {
    t.root<List>("a/b/list").mut()->size = 3;
    return t.root<List>("a/b/list").offset();
  });
  node->run([&](Transaction& t) {
    EXPECT_EQ(t.find<List>("/a/b/list").offset(), first);
    EXPECT_EQ(t.root<List>("a/b/list")->size, 3);
  });
}

TEST_F(Names, LeadToNoNullRef) {
  EXPECT_THAT(misuse_of([](Transaction& t) { (void)t.publish("x", Ref<List>()); }),
              ::testing::HasSubstr("null"));
  EXPECT_THAT(misuse_of([](Transaction& t) { t.replace("x", t.find<List>("not there")); }),
              ::testing::HasSubstr("null"));
  EXPECT_TRUE(node->run([](Transaction& t) { return t.find<List>("x") == nullptr; }));
}

TEST_F(Names, OfDirectoriesThatAreNotEmptyAreNotGivenToObjects) {
  node->run([](Transaction& t) { (void)t.root<List>("d/x"); });
  EXPECT_THAT(misuse_of([](Transaction& t) { t.replace("d", t.make<List>()); }),
              ::testing::HasSubstr("not empty"));
  node->run([](Transaction& t) {
    EXPECT_TRUE(t.find<List>("d/x"));
    EXPECT_TRUE(t.remove_name("d/x"));
    t.replace("d", t.make<List>());
  });
  EXPECT_TRUE(node->run([](Transaction& t) { return !!t.find<List>("d"); }));
}

TEST_F(Names, LeadToDirectoriesByOneWayOnly) {
  node->run([](Transaction& t) { (void)t.root<List>("d/x"); });
  EXPECT_THAT(misuse_of([](Transaction& t) { (void)t.publish("d/self", t.find<Directory>("d")); }),
              ::testing::HasSubstr("directory"));
}

TEST_F(Names, AreListed) {
  node->run([](Transaction& t) {
    (void)t.root<List>("x");
    (void)t.root<List>("d/y");
    (void)t.root<Item>("d/e/z");
    EXPECT_FALSE(t.list_names("nowhere", [](const NameListing&) {}));
    EXPECT_FALSE(t.list_names("x", [](const NameListing&) {}));
  });
  EXPECT_EQ(listed(""), (std::set<std::string>{"x", "d/"}));
  EXPECT_EQ(listed("/d"), (std::set<std::string>{"y", "e/"}));
  EXPECT_EQ(listed("d/e"), (std::set<std::string>{"z"}));
}

TEST_F(Names, KnowTheTypeOfWhatTheyName) {
  node->run([](Transaction& t) { (void)t.root<List>("list"); });
  node->run([](Transaction& t) {
    EXPECT_FALSE(t.find<Item>("list"));
    EXPECT_FALSE(t.find<List>("lost"));
    EXPECT_FALSE(t.find<List>("list/below"));
    EXPECT_FALSE(t.find<List>(""));
  });
  EXPECT_EQ(misuse_of([](Transaction& t) { (void)t.root<Item>("list"); }),
            "a root of this name exists and has another type");
  EXPECT_EQ(misuse_of([](Transaction& t) { (void)t.root<Item>("list/below"); }),
            "a part of a name before the last one is no directory");
  EXPECT_EQ(misuse_of([](Transaction& t) { (void)t.root<Item>("a//b"); }),
            "the parts of a name have 1 to 39 characters each");
  EXPECT_EQ(
      misuse_of([](Transaction& t) { (void)t.list_names("a//b", [](const NameListing&) {}); }),
      "the parts of a name have 1 to 39 characters each");
}

TEST_F(Names, ArePublishedReplacedAndRemoved) {
  node->run([](Transaction& t) {
    const auto one = t.make<Item>(1);
    const auto two = t.make<Item>(2);
    EXPECT_TRUE(t.publish("item", one));
    EXPECT_FALSE(t.publish("item", two));
    EXPECT_EQ(t.find<Item>("item")->value, 1);
    t.replace("item", two);
    EXPECT_EQ(t.find<Item>("item")->value, 2);
    t.free(one);
    EXPECT_TRUE(t.remove_name("item"));
    EXPECT_FALSE(t.remove_name("item"));
    EXPECT_FALSE(t.find<Item>("item"));
    t.free(two);
  });
}

TEST_F(Names, OfDirectoriesAreRemovedWhenTheyAreEmpty) {
  node->run([](Transaction& t) {
    const auto list = t.root<List>("d/list");
    EXPECT_FALSE(t.remove_name("d"));
    EXPECT_TRUE(t.remove_name("d/list"));
    t.free(list);
    EXPECT_TRUE(t.remove_name("d"));
    EXPECT_FALSE(t.list_names("d", [](const NameListing&) {}));
  });
}

TEST_F(Names, FollowWhatTheyName) {
  node->run([](Transaction& t) {
    const auto list = t.root<List>("list");
    list.mut()->size = 9;
    const auto moved = t.relocate(list);
    EXPECT_NE(moved.offset(), list.offset());
    EXPECT_EQ(t.root<List>("list"), moved);
    EXPECT_EQ(moved->size, 9);
  });
}

TEST_F(Names, ThereMayBeMany) {
  node->run([](Transaction& t) {
    for (int i = 0; i < 500; ++i) t.root<long>("n" + std::to_string(i)).mut()[0] = i;
  });
  node->run([](Transaction& t) {
    for (int i = 0; i < 500; ++i) EXPECT_EQ(*t.find<long>("n" + std::to_string(i)), i);
  });
  EXPECT_EQ(listed("").size(), 500u);
}

TEST_F(Names, OfItsOwnEachNodeHas) {
  node->run([](Transaction& t) {
    t.own_root<long>("mine").mut()[0] = 5;
    EXPECT_EQ(*t.find<long>("nodes/00/mine"), 5);
  });
}

}  // namespace
}  // namespace plurix::testing
