// `plurix node`: one node by hand.
#pragma once

#include <CLI/CLI.hpp>

void add_node_command(CLI::App& app, int& exit_code);
void add_pageserver_command(CLI::App& app, int& exit_code);
