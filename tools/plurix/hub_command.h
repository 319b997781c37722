// plurix hub: an Ethernet segment for nodes and QEMU machines.
#pragma once

#include <CLI/CLI.hpp>

void add_hub_command(CLI::App& app, int& exit_code);
