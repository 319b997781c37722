// Simulated time: a queue of things that will happen, in order of time and, at the same instant, in
// the order they were asked for. The only source of "next" in a simulation, so that the same seed
// gives the same run.
#pragma once

#include <plurix/base/time.h>

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace plurix::sim {

class Scheduler {
 public:
  Instant now() const noexcept { return now_; }
  std::uint64_t events() const noexcept { return events_; }
  bool empty() const noexcept { return queue_.empty(); }

  void at(Instant when, std::function<void()> what) {
    queue_.push({when < now_ ? now_ : when, next_++, std::move(what)});
  }
  void after(Duration delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }

  /// Lets the next thing happen. False when nothing is left.
  bool advance() {
    if (queue_.empty()) return false;
    // The top is const only to keep its place in the queue, which it leaves here.
    auto event = std::move(const_cast<Entry&>(queue_.top()));
    queue_.pop();
    now_ = event.when;
    ++events_;
    event.what();
    return true;
  }

 private:
  struct Entry {
    Instant when;
    std::uint64_t order;
    std::function<void()> what;

    friend bool operator<(const Entry& a, const Entry& b) {
      return std::pair(b.when, b.order) < std::pair(a.when, a.order);
    }
  };

  std::priority_queue<Entry> queue_;
  Instant now_{1'000'000'000};
  std::uint64_t next_ = 0;
  std::uint64_t events_ = 0;
};

}  // namespace plurix::sim
