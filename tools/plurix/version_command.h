// `plurix version`.
#pragma once

#include <CLI/CLI.hpp>

void add_version_command(CLI::App& app, int& exit_code);
