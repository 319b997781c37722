// What a machine had recorded until it was killed, read out of the file that was its memory.
#pragma once

#include <plurix/history/attempt.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace plurix::tool {

struct MachineRecord {
  history::History history;
  bool full = false;  ///< the machine went on after it had stopped recording
};

/// `where` is what the machine said in "ready" as its "record". The transaction in which it died
/// has the outcome `unknown`, and ends at `died_ns`. Throws std::runtime_error if there is no
/// record of such a machine.
MachineRecord read_machine_record(const std::string& memory_file, const nlohmann::json& where,
                                  std::int64_t died_ns);

}  // namespace plurix::tool
