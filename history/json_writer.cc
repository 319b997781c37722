// The writing half of json_lines.h.
#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include <plurix/history/json_lines.h>

namespace plurix::history {
namespace {

template <typename Integer>
void put_number(std::string& out, Integer number) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

template <typename Integer>
void put_field(std::string& out, std::string_view name_and_colon, Integer number) {
  out += name_and_colon;
  put_number(out, number);
}

void put_escaped(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
  } else if (byte < 0x20) {
    out += "\\u00";
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  } else {
    out += c;
  }
}

void put_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) put_escaped(out, c);
  out += '"';
}

void put_value(std::string& out, const Value& value) {
  if (!value.is_list) {
    put_number(out, value.number);
    return;
  }
  out += '[';
  for (std::size_t i = 0; i < value.list.size(); ++i) {
    if (i != 0) out += ',';
    put_number(out, value.list[i]);
  }
  out += ']';
}

std::string_view tag_of(Operation::Kind kind) {
  switch (kind) {
    case Operation::Kind::kRead:
      return "[\"r\",";
    case Operation::Kind::kWrite:
      return "[\"w\",";
    case Operation::Kind::kAppend:
      return "[\"append\",";
  }
  return "";
}

std::string_view text_of_status(Status status) {
  switch (status) {
    case Status::kCommitted:
      return "committed";
    case Status::kAborted:
      return "aborted";
    case Status::kCancelled:
      return "cancelled";
    case Status::kUnknown:
      return "unknown";
  }
  return "";
}

void put_operations(std::string& out, const std::vector<Operation>& ops) {
  out += ",\"ops\":[";
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (i != 0) out += ',';
    out += tag_of(ops[i].kind);
    put_text(out, ops[i].key);
    out += ',';
    put_value(out, ops[i].value);
    out += ']';
  }
  out += ']';
}

}  // namespace

void append_line(std::string& out, const Attempt& attempt) {
  put_field(out, "{\"node\":", attempt.node);
  put_field(out, ",\"incarnation\":", attempt.incarnation);
  put_field(out, ",\"tx\":", attempt.tx);
  put_field(out, ",\"attempt\":", attempt.attempt);
  put_field(out, ",\"epoch\":", attempt.epoch);
  put_field(out, ",\"begin_ns\":", attempt.begin_ns);
  put_field(out, ",\"end_ns\":", attempt.end_ns);
  out += ",\"status\":\"";
  out += text_of_status(attempt.status);
  put_field(out, "\",\"commit_time\":", attempt.commit_time);
  out += attempt.read_only ? ",\"read_only\":true" : ",\"read_only\":false";
  if (attempt.strict) out += ",\"strict\":true";
  if (attempt.durable) out += ",\"durable\":true";
  put_operations(out, attempt.ops);
  out += "}\n";
}

void append_line(std::string& out, const Rollback& rollback) {
  put_field(out, "{\"event\":\"rollback\",\"epoch\":", rollback.epoch);
  put_field(out, ",\"to_commit_time\":", rollback.to_commit_time);
  put_field(out, ",\"at_ns\":", rollback.at_ns);
  out += "}\n";
}

LineWriter::LineWriter(std::FILE* file, std::size_t buffer_bytes)
    : file_(file), buffer_bytes_(buffer_bytes) {
  buffer_.reserve(buffer_bytes + buffer_bytes / 4);
}

LineWriter::~LineWriter() { flush(); }

void LineWriter::hand_over() {
  failed_ |= std::fwrite(buffer_.data(), 1, buffer_.size(), file_) != buffer_.size();
  buffer_.clear();
}

bool LineWriter::flush() {
  hand_over();
  failed_ |= std::fflush(file_) != 0;
  return !failed_;
}

}  // namespace plurix::history
