// The commands `screen` and `write ROW COLUMN TEXT` of a process: the page of text that machines
// show on their displays (workloads/shared_screen.h).
#pragma once

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "workloads/shared_screen.h"

namespace plurix::tool {

/// The rows that are not blank, each as [number, text].
template <class Node>
nlohmann::ordered_json read_screen(Node& node) {
  using workloads::SharedScreen;
  const auto copy = node.run([](Transaction& t) {
    const auto screen = t.find<SharedScreen>(SharedScreen::kName);
    return screen ? *screen : SharedScreen{};
  });
  auto rows = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < SharedScreen::kRows; ++i) {
    const auto text = workloads::text_of(copy.rows[i]);
    if (!text.empty()) rows.push_back({i, std::string(text)});
  }
  return {{"event", "screen"}, {"rows", rows}};
}

template <class Node>
nlohmann::ordered_json write_screen(Node& node, const std::string& words) {
  using workloads::SharedScreen;
  std::istringstream in(words);
  std::size_t row = SharedScreen::kRows;
  std::size_t column = 0;
  std::string text;
  in >> row >> column >> std::ws;
  std::getline(in, text);
  node.run([&](Transaction& t) {
    workloads::write_text(t.root<SharedScreen>(SharedScreen::kName), row, column, text);
  });
  return {{"event", "written"}, {"ok", row < SharedScreen::kRows}};
}

}  // namespace plurix::tool
