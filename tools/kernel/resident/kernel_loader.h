// KernelLoader: gets the kernel that runs from the heap: from the cluster, or, where there is none
// yet, from the file that the boot loader has brought, which it then puts into the heap for all.
#pragma once

#include "interface/kernel_image.h"
#include "resident/resident_part.h"

namespace plurix::kernel {

class KernelLoader {
 public:
  /// Pages on their way at once: as many as the card's ring takes.
  static constexpr std::uint32_t kAtOnce = 14;

  KernelLoader(Parts& parts, ResidentPart& resident) noexcept
      : parts_(parts), resident_(resident) {}

  /// The kernel, ready to be run; null: there is none, and `words` says why.
  const KernelImage* load(Instant until) noexcept;

  const baremetal::Text& words() const noexcept { return words_; }

 private:
  const KernelImage* load_once(Instant until) noexcept;
  bool is_in_heap() noexcept;
  const KernelImage* from_heap() noexcept;
  const KernelImage* from_file(std::span<const std::byte> file) noexcept;
  const KernelImage* refuse(std::string_view why) noexcept;

  std::span<const std::byte> file() const noexcept;
  bool can_run(const KernelImage& image) noexcept;
  void hold(const KernelImage& image) noexcept;
  static void bring_page(void* self, PageIndex page) noexcept;

  Parts& parts_;
  ResidentPart& resident_;
  baremetal::Text words_;
  std::optional<baremetal::LazyMemory> variables_;
};

}  // namespace plurix::kernel
