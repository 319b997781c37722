#include <plurix/history/restarts.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace plurix::history {
namespace {

using Transaction = std::tuple<std::uint32_t, std::uint32_t, std::uint64_t>;

// Of each transaction that was restarted, the attempts that were taken back.
std::map<Transaction, std::vector<std::size_t>> restarts_of(const History& history) {
  std::map<Transaction, std::vector<std::size_t>> restarts;
  for (std::size_t id = 0; id < history.attempts.size(); ++id) {
    const Attempt& attempt = history.attempts[id];
    if (attempt.status != Status::kAborted) continue;
    restarts[{attempt.node, attempt.incarnation, attempt.tx}].push_back(id);
  }
  return restarts;
}

}  // namespace

std::uint32_t most_restarts(const History& history) {
  std::size_t most = 0;
  for (const auto& [transaction, attempts] : restarts_of(history)) {
    most = std::max(most, attempts.size());
  }
  return static_cast<std::uint32_t>(most);
}

Findings check_restarts(const History& history, std::uint32_t promised, std::size_t limit) {
  Findings findings(limit);
  for (const auto& [transaction, attempts] : restarts_of(history)) {
    if (attempts.size() <= promised) continue;
    const auto id = attempts[promised];
    findings.add([&] {
      return Violation{"restarts",
                       name_of(history.attempts[id]) + " is one of " +
                           std::to_string(attempts.size()) +
                           " attempts of its transaction that were taken back; its strategy "
                           "promises " +
                           std::to_string(promised) + " at most",
                       {id}};
    });
  }
  return findings;
}

}  // namespace plurix::history
