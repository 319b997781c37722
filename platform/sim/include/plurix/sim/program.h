// Random programs as values: what each node's transactions read and write. They can be generated,
// shrunk, printed and run on any node, and every value written is unique, so that a history of a
// run tells exactly which write each read has seen.
#pragma once

#include <plurix/base/prng.h>
#include <plurix/base/time.h>
#include <plurix/dsm/protocol.h>
#include <plurix/history/attempt.h>
#include <plurix/transaction.h>

#include <string>
#include <vector>

namespace plurix::sim {

/// One access to the register `key`.
struct Step {
  bool write = false;
  std::uint32_t key = 0;

  friend bool operator==(const Step&, const Step&) = default;
};

enum class TransactionKind : std::uint8_t {
  kUpdate,
  kRead,        ///< read-only, any consistent snapshot; writes are done as reads
  kReadLatest,  ///< read-only, strict
  kCancel,      ///< does its steps and refuses in the end
  kRejoin,      ///< no transaction: the node leaves the cluster and joins it again, empty
};

struct TransactionPlan {
  TransactionKind kind = TransactionKind::kUpdate;
  std::vector<Step> steps;

  friend bool operator==(const TransactionPlan&, const TransactionPlan&) = default;
};

/// The transactions of every node, in order.
struct Program {
  std::vector<std::vector<TransactionPlan>> nodes;

  friend bool operator==(const Program&, const Program&) = default;
  std::size_t transactions() const;
};

std::string to_string(const Program& program);

/// The registers: some pages hold eight, the others one, so that there is true and false sharing.
inline constexpr std::uint32_t kKeys = 24;
inline constexpr std::uint32_t kDenseKeys = 16;
inline constexpr std::uint32_t kKeysPerDensePage = 8;
inline constexpr std::uint32_t kRegisterPages =
    kDenseKeys / kKeysPerDensePage + (kKeys - kDenseKeys);

struct alignas(kPageSize) RegisterPage {
  std::uint64_t registers[kKeysPerDensePage];
};
struct Registers {
  RegisterPage pages[kRegisterPages];
};

inline Ref<std::uint64_t> register_of(const Ref<Registers>& all, std::uint32_t key) {
  const bool dense = key < kDenseKeys;
  const auto page =
      dense ? key / kKeysPerDensePage : kDenseKeys / kKeysPerDensePage + (key - kDenseKeys);
  return all.element(&Registers::pages, page)
      .element(&RegisterPage::registers, dense ? key % kKeysPerDensePage : 0);
}

Program random_program(std::uint32_t nodes, std::uint32_t transactions_each, Prng& prng);

/// Writes down every attempt of one node. Lives outside the heap, so that aborted attempts leave
/// their trace too.
class Recorder {
 public:
  explicit Recorder(std::vector<history::Attempt>& out) : out_(out) {}

  void begin_transaction(bool read_only, bool strict);
  /// At the start of the body, each time it runs. `now` is read before the body starts.
  void begin_attempt(const ProtocolCore& protocol, Instant now);
  void read(std::uint32_t key, std::uint64_t seen);
  /// Returns the unique value to write.
  std::uint64_t write(std::uint32_t key);
  /// The caller knows the outcome.
  void end(history::Status status, CommitTime time, Instant now);
  /// The node is about to crash: what the caller will never know is known here.
  void crash(const ProtocolCore& protocol, Instant now);

 private:
  void put(history::Status status, CommitTime time, Instant now);

  std::vector<history::Attempt>& out_;
  history::Attempt current_;
  bool open_ = false;
  CommitTime commit_before_;  ///< the node's last commit when the attempt began
  std::uint64_t transaction_ = 0;
  std::uint64_t values_ = 0;
};

/// Runs one transaction on `node` and records it. `clock.now()` is the same clock for all nodes.
template <class NodeType, class CommonClock>
void run_plan(NodeType& node, const TransactionPlan& plan, Recorder& recorder,
              const CommonClock& clock) {
  const bool strict = plan.kind == TransactionKind::kReadLatest;
  const bool reads = strict || plan.kind == TransactionKind::kRead;
  const auto body = [&](Transaction& t) -> Verdict {
    recorder.begin_attempt(node.protocol(), clock.now());
    // A cluster that went back to the empty heap has lost the root too: a reader sees zeros.
    const auto all = reads ? t.find<Registers>("registers") : t.root<Registers>("registers");
    for (const auto& step : plan.steps) {
      if (!all) {
        recorder.read(step.key, 0);
        continue;
      }
      const auto cell = register_of(all, step.key);
      if (step.write && !reads) {
        *cell.mut() = recorder.write(step.key);
      } else {
        recorder.read(step.key, *cell);
      }
    }
    return plan.kind == TransactionKind::kCancel ? t.cancel("planned") : t.commit();
  };
  recorder.begin_transaction(reads, strict);
  const auto outcome =
      reads ? node.read_only(strict ? Freshness::kLatest : Freshness::kSnapshot, body)
            : node.try_run(body);
  const auto status = outcome.committed()   ? history::Status::kCommitted
                      : outcome.cancelled() ? history::Status::kCancelled
                                            : history::Status::kUnknown;
  recorder.end(status, outcome.commit_time, clock.now());
}

}  // namespace plurix::sim
