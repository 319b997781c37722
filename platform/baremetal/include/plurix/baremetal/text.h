// Text: words and numbers put together in a fixed buffer. What does not fit is cut off.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace plurix::baremetal {

class Text {
 public:
  static constexpr std::size_t kLimit = 640;

  Text& operator<<(std::string_view words) noexcept {
    for (const char c : words) put(c);
    return *this;
  }
  Text& operator<<(const char* words) noexcept { return *this << std::string_view(words); }
  Text& operator<<(bool value) noexcept { return *this << (value ? "true" : "false"); }

  template <std::integral Number>
    requires(!std::same_as<Number, bool> && !std::same_as<Number, char>)
  Text& operator<<(Number number) noexcept {
    const auto end = std::to_chars(end_of_text(), text_ + kLimit, number);
    if (end.ec == std::errc{}) size_ = static_cast<std::size_t>(end.ptr - text_);
    return *this;
  }

  /// "0x1f", without leading zeros.
  Text& hex(std::uint64_t number) noexcept {
    *this << "0x";
    const auto end = std::to_chars(end_of_text(), text_ + kLimit, number, 16);
    if (end.ec == std::errc{}) size_ = static_cast<std::size_t>(end.ptr - text_);
    return *this;
  }

  void put(char c) noexcept {
    if (size_ < kLimit) text_[size_++] = c;
  }
  void clear() noexcept { size_ = 0; }
  void drop_last() noexcept { size_ -= size_ > 0 ? 1 : 0; }
  std::string_view view() const noexcept { return {text_, size_}; }

 private:
  char* end_of_text() noexcept { return text_ + size_; }

  char text_[kLimit] = {};
  std::size_t size_ = 0;
};

}  // namespace plurix::baremetal
