// FaultSource: the part of a machine that knows which pages the application may touch and that
// reports the touches it may not make. Models: mprotect with SIGSEGV, userfaultfd, x86 page tables,
// software checks.
//
// A fault source owns two mappings of the same memory: the *view*, where the application works and
// where rights apply, and the *frames*, always readable and writable, where the protocol works.
// They may be the same address when rights are checked in software.
#pragma once

#include <plurix/base/page.h>

#include <concepts>
#include <cstddef>

namespace plurix {

/// What the machine shall do after a fault was reported.
enum class FaultVerdict : std::uint8_t {
  kResume,   ///< the page is accessible now: repeat the instruction
  kRestart,  ///< the attempt is doomed: leave the body, restore its context
};

/// Receives the faults of one heap. Called in fault context: no allocation, no exception.
struct FaultHandler {
  FaultVerdict (*call)(void* context, PageIndex page, Access access) noexcept = nullptr;
  void* context = nullptr;
};

template <class F>
concept HasHeapMappings = requires(const F& f) {
  { f.view() } noexcept -> std::same_as<std::byte*>;
  { f.frames() } noexcept -> std::same_as<std::byte*>;
};

/// Sets the rights of `count` pages from `first` on, in one call over the range where it can.
template <class F>
concept ProtectsPages = requires(F& f, PageIndex first, std::uint32_t count, Rights rights) {
  { f.protect(first, count, rights) } noexcept;
};

/// `traps()`: whether a forbidden access through the view is reported to the handler by itself. If
/// not, every access is checked in software before it is made.
template <class F>
concept ReportsFaults = requires(F& f, FaultHandler handler) {
  { f.on_fault(handler) } noexcept;
  { f.traps() } noexcept -> std::same_as<bool>;
};

/// What a source may have besides, where each change of rights has a price of its own (a kernel's
/// call, other processors interrupted): `close_later` takes all rights away, at the latest in the
/// next `close_now`. Until then the application does not run. `protect` in between counts.
template <class F>
concept ClosesTogether = requires(F& f, PageIndex first, std::uint32_t count) {
  { f.close_later(first, count) } noexcept;
  { f.close_now() } noexcept;
};

template <class F>
concept FaultSource = HasHeapMappings<F> && ProtectsPages<F> && ReportsFaults<F>;

}  // namespace plurix
