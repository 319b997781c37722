// Which bug this run has: the one that PLURIX_MUTATION names, or none.
#include <plurix/base/mutation.h>

#include <cstdio>
#include <cstdlib>
#include <iterator>

namespace plurix {
namespace {

unsigned named_in_environment() {
  constexpr unsigned kNone = std::size(kMutations);
  const char* name = std::getenv("PLURIX_MUTATION");
  if (name == nullptr) return kNone;
  for (unsigned i = 0; i < kNone; ++i) {
    if (kMutations[i] == name) return i;
  }
  std::fprintf(stderr, "no mutation is called '%s'\n", name);
  std::exit(2);
}

}  // namespace

unsigned planted_mutation = named_in_environment();

}  // namespace plurix
