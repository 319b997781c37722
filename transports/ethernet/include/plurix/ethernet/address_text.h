// MAC addresses as people write them. Hosted.
#pragma once

#include <plurix/ethernet/address.h>

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace plurix::ethernet {

/// "02:50:4c:00:00:01"
inline std::string to_text(const MacAddress& address) {
  char text[18];
  const auto byte = [&](std::size_t i) { return std::to_integer<unsigned>(address.bytes[i]); };
  std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", byte(0), byte(1), byte(2),
                byte(3), byte(4), byte(5));
  return text;
}

/// Six pairs of hexadecimal digits with colons between them, nothing else.
inline std::optional<MacAddress> parse_mac(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef0123456789ABCDEF";
  if (text.size() != 17) return {};
  MacAddress address;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % 3 == 2) {
      if (text[i] != ':') return {};
      continue;
    }
    const auto digit = kDigits.find(text[i]);
    if (digit == std::string_view::npos) return {};
    auto& byte = address.bytes[i / 3];
    byte = (byte << 4) | static_cast<std::byte>(digit % 16);
  }
  return address;
}

}  // namespace plurix::ethernet
