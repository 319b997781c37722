// BankWork: the workload `bank` as the hosted nodes do it (workloads/bank.h), on this kernel's
// node.
#pragma once

#include <plurix/base/prng.h>

#include "heap/history_log.h"
#include "heap/node.h"
#include "workloads/bank_ledger.h"

namespace plurix::kernel {

class BankWork {
 public:
  BankWork(Node& node, HistoryLog& log, std::uint64_t seed) noexcept
      : node_(node), log_(log), prng_(mix(seed, node.id())) {}

  Status setup() noexcept;

  /// One transaction; every fiftieth adds all accounts up.
  Status step() noexcept;

  /// The sum of all accounts as it is now; none if the node was stopped.
  std::optional<std::int64_t> sum() noexcept;

  std::uint64_t wrong_audits() const noexcept { return wrong_audits_; }

 private:
  static constexpr std::uint64_t kAuditEvery = 50;

  Status audit() noexcept;

  Node& node_;
  HistoryLog& log_;
  Prng prng_;
  std::uint64_t steps_ = 0;
  std::uint64_t wrong_audits_ = 0;
};

}  // namespace plurix::kernel
