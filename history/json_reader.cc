// The reading half of json_lines.h: each line becomes a JSON value, each value a line of the
// history, or one clear error.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <plurix/history/json_lines.h>

namespace plurix::history {
namespace {

using Json = nlohmann::json;

// What is wrong with the present line; caught in `read_history`, which knows the place.
struct LineError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string shortened(const Json& value) {
  constexpr std::size_t kShown = 40;
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > kShown) text = text.substr(0, kShown) + "…";
  return text;
}

[[noreturn]] void reject(const std::string& name, const Json& got, const std::string& expected) {
  throw LineError("\"" + name + "\" is " + shortened(got) + "; expected " + expected);
}

const Json& member(const Json& line, const char* name, const char* expected) {
  const auto found = line.find(name);
  if (found == line.end()) {
    throw LineError(std::string("key \"") + name + "\" is missing; expected " + expected);
  }
  return *found;
}

template <typename Integer>
Integer natural_of(const Json& value, const char* name) {
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<Integer>::max());
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kMax) {
    reject(name, value, "an integer from 0 to " + std::to_string(kMax));
  }
  return static_cast<Integer>(value.get<std::uint64_t>());
}

template <typename Integer>
Integer natural(const Json& line, const char* name) {
  return natural_of<Integer>(member(line, name, "an integer"), name);
}

bool flag(const Json& line, const char* name) {
  const Json& value = member(line, name, "true or false");
  if (!value.is_boolean()) reject(name, value, "true or false");
  return value.get<bool>();
}

bool optional_flag(const Json& line, const char* name) {
  return line.contains(name) && flag(line, name);
}

Status status_of(const Json& line) {
  constexpr auto kExpected = "\"committed\", \"aborted\", \"cancelled\" or \"unknown\"";
  const Json& value = member(line, "status", kExpected);
  if (value == "committed") return Status::kCommitted;
  if (value == "aborted") return Status::kAborted;
  if (value == "cancelled") return Status::kCancelled;
  if (value == "unknown") return Status::kUnknown;
  reject("status", value, kExpected);
}

std::int64_t integer(const Json& value, const char* what) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  const bool fits = value.is_number_integer() &&
                    !(value.is_number_unsigned() && value.get<std::uint64_t>() > kMax);
  if (!fits) reject(what, value, "a 64-bit signed integer");
  return value.get<std::int64_t>();
}

Value value_seen(const Json& value) {
  if (value.is_null()) return Value{};
  if (value.is_number_integer()) return Value::of(integer(value, "value read"));
  if (!value.is_array()) reject("value read", value, "an integer, null or a list of integers");
  Value list = Value::of_list({});
  list.list.reserve(value.size());
  for (const Json& element : value) list.list.push_back(integer(element, "list element"));
  return list;
}

Operation operation_of(const Json& op) {
  constexpr auto kShape = "[\"r\"|\"w\"|\"append\", key, value]";
  if (!op.is_array() || op.size() != 3) reject("ops entry", op, kShape);
  if (!op[1].is_string()) reject("key of an operation", op[1], "a string");
  std::string key = op[1].get<std::string>();
  if (op[0] == "r") return Operation::read(std::move(key), value_seen(op[2]));
  if (op[0] == "w") return Operation::write(std::move(key), integer(op[2], "value written"));
  if (op[0] == "append") return Operation::append(std::move(key), integer(op[2], "value appended"));
  reject("kind of an operation", op[0], "\"r\", \"w\" or \"append\"");
}

std::vector<Operation> operations_of(const Json& line) {
  const Json& value = member(line, "ops", "a list of operations");
  if (!value.is_array()) reject("ops", value, "a list of operations");
  std::vector<Operation> ops;
  ops.reserve(value.size());
  for (const Json& op : value) ops.push_back(operation_of(op));
  return ops;
}

// Only who committed must say when; elsewhere the key may be missing or null.
std::uint64_t commit_time_of(const Json& line, Status status) {
  const auto found = line.find("commit_time");
  const bool absent = found == line.end() || found->is_null();
  if (absent && status != Status::kCommitted) return 0;
  return natural<std::uint64_t>(line, "commit_time");
}

Attempt attempt_of(const Json& line) {
  Attempt attempt;
  attempt.node = natural<std::uint32_t>(line, "node");
  attempt.incarnation = natural<std::uint32_t>(line, "incarnation");
  attempt.tx = natural<std::uint64_t>(line, "tx");
  attempt.attempt = natural<std::uint32_t>(line, "attempt");
  attempt.epoch = natural<std::uint32_t>(line, "epoch");
  attempt.begin_ns = natural<std::int64_t>(line, "begin_ns");
  attempt.end_ns = natural<std::int64_t>(line, "end_ns");
  attempt.status = status_of(line);
  attempt.commit_time = commit_time_of(line, attempt.status);
  attempt.read_only = flag(line, "read_only");
  attempt.strict = optional_flag(line, "strict");
  attempt.durable = optional_flag(line, "durable");
  attempt.ops = operations_of(line);
  return attempt;
}

Rollback rollback_of(const Json& line) {
  if (line["event"] != "rollback") reject("event", line["event"], "\"rollback\"");
  Rollback rollback;
  rollback.epoch = natural<std::uint32_t>(line, "epoch");
  rollback.to_commit_time = natural<std::uint64_t>(line, "to_commit_time");
  rollback.at_ns = natural<std::int64_t>(line, "at_ns");
  return rollback;
}

// nlohmann names the position as "at line 1, column 7: …"; its line is always 1 here, so only the
// rest is passed on.
std::string tail_of(std::string_view what) {
  const auto column = what.find("column");
  return std::string(column == std::string_view::npos ? what : what.substr(column));
}

Json json_of(const std::string& text, bool cut_off) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& problem) {
    if (cut_off) {
      throw LineError(
          "the file ends in the middle of this line; expected a whole JSON object and a newline");
    }
    throw LineError("not valid JSON (" + tail_of(problem.what()) + "); expected one JSON object");
  }
}

// One line without its '\n', of at most kMaxLineBytes: a file without newlines must not fill the
// memory. False at the end.
bool next_line(std::streambuf& in, std::string& text, bool& cut_off) {
  using Traits = std::streambuf::traits_type;
  text.clear();
  for (auto c = in.sbumpc(); !Traits::eq_int_type(c, Traits::eof()); c = in.sbumpc()) {
    if (c == '\n') {
      cut_off = false;
      return true;
    }
    if (text.size() == kMaxLineBytes) {
      throw LineError("the line is longer than " + std::to_string(kMaxLineBytes) +
                      " bytes; expected one JSON object a line");
    }
    text += Traits::to_char_type(c);
  }
  cut_off = true;
  return !text.empty();
}

void take_line(History& history, const std::string& text, bool cut_off) {
  if (text.empty()) throw LineError("the line is empty; expected one JSON object");
  const Json line = json_of(text, cut_off);
  if (!line.is_object())
    throw LineError("the line is " + shortened(line) + "; expected a JSON object");
  if (line.contains("event")) {
    history.rollbacks.push_back(rollback_of(line));
  } else {
    history.attempts.push_back(attempt_of(line));
  }
}

}  // namespace

ReadResult read_history(std::istream& in, std::string_view name) {
  ReadResult result;
  std::string text;
  std::size_t number = 1;
  bool cut_off = false;
  try {
    for (; next_line(*in.rdbuf(), text, cut_off); ++number)
      take_line(result.history, text, cut_off);
  } catch (const LineError& problem) {
    result.error = std::string(name) + ":" + std::to_string(number) + ": " + problem.what();
  }
  return result;
}

ReadResult read_history_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const bool readable = in && !std::filesystem::is_directory(path);
  if (!readable) return {{}, path + ": cannot be opened; expected a readable file"};
  return read_history(in, path);
}

}  // namespace plurix::history
