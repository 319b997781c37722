// Services in the heap: called directly, and refused, with the type's name, by who was compiled
// with another interface.
#include <gtest/gtest.h>
#include <plurix/baremetal/service.h>

#include "support/lone_node.h"

#include <string>

namespace plurix::testing {

struct Sum {
  long value = 0;
};

// The same service as two programs were compiled with it.
namespace first_program {
struct Adder {
  static constexpr std::string_view kName = "services/adder";
  baremetal::Entry<Ref<Sum>(Transaction&, const Ref<Adder>&, long)> add;
  Link<Sum> sum;
};
}  // namespace first_program
namespace second_program {
struct Adder {
  static constexpr std::string_view kName = "services/adder";
  baremetal::Entry<Ref<Sum>(Transaction&, const Ref<Adder>&, int)> add;
  Link<Sum> sum;
};
}  // namespace second_program

namespace {

using first_program::Adder;

Ref<Sum> add(Transaction&, const Ref<Adder>& adder, long number) {
  adder->sum.ref().mut()->value += number;
  return adder->sum.ref();
}

/// The second program's layout under the name by which both know the type.
void describe_as_the_second(heap::TypeLayout& layout) {
  heap::TypeLayout own;
  heap::describe<Adder>(own);
  heap::describe<second_program::Adder>(layout);
  layout.name = own.name;
  layout.name_hash = own.name_hash;
  layout.type_hash = own.type_hash;
}

class Services : public ::testing::Test {
 protected:
  void publish(heap::Describe describe) {
    node->run([&](Transaction& t) {
      (void)heap::find_or_create_type(t, type_hash<Adder>(), describe);
      const auto body =
          heap::allocate(t, {.bytes = sizeof(Adder),
                             .type = heap::find_or_create_type(t, type_hash<Adder>(), describe)});
      const Ref<Adder> adder(t, body);
      *adder.mut() = Adder{};
      adder.mut()->add = add;
      adder.mut()->sum = t.make<Sum>();
      ASSERT_TRUE(t.publish(Adder::kName, adder));
    });
  }

  std::string refusal() {
    return node->run([](Transaction& t) {
      EXPECT_FALSE(baremetal::find_service<Adder>(t));
      return std::string(t.words().data());
    });
  }

  LoneNode node{64};
};

TEST_F(Services, AreCalledWithReferencesAndReturnThem) {
  publish(heap::describe<Adder>);
  node->run([](Transaction& t) {
    const auto adder = baremetal::find_service<Adder>(t);
    ASSERT_TRUE(adder);
    EXPECT_EQ(adder->add(t, adder, 5)->value, 5);
    EXPECT_EQ(adder->add(t, adder, 2)->value, 7);
  });
}

TEST_F(Services, AreRefusedWhenAnEntryTakesSomethingElse) {
  publish(describe_as_the_second);
  const auto words = refusal();
  EXPECT_NE(words.find("first_program::Adder"), std::string::npos) << words;
  EXPECT_NE(words.find("add"), std::string::npos) << words;
}

TEST_F(Services, AreRefusedWhenTheNameIsAnothersOrNobodys) {
  EXPECT_EQ(refusal(), "there is no service services/adder");
  node->run([](Transaction& t) { (void)t.root<Sum>(Adder::kName); });
  EXPECT_EQ(refusal(), "the service is of another type than plurix::testing::first_program::Adder");
}

TEST_F(Services, CutASentenceThatHasNoRoom) {
  node->run([](Transaction& t) {
    baremetal::detail::say(t, std::string(1'000, 'x'), "y");
    EXPECT_EQ(std::string(t.words().data()).size(), t.words().size() - 1);
  });
}

}  // namespace
}  // namespace plurix::testing
