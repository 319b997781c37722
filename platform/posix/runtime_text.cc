#include "posix/runtime_text.h"

#include <plurix/base/bounded_vector.h>

#include <link.h>
#include <atomic>
#include <mutex>
#include <string_view>

namespace plurix::posix {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

struct TextRange {
  std::uintptr_t begin;
  std::uintptr_t end;
};
struct RuntimeText {
  BoundedVector<TextRange, 32> ranges;
  bool has_libc = false;
};

constinit RuntimeText g_text;
constinit std::atomic<bool> g_known{false};

bool is_runtime(std::string_view file) {
  constexpr std::string_view kNames[] = {"libc.so",   "libc-",      "libm.so",     "libstdc++",
                                         "libc++",    "libgcc_s",   "libpthread",  "ld-linux",
                                         "libunwind", "linux-vdso", "libclang_rt", "libasan",
                                         "libtsan",   "libubsan",   "liblsan"};
  file.remove_prefix(file.rfind('/') + 1);  // npos + 1 == 0
  for (const auto name : kNames) {
    if (file.starts_with(name)) return true;
  }
  return false;
}

int note_library(dl_phdr_info* library, std::size_t, void* text_pointer) {
  auto& text = *static_cast<RuntimeText*>(text_pointer);
  const std::string_view file = library->dlpi_name;
  if (!is_runtime(file)) return 0;
  if (file.find("/libc.so") != std::string_view::npos) text.has_libc = true;
  for (int i = 0; i < library->dlpi_phnum; ++i) {
    const auto& segment = library->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
    const auto begin = library->dlpi_addr + segment.p_vaddr;
    if (!text.ranges.push({begin, begin + segment.p_memsz})) return 1;
  }
  return 0;
}

}  // namespace

void find_runtime_text() {
  static std::once_flag once;
  std::call_once(once, [] {
    const bool incomplete = ::dl_iterate_phdr(note_library, &g_text) != 0;
    g_known.store(g_text.has_libc && !incomplete && !kSanitized, std::memory_order_release);
  });
}

bool in_runtime_text(std::uintptr_t pc) noexcept {
  if (!g_known.load(std::memory_order_acquire)) return true;
  for (const auto& range : g_text.ranges) {
    if (pc >= range.begin && pc < range.end) return true;
  }
  return false;
}

}  // namespace plurix::posix
