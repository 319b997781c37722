// Resident: what the part of the kernel that every machine boots with offers to the part that lives
// in the heap. Plain virtual calls with references; nothing is copied or numbered.
//
// Code in the heap runs outside transactions and inside; touching its own pages is always allowed.
// What it calls here may wait, and a body given to `transact` may be left at any instruction.
#pragma once

#include <plurix/ethernet/address.h>
#include <plurix/node.h>

#include <plurix/baremetal/machine.h>

namespace plurix::kernel {

/// A transaction's body, as code and context.
struct Body {
  Verdict (*call)(void* context, Transaction& t) = nullptr;
  void* context = nullptr;
  bool read_only = false;
  Freshness freshness = Freshness::kSnapshot;
};

struct BodyEnd {
  Status status = Status::kUnknown;
  CommitTime commit_time;
  Epoch epoch = 0;
  std::uint32_t restarts = 0;
  const char* reason = "";
};

/// The network card, as far as it is to be told.
struct CardState {
  ethernet::MacAddress address;
  std::uint64_t dropped = 0;  ///< frames, in both directions
};

/// How this machine came to be a node and got its kernel. Times since the first line of C++.
struct StartState {
  std::uint32_t incarnation = 0;
  bool put_kernel_into_heap = false;
  std::uint32_t kernel_pages = 0;
  std::uint64_t kernel_requests = 0;  ///< for pages of the kernel, until it was entered
  Instant member;
  Instant kernel_entered;
};

class Resident {
 public:
  virtual baremetal::Machine& machine() noexcept = 0;
  virtual const ProtocolCore& protocol() const noexcept = 0;
  virtual const NodeCounters& counters() const noexcept = 0;
  virtual CardState card() const noexcept = 0;
  virtual StartState start() const noexcept = 0;

  /// Zeroed memory of this machine that outlives aborts; RAM is taken when it is touched. A few
  /// times only; panics when there is none left.
  virtual std::byte* local_memory(std::size_t bytes) noexcept = 0;

  /// Runs a body until it commits, refuses, or the node is stopped.
  virtual BodyEnd transact(const Body& body) noexcept = 0;

  /// Lets others have what they ask for until then.
  virtual void serve(Instant until) noexcept = 0;
  virtual bool leave(Instant until) noexcept = 0;

  /// Fetches pages that nobody writes any more, so many at once (plurix::Node::bring).
  virtual bool bring(PageIndex first, std::uint32_t count, std::uint32_t at_once) noexcept = 0;

  /// Makes code that stands in the heap runnable on this machine, and gives it zeroed memory for
  /// its variables. The code is there and held already: nothing. False when stopped.
  virtual bool hold_code(PageIndex first, std::uint32_t pages, std::uint64_t variables,
                         std::size_t variable_bytes) noexcept = 0;

  /// Fetches what is still missing of the kernel.
  virtual void bring_whole_kernel() noexcept = 0;

  [[noreturn]] virtual void panic(const char* what, const char* file, int line) noexcept = 0;

 protected:
  ~Resident() = default;
};

}  // namespace plurix::kernel
