// Node: the verbs of a node (docs/api.md) for code in the heap, over what the resident part offers.
#pragma once

#include <plurix/outcome.h>

#include <utility>

#include "interface/resident.h"

namespace plurix::kernel {

class Node {
 public:
  explicit Node(Resident& resident) noexcept : resident_(resident) {}

  template <class F>
  auto try_run(F&& body) {
    return execute<std::invoke_result_t<F&, Transaction&>>(body, {});
  }

  template <class F>
  auto read_only(Freshness freshness, F&& body) {
    return execute<std::invoke_result_t<F&, Transaction&>>(
        body, {.read_only = true, .freshness = freshness});
  }

  /// Stops the machine where it could not commit.
  template <class F>
  auto run(F&& body) {
    auto outcome = try_run(body);
    PLURIX_ASSERT(outcome.committed());
    if constexpr (!std::is_void_v<std::invoke_result_t<F&, Transaction&>>) {
      return std::move(*outcome.value);
    }
  }

  void serve(Instant until) noexcept { resident_.serve(until); }
  [[nodiscard]] bool leave(Instant until) noexcept { return resident_.leave(until); }

  bool bring(PageIndex first, std::uint32_t count, std::uint32_t at_once) noexcept {
    return resident_.bring(first, count, at_once);
  }

  const ProtocolCore& protocol() const noexcept { return resident_.protocol(); }
  const NodeCounters& counters() const noexcept { return resident_.counters(); }
  NodeId id() const noexcept { return protocol().core().self; }
  std::uint32_t pages() const noexcept { return protocol().core().config.geometry.pages; }
  CommitTime commit_time() const noexcept { return protocol().core().applied; }
  Instant now() const noexcept { return resident_.machine().clock.now(); }

 private:
  template <class R, class F>
  struct Run {
    F& body;
    std::optional<typename Outcome<R>::Value>& value;

    Verdict once(Transaction& t) {
      value.reset();  // what an execution before this one has returned
      if constexpr (std::is_void_v<R>) {
        body(t);
        value.emplace();
      } else {
        value.emplace(body(t));
        if constexpr (std::is_same_v<R, Verdict>) return *value;
      }
      return t.commit();
    }
  };

  // A body may be left at any instruction, so what it changes outside the heap is put right here.
  template <class R, class F>
  Outcome<R> execute(F& body, Body wanted) {
    Outcome<R> outcome;
    Run<R, F> run{body, outcome.value};
    wanted.call = [](void* self, Transaction& t) {
      detail::current_transaction = &t;
      return static_cast<Run<R, F>*>(self)->once(t);
    };
    wanted.context = &run;
    const auto end = resident_.transact(wanted);
    detail::current_transaction = nullptr;
    outcome.status = end.status;
    outcome.commit_time = end.commit_time;
    outcome.epoch = end.epoch;
    outcome.restarts = end.restarts;
    outcome.reason = end.reason;
    if (!outcome.committed()) outcome.value.reset();
    return outcome;
  }

  Resident& resident_;
};

}  // namespace plurix::kernel
