#include "demo_display.h"

#include <unistd.h>
#include <cstdlib>

namespace plurix::tool {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kInPlaceInterval{250};
constexpr std::chrono::milliseconds kPlainInterval{1000};

bool is_terminal(std::FILE* file) {
  const char* kind = std::getenv("TERM");
  return ::isatty(::fileno(file)) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

double seconds_between(const NodeStatus& before, const NodeStatus& now) {
  return static_cast<double>(now.ns - before.ns) / 1e9;
}

std::string rate(std::uint64_t before, std::uint64_t now, double seconds) {
  if (seconds <= 0) return "0";
  return with_separators(static_cast<std::uint64_t>(static_cast<double>(now - before) / seconds));
}

}  // namespace

std::string with_separators(std::uint64_t number) {
  const auto digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

DemoDisplay::DemoDisplay(std::size_t nodes, bool stdout_is_for_machines)
    : out_(stdout_is_for_machines ? stderr : stdout), in_place_(is_terminal(out_)), shown_(nodes) {}

void DemoDisplay::say(const std::string& sentence) {
  std::fprintf(out_, "%s\n", sentence.c_str());
  std::fflush(out_);
}

void DemoDisplay::update(const std::vector<std::unique_ptr<ChildNode>>& children) {
  if (next_ == Clock::time_point{}) next_ = Clock::now() + kPlainInterval;
  if (Clock::now() < next_) return;
  next_ += in_place_ ? kInPlaceInterval : kPlainInterval;
  show(children);
}

void DemoDisplay::finish(const std::vector<std::unique_ptr<ChildNode>>& children) {
  if (in_place_) show(children);
}

void DemoDisplay::show(const std::vector<std::unique_ptr<ChildNode>>& children) {
  std::string text;
  if (in_place_ && lines_up_ > 0) text = "\x1b[" + std::to_string(lines_up_) + "A";
  for (const auto& child : children) {
    auto& shown = shown_[child->index()];
    if (child->status().ns != shown.now.ns) {
      shown.before =
          shown.now.ns == 0 ? NodeStatus{.ns = child->status().ns - 1'000'000'000} : shown.now;
      shown.now = child->status();
    }
    text += line_for(*child, shown) + (in_place_ ? "\x1b[K\n" : "\n");
  }
  lines_up_ = children.size();
  std::fputs(text.c_str(), out_);
  std::fflush(out_);
}

std::string DemoDisplay::strong(const std::string& text) const {
  return in_place_ ? std::string("\x1b[1m").append(text).append("\x1b[0m") : text;
}

std::string DemoDisplay::line_for(const ChildNode& child, const Shown& shown) const {
  const auto& [before, now] = shown;
  const auto seconds = seconds_between(before, now);
  const auto number = [](int width, const std::string& text) {
    char room[64];
    std::snprintf(room, sizeof room, "%*s", width, text.c_str());
    return std::string(room);
  };
  return strong("node " + std::to_string(child.index())) +
         number(10, rate(before.committed, now.committed, seconds)) + " commits/s" +
         number(9, rate(before.aborted, now.aborted, seconds)) + " aborts/s" +
         number(9, rate(before.page_fetches, now.page_fetches, seconds)) + " page fetches/s" +
         "   commit time " + with_separators(now.commit_time);
}

}  // namespace plurix::tool
