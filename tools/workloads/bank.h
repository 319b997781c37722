// bank: money moves between random accounts, and every fiftieth transaction adds all of it up.
// Money is never made or lost, so every audit finds the same sum.
#pragma once

#include "workloads/workload.h"

namespace plurix::workloads {

class Bank {
 public:
  static constexpr std::string_view kName = "bank";
  static constexpr std::size_t kAccounts = 256;
  static constexpr std::int64_t kInitialCents = 100'000;
  static constexpr std::int64_t kTotalCents = kInitialCents * std::int64_t{kAccounts};
  static constexpr std::uint64_t kAuditEvery = 50;

  static std::string key_name(std::uint64_t key) { return "account" + std::to_string(key); }

  template <class Node>
  void setup(Node& node, Recorder& recorder) {
    recorder.update(node, [](Transaction& t, Notes& notes) {
      const auto ledger = t.root<Ledger>("bank.ledger");
      for (std::size_t i = 0; i < kAccounts; ++i) {
        const auto account = ledger.element(&Ledger::accounts, i);
        if (account->opened != 0) continue;
        account.mut()->opened = 1;
        account.mut()->cents = kInitialCents;
        notes.write(i, kInitialCents);
      }
    });
  }

  template <class Node>
  Status step(Node& node, Recorder& recorder, Prng& prng) {
    if (++steps_ % kAuditEvery == 0) return audit(node, recorder);
    const auto from = prng.below(kAccounts);
    const auto to = (from + 1 + prng.below(kAccounts - 1)) % kAccounts;
    const auto cents = static_cast<std::int64_t>(1 + prng.below(5'000));
    return recorder
        .update(node,
                [&](Transaction& t, Notes& notes) {
                  return transfer(t, notes, t.root<Ledger>("bank.ledger"), from, to, cents);
                })
        .status;
  }

  template <class Node>
  Verification verify(Node& node) {
    const auto outcome = node.read_only(Freshness::kLatest, [](Transaction& t) {
      const auto ledger = t.find<Ledger>("bank.ledger");
      std::int64_t sum = 0;
      for (std::size_t i = 0; ledger && i < kAccounts; ++i) {
        sum += ledger.element(&Ledger::accounts, i)->cents;
      }
      return sum;
    });
    if (!outcome.committed()) return unread("bank", outcome.reason);
    const auto sum = *outcome.value;
    const bool ok = sum == kTotalCents && wrong_audits_ == 0;
    return {.ok = ok,
            .words = std::to_string(kAccounts) + " accounts hold " + std::to_string(sum) +
                     " cents" +
                     (sum == kTotalCents ? ", as at the start"
                                         : ", at the start it was " + std::to_string(kTotalCents)),
            .numbers = {{"sum", sum}, {"expected", kTotalCents}}};
  }

  /// Audits of this node that found another sum: each is a violation by itself.
  std::uint64_t wrong_audits() const noexcept { return wrong_audits_; }

 private:
  /// Sixteen to a page, so that the accounts of one page collide and those of two do not.
  struct Account {
    std::int64_t cents = 0;
    std::int64_t opened = 0;
    std::int64_t reserved[30] = {};
  };
  struct Ledger {
    Account accounts[kAccounts];
  };

  static Verdict transfer(Transaction& t, Notes& notes, const Ref<Ledger>& ledger,
                          std::uint64_t from, std::uint64_t to, std::int64_t cents) {
    const auto payer = ledger.element(&Ledger::accounts, from);
    const auto payee = ledger.element(&Ledger::accounts, to);
    const auto has = payer->cents;
    notes.read(from, has);
    if (has < cents) return t.cancel("not enough money");
    const auto had = payee->cents;
    notes.read(to, had);
    payer.mut()->cents = has - cents;
    notes.write(from, has - cents);
    payee.mut()->cents = had + cents;
    notes.write(to, had + cents);
    return t.commit();
  }

  template <class Node>
  Status audit(Node& node, Recorder& recorder) {
    const bool strict = (steps_ / kAuditEvery) % 2 == 0;
    const auto outcome = recorder.read(
        node, strict ? Freshness::kLatest : Freshness::kSnapshot, [](Transaction& t, Notes& notes) {
          const auto ledger = t.find<Ledger>("bank.ledger");
          std::int64_t sum = 0;
          for (std::size_t i = 0; ledger && i < kAccounts; ++i) {
            const auto cents = ledger.element(&Ledger::accounts, i)->cents;
            notes.read(i, cents);
            sum += cents;
          }
          return ledger ? sum : kTotalCents;
        });
    if (outcome.committed() && *outcome.value != kTotalCents) ++wrong_audits_;
    return outcome.status;
  }

  std::uint64_t steps_ = 0;
  std::uint64_t wrong_audits_ = 0;
};

}  // namespace plurix::workloads
