#include <plurix/sim/program.h>

namespace plurix::sim {

std::size_t Program::transactions() const {
  std::size_t count = 0;
  for (const auto& node : nodes) count += node.size();
  return count;
}

std::string to_string(const Program& program) {
  static constexpr const char* kNames[] = {"update", "read", "read-latest", "cancel", "rejoin"};
  std::string text;
  for (std::size_t node = 0; node < program.nodes.size(); ++node) {
    text += "node " + std::to_string(node) + ":";
    for (const auto& plan : program.nodes[node]) {
      text += std::string(" ") + kNames[static_cast<std::size_t>(plan.kind)] + "(";
      for (const auto& step : plan.steps) {
        text += (step.write ? " w" : " r") + std::to_string(step.key);
      }
      text += " )";
    }
    text += "\n";
  }
  return text;
}

Program random_program(std::uint32_t nodes, std::uint32_t transactions_each, Prng& prng) {
  Program program;
  program.nodes.resize(nodes);
  for (auto& plans : program.nodes) {
    for (std::uint32_t i = 0; i < transactions_each; ++i) {
      TransactionPlan plan;
      const auto draw = prng.below(100);
      plan.kind = draw < 70   ? TransactionKind::kUpdate
                  : draw < 82 ? TransactionKind::kRead
                  : draw < 94 ? TransactionKind::kReadLatest
                  : draw < 99 ? TransactionKind::kCancel
                              : TransactionKind::kRejoin;
      for (auto steps = 1 + prng.below(5); steps > 0; --steps) {
        plan.steps.push_back({prng.chance(500'000), static_cast<std::uint32_t>(prng.below(kKeys))});
      }
      plans.push_back(std::move(plan));
    }
  }
  return program;
}

void Recorder::begin_transaction(bool read_only, bool strict) {
  current_ = {};
  current_.tx = ++transaction_;
  current_.read_only = read_only;
  current_.strict = strict;
}

void Recorder::begin_attempt(const ProtocolCore& protocol, Instant now) {
  if (open_) put(history::Status::kAborted, {}, now);
  open_ = true;
  ++current_.attempt;
  current_.node = protocol.core().self;
  current_.incarnation = protocol.core().incarnation;
  current_.epoch = protocol.core().epoch;
  commit_before_ = protocol.last_commit();
  current_.begin_ns = now.ns;
  current_.ops.clear();
}

void Recorder::read(std::uint32_t key, std::uint64_t seen) {
  current_.ops.push_back(
      history::Operation::read("k" + std::to_string(key), static_cast<std::int64_t>(seen)));
}

std::uint64_t Recorder::write(std::uint32_t key) {
  const auto value = (std::uint64_t{current_.node} + 1) << 40 | ++values_;
  current_.ops.push_back(
      history::Operation::write("k" + std::to_string(key), static_cast<std::int64_t>(value)));
  return value;
}

void Recorder::end(history::Status status, CommitTime time, Instant now) {
  if (open_) put(status, time, now);
  open_ = false;
}

void Recorder::crash(const ProtocolCore& protocol, Instant now) {
  if (!open_) return;
  const bool committed = protocol.last_commit() != commit_before_;
  put(committed ? history::Status::kUnknown : history::Status::kAborted,
      committed ? protocol.last_commit() : CommitTime{}, now);
  open_ = false;
}

void Recorder::put(history::Status status, CommitTime time, Instant now) {
  auto attempt = current_;
  attempt.status = status;
  const bool perhaps = status == history::Status::kCommitted || status == history::Status::kUnknown;
  attempt.commit_time = perhaps ? time.value : 0;
  attempt.end_ns = now.ns;
  // A transaction that committed without having written is a reader, whatever it was planned as.
  bool wrote = false;
  for (const auto& op : attempt.ops) wrote = wrote || op.kind != history::Operation::Kind::kRead;
  attempt.read_only = !wrote;
  attempt.strict = attempt.strict && attempt.read_only;
  out_.push_back(std::move(attempt));
}

}  // namespace plurix::sim
