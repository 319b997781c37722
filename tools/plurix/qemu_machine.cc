#include "qemu_machine.h"

#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "qemu_command_line.h"

namespace plurix::tool {
namespace {

constexpr int kMemoryMib = 128;
// What `outl(0x10, 0xf4)` makes of QEMU's exit code; 0 would also be that of a triple fault.
constexpr int kStoppedWell = 33;

bool in_path(const std::string& program) {
  const char* const variable = std::getenv("PATH");
  std::string_view folders = variable == nullptr ? "/usr/bin:/bin" : variable;
  while (!folders.empty()) {
    const auto folder = folders.substr(0, folders.find(':'));
    folders.remove_prefix(std::min(folders.size(), folder.size() + 1));
    if (::access((std::string(folder) + "/" + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

std::string mac_of(std::size_t number) {
  char text[18];
  std::snprintf(text, sizeof text, "52:54:00:00:%02zx:%02zx", number / 256 % 256, number % 256);
  return text;
}

/// What lives in the heap of the kernel that boots.
std::string heap_file(const std::string& kernel) { return kernel + ".heap"; }

}  // namespace

Program QemuMachine::program() const {
  auto all = qemu_command_line(kernel, words, kMemoryMib);
  all.insert(all.end(), {"-serial", "file:" + history_file, "-netdev",
                         "stream,id=n0,server=off,addr.type=unix,addr.path=" + hub, "-device",
                         "rtl8139,netdev=n0,mac=" + mac_of(number + 1)});
  if (!memory_file.empty()) {
    all.insert(all.end(), {"-object",
                           "memory-backend-file,id=ram,share=on,size=" +
                               std::to_string(kMemoryMib) + "M,mem-path=" + memory_file,
                           "-machine", "memory-backend=ram"});
  }
  if (brings_heap) all.insert(all.end(), {"-initrd", heap_file(kernel)});
  return {.words = std::move(all), .done = kStoppedWell};
}

std::string default_kernel() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / "plurix-kernel").string();
}

std::string why_no_qemu(const std::string& kernel) {
  if (!in_path(kQemu)) {
    return std::string(kQemu) + " is not installed; on Debian: apt-get install qemu-system-x86";
  }
  for (const auto& file : {kernel, heap_file(kernel)}) {
    if (::access(file.c_str(), R_OK) == 0) continue;
    return "there is no kernel at " + file + "; build the target plurix-kernel or name another";
  }
  return {};
}

}  // namespace plurix::tool
