// Histories as text: one JSON object a line, one line an attempt or a rollback (docs/history.md has
// the format).
//
// Writing touches no allocator once its buffer has grown. Reading is strict: the first line that is
// not what the format says ends it, with an error that names the file, the line, what is wrong and
// what was expected. Unknown extra keys are skipped, so a newer writer's file can be read.
#pragma once

#include <cstddef>
#include <cstdio>
#include <istream>
#include <string>
#include <string_view>

#include <plurix/history/attempt.h>

namespace plurix::history {

inline constexpr std::size_t kMaxLineBytes = std::size_t{16} << 20;

// Appends one line, its '\n' included.
void append_line(std::string& out, const Attempt& attempt);
void append_line(std::string& out, const Rollback& rollback);

// Buffers lines and hands whole ones to `file`, which stays its caller's. A failed write is
// remembered: `flush` tells.
class LineWriter {
 public:
  explicit LineWriter(std::FILE* file, std::size_t buffer_bytes = std::size_t{64} << 10);
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;
  ~LineWriter();

  template <typename Line>  // Attempt or Rollback
  void write(const Line& line) {
    append_line(buffer_, line);
    if (buffer_.size() >= buffer_bytes_) hand_over();
  }

  // Writes out what is buffered. False if this or any earlier write failed.
  bool flush();

 private:
  void hand_over();

  std::FILE* file_;
  std::size_t buffer_bytes_;
  std::string buffer_;
  bool failed_ = false;
};

// `error` is empty when all went well; otherwise it reads "file:line: what is wrong; what was
// expected".
struct ReadResult {
  History history;
  std::string error;

  bool ok() const { return error.empty(); }
};

ReadResult read_history(std::istream& in, std::string_view name);
ReadResult read_history_file(const std::string& path);

}  // namespace plurix::history
