#include "resident/resident_part.h"

#include "resident/kernel_loader.h"

namespace plurix::kernel {

CardState ResidentPart::card() const noexcept {
  const auto counters = parts_.card.counters();
  return {parts_.card.address(), counters.dropped_bad + counters.unsent_queue_full};
}

std::span<std::byte> ResidentPart::local_memory(std::size_t bytes) noexcept {
  for (std::size_t i = 0; i < kMostLocals; ++i) {
    if (locals_[i]) continue;
    return locals_[i]
        .emplace(parts_.machine.memory, kLocalBase + i * kBetweenLocals, bytes)
        .bytes();
  }
  plurix::panic("too many local memories", __FILE__, __LINE__);
}

BodyEnd ResidentPart::transact(const Body& body) noexcept {
  auto& node = parts_.node();
  const auto call = [&body](Transaction& t) { return body.call(body.context, t); };
  const auto outcome = body.read_only ? node.read_only(body.freshness, call) : node.try_run(call);
  return {outcome.status, outcome.commit_time, outcome.restarts, outcome.reason};
}

void ResidentPart::bring_whole_kernel() noexcept {
  const auto first = kKernelPage;
  if (!parts_.node().bring(first, start_.kernel_pages, KernelLoader::kAtOnce)) return;
  for (std::uint32_t i = 0; i < start_.kernel_pages; ++i) parts_.faults.open_code(first + i);
}

}  // namespace plurix::kernel
