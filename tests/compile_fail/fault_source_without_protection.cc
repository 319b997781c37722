// A fault source that cannot set rights: the compiler names that facet.
// expect: ProtectsPages
#include <plurix/concepts/fault_source.h>

struct Blind {
  std::byte* view() const noexcept { return nullptr; }
  std::byte* frames() const noexcept { return nullptr; }
#if defined(PLURIX_COMPILE_FAIL_CONTROL)
  void protect(plurix::PageIndex, std::uint32_t, plurix::Rights) noexcept {}
#endif
  void on_fault(plurix::FaultHandler) noexcept {}
  bool traps() const noexcept { return true; }
};
static_assert(plurix::FaultSource<Blind>);
