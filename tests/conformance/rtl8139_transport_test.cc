// The driver on a fake chip, with the Ethernet transport over it, against the common suite.
#include <plurix/conformance/transport_suite.h>

#include "support/fake_cards.h"

namespace plurix::conformance {
namespace {

class Rtl8139World {
 public:
  testing::FakeCardTransport& node(std::size_t i) { return cards_.card(i).transport; }
  Instant now() { return cards_.time().now; }

  ~Rtl8139World() {
    for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(cards_.card(i).chip.violations().empty());
  }

 private:
  testing::FakeCards cards_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Rtl8139, TransportSuite, Rtl8139World);

}  // namespace
}  // namespace plurix::conformance
