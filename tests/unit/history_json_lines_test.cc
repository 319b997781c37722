#include <plurix/history/json_lines.h>

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <sstream>

#include "unit/history_builder.h"

namespace plurix::history::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr auto kExample =
    R"({"node":1,"incarnation":1,"tx":17,"attempt":2,"epoch":1,"begin_ns":100,"end_ns":250,)"
    R"("status":"committed","commit_time":123,"read_only":false,)"
    R"("ops":[["r","k12",5],["w","k12",6],["append","k3",7],["r","k3",[1,2,7]]]})"
    "\n";

ReadResult parsed(const std::string& text) {
  std::istringstream in(text);
  return read_history(in, "h.jsonl");
}

Attempt example_attempt() {
  HistoryBuilder h;
  Attempt& attempt = h.update(123, {r("k12", 5), w("k12", 6), app("k3", 7), rl("k3", {1, 2, 7})});
  attempt.tx = 17;
  attempt.attempt = 2;
  during(attempt, 100, 250);
  return attempt;
}

// The example with one piece of text exchanged.
std::string example_with(const std::string& from, const std::string& to) {
  std::string text = kExample;
  const auto at = text.find(from);
  if (at == std::string::npos) return "the example has no " + from;
  return text.replace(at, from.size(), to);
}

TEST(JsonLines, WritesTheDocumentedFormat) {
  std::string text;
  append_line(text, example_attempt());
  EXPECT_EQ(text, kExample);
}

TEST(JsonLines, ReadsTheDocumentedFormat) {
  const ReadResult read = parsed(kExample);
  EXPECT_EQ(read.error, "");
  ASSERT_EQ(read.history.attempts.size(), 1u);
  EXPECT_EQ(read.history.attempts[0], example_attempt());
}

TEST(JsonLines, WritesAndReadsRollbacksAndTheOptionalMarks) {
  Attempt strict = example_attempt();
  strict.strict = strict.durable = true;
  std::string text;
  append_line(text, strict);
  append_line(text, Rollback{2, 120, 99});
  EXPECT_THAT(text, HasSubstr(R"("read_only":false,"strict":true,"durable":true,"ops")"));
  EXPECT_THAT(text, HasSubstr(R"({"event":"rollback","epoch":2,"to_commit_time":120,"at_ns":99})"));
  const History expected{{strict}, {{2, 120, 99}}};
  EXPECT_EQ(parsed(text).history, expected);
}

TEST(JsonLines, IgnoresKeysItDoesNotKnowAndTheOrderOfKeys) {
  EXPECT_TRUE(
      parsed(R"({"ops":[],"colour":"red","read_only":true,"commit_time":0,"status":"committed",)"
             R"("end_ns":1,"begin_ns":1,"epoch":1,"attempt":1,"tx":1,"incarnation":1,"node":1})"
             "\n")
          .ok());
}

TEST(JsonLines, TakesNullForTheInitialValueAndForAMissingCommitTime) {
  const auto read = parsed(example_with("[\"r\",\"k12\",5]", "[\"r\",\"k12\",null]"));
  ASSERT_TRUE(read.ok()) << read.error;
  EXPECT_TRUE(read.history.attempts[0].ops[0].value.is_initial());
  EXPECT_TRUE(
      parsed(example_with("\"committed\",\"commit_time\":123", "\"aborted\",\"commit_time\":null"))
          .ok());
  EXPECT_TRUE(parsed(example_with("\"committed\",\"commit_time\":123", "\"aborted\"")).ok());
}

TEST(JsonLines, TakesAWholeLastLineWithoutANewline) {
  std::string text = kExample;
  text.pop_back();
  EXPECT_TRUE(parsed(text).ok());
  EXPECT_TRUE(parsed("").ok());
}

struct Malformed {
  const char* what;
  std::string text;
  const char* error;

  friend void PrintTo(const Malformed& line, std::ostream* out) { *out << line.what; }
};

class MalformedLine : public ::testing::TestWithParam<Malformed> {};

void expect_rejected(const std::string& line, const char* error) {
  const ReadResult read = parsed(kExample + line);
  EXPECT_THAT(read.error, StartsWith("h.jsonl:2: "));
  EXPECT_THAT(read.error, HasSubstr(error));
  EXPECT_THAT(read.error, HasSubstr("expected"));
}

TEST_P(MalformedLine, IsRejectedWithItsPlaceAndWhatWasExpected) {
  expect_rejected(GetParam().text, GetParam().error);
}

// Not one of the values below: each of the program's tests would make and copy it when it starts.
TEST(JsonLines, RejectsALineThatIsTooLong) {
  expect_rejected(std::string(kMaxLineBytes + 1, 'x'), "the line is longer than");
}

INSTANTIATE_TEST_SUITE_P(
    JsonLines, MalformedLine,
    ::testing::Values(
        Malformed{"Empty", "\n", "the line is empty"},
        Malformed{"NotJson", "{\"node\":1,}\n", "not valid JSON (column 11"},
        Malformed{"TwoObjects", "{}{}\n", "not valid JSON"},
        Malformed{"NotAnObject", "[1,2]\n", "the line is [1,2]"},
        Malformed{"Truncated", std::string(kExample).substr(0, 80),
                  "ends in the middle of this line"},
        Malformed{"MissingKey", example_with("\"tx\":17,", ""), "key \"tx\" is missing"},
        Malformed{"MissingStatus", example_with("\"status\":\"committed\",", ""),
                  "key \"status\" is missing"},
        Malformed{"MissingCommitTime", example_with("\"commit_time\":123,", ""),
                  "\"commit_time\" is missing"},
        Malformed{"MissingOps", "{\"node\":1}\n", "is missing"},
        Malformed{"UnknownStatus", example_with("committed", "done"), "\"status\" is \"done\""},
        Malformed{"NegativeTime", example_with("100", "-100"), "\"begin_ns\" is -100"},
        Malformed{"FractionalTime", example_with("250", "2.5"), "\"end_ns\" is 2.5"},
        Malformed{"NodeTooLarge", example_with("\"node\":1", "\"node\":4294967296"),
                  "expected an integer from 0 to 4294967295"},
        Malformed{"TextForNumber", example_with("17", "\"17\""), "\"tx\" is \"17\""},
        Malformed{"TextForFlag", example_with("false", "\"no\""), "\"read_only\" is \"no\""},
        Malformed{"OpsNotAList", "{\"ops\":3," + example_with("\"ops\"", "\"nops\"").substr(1),
                  "\"ops\" is 3"},
        Malformed{"ShortOperation", example_with("[\"r\",\"k12\",5]", "[\"r\",\"k12\"]"),
                  "\"ops entry\" is [\"r\",\"k12\"]"},
        Malformed{"UnknownOperation", example_with("append", "remove"), "\"remove\""},
        Malformed{"KeyNotText", example_with("[\"r\",\"k12\",5]", "[\"r\",12,5]"),
                  "\"key of an operation\" is 12"},
        Malformed{"WriteOfAList", example_with("\"k12\",6", "\"k12\",[6]"),
                  "\"value written\" is [6]"},
        Malformed{"ReadOfText", example_with("\"k12\",5", "\"k12\",\"5\""),
                  "\"value read\" is \"5\""},
        Malformed{"ReadTooLarge", example_with("\"k12\",5", "\"k12\",9223372036854775808"),
                  "expected a 64-bit signed integer"},
        Malformed{"ElementNotAnInteger", example_with("[1,2,7]", "[1,true,7]"),
                  "\"list element\" is true"},
        Malformed{"UnknownEvent", "{\"event\":\"reboot\"}\n", "\"event\" is \"reboot\""},
        Malformed{"RollbackWithoutTime", "{\"event\":\"rollback\",\"epoch\":1,\"at_ns\":1}\n",
                  "\"to_commit_time\" is missing"},
        Malformed{"DeepNesting", std::string(100'000, '['), "ends in the middle"}),
    [](const auto& line) { return line.param.what; });

TEST(JsonLines, NamesAFileThatCannotBeRead) {
  EXPECT_THAT(read_history_file("/nonexistent/h.jsonl").error,
              StartsWith("/nonexistent/h.jsonl: cannot be opened"));
  EXPECT_THAT(read_history_file("/").error, StartsWith("/: cannot be opened"));
}

TEST(JsonLines, WriterHandsOnWholeLinesAndTellsOfAFailedWrite) {
  std::FILE* file = std::tmpfile();
  LineWriter writer(file, 64);
  for (int i = 0; i < 3; ++i) writer.write(example_attempt());
  writer.write(Rollback{2, 120, 99});
  EXPECT_TRUE(writer.flush());
  EXPECT_GT(std::ftell(file), 3 * static_cast<long>(std::string(kExample).size()));
  std::fclose(file);
  std::FILE* full = std::fopen("/dev/full", "w");
  ASSERT_NE(full, nullptr);
  {
    LineWriter failing(full);
    failing.write(example_attempt());
    EXPECT_FALSE(failing.flush());
  }
  std::fclose(full);
}

Value any_value() {
  if (*rc::gen::arbitrary<bool>()) return Value::of(*rc::gen::arbitrary<std::int64_t>());
  return Value::of_list(*rc::gen::arbitrary<std::vector<std::int64_t>>());
}

Operation any_operation() {
  const auto key = *rc::gen::container<std::string>(rc::gen::inRange('\1', '\x7f'));
  switch (*rc::gen::inRange(0, 3)) {
    case 0:
      return Operation::read(key, any_value());
    case 1:
      return w(key, *rc::gen::arbitrary<std::int64_t>());
    default:
      return app(key, *rc::gen::arbitrary<std::int64_t>());
  }
}

Attempt any_attempt() {
  Attempt attempt;
  attempt.node = *rc::gen::arbitrary<std::uint32_t>();
  attempt.incarnation = *rc::gen::arbitrary<std::uint32_t>();
  attempt.tx = *rc::gen::arbitrary<std::uint64_t>();
  attempt.attempt = *rc::gen::arbitrary<std::uint32_t>();
  attempt.epoch = *rc::gen::arbitrary<std::uint32_t>();
  attempt.begin_ns = *rc::gen::nonNegative<std::int64_t>();
  attempt.end_ns = *rc::gen::nonNegative<std::int64_t>();
  attempt.status = static_cast<Status>(*rc::gen::inRange(0, 4));
  attempt.commit_time = *rc::gen::arbitrary<std::uint64_t>();
  attempt.read_only = *rc::gen::arbitrary<bool>();
  attempt.strict = *rc::gen::arbitrary<bool>();
  attempt.durable = *rc::gen::arbitrary<bool>();
  const int ops = *rc::gen::inRange(0, 5);
  for (int i = 0; i < ops; ++i) attempt.ops.push_back(any_operation());
  return attempt;
}

RC_GTEST_PROP(JsonLines, ReadsBackWhatItWrote, ()) {
  const Attempt attempt = any_attempt();
  std::string text;
  append_line(text, attempt);
  const ReadResult read = parsed(text);
  RC_ASSERT(read.error == "");
  RC_ASSERT(read.history.attempts == std::vector{attempt});
}

RC_GTEST_PROP(JsonLines, NeverTakesALineThatWasCutOff, ()) {
  std::string text;
  append_line(text, any_attempt());
  const auto length = *rc::gen::inRange<std::size_t>(1, text.size() - 1);
  RC_ASSERT(!parsed(text.substr(0, length)).ok());
}

}  // namespace
}  // namespace plurix::history::testing
