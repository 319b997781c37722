// TextScreen: VGA text mode, 80 by 25, as a device that takes part in transactions: drawn
// off-screen, shown when the transaction commits, as before when it is aborted. Source: IBM VGA
// technical reference, "Text modes": two bytes a character, from 0xB8000 on.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace plurix::baremetal {

class TextScreen {
 public:
  static constexpr unsigned kColumns = 80;
  static constexpr unsigned kRows = 25;
  static constexpr std::uintptr_t kVgaMemory = 0xb8000;

  /// `shown` are kColumns * kRows cells: the card's memory, or any other for a test.
  explicit TextScreen(volatile std::uint16_t* shown) noexcept : shown_(shown) {
    for (auto& cell : drawn_) cell = cell_of(' ');
    committed();
  }

  /// Puts text at a place; what does not fit into the row is cut off.
  void draw(unsigned row, unsigned column, std::string_view text) noexcept {
    for (const char c : text) {
      if (row >= kRows || column >= kColumns) return;
      drawn_[row * kColumns + column++] = cell_of(c);
    }
  }

  char at(unsigned row, unsigned column) const noexcept {
    return static_cast<char>(shown_[row * kColumns + column] & 0xff);
  }

  void undo() noexcept { std::memcpy(drawn_, kept_, sizeof drawn_); }

  // Only what has changed is written: the card's memory is slow.
  void committed() noexcept {
    for (unsigned i = 0; i < kCells; ++i) {
      if (drawn_[i] != kept_[i]) shown_[i] = drawn_[i];
    }
    std::memcpy(kept_, drawn_, sizeof kept_);
  }

 private:
  static constexpr unsigned kCells = kColumns * kRows;
  static constexpr std::uint16_t kGreyOnBlack = 0x0700;

  static std::uint16_t cell_of(char c) noexcept {
    return static_cast<std::uint16_t>(kGreyOnBlack | static_cast<unsigned char>(c));
  }

  volatile std::uint16_t* shown_;
  std::uint16_t drawn_[kCells] = {};
  std::uint16_t kept_[kCells] = {};
};

}  // namespace plurix::baremetal
