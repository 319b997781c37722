// HostedFaultSource: the fault source of a Linux process, its kind chosen when it starts.
#pragma once

#include <plurix/concepts/fault_source.h>
#include <plurix/posix/sigsegv_fault_source.h>
#include <plurix/posix/software_fault_source.h>
#include <plurix/posix/uffd_fault_source.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace plurix::posix {

enum class FaultSourceKind : std::uint8_t {
  kAuto,  ///< userfaultfd where it is permitted, else SIGSEGV
  kSigsegv,
  kUserfaultfd,
  kSoftware,
};

std::string_view to_string(FaultSourceKind kind) noexcept;

/// The region a kind needs: plain for software checks, with a protected view for the others.
constexpr RegionKind region_kind_for(FaultSourceKind kind) noexcept {
  return kind == FaultSourceKind::kSoftware ? RegionKind::kPlain : RegionKind::kProtectedView;
}

/// One application thread; all calls come from it, its signal handlers included. The region must
/// outlive the source.
class HostedFaultSource {
  using Sources =
      std::variant<std::monostate, SigsegvFaultSource, UffdFaultSource, SoftwareFaultSource>;

  // Not std::visit, whose valueless case throws: the constructor has filled the variant.
  template <class Self, class F>
  static decltype(auto) visit_source(Self& self, F f) noexcept {
    switch (self.kind_) {
      case FaultSourceKind::kUserfaultfd:
        return f(*std::get_if<UffdFaultSource>(&self.source_));
      case FaultSourceKind::kSoftware:
        return f(*std::get_if<SoftwareFaultSource>(&self.source_));
      default:
        return f(*std::get_if<SigsegvFaultSource>(&self.source_));
    }
  }
  template <class F>
  decltype(auto) visit(F f) noexcept {
    return visit_source(*this, f);
  }
  template <class F>
  decltype(auto) visit(F f) const noexcept {
    return visit_source(*this, f);
  }

 public:
  /// Throws EnvironmentError when the kind asked for cannot be had; kAuto falls back instead.
  HostedFaultSource(SharedRegion& region, FaultSourceKind kind);

  /// What was chosen, never kAuto.
  FaultSourceKind kind() const noexcept { return kind_; }
  /// Why, as a sentence for a person.
  const std::string& reason() const noexcept { return reason_; }

  std::byte* view() const noexcept {
    return visit([](const auto& s) noexcept { return s.view(); });
  }
  std::byte* frames() const noexcept {
    return visit([](const auto& s) noexcept { return s.frames(); });
  }
  bool traps() const noexcept { return kind_ != FaultSourceKind::kSoftware; }
  Rights rights(PageIndex page) const noexcept {
    return visit([page](const auto& s) noexcept { return s.rights(page); });
  }

  /// Any context of the application thread.
  void protect(PageIndex first, std::uint32_t count, Rights rights) noexcept {
    visit([=](auto& s) noexcept { s.protect(first, count, rights); });
  }
  /// Any context of the application thread.
  void close_later(PageIndex first, std::uint32_t count) noexcept {
    visit([=]<class S>(S& s) noexcept {
      if constexpr (ClosesTogether<S>) {
        s.close_later(first, count);
      } else {
        s.protect(first, count, Rights::kNone);
      }
    });
  }
  void close_now() noexcept {
    visit([]<class S>(S& s) noexcept {
      if constexpr (ClosesTogether<S>) s.close_now();
    });
  }
  /// Gives the memory behind pages back to the kernel: they read as zeros from then on. Their
  /// rights stay.
  void release(PageIndex first, std::uint32_t count) noexcept;
  void on_fault(FaultHandler handler) noexcept {
    visit([=](auto& s) noexcept { s.on_fault(handler); });
  }
  /// Where a fault whose verdict is kRestart goes on; must be set before one is given.
  void on_restart(RestartHook hook) noexcept {
    visit([=](auto& s) noexcept { s.on_restart(hook); });
  }
  /// To be called before each access where `traps()` is false; nothing elsewhere.
  void check(PageIndex page, Access access) noexcept {
    if (auto* software = std::get_if<SoftwareFaultSource>(&source_)) software->check(page, access);
  }

 private:
  FaultSourceKind kind_;
  std::string reason_;
  Sources source_;
};
static_assert(FaultSource<HostedFaultSource> && ClosesTogether<HostedFaultSource>);

}  // namespace plurix::posix
