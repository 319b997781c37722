// Measured values of one kind. Medians, because the machine is never ours alone.
#pragma once

#include <plurix/base/time.h>
#include <plurix/posix/monotonic_clock.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace plurix::bench {

class Samples {
 public:
  void add(double value) { values_.push_back(value); }
  std::size_t size() const { return values_.size(); }
  double median() { return quantile(0.5); }

  /// The value that `q` of all values do not exceed; 0 without values.
  double quantile(double q) {
    if (values_.empty()) return 0;
    const auto last = values_.size() - 1;
    const auto rank = static_cast<std::size_t>(q * static_cast<double>(last) + 0.5);
    std::nth_element(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(rank),
                     values_.end());
    return values_[rank];
  }

 private:
  std::vector<double> values_;
};

inline Instant now() noexcept { return posix::MonotonicClock{}.now(); }

/// Microseconds that `f()` takes.
template <class F>
double microseconds_of(F f) {
  const auto begin = now();
  f();
  return static_cast<double>((now() - begin).ns) / 1e3;
}

}  // namespace plurix::bench
