#include "support/options.h"

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace plurix::bench {

Options parse_options(int argc, char** argv, const std::string& usage) {
  Options options;
  options.smoke = std::getenv("PLURIX_BENCH_SMOKE") != nullptr;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--json") {
      options.json = true;
    } else if (argument == "--only" && i + 1 < argc) {
      options.only = argv[++i];
    } else if (argument == "--help" || argument == "-h") {
      std::printf(
          "%s\n\n  --json       one JSON object a row\n"
          "  --only NAME  these rows alone, if the benchmark names them\n",
          usage.c_str());
      std::exit(0);
    } else if (argument.substr(0, 12) != "--benchmark_") {
      std::fprintf(stderr, "unknown option '%s'; --help says what there is\n", argv[i]);
      std::exit(2);
    }
  }
  return options;
}

}  // namespace plurix::bench
