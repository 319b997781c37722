#include <plurix/base/mutation.h>
#include <plurix/dsm/lookout.h>

namespace plurix {

void Lookout::on_timer(bool waits) noexcept {
  const auto patience = core_.config.suspect_after;
  const bool moved = core_.applied != applied_ || core_.epoch != epoch_;
  applied_ = core_.applied;
  epoch_ = core_.epoch;
  if (moved) stranger_ = false;
  if (!waits && !stranger_) {
    next_ = kNever;
    return;
  }
  if (moved || next_ == kNever) {
    tries_ = 0;
    next_ = core_.now + patience;
  }
  if (core_.now < next_ || mutated("strangers_not_asked")) return;
  ++tries_;
  next_ = core_.now + patience * (1 << (tries_ < kMostDoublings ? tries_ : kMostDoublings));
  stranger_ = false;
  membership_.ask_for_members();
}

}  // namespace plurix
