// The simulator's fault source against the common suite.
#include <plurix/conformance/fault_source_suite.h>

#include "conformance/sim_worlds.h"

namespace plurix::conformance {
namespace {

class SimWorld {
 public:
  sim::SoftwareFaultSource& source() { return source_; }
  std::byte read(PageIndex page, std::size_t offset) {
    source_.check(page, Access::kRead);
    return source_.view()[std::size_t{page} * kPageSize + offset];
  }
  void write(PageIndex page, std::size_t offset, std::byte value) {
    source_.check(page, Access::kWrite);
    source_.view()[std::size_t{page} * kPageSize + offset] = value;
  }

 private:
  testing::SimNetwork network_;
  sim::SoftwareFaultSource source_{network_.machine(0), 64};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sim, FaultSourceSuite, SimWorld);

}  // namespace
}  // namespace plurix::conformance
