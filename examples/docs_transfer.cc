// docs/api.md: outcomes, refusal, errors, and a reader that wants the latest state.
#include <plurix/posix/node.h>

#include <cstdio>
#include <cstdlib>

using plurix::posix::Founding;

struct Account {
  long cents;
};

struct Bank {
  Account accounts[100];
};

void expect(bool condition, const char* what) {
  if (condition) return;
  std::printf("not as documented: %s\n", what);
  std::exit(1);
}

plurix::Outcome<plurix::Verdict> transfer(plurix::posix::Node& here, std::size_t from,
                                          std::size_t to, long cents) {
  return here.try_run([&](plurix::Transaction& t) -> plurix::Verdict {
    auto bank = t.find<Bank>("bank");
    if (!bank) return t.cancel("there is no bank");
    auto source = bank.element(&Bank::accounts, from);
    auto target = bank.element(&Bank::accounts, to);
    if (source->cents < cents) return t.cancel("not enough money");
    source.mut()->cents -= cents;
    target.mut()->cents += cents;
    return t.commit();
  });
}

void report(const plurix::Outcome<plurix::Verdict>& outcome) {
  if (outcome.committed()) {
    std::printf("done at commit time %lu, after %u restarts\n",
                static_cast<unsigned long>(outcome.commit_time.value), outcome.restarts);
  } else if (outcome.unknown()) {
    std::printf("nobody knows: %s\n", outcome.reason);
  } else {
    std::printf("nothing happened: %s\n", outcome.reason);
  }
}

long sum_of(plurix::posix::Node& here) {
  auto outcome = here.read_only(plurix::Freshness::kLatest, [](plurix::Transaction& t) {
    auto bank = t.find<Bank>("bank");
    long sum = 0;
    if (bank) {
      for (const auto& account : bank->accounts) sum += account.cents;
    }
    return sum;
  });
  return outcome.committed() ? *outcome.value : -1;
}

int main() {
  plurix::posix::Node here{
      {.cluster = "transfer", .bind = "127.0.0.1:0", .found = Founding::kAlways}};

  const auto early = transfer(here, 1, 2, 50);
  report(early);
  expect(early.cancelled(), "cancelled without a bank");

  here.run([](plurix::Transaction& t) {
    for (auto& account : t.root<Bank>("bank").mut()->accounts) account.cents = 100;
  });
  const auto done = transfer(here, 1, 2, 50);
  report(done);
  expect(done.committed(), "committed");
  expect(transfer(here, 1, 2, 51).cancelled(), "cancelled without money");
  expect(sum_of(here) == 100 * 100, "the sum is constant");

  try {
    here.run([](plurix::Transaction& t) { t.root<Account>("bank"); });
    expect(false, "another type under a name is Misuse");
  } catch (const plurix::Misuse& error) {
    std::printf("%s\n", error.what());
  }

  const auto read = here.read_only(plurix::Freshness::kSnapshot, [](plurix::Transaction& t) {
    return t.find<Bank>("bank")->accounts[1].cents;
  });
  expect(read.committed() && *read.value == 50, "a snapshot has what was committed");
}
