#include <plurix/base/assert.h>
#include <plurix/base/bounded_vector.h>

#include <plurix/baremetal/page_faults.h>
#include <plurix/baremetal/page_tables.h>
#include <plurix/baremetal/panic.h>

namespace plurix::baremetal {
namespace {

// One processor has one handler of page faults.
constinit BoundedVector<PageFaultOwner, 16> owners;

void on_page_fault(void*, InterruptFrame& frame) noexcept {
  const auto address = faulting_address();
  if ((frame.error & PageFaultError::kReserved) != 0) panic_at("a broken page table", frame);
  for (const auto& owner : owners) {
    if (address >= owner.begin && address < owner.end) {
      return owner.call(owner.context, frame, address);
    }
  }
  panic_at("an access outside all memory", frame);
}

}  // namespace

void own_page_faults(const PageFaultOwner& owner) noexcept {
  PLURIX_ASSERT(owners.push(owner));
  set_interrupt_handler(kPageFaultVector, {on_page_fault, nullptr});
}

}  // namespace plurix::baremetal
