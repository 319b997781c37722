// Display: what the VGA card of this machine shows: the page of text that all machines share, a
// line about this machine, the last answer and the command line.
#pragma once

#include <plurix/baremetal/text_screen.h>

#include "heap/node.h"

namespace plurix::kernel {

class Display {
 public:
  Display() noexcept;

  /// Whether there is a card with text in its memory.
  bool exists() const noexcept { return exists_; }

  /// Draws everything anew; only what has changed is written.
  void show(Node& node, std::string_view answer, std::string_view command) noexcept;

 private:
  bool exists_;
  baremetal::TextScreen screen_;
};

}  // namespace plurix::kernel
