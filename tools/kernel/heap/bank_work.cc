#include "heap/bank_work.h"

namespace plurix::kernel {

namespace bank = workloads::bank;

Status BankWork::setup() noexcept {
  return log_
      .update(node_, [](Transaction& t, HistoryLog& notes) { bank::open_accounts(t, notes); })
      .status;
}

Status BankWork::step() noexcept {
  if (++steps_ % kAuditEvery == 0) return audit();
  const auto from = prng_.below(bank::kAccounts);
  const auto to = (from + 1 + prng_.below(bank::kAccounts - 1)) % bank::kAccounts;
  const auto cents = static_cast<std::int64_t>(1 + prng_.below(5'000));
  const auto outcome = log_.update(node_, [&](Transaction& t, HistoryLog& notes) {
    return bank::transfer(t, notes, from, to, cents);
  });
  return outcome.status;
}

Status BankWork::audit() noexcept {
  const bool strict = (steps_ / kAuditEvery) % 2 == 0;
  const auto outcome = log_.read_only(node_, strict ? Freshness::kLatest : Freshness::kSnapshot,
                                      [](Transaction& t, HistoryLog& notes) {
                                        return bank::add_up(t, notes).value_or(bank::kTotalCents);
                                      });
  if (outcome.committed() && *outcome.value != bank::kTotalCents) ++wrong_audits_;
  return outcome.status;
}

std::optional<std::int64_t> BankWork::sum() noexcept {
  const auto outcome = node_.read_only(Freshness::kLatest, [](Transaction& t) {
    workloads::NoNotes notes;
    return bank::add_up(t, notes).value_or(0);
  });
  if (!outcome.committed()) return {};
  return *outcome.value;
}

}  // namespace plurix::kernel
