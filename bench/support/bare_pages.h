// The bare yardstick of everything that traps: protected pages of this process, a signal handler
// that keeps the old contents and opens the page, and nothing else. It shares no code with the
// product, so that what the product adds shows.
#pragma once

#include <plurix/base/page.h>
#include <plurix/posix/hosted_fault_source.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace plurix::bench {

/// One at a time in a process.
class BarePages {
 public:
  /// `kind` says how pages are protected: SIGSEGV and mprotect, or userfaultfd and SIGBUS. All
  /// pages can be read at first.
  BarePages(posix::FaultSourceKind kind, std::size_t pages);
  ~BarePages();
  BarePages(const BarePages&) = delete;
  BarePages& operator=(const BarePages&) = delete;

  /// The handlers are ours from here on, and back with whoever had them from there on.
  void take_signals();
  void give_signals_back();

  /// Writes a word of a page: the first time since `protect_again` it traps, the page is copied and
  /// opened.
  void write(std::size_t page, std::uint64_t value) {
    *reinterpret_cast<volatile std::uint64_t*>(view_ + page * kPageSize) = value;
  }

  /// The least a trapped first write can cost: the signal, the copy, and back behind the store.
  void trap_and_copy(std::size_t page);

  /// Protects the pages written since the last time, by one call over their range.
  void protect_again();

  std::size_t traps() const { return traps_; }

 private:
  static void on_signal(int signal, siginfo_t* info, void* machine);
  void on_trap(std::byte* address, void* machine);
  void open_view(int file);
  void register_view();
  void set_writable(std::size_t first, std::size_t count, bool writable);

  posix::FaultSourceKind kind_;
  std::size_t bytes_;
  std::byte* view_ = nullptr;
  std::byte* frames_ = nullptr;
  std::byte* barred_ = nullptr;  ///< never accessible: where trap_and_copy traps
  std::unique_ptr<std::byte[]> copies_;
  int uffd_ = -1;
  std::size_t first_ = 0;
  std::size_t last_ = 0;
  std::size_t written_ = 0;
  std::size_t traps_ = 0;
  struct sigaction previous_segv_ = {};
  struct sigaction previous_bus_ = {};
};

}  // namespace plurix::bench
