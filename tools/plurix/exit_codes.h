// How every subcommand tells a script what happened.
#pragma once

namespace plurix::tool {

enum ExitCode : int {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,
  kNotReachable = 3,
  kViolation = 4,
  kNotFit = 5,  ///< this machine lacks something a node needs
};

}  // namespace plurix::tool
