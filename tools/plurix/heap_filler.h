// Pages without a meaning: what makes a heap as large as a measurement wants it.
#pragma once

#include <plurix/transaction.h>

#include <string>

namespace plurix::tool {

struct FillerPage {
  std::uint64_t words[kPageSize / sizeof(std::uint64_t)];
};
struct Filler {
  FillerPage pages[256];  ///< 1 MiB
};

/// Writes every page of so many objects of 1 MiB, which are this node's then. Throws OutOfMemory.
template <class Node>
void fill_heap(Node& node, int megabytes) {
  for (int i = 0; i < megabytes; ++i) {
    const auto name = "filler." + std::to_string(node.id()) + "." + std::to_string(i);
    node.run([&](Transaction& t) {
      for (auto& page : t.root<Filler>(name.c_str()).mut()->pages) page.words[0] = 1;
    });
  }
}

}  // namespace plurix::tool
