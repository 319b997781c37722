#include <plurix/history/well_formed.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <tuple>
#include <vector>

namespace plurix::history {
namespace {

constexpr auto kName = "well_formed";

auto transaction_of(const Attempt& attempt) {
  return std::tuple(attempt.node, attempt.incarnation, attempt.tx);
}

const char* fault_of(const Index& index, AttemptId id) {
  const Attempt& attempt = index.attempt(id);
  const bool committed = attempt.status == Status::kCommitted;
  const bool writes = !index.writes(id).empty();
  if (attempt.end_ns < attempt.begin_ns) return " ended before it began";
  if (attempt.read_only && writes) return " is read-only and wrote";
  if (attempt.strict && writes)
    return " is marked strict and wrote; strict is a promise to readers";
  if (attempt.durable && !committed) return " is marked durable and did not commit";
  if (committed && writes && attempt.commit_time == 0) return " committed writes at commit time 0";
  return nullptr;
}

void check_each(const Index& index, Findings& findings) {
  for (AttemptId id = 0; id < index.size(); ++id) {
    const char* fault = fault_of(index, id);
    if (fault == nullptr) continue;
    findings.add([&] { return Violation{kName, name_of(index.attempt(id)) + fault, {id}}; });
  }
}

// `a` and `b` are of one transaction, next to each other by attempt number.
const char* fault_between(const Index& index, AttemptId a, AttemptId b) {
  const bool superseded =
      index.effect(a) == Effect::kSuperseded || index.effect(b) == Effect::kSuperseded;
  if (superseded) return nullptr;
  if (index.attempt(a).attempt == index.attempt(b).attempt) return " appears twice";
  if (index.attempt(a).status == Status::kCommitted)
    return " had committed already, and its transaction ran again";
  return nullptr;
}

void check_transactions(const Index& index, Findings& findings) {
  std::vector<AttemptId> order(index.size());
  std::iota(order.begin(), order.end(), AttemptId{0});
  const auto key = [&](AttemptId id) {
    return std::tuple_cat(transaction_of(index.attempt(id)),
                          std::tuple(index.attempt(id).attempt, id));
  };
  std::sort(order.begin(), order.end(), [&](AttemptId a, AttemptId b) { return key(a) < key(b); });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const AttemptId a = order[i - 1];
    const AttemptId b = order[i];
    if (transaction_of(index.attempt(a)) != transaction_of(index.attempt(b))) continue;
    const char* fault = fault_between(index, a, b);
    if (fault == nullptr) continue;
    findings.add([&] { return Violation{kName, name_of(index.attempt(a)) + fault, {a, b}}; });
  }
}

void check_keys(const Index& index, Findings& findings) {
  for (Key key = 0; key < index.key_count(); ++key) {
    if (index.kind(key) != KeyKind::kMixed) continue;
    findings.add([&] {
      return Violation{
          kName,
          "key " + std::string(index.key_name(key)) +
              " is used both as a register and as a list; a key must be one of the two",
          {}};
    });
  }
}

}  // namespace

Findings check_well_formed(const Index& index, std::size_t limit) {
  Findings findings(limit);
  check_each(index, findings);
  check_transactions(index, findings);
  check_keys(index, findings);
  return findings;
}

}  // namespace plurix::history
