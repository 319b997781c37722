// Notices that this node waits for what nobody gives it, and asks whoever it can think of who the
// members are by now.
//
// Every other question goes to members, and an answer counts if a member gave it. That is of no use
// to a node that could hear nobody while each of the others left and joined again, or while an
// epoch began without it: those it knows are no more, and those who are speak to it as strangers.
// It asks them as a newcomer would. A grant that says it is a member of its own epoch brings the
// table; who says that it is not one, of a newer epoch, ends its life (Membership::is_left_out).
#pragma once

#include <plurix/dsm/membership.h>

namespace plurix {

class Lookout {
 public:
  Lookout(CoreContext& core, Membership& membership) noexcept
      : core_(core), membership_(membership) {}

  /// A frame of this cluster has come from nobody this node knows.
  void on_stranger() noexcept { stranger_ = true; }

  /// `waits`: this node wants something of the others just now.
  void on_timer(bool waits) noexcept;
  Instant deadline() const noexcept { return next_; }

 private:
  static constexpr unsigned kMostDoublings = 3;

  CoreContext& core_;
  Membership& membership_;
  bool stranger_ = false;  ///< heard since something came of it last
  CommitTime applied_;     ///< when something came of it last
  Epoch epoch_ = 0;
  unsigned tries_ = 0;
  Instant next_ = kNever;  ///< to ask; never while nothing is missed
};

}  // namespace plurix
