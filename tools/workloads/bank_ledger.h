// The bank's accounts and what is done with them: the part of the workload `bank` that is the same
// in a Linux process and in a kernel. `Notes` takes down what a body reads and writes.
#pragma once

#include <plurix/transaction.h>

#include <optional>

namespace plurix::workloads {

/// Takes nothing down.
struct NoNotes {
  void read(std::uint64_t, std::int64_t) noexcept {}
  void write(std::uint64_t, std::int64_t) noexcept {}
};

namespace bank {

inline constexpr std::size_t kAccounts = 256;
inline constexpr std::int64_t kInitialCents = 100'000;
inline constexpr std::int64_t kTotalCents = kInitialCents * std::int64_t{kAccounts};
inline constexpr const char* kLedgerName = "bank.ledger";

/// Sixteen to a page, so that the accounts of one page collide and those of two do not.
struct Account {
  std::int64_t cents = 0;
  std::int64_t opened = 0;
  std::int64_t reserved[30] = {};
};
struct Ledger {
  Account accounts[kAccounts];
};

template <class Notes>
void open_accounts(Transaction& t, Notes& notes) {
  const auto ledger = t.root<Ledger>(kLedgerName);
  for (std::size_t i = 0; i < kAccounts; ++i) {
    const auto account = ledger.element(&Ledger::accounts, i);
    if (account->opened != 0) continue;
    account.mut()->opened = 1;
    account.mut()->cents = kInitialCents;
    notes.write(i, kInitialCents);
  }
}

template <class Notes>
Verdict transfer(Transaction& t, Notes& notes, std::uint64_t from, std::uint64_t to,
                 std::int64_t cents) {
  const auto ledger = t.root<Ledger>(kLedgerName);
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

/// The sum of all accounts; none if there is no bank yet.
template <class Notes>
std::optional<std::int64_t> add_up(Transaction& t, Notes& notes) {
  const auto ledger = t.find<Ledger>(kLedgerName);
  if (!ledger) return {};
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < kAccounts; ++i) {
    const auto cents = ledger.element(&Ledger::accounts, i)->cents;
    notes.read(i, cents);
    sum += cents;
  }
  return sum;
}

}  // namespace bank
}  // namespace plurix::workloads
