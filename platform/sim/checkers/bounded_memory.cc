#include <plurix/sim/checkers/bounded_memory.h>
#include <plurix/sim/checkers/violation.h>

namespace plurix::sim {
namespace {

std::size_t words_in(const CommitLog& log, std::size_t limit) {
  std::size_t words = 0;
  std::byte record[wire::kSmallBody];
  // Newest first: what is overwritten is found at the old end, and one record too many is enough.
  for (auto time = log.newest(); log.has(time) && words <= limit; time = {time.value - 1}) {
    words += (log.copy(time, record) - sizeof(wire::RecordHeader)) / 4;
  }
  return words;
}

}  // namespace

std::array<Usage, 7> usage_of(const ProtocolCore& node) {
  const auto& core = node.core();
  const auto& config = core.config;
  const auto& log = node.catch_up().log;
  return {{{"members", core.peers + std::size_t{core.member}, kMaxNodes},
           {"waiting token requests", node.token().waiting(), kMaxNodes},
           {"records in the log", log.newest() + 1 - log.oldest(), config.log_records},
           {"page numbers in the log", words_in(log, config.log_words), config.log_words},
           {"pages read", node.attempt().read_set().size(), config.geometry.pages},
           {"pages written", node.attempt().write_set().size(), config.shadow_pages},
           {"actions of a step", node.actions().view().size(), ActionList::kMaxActions}}};
}

void check_bounded(NodeId node, std::span<const Usage> usage) {
  for (const auto& entry : usage) {
    if (entry.used <= entry.limit) continue;
    throw Violation("memory: " + name_of(node) + " has " + std::to_string(entry.used) + " " +
                    entry.what + "; the limit is " + std::to_string(entry.limit));
  }
}

}  // namespace plurix::sim
