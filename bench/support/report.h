// How results are shown: a row is a figure beside its yardstick from the same run, the ratio of the
// two, and what it should be.
#pragma once

#include "support/options.h"

#include <cmath>
#include <optional>
#include <string>

namespace plurix::bench {

/// What the ratio (or, with `of_figure`, the figure itself) should be.
struct Aim {
  enum class Kind { kNone, kAtMost, kAtLeast };
  Kind kind = Kind::kNone;
  double limit = 0;
  bool of_figure = false;

  static Aim none() { return {}; }
  static Aim ratio_at_most(double limit) { return {Kind::kAtMost, limit, false}; }
  static Aim ratio_at_least(double limit) { return {Kind::kAtLeast, limit, false}; }
  static Aim figure_at_most(double limit) { return {Kind::kAtMost, limit, true}; }
};

struct Row {
  std::string what;
  double figure = 0;
  double yardstick = 0;
  Aim aim = Aim::none();

  double ratio() const { return yardstick == 0 ? NAN : figure / yardstick; }
  /// Nothing when there is no aim.
  std::optional<bool> met() const;
};

/// Prints the rows as they come: a table, or with --json one object a line with the keys bench,
/// what, unit, figure, yardstick, yardstick_is, ratio, aim, met.
class Report {
 public:
  Report(const Options& options, std::string bench, std::string unit, std::string yardstick_is);

  void add(const Row& row) const;
  /// A row that could not be measured, and why.
  void skip(const std::string& what, const std::string& why) const;
  /// A line that explains; left out of JSON.
  void note(const std::string& text) const;

 private:
  void add_json(const Row& row) const;

  bool json_;
  std::string bench_;
  std::string unit_;
  std::string yardstick_is_;
};

}  // namespace plurix::bench
