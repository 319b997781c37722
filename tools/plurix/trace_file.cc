#include "trace_file.h"

#include <plurix/concepts/trace_sink.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <utility>

namespace plurix::tool {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

const char* name_of(TraceKind kind) {
  switch (kind) {
    case TraceKind::kAttemptBegin:
      return "attempt";
    case TraceKind::kAttemptAbort:
      return "abort";
    case TraceKind::kCommit:
      return "commit";
    case TraceKind::kReadOnlyEnd:
      return "read-only";
    case TraceKind::kFault:
      return "fault";
    case TraceKind::kFetch:
      return "fetch";
    case TraceKind::kMapped:
      return "mapped";
    case TraceKind::kServe:
      return "serve";
    case TraceKind::kShadow:
      return "shadow";
    case TraceKind::kApply:
      return "apply";
    case TraceKind::kTokenRequest:
      return "token request";
    case TraceKind::kTokenGrant:
      return "token grant";
    case TraceKind::kTokenHeld:
      return "token held";
    case TraceKind::kBehind:
      return "behind";
    case TraceKind::kCatchUp:
      return "catch-up";
    case TraceKind::kResync:
      return "resync";
    case TraceKind::kJoined:
      return "joined";
    case TraceKind::kEpoch:
      return "epoch";
    case TraceKind::kLeft:
      return "left";
    case TraceKind::kDropped:
      return "dropped";
    case TraceKind::kSend:
      return "send";
    case TraceKind::kReceive:
      return "receive";
  }
  return "event";
}

std::vector<TraceRecord> read_part(const std::string& path) {
  const File file(std::fopen(path.c_str(), "re"));
  if (file == nullptr) throw std::runtime_error("a node's trace could not be read from " + path);
  std::vector<TraceRecord> records;
  for (TraceRecord record; std::fread(&record, sizeof record, 1, file.get()) == 1;) {
    records.push_back(record);
  }
  return records;
}

class Writer {
 public:
  Writer(std::FILE* file, std::int64_t origin_ns) : file_(file), origin_ns_(origin_ns) {
    std::fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", file_);
  }

  void write_lane(std::size_t lane, const std::vector<TraceRecord>& records) {
    start_event();
    std::fprintf(file_,
                 "{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":1,\"tid\":%zu,"
                 "\"args\":{\"name\":\"node %zu\"}}",
                 lane, lane);
    const TraceRecord* begin = nullptr;
    for (const auto& record : records) {
      if (record.kind == TraceKind::kAttemptBegin) {
        begin = &record;
      } else if (ends_attempt(record.kind) && begin != nullptr) {
        write_span(lane, *begin, record);
        begin = nullptr;
      } else {
        write_instant(lane, record);
      }
    }
  }

  void end() { std::fputs("\n]}\n", file_); }

 private:
  static bool ends_attempt(TraceKind kind) {
    return kind == TraceKind::kCommit || kind == TraceKind::kAttemptAbort ||
           kind == TraceKind::kReadOnlyEnd;
  }

  void start_event() { std::fputs(std::exchange(first_, false) ? "" : ",\n", file_); }

  double micros(std::int64_t ns) const { return static_cast<double>(ns - origin_ns_) / 1e3; }

  void write_span(std::size_t lane, const TraceRecord& begin, const TraceRecord& end) {
    start_event();
    std::fprintf(file_,
                 "{\"ph\":\"X\",\"name\":\"%s\",\"pid\":1,\"tid\":%zu,\"ts\":%.3f,\"dur\":%.3f,"
                 "\"args\":{\"commit_time\":%" PRIu64 "}}",
                 name_of(end.kind), lane, micros(begin.local_ns),
                 static_cast<double>(end.local_ns - begin.local_ns) / 1e3, end.commit_time);
  }

  void write_instant(std::size_t lane, const TraceRecord& record) {
    start_event();
    std::fprintf(file_,
                 "{\"ph\":\"i\",\"s\":\"t\",\"name\":\"%s\",\"pid\":1,\"tid\":%zu,\"ts\":%.3f,"
                 "\"args\":{\"commit_time\":%" PRIu64 ",\"page\":%" PRId64
                 ",\"flags\":%u,\"a\":%u,\"b\":%u}}",
                 name_of(record.kind), lane, micros(record.local_ns), record.commit_time,
                 record.page == kNoPage ? -1 : std::int64_t{record.page}, unsigned{record.flags},
                 record.a, record.b);
  }

  std::FILE* file_;
  const std::int64_t origin_ns_;
  bool first_ = true;
};

}  // namespace

void write_trace_file(const std::string& path, const std::vector<std::string>& parts) {
  std::vector<std::vector<TraceRecord>> lanes;
  std::int64_t origin_ns = INT64_MAX;
  for (const auto& part : parts) {
    lanes.push_back(read_part(part));
    if (!lanes.back().empty()) origin_ns = std::min(origin_ns, lanes.back().front().local_ns);
  }
  const File file(std::fopen(path.c_str(), "we"));
  if (file == nullptr) throw std::runtime_error("the trace could not be written to " + path);
  Writer writer(file.get(), origin_ns);
  for (std::size_t lane = 0; lane < lanes.size(); ++lane) writer.write_lane(lane, lanes[lane]);
  writer.end();
  if (std::fflush(file.get()) != 0 || std::ferror(file.get()) != 0) {
    throw std::runtime_error("the trace could not be written to " + path);
  }
}

}  // namespace plurix::tool
