// The beginning of the image, and how it gets into the heap.
#include <memory>

#include "heap/image_object.h"
#include "heap/kernel.h"
#include "heap/node.h"
#include "heap/operator.h"
#include "heap/services.h"
#include "interface/kernel_image.h"

extern "C" {
extern const std::byte plurix_image_length[];  // their addresses are told by the linker
extern const std::byte plurix_local_end[];
}

namespace plurix::kernel {
namespace {

// Of this machine, in its own memory.
constinit Resident* the_resident = nullptr;

void on_panic(const char* what, const char* file, int line) noexcept {
  the_resident->panic(what, file, line);
}

void begin(Resident& resident) noexcept {
  the_resident = &resident;
  set_panic_handler(on_panic);
}

Installed install(Resident& resident, std::span<const std::byte> image) noexcept {
  begin(resident);
  Node node(resident);
  const auto outcome = node.try_run([image](Transaction& t) -> Verdict {
    if (t.find<Image>(kKernelName)) return t.cancel("a kernel is there");
    if (!t.publish(kKernelName, make_image(t, image, kKernelPage)))
      return t.cancel("a kernel is there");
    make_services(t);
    return t.commit();
  });
  if (outcome.committed()) return Installed::kDone;
  return outcome.cancelled() ? Installed::kAnotherIsThere : Installed::kNoRoom;
}

}  // namespace

void keep_kernel_in_heap(Resident& resident) noexcept {
  if (!resident.protocol().directory().never_written(kKernelPage)) return;
  const auto& image = *reinterpret_cast<const KernelImage*>(kKernelBase);
  (void)install(resident, {reinterpret_cast<const std::byte*>(&image), image.bytes()});
}

namespace {

// In static memory, because the stack is for what runs on it.
bool run(Resident& resident) noexcept {
  begin(resident);
  alignas(Operator) static constinit std::byte storage[sizeof(Operator)] = {};
  auto& leader = *std::construct_at(reinterpret_cast<Operator*>(storage), resident);
  const bool led = resident.machine().boot.number("control", 0) != 0;
  return led ? leader.run_on_command() : leader.run_by_itself();
}

}  // namespace

[[gnu::used, gnu::section(".plurix_image")]] constinit const KernelImage plurix_kernel_image = {
    .length = plurix_image_length,
    .local_end = plurix_local_end,
    .types = kBoundaryTypes,
    .install = install,
    .run = run};

}  // namespace plurix::kernel
