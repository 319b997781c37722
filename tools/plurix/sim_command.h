// `plurix sim`: simulated clusters from seeds.
#pragma once

#include <CLI/CLI.hpp>

/// Adds the command; sets `exit_code` when it runs: 0 no violation, 1 failed, 2 usage, 4 violation.
void add_sim_command(CLI::App& app, int& exit_code);
