// A commit strategy that cannot choose: the compiler names the missing facet.
// expect: ChoosesNextHolder
#include <plurix/concepts/commit_strategy.h>

struct Nobody {
#if defined(PLURIX_COMPILE_FAIL_CONTROL)
  plurix::NodeId grant(std::span<const plurix::TokenRequest> waiting,
                       plurix::CommitTime) const noexcept {
    return waiting.front().node;
  }
#endif
};
static_assert(plurix::CommitStrategy<Nobody>);
