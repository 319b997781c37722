// Two protocol cores wired to each other in one process: no machine, no clock, no system call. For
// measuring what a step of the protocol itself costs.
#pragma once

#include <plurix/commit/fair.h>
#include <plurix/dsm/protocol.h>
#include <plurix/heap/layout.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <vector>

namespace plurix::bench {

class WirePair {
 public:
  static constexpr std::uint32_t kPages = 1024;

  WirePair() {
    nodes_[0] = std::make_unique<End>();
    nodes_[1] = std::make_unique<End>();
    step(0, event::FoundWanted{endpoint(0), kFormattedPages});
    const Endpoint seed = endpoint(0);
    step(1, event::JoinWanted{{&seed, 1}, endpoint(1), false, kFormattedPages});
    let_time_pass_until([this] { return core(1).core().member; });
  }

  Protocol<Fair>& core(std::size_t node) { return nodes_[node]->protocol; }

  /// Lets an event happen, and everything that follows from it.
  void step(std::size_t node, const Event& event) {
    std::vector<std::vector<std::byte>> frames;
    for (const auto& action : core(node).step(event, now_).view()) {
      if (action.kind != ActionKind::kSend && action.kind != ActionKind::kSendTo) continue;
      frames.push_back(frame_of(action));
    }
    for (const auto& frame : frames) {
      step(1 - node, event::FrameArrived{frame, endpoint(node)});
    }
  }

  /// What cannot happen at once happens when timers fire. Throws if it never does.
  template <class Done>
  void let_time_pass_until(Done done) {
    for (int i = 0; !done(); ++i) {
      if (i == 1000) throw std::runtime_error("two wired cores make no progress");
      now_ = now_ + milliseconds(5);
      step(0, event::TimerExpired{});
      step(1, event::TimerExpired{});
    }
  }

  /// One event alone; what it sends is lost.
  const ActionList& step_alone(std::size_t node, const Event& event) {
    return core(node).step(event, now_);
  }

  /// The frame that a send action sends.
  static std::vector<std::byte> frame_of(const Action& action) {
    std::vector<std::byte> frame(action.head.begin(), action.head.end());
    frame.insert(frame.end(), action.payload.begin(), action.payload.end());
    return frame;
  }

  static Endpoint endpoint(std::size_t node) {
    Endpoint endpoint;
    endpoint.bytes[0] = std::byte{4};
    endpoint.bytes[4] = static_cast<std::byte>(node + 1);
    return endpoint;
  }

 private:
  struct End {
    End()
        : config(make_config()),
          frames(std::size_t{kPages} * kPageSize),
          storage(ProtocolCore::storage_needed(config)),
          protocol(config, frames.data(), storage) {}

    static CoreConfig make_config() {
      CoreConfig config;
      config.geometry.pages = kPages;
      return config;
    }

    const CoreConfig config;
    std::vector<std::byte> frames;
    std::vector<std::byte> storage;
    Protocol<Fair> protocol;
  };

  std::array<std::unique_ptr<End>, 2> nodes_;
  Instant now_{1};
};

}  // namespace plurix::bench
