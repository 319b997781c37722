// EventRing: the last events of a node, for the report of a panic.
#pragma once

#include <plurix/concepts/trace_sink.h>

#include <plurix/baremetal/text.h>

#include <cstddef>

namespace plurix::baremetal {

class EventRing {
 public:
  static constexpr bool kEnabled = true;
  static constexpr std::size_t kKept = 32;

  void record(const TraceRecord& record) noexcept { records_[recorded_++ % kKept] = record; }

  /// Calls `write(Text)` for each kept event, oldest first.
  template <class Write>
  void write_all(Write write) const noexcept {
    const auto first = recorded_ > kKept ? recorded_ - kKept : 0;
    for (auto i = first; i < recorded_; ++i) {
      const auto& event = records_[i % kKept];
      Text text;
      text << "  event " << static_cast<unsigned>(event.kind) << " at " << event.local_ns / 1000
           << " us, commit time " << event.commit_time << ", page "
           << static_cast<std::int32_t>(event.page) << ", " << event.a << ", " << event.b << "\n";
      write(text);
    }
  }

 private:
  TraceRecord records_[kKept] = {};
  std::uint64_t recorded_ = 0;
};
static_assert(TraceSink<EventRing>);

}  // namespace plurix::baremetal
