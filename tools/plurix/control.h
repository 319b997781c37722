// The line protocol between `plurix demo` or `plurix torture` and the nodes they start. Commands go
// to a node's stdin, one a line; the node answers on stdout, one JSON object a line, with "event"
// first:
//
//   (start)                 → ready   node, address, fault_source, receive, incarnation
//   setup                   → setup
//   start                   → status  … about five times a second until the answer to `stop`
//   stop                    → stopped with the counters of status
//   verify [heap]           → verified ok, words, numbers, effects; with "heap" of the whole heap
//   save HISTORY TRACE      → saved   attempts, full ("-": no such file)
//   workload NAME           → workload name; what the last one recorded is forgotten
//   (while it works)        → sharing words, page, objects (sharing_words.h)
//   write ROW COLUMN TEXT   → written ok: on the page of text that machines show
//   screen                  → screen  rows: that page
//   checkpoint              → checkpointed ok, images, durable …, by the PageServer
//   cut MS                  (while it works) nobody hears the node for so long, nor it anybody
//   quit                    → the node leaves, and its process ends
//
// When a new epoch has begun, and the node has done something in it, it says `epoch`; a PageServer
// that misses somebody says `noticed`.
// A node that cannot go on says so with `failed` (words) and ends. While a node waits for a command
// it serves the others. On SIGUSR2 it says `state` (state_report.h), whatever it is doing.
#pragma once

#include <optional>
#include <string>

namespace plurix::tool {

/// Whole lines from a descriptor, without ever blocking.
class LineInput {
 public:
  explicit LineInput(int fd) noexcept : fd_(fd) {}

  /// The next line, without its end; nothing if none has arrived.
  std::optional<std::string> next();

  /// Waits until something has arrived, but not longer than that. False if nothing has.
  bool wait(int milliseconds) const;

  /// The other side has closed, and every line was handed out.
  bool closed() const noexcept { return closed_ && buffer_.empty(); }

 private:
  bool fill();

  int fd_;
  std::string buffer_;
  bool closed_ = false;
};

/// Writes all of it, whatever signals come. False when nobody reads any more.
bool write_line(int fd, std::string line);

}  // namespace plurix::tool
