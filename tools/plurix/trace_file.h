// Event records of several nodes as one file for Perfetto or chrome://tracing, a lane a node.
#pragma once

#include <string>
#include <vector>

namespace plurix::tool {

/// `parts`: files of raw 32-byte records, oldest first, one a node. Throws std::runtime_error.
void write_trace_file(const std::string& path, const std::vector<std::string>& parts);

}  // namespace plurix::tool
