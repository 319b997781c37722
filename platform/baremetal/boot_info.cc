#include <plurix/baremetal/boot_info.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace plurix::baremetal {
namespace {

constexpr std::uint32_t kMultibootMagic = 0x2BADB002;
constexpr std::uint32_t kPvhMagic = 0x336ec578;
constexpr std::uint32_t kUsableRam = 1;  // the same number in both, from the BIOS's E820

// Multiboot Specification 0.6.96, section 3.3.
struct MultibootInfo {
  std::uint32_t flags, mem_lower, mem_upper, boot_device, command_line, module_count, modules;
  std::uint32_t symbols[4];
  std::uint32_t map_bytes, map;
};
constexpr std::uint32_t kHasCommandLine = 1U << 2;
constexpr std::uint32_t kHasModules = 1U << 3;
constexpr std::uint32_t kHasMap = 1U << 6;

struct [[gnu::packed]] MultibootMapEntry {
  std::uint32_t bytes_behind;
  std::uint64_t begin, length;
  std::uint32_t type;
};
struct MultibootModule {
  std::uint32_t begin, end, text, reserved;
};

// xen/include/public/arch-x86/hvm/start_info.h, version 1.
struct PvhInfo {
  std::uint32_t magic, version, flags, module_count;
  std::uint64_t modules, command_line, rsdp, map;
  std::uint32_t map_entries, reserved;
};
struct PvhMapEntry {
  std::uint64_t begin, length;
  std::uint32_t type, reserved;
};
struct PvhModule {
  std::uint64_t begin, length, text, reserved;
};

template <class T>
const T* at(std::uint64_t address) noexcept {
  return reinterpret_cast<const T*>(address);
}

void copy_command_line(BootInfo& boot, std::uint64_t address) noexcept {
  const auto* text = at<char>(address);
  for (std::size_t i = 0; i + 1 < sizeof boot.command_line_text && text[i] != '\0'; ++i) {
    boot.command_line_text[i] = text[i];
  }
}

void add_usable(BootInfo& boot, std::uint64_t begin, std::uint64_t length,
                std::uint32_t type) noexcept {
  if (type == kUsableRam) (void)boot.usable.push({begin, begin + length});
}

BootInfo from_multiboot(const MultibootInfo& info) noexcept {
  BootInfo boot;
  if ((info.flags & kHasCommandLine) != 0) copy_command_line(boot, info.command_line);
  for (std::uint32_t i = 0; (info.flags & kHasModules) != 0 && i < info.module_count; ++i) {
    const auto& module = at<MultibootModule>(info.modules)[i];
    (void)boot.modules.push({module.begin, module.end});
  }
  for (std::uint32_t offset = 0; (info.flags & kHasMap) != 0 && offset < info.map_bytes;) {
    const auto& entry = *at<MultibootMapEntry>(info.map + offset);
    add_usable(boot, entry.begin, entry.length, entry.type);
    offset += entry.bytes_behind + static_cast<std::uint32_t>(sizeof entry.bytes_behind);
  }
  return boot;
}

BootInfo from_pvh(const PvhInfo& info) noexcept {
  BootInfo boot;
  boot.by_pvh = true;
  if (info.command_line != 0) copy_command_line(boot, info.command_line);
  for (std::uint32_t i = 0; i < info.module_count; ++i) {
    const auto& module = at<PvhModule>(info.modules)[i];
    (void)boot.modules.push({module.begin, module.begin + module.length});
  }
  for (std::uint32_t i = 0; i < info.map_entries; ++i) {
    const auto& entry = at<PvhMapEntry>(info.map)[i];
    add_usable(boot, entry.begin, entry.length, entry.type);
  }
  return boot;
}

std::string_view first_word(std::string_view text) noexcept {
  std::size_t length = 0;
  while (length < text.size() && text[length] != ' ') ++length;
  return {text.data(), length};
}

}  // namespace

std::optional<BootInfo> read_boot_info(std::uint32_t magic, std::uint32_t info) noexcept {
  if (magic == kMultibootMagic) return from_multiboot(*at<MultibootInfo>(info));
  if (magic == kPvhMagic && at<PvhInfo>(info)->magic == kPvhMagic) {
    return from_pvh(*at<PvhInfo>(info));
  }
  return {};
}

std::optional<std::string_view> BootInfo::option(std::string_view key) const noexcept {
  for (auto rest = command_line(); !rest.empty();) {
    const auto word = first_word(rest);
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    if (word.size() <= key.size() || !word.starts_with(key) || word[key.size()] != '=') continue;
    return std::string_view(word.data() + key.size() + 1, word.size() - key.size() - 1);
  }
  return {};
}

std::uint64_t BootInfo::number(std::string_view key, std::uint64_t otherwise) const noexcept {
  const auto text = option(key);
  if (!text) return otherwise;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  return error == std::errc{} && end == text->data() + text->size() ? value : otherwise;
}

}  // namespace plurix::baremetal
