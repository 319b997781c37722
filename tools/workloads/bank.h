// bank: money moves between random accounts, and every fiftieth transaction adds all of it up.
// Money is never made or lost, so every audit finds the same sum.
#pragma once

#include "workloads/bank_ledger.h"
#include "workloads/workload.h"

namespace plurix::workloads {

class Bank {
 public:
  static constexpr std::string_view kName = "bank";
  static constexpr std::uint64_t kAuditEvery = 50;

  static std::string key_name(std::uint64_t key) { return "account" + std::to_string(key); }

  template <class Node>
  void setup(Node& node, Recorder& recorder) {
    recorder.update(node, [](Transaction& t, Notes& notes) { bank::open_accounts(t, notes); });
  }

  template <class Node>
  Status step(Node& node, Recorder& recorder, Prng& prng) {
    if (++steps_ % kAuditEvery == 0) return audit(node, recorder);
    const auto from = prng.below(bank::kAccounts);
    const auto to = (from + 1 + prng.below(bank::kAccounts - 1)) % bank::kAccounts;
    const auto cents = static_cast<std::int64_t>(1 + prng.below(5'000));
    return recorder
        .update(node, [&](Transaction& t,
                          Notes& notes) { return bank::transfer(t, notes, from, to, cents); })
        .status;
  }

  template <class Node>
  Verification verify(Node& node) {
    const auto outcome = node.read_only(Freshness::kLatest, [](Transaction& t) {
      NoNotes notes;
      return bank::add_up(t, notes).value_or(0);
    });
    if (!outcome.committed()) return unread("bank", outcome.reason);
    const auto sum = *outcome.value;
    const bool ok = sum == bank::kTotalCents && wrong_audits_ == 0;
    return {.ok = ok,
            .words = std::to_string(bank::kAccounts) + " accounts hold " + std::to_string(sum) +
                     " cents" +
                     (sum == bank::kTotalCents
                          ? ", as at the start"
                          : ", at the start it was " + std::to_string(bank::kTotalCents)),
            .numbers = {{"sum", sum}, {"expected", bank::kTotalCents}}};
  }

  /// Audits of this node that found another sum: each is a violation by itself.
  std::uint64_t wrong_audits() const noexcept { return wrong_audits_; }

 private:
  template <class Node>
  Status audit(Node& node, Recorder& recorder) {
    const bool strict = (steps_ / kAuditEvery) % 2 == 0;
    const auto outcome = recorder.read(node, strict ? Freshness::kLatest : Freshness::kSnapshot,
                                       [](Transaction& t, Notes& notes) {
                                         return bank::add_up(t, notes).value_or(bank::kTotalCents);
                                       });
    if (outcome.committed() && *outcome.value != bank::kTotalCents) ++wrong_audits_;
    return outcome.status;
  }

  std::uint64_t steps_ = 0;
  std::uint64_t wrong_audits_ = 0;
};

}  // namespace plurix::workloads
