// The simulated transport against the common suite, bare and in each wrapper that must not show.
#include <plurix/conformance/transport_suite.h>
#include <plurix/sim/faulty_transport.h>

#include "conformance/sim_worlds.h"
#include "examples/own_transport/fragmenting.h"

namespace plurix::conformance {
namespace {

using testing::DrivenTransport;
using testing::SimNetwork;

class SimWorld {
 public:
  DrivenTransport& node(std::size_t i) { return nodes_[i]; }
  Instant now() const { return network_.now(); }

 private:
  SimNetwork network_;
  std::array<DrivenTransport, 4> nodes_{DrivenTransport{network_, 0}, DrivenTransport{network_, 1},
                                        DrivenTransport{network_, 2}, DrivenTransport{network_, 3}};
};

template <template <class> class Wrapper>
class WrappedWorld {
 public:
  Wrapper<DrivenTransport>& node(std::size_t i) { return nodes_[i]; }
  Instant now() const { return inner_.now(); }

 private:
  using Wrapped = Wrapper<DrivenTransport>;

  SimWorld inner_;
  std::array<Wrapped, 4> nodes_{Wrapped(inner_.node(0)), Wrapped(inner_.node(1)),
                                Wrapped(inner_.node(2)), Wrapped(inner_.node(3))};
};

template <class Inner>
using FaultyWithoutFaults = sim::FaultyTransport<Inner>;

INSTANTIATE_TYPED_TEST_SUITE_P(Sim, TransportSuite, SimWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(FaultyWithoutFaults, TransportSuite,
                               WrappedWorld<FaultyWithoutFaults>);
INSTANTIATE_TYPED_TEST_SUITE_P(OwnTransport, TransportSuite, WrappedWorld<Fragmenting>);

}  // namespace
}  // namespace plurix::conformance
