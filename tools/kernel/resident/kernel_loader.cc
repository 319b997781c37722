#include "resident/kernel_loader.h"

namespace plurix::kernel {
namespace {

constexpr Duration kLook = milliseconds(2);

const KernelImage& image_at(const std::byte* place) noexcept {
  return *reinterpret_cast<const KernelImage*>(place);
}

const KernelImage* the_image() noexcept { return reinterpret_cast<KernelImage*>(kKernelBase); }

}  // namespace

const KernelImage* KernelLoader::load(Instant until) noexcept {
  if (parts_.config.core.geometry.pages < kKernelPage + kMostKernelPages) {
    return refuse("a kernel has no room in so small a heap: it takes 6 MiB");
  }
  for (;;) {
    const auto epoch = parts_.node().protocol().core().epoch;
    const auto* image = load_once(until);
    if (parts_.node().protocol().core().epoch == epoch) return image;
    // The heap may have gone back meanwhile: these may be pages of two times, or of none.
    parts_.faults.release_code(kKernelPage);
  }
}

const KernelImage* KernelLoader::load_once(Instant until) noexcept {
  while (!is_in_heap()) {
    if (const auto brought = file(); !brought.empty()) return from_file(brought);
    if (parts_.node().now() >= until) {
      return refuse("there is no kernel in the heap, and the boot loader has brought none");
    }
    parts_.node().serve(parts_.node().now() + kLook);
  }
  return from_heap();
}

bool KernelLoader::is_in_heap() noexcept {
  return !parts_.node().protocol().directory().never_written(kKernelPage);
}

// Its own pages are present at once afterwards, or one by one as they are touched.
const KernelImage* KernelLoader::from_heap() noexcept {
  if (!parts_.node().bring(kKernelPage, 1, 1)) return refuse("the node was stopped");
  const auto& image = image_at(parts_.faults.frames() + std::size_t{kKernelPage} * kPageSize);
  if (image.magic != KernelImage::kMagic || image.pages() > kMostKernelPages) {
    return refuse("what stands in the kernel's place in the heap is no kernel");
  }
  hold(image);
  if (parts_.machine.boot.option("kernel").value_or("whole") == "whole") {
    resident_.bring_whole_kernel();
  }
  return can_run(*the_image()) ? the_image() : nullptr;
}

// The code that puts it into the heap is a part of it, so it is made runnable here first.
const KernelImage* KernelLoader::from_file(std::span<const std::byte> file) noexcept {
  const auto& image = image_at(file.data());
  if (file.size() < sizeof image || image.magic != KernelImage::kMagic ||
      image.bytes() > file.size() || image.pages() > kMostKernelPages) {
    return refuse("the file that the boot loader has brought is no kernel");
  }
  hold(image);
  for (std::uint32_t i = 0; i < image.pages(); ++i) {
    parts_.faults.open_code(kKernelPage + i, file.data() + std::size_t{i} * kPageSize);
  }
  if (!can_run(*the_image())) return nullptr;
  switch (the_image()->install(resident_, file.first(image.bytes()))) {
    case Installed::kDone:
      break;
    case Installed::kAnotherIsThere:
      parts_.faults.release_code(kKernelPage);
      return from_heap();
    case Installed::kNoRoom:
      return refuse("there is no room for the kernel at its place in the heap");
  }
  auto start = resident_.start();
  start.put_kernel_into_heap = true;
  resident_.note_start(start);
  return the_image();
}

const KernelImage* KernelLoader::refuse(std::string_view why) noexcept {
  words_.clear();
  words_ << why;
  return nullptr;
}

std::span<const std::byte> KernelLoader::file() const noexcept {
  const auto& modules = parts_.machine.boot.modules;
  if (modules.empty()) return {};
  return {reinterpret_cast<const std::byte*>(modules[0].begin), modules[0].bytes()};
}

bool KernelLoader::can_run(const KernelImage& image) noexcept {
  const auto other = disagreement(image.types);
  if (other.empty()) return true;
  words_.clear();
  words_ << "the kernel in the heap was compiled with another " << other;
  return false;
}

void KernelLoader::hold(const KernelImage& image) noexcept {
  parts_.faults.hold_code({kKernelPage, image.pages(), bring_page, this});
  const auto bytes = reinterpret_cast<std::uint64_t>(image.local_end) - kKernelLocalBase;
  if (!variables_) variables_.emplace(parts_.machine.memory, kKernelLocalBase, bytes);
  auto start = resident_.start();
  start.kernel_pages = image.pages();
  resident_.note_start(start);
}

// The heap may have gone back to a time before it had a kernel.
void KernelLoader::bring_page(void* self, PageIndex page) noexcept {
  auto& loader = *static_cast<KernelLoader*>(self);
  const bool here = loader.parts_.node().bring(page, 1, 1);
  if (!here || loader.parts_.node().protocol().directory().never_written(page)) {
    panic("the kernel is gone from the heap", __FILE__, __LINE__);
  }
}

}  // namespace plurix::kernel
