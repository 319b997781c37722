#include <plurix/history/violation.h>

namespace plurix::history {

std::string name_of(const Attempt& attempt) {
  std::string name = "node " + std::to_string(attempt.node);
  if (attempt.incarnation > 1) name += " incarnation " + std::to_string(attempt.incarnation);
  name +=
      " tx " + std::to_string(attempt.tx) + " attempt " + std::to_string(attempt.attempt) + " (";
  switch (attempt.status) {
    case Status::kCommitted:
      break;
    case Status::kAborted:
      name += "aborted, ";
      break;
    case Status::kCancelled:
      name += "cancelled, ";
      break;
    case Status::kUnknown:
      name += "outcome unknown, ";
      break;
  }
  name += "epoch " + std::to_string(attempt.epoch);
  const bool timed = attempt.status == Status::kCommitted ||
                     (attempt.status == Status::kUnknown && attempt.commit_time != 0);
  if (timed) {
    name += attempt.read_only ? ", snapshot of " : ", commit time ";
    name += std::to_string(attempt.commit_time);
  }
  return name + ")";
}

std::string ended_before(const Attempt& first, const Attempt& second) {
  const auto ns = second.begin_ns - first.end_ns;
  return name_of(first) + " had ended " + std::to_string(ns / 1'000'000) + "." +
         std::to_string(1'000'000 + ns % 1'000'000).substr(1) + " ms before " + name_of(second) +
         " began";
}

std::string text_of(const Value& value) {
  constexpr std::size_t kShown = 8;
  if (!value.is_list) return std::to_string(value.number);
  std::string text = "[";
  for (std::size_t i = 0; i < value.list.size(); ++i) {
    const bool skipped =
        value.list.size() > kShown && i >= kShown / 2 && i + kShown / 2 < value.list.size();
    if (skipped && i == kShown / 2) text += ", …";
    if (skipped) continue;
    if (i != 0) text += ", ";
    text += std::to_string(value.list[i]);
  }
  return text + "]";
}

}  // namespace plurix::history
