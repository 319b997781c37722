// Runs every script of this folder and compares what the nodes say with what the script says they
// say. `./run scenarios --rewrite` (PLURIX_REWRITE=1) writes the real output into the scripts
// instead: read the diff.
#include "support/scenario.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace plurix::testing {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> scripts() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(PLURIX_TEST_DATA)) {
    if (entry.path().extension() == ".scenario") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

fs::path path_of(const std::string& name) {
  return fs::path(PLURIX_TEST_DATA) / (name + ".scenario");
}

std::string contents_of(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

class ScenarioScript : public ::testing::TestWithParam<std::string> {};

TEST_P(ScenarioScript, IsTheConversation) {
  const auto path = path_of(GetParam());
  const auto expected = parse_scenario(contents_of(path));
  ASSERT_FALSE(expected.steps.empty());
  const auto real = run_scenario(expected);
  if (std::getenv("PLURIX_REWRITE") != nullptr) {
    std::ofstream(path) << scenario_text(real);
    return;
  }
  for (std::size_t i = 0; i < expected.steps.size(); ++i) {
    EXPECT_EQ(real.steps[i].output, expected.steps[i].output)
        << path.filename().string() << ":" << expected.steps[i].line << ": "
        << expected.steps[i].command
        << "\n(`./run scenarios --rewrite` accepts the new conversation)";
  }
}

INSTANTIATE_TEST_SUITE_P(Scripts, ScenarioScript, ::testing::ValuesIn(scripts()),
                         [](const auto& test) { return test.param; });

TEST(Scenario, ComesBackFromItsTextAsItWas) {
  for (const auto& name : scripts()) {
    const auto text = contents_of(path_of(name));
    EXPECT_EQ(scenario_text(parse_scenario(text)), text) << name;
  }
}

std::string output_of(const std::string& text) {
  const auto run = run_scenario(parse_scenario(text));
  return run.steps.back().output;
}

TEST(Scenario, SaysWhatIsWrongWithACommand) {
  EXPECT_EQ(output_of("show\n----\n"), "error: the first command is `cluster`\n");
  EXPECT_EQ(output_of("cluster sides=3\n----\n"), "error: 'sides=3' is no setting\n");
  const std::string two = "cluster nodes=2\n----\n\n";
  EXPECT_EQ(output_of(two + "dance 1\n----\n"), "error: 'dance' is no command\n");
  EXPECT_EQ(output_of(two + "cut 7\n----\n"), "error: there is no node 7\n");
  EXPECT_EQ(output_of(two + "transaction 1: jump 4\n----\n"), "error: 'jump' is no operation\n");
  EXPECT_EQ(output_of(two + "wait 5\n----\n"), "error: '5' has no unit: us or ms\n");
  EXPECT_EQ(output_of(two + "lose 0->1 Letter\n----\n"), "error: no message 'Letter'\n");
}

TEST(Scenario, WithoutASeparatorIsRefused) {
  EXPECT_THROW((void)parse_scenario("cluster nodes=2\nshow\n"), std::runtime_error);
  EXPECT_THROW((void)parse_scenario("cluster nodes=2\n"), std::runtime_error);
}

TEST(Scenario, RunsTheSameWayTwice) {
  for (const auto& name : scripts()) {
    const auto script = parse_scenario(contents_of(path_of(name)));
    EXPECT_EQ(scenario_text(run_scenario(script)), scenario_text(run_scenario(script))) << name;
  }
}

}  // namespace
}  // namespace plurix::testing
