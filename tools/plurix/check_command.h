// `plurix check FILE`: judges a recorded history (docs/history.md) without knowing how it was made.
#pragma once

#include <CLI/CLI.hpp>

// Adds the command to `app`. When it has run, `exit_code` is 0 (no violation), 1 (the file is
// unreadable or not a history) or 4 (a violation was found); usage errors are CLI11's.
void add_check_command(CLI::App& app, int& exit_code);
