// Choosing happens inside the core, which knows no exceptions.
// expect: ChoosesNextHolder
#include <plurix/concepts/commit_strategy.h>

struct Throwing {
  plurix::NodeId grant(std::span<const plurix::TokenRequest> waiting, plurix::CommitTime) const
#if defined(PLURIX_COMPILE_FAIL_CONTROL)
      noexcept
#endif
  {
    return waiting.front().node;
  }
};
static_assert(plurix::CommitStrategy<Throwing>);
