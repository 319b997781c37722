#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "unit/history_builder.h"

namespace plurix::history::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

HistoryBuilder with_a_stale_read() {
  HistoryBuilder h;
  h.update(1, {w("x", 5)});
  h.reader(1, {r("x", 5)});
  h.reader(1, {r("x", 0)});
  h.aborted({r("x", 5)});
  return h;
}

TEST(Report, NamesChecksBothWays) {
  for (const Check check : kAllChecks) EXPECT_EQ(check_named(name_of(check)), check);
  EXPECT_EQ(check_named("everything"), std::nullopt);
}

TEST(Report, CountsAndTellsInWords) {
  HistoryBuilder h = with_a_stale_read();
  EXPECT_EQ(to_words(h.run(Check::kCommitOrder)),
            "4 attempts (3 committed, of these 2 read-only; 1 aborted, 0 cancelled, 0 unknown), 4 "
            "operations, 1 keys\n"
            "checked: commit_order\n"
            "VIOLATION of commit_order: node 1 tx 3 attempt 1 (epoch 1, snapshot of 1) read x = 0, "
            "but its "
            "place in the order of commits shows 5, written by node 1 tx 1 attempt 1 (epoch 1, "
            "commit time "
            "1), whose write is missing; 0 is the initial value\n"
            "1 violation\n");
  EXPECT_THAT(to_words(h.run(Check::kRealTime)), HasSubstr("checked: real_time\nno violation\n"));
}

TEST(Report, HasTheDocumentedKeysInJson) {
  HistoryBuilder h = with_a_stale_read();
  const auto json = nlohmann::json::parse(to_json(h.run(Check::kCommitOrder), h.history));
  EXPECT_EQ(json["ok"], false);
  EXPECT_EQ(json["violation_count"], 1);
  EXPECT_EQ(json["violations"][0]["invariant"], "commit_order");
  EXPECT_THAT(json["violations"][0]["words"].get<std::string>(),
              HasSubstr("whose write is missing"));
  const nlohmann::json reader{{"node", 1}, {"incarnation", 1}, {"tx", 3}, {"attempt", 1}};
  EXPECT_EQ(json["violations"][0]["attempts"][0], reader);
  EXPECT_THAT(json["checks_run"], ElementsAre("commit_order"));
  EXPECT_TRUE(json["not_applicable"].empty());
  const nlohmann::json counts{{"attempts", 4},   {"committed", 3}, {"aborted", 1}, {"cancelled", 0},
                              {"unknown", 0},    {"read_only", 2}, {"undone", 0},  {"rollbacks", 0},
                              {"operations", 4}, {"keys", 1}};
  EXPECT_EQ(json["counts"], counts);
}

TEST(Report, RunsEveryCheckUnlessToldOtherwise) {
  const History empty;
  const Report report = check_all(empty);
  EXPECT_TRUE(report.ok());
  EXPECT_THAT(report.checks_run, ::testing::ElementsAreArray(kAllChecks));
  EXPECT_THAT(to_words(report),
              HasSubstr("well_formed commit_order real_time freshness opacity graph rollback"));
}

}  // namespace
}  // namespace plurix::history::testing
