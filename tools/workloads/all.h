// Every workload by its name.
#pragma once

#include <tuple>

#include "workloads/append.h"
#include "workloads/bank.h"
#include "workloads/graph.h"
#include "workloads/registers.h"
#include "workloads/words.h"

namespace plurix::workloads {

using All = std::tuple<Bank, Registers, Append, Counter, Disjoint, FalseShare, Graph>;

/// "bank", "registers", …
inline std::vector<std::string> names() {
  return std::apply(
      [](const auto&... workload) {
        return std::vector<std::string>{std::string(std::decay_t<decltype(workload)>::kName)...};
      },
      All{});
}

/// Calls `use(workload)` with a fresh workload of that name. False if there is none.
template <class Use>
bool with_workload(std::string_view name, Use use) {
  return std::apply(
      [&](auto... workload) {
        return ((name == decltype(workload)::kName ? (use(workload), true) : false) || ...);
      },
      All{});
}

}  // namespace plurix::workloads
