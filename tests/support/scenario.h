// Scenario scripts: a conversation of the protocol as text. A script is a list of steps, each a
// command, a line `----`, and the complete output: every frame that is sent, in order, with its
// fields, and what each node does about it. A blank line ends a step; `#` begins a comment.
//
//   transaction 1: read 4, write 5=60
//   ----
//   1 -> 0 t=1: PageRequest page 4, request 1
//   …
//
// Frames arrive at once and in order of sending unless a rule says otherwise, and time passes only
// in `wait`, so that a script has one output. Commands:
//
//   cluster nodes=3 [later=1] [strategy=fair] [beacon=10ms] [log_records=8] [words_per_packet=2]
//   transaction N: OP, OP, …    read P · write P=V · add P · pause · token · latest · abandon;
//                               commits at its end if it wrote; begins again when it was aborted
//   go N                        continues behind a pause
//   lose|hold|double|copy FROM->TO TYPE [xK]
//                               the fate of the next K such frames (`*` for any); a copy arrives
//                               now, and once more later
//   release                     what was held arrives
//   wait 2ms                    time passes
//   cut N · heal N              frames from and to a node are lost
//   freeze N · thaw N           a node stands still; its frames wait
//   join N [via M] · leave N
//   show                        what every node knows
#pragma once

#include <string>
#include <vector>

namespace plurix::testing {

struct ScenarioStep {
  std::string before;   ///< comments and blank lines, as they are
  std::string command;  ///< one line
  std::string output;   ///< lines, each with its end
  int line = 0;         ///< of the command in its file
};

struct Scenario {
  std::vector<ScenarioStep> steps;
  std::string after;  ///< what stands behind the last step
};

/// Throws std::runtime_error with line and reason when the text is no scenario.
Scenario parse_scenario(const std::string& text);
std::string scenario_text(const Scenario& scenario);

/// Runs all commands in order; the result has their real output. A command that is wrong has its
/// error as output.
Scenario run_scenario(const Scenario& scenario);

}  // namespace plurix::testing
