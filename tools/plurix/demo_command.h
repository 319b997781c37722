// `plurix demo`: a cluster of real processes on this machine, and a verdict.
#pragma once

#include <CLI/CLI.hpp>

void add_demo_command(CLI::App& app, int& exit_code);
