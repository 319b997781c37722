// TraceRing: the newest event records of a node, in memory.
#pragma once

#include <plurix/concepts/trace_sink.h>

#include <cstddef>
#include <cstdio>
#include <memory>

namespace plurix::tool {

/// Any context, signals included: `record` writes into memory taken at the start.
class TraceRing {
 public:
  static constexpr bool kEnabled = true;
  static constexpr std::size_t kRecords = std::size_t{1} << 17;

  TraceRing() : records_(std::make_unique<TraceRecord[]>(kRecords)) {}

  void record(const TraceRecord& record) noexcept { records_[next_++ % kRecords] = record; }

  /// Oldest first, as bytes. False if the file did not take them.
  bool write(std::FILE* file) const {
    const auto first = next_ > kRecords ? next_ - kRecords : 0;
    for (auto i = first; i < next_; ++i) {
      if (std::fwrite(&records_[i % kRecords], sizeof(TraceRecord), 1, file) != 1) return false;
    }
    return true;
  }

 private:
  std::unique_ptr<TraceRecord[]> records_;
  std::size_t next_ = 0;
};
static_assert(TraceSink<TraceRing>);

}  // namespace plurix::tool
