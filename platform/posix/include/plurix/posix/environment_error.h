// What a hosted room throws when the machine refuses something it needs to start. Nothing throws
// once a node runs.
#pragma once

#include <stdexcept>
#include <string>

namespace plurix::posix {

/// Three sentences for a person: what could not be had, why, and what would help.
class EnvironmentError : public std::runtime_error {
 public:
  EnvironmentError(std::string what_failed, std::string why, std::string what_to_do)
      : std::runtime_error(what_failed + ": " + why + ". " + what_to_do),
        what_failed_(std::move(what_failed)),
        why_(std::move(why)),
        what_to_do_(std::move(what_to_do)) {}

  const std::string& what_failed() const noexcept { return what_failed_; }
  const std::string& why() const noexcept { return why_; }
  const std::string& what_to_do() const noexcept { return what_to_do_; }

 private:
  std::string what_failed_;
  std::string why_;
  std::string what_to_do_;
};

/// "Address already in use (98)": the words for an errno value.
std::string describe_errno(int error);

}  // namespace plurix::posix
