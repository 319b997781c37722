#pragma once

#include <CLI/CLI.hpp>

void add_torture_command(CLI::App& app, int& exit_code);
