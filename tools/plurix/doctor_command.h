// `plurix doctor`: what this machine lacks, and what to do about it.
#pragma once

#include <CLI/CLI.hpp>

void add_doctor_command(CLI::App& app, int& exit_code);
