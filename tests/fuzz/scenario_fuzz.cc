// Reads arbitrary text as a scenario script. What is accepted must survive being printed and read
// again; what is not is refused in words.
#include <plurix/base/assert.h>

#include "support/scenario.h"

#include <cstdint>
#include <stdexcept>
#include <string>

using namespace plurix::testing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const auto printed = scenario_text(parse_scenario(text));
    PLURIX_ASSERT(scenario_text(parse_scenario(printed)) == printed);
  } catch (const std::runtime_error& error) {
    PLURIX_ASSERT(*error.what() != '\0');
  }
  return 0;
}
