// What a check found: the invariant that does not hold, why in words, and the attempts that show
// it.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <plurix/history/attempt.h>

namespace plurix::history {

struct Violation {
  std::string invariant;              // a stable name, listed in docs/history.md
  std::string words;                  // the smallest explanation the check could find
  std::vector<std::size_t> attempts;  // indices into History::attempts
};

// The outcome of one check. Every violation is counted, the first `limit` are kept.
struct Findings {
  explicit Findings(std::size_t limit_in = 10) : limit(limit_in) {}

  std::size_t limit;
  std::size_t count = 0;
  std::vector<Violation> violations;
  std::vector<std::string> not_applicable;  // what the check could not judge, and why

  bool ok() const { return count == 0; }
  bool full() const { return violations.size() >= limit; }

  // `explain` is asked for a Violation only while there is room for it: words cost time.
  template <typename Explain>
  void add(Explain&& explain) {
    ++count;
    if (!full()) violations.push_back(std::forward<Explain>(explain)());
  }
};

// "node 1 tx 17 attempt 2 (epoch 1, commit time 123)"
std::string name_of(const Attempt& attempt);
// "A had ended 1.5 ms before B began"; the first ends no later than the second begins.
std::string ended_before(const Attempt& first, const Attempt& second);
// "5", "[1, 2, 7]"; a long list shows its ends only.
std::string text_of(const Value& value);

}  // namespace plurix::history
