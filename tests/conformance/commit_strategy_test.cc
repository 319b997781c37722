// The commit strategies, and those of the examples, against the common suite.
#include <plurix/commit/fair.h>
#include <plurix/commit/first_wins.h>
#include <plurix/conformance/commit_strategy_suite.h>

#include "examples/own_commit_strategy/oldest_first.h"

namespace plurix::conformance {

INSTANTIATE_TYPED_TEST_SUITE_P(Fair, CommitStrategySuite, Fair);
INSTANTIATE_TYPED_TEST_SUITE_P(FirstWins, CommitStrategySuite, FirstWins);
INSTANTIATE_TYPED_TEST_SUITE_P(OldestFirst, CommitStrategySuite, OldestFirst);

}  // namespace plurix::conformance
