// `plurix inspect`: looks at the heap of a running cluster.
#pragma once

#include <CLI/CLI.hpp>

void add_inspect_command(CLI::App& app, int& exit_code);
