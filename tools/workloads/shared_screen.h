// A page of text in the heap that every node, process or machine, writes on and reads at once.
#pragma once

#include <plurix/transaction.h>

#include <algorithm>
#include <string_view>

namespace plurix::workloads {

struct SharedScreen {
  static constexpr std::size_t kRows = 22;
  static constexpr std::size_t kColumns = 80;
  static constexpr std::string_view kName = "console/screen";

  struct Row {
    char cells[kColumns] = {};  ///< 0: blank to the end of the row
  };
  Row rows[kRows];
};

/// Puts text at a place; what does not fit into the row is cut off.
inline void write_text(const Ref<SharedScreen>& screen, std::size_t row, std::size_t column,
                       std::string_view text) {
  if (row >= SharedScreen::kRows || column >= SharedScreen::kColumns) return;
  auto* cells = screen.element(&SharedScreen::rows, row).mut()->cells;
  const auto length = std::min(text.size(), SharedScreen::kColumns - column);
  std::replace(cells, cells + column, '\0', ' ');
  std::copy_n(text.begin(), length, cells + column);
}

/// The row without what is blank at its end.
inline std::string_view text_of(const SharedScreen::Row& row) noexcept {
  auto length = SharedScreen::kColumns;
  while (length > 0 && (row.cells[length - 1] == '\0' || row.cells[length - 1] == ' ')) --length;
  return {row.cells, length};
}

}  // namespace plurix::workloads
