#pragma once

#include <CLI/CLI.hpp>

void add_checkpoint_command(CLI::App& app, int& exit_code);
