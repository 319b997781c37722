// What every benchmark of this folder understands on its command line.
#pragma once

#include <string>

namespace plurix::bench {

struct Options {
  bool json = false;   ///< one JSON object a row instead of a table
  bool smoke = false;  ///< PLURIX_BENCH_SMOKE: so short that only "it runs" is shown
  std::string only;    ///< rows of this number or name; empty: all

  bool wants(const std::string& row) const { return only.empty() || only == row; }

  /// `full` repetitions, or a few in a smoke run.
  int rounds(int full) const { return smoke ? (full < 100 ? 1 : full / 100) : full; }
};

/// Reads the command line; prints `usage` and exits for --help (0) and for what it does not know
/// (2). What Google Benchmark would understand (--benchmark_…) is accepted and ignored.
Options parse_options(int argc, char** argv, const std::string& usage);

}  // namespace plurix::bench
