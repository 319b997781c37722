// Where a node stands, as one line of JSON, written from a signal handler while the node may be in
// the middle of anything: for people who ask why it does not go on.
#pragma once

#include <unistd.h>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace plurix::tool {

/// Puts a JSON object together without allocating. What does not fit is left out.
class StateLine {
 public:
  StateLine() noexcept { text("\n{\"event\":\"state\""); }

  StateLine& number(std::string_view key, std::uint64_t value) noexcept {
    text(",\"");
    text(key);
    text("\":");
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    text({digits, static_cast<std::size_t>(end - digits)});
    return *this;
  }

  void write_to(int fd) noexcept {
    text("}\n");
    (void)!::write(fd, line_, size_);
  }

 private:
  void text(std::string_view words) noexcept {
    for (const char c : words) {
      if (size_ < sizeof line_) line_[size_++] = c;
    }
  }

  std::size_t size_ = 0;
  char line_[2048];
};

/// Any context, signal handlers included. What it reads may be half changed.
template <class Node>
void report_state(const Node& node) noexcept {
  const auto& protocol = node.protocol();
  const auto& core = protocol.core();
  const auto& token = protocol.token();
  const auto& attempt = protocol.attempt();
  StateLine()
      .number("node", core.self)
      .number("epoch", core.epoch)
      .number("frozen", core.frozen())
      .number("cut_off", core.cut_off)
      .number("recovering", protocol.recovery().busy())
      .number("member", core.member)
      .number("peers", core.peers)
      .number("resyncing", core.resyncing)
      .number("applied", core.applied.value)
      .number("known", protocol.catch_up().known().value)
      .number("newest_from", protocol.catch_up().newest_from())
      .number("token_held", token.held())
      .number("token_usable", token.usable())
      .number("token_held_back", token.held_back())
      .number("token_wanted", token.wanted())
      .number("token_number", token.number())
      .number("token_waiting", token.waiting())
      .number("token_holder_hint", token.holder_hint())
      .number("grant_unacknowledged", token.grant_unacknowledged())
      .number("attempt", attempt.number())
      .number("attempt_active", attempt.active())
      .number("attempt_doomed", attempt.doomed())
      .number("pages_read", attempt.read_set().size())
      .number("pages_written", attempt.write_set().size())
      .number("frames_received", core.counters.frames_received)
      .number("fetches", core.counters.fetches)
      .number("fetch_retries", core.counters.fetch_retries)
      .number("commits", core.counters.commits)
      .number("catch_ups", core.counters.catch_ups)
      .number("resyncs", core.counters.resyncs)
      .number("log_exhausted", core.counters.log_exhausted)
      .number("token_requests", core.counters.token_requests)
      .number("token_grants", core.counters.token_grants)
      .write_to(STDOUT_FILENO);
}

}  // namespace plurix::tool
