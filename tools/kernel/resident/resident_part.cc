#include "resident/resident_part.h"

#include <algorithm>

#include "resident/kernel_loader.h"

namespace plurix::kernel {

CardState ResidentPart::card() const noexcept {
  const auto counters = parts_.card.counters();
  return {parts_.card.address(), counters.dropped_bad + counters.unsent_queue_full};
}

std::byte* ResidentPart::local_memory(std::size_t bytes) noexcept {
  for (std::size_t i = 0; i < kMostLocals; ++i) {
    if (locals_[i]) continue;
    auto& memory = locals_[i];
    memory.emplace(parts_.machine.memory, kLocalBase + i * kBetweenLocals, bytes);
    return memory->bytes().data();
  }
  plurix::panic("too many local memories", __FILE__, __LINE__);
}

BodyEnd ResidentPart::transact(const Body& body) noexcept {
  auto& node = parts_.node();
  const auto call = [&body](Transaction& t) { return body.call(body.context, t); };
  const auto outcome = body.read_only ? node.read_only(body.freshness, call) : node.try_run(call);
  return {outcome.status, outcome.commit_time, outcome.epoch, outcome.restarts, outcome.reason};
}

bool ResidentPart::hold_code(PageIndex first, std::uint32_t pages, std::uint64_t variables,
                             std::size_t variable_bytes) noexcept {
  if (parts_.faults.holds_code(first)) return true;
  if (!bring(first, pages, KernelLoader::kAtOnce)) return false;
  for (auto& memory : variables_) {
    if (memory) continue;
    memory.emplace(parts_.machine.memory, variables, std::max<std::size_t>(variable_bytes, 1));
    parts_.faults.hold_code({first, pages, bring_page, this});
    for (auto page = first; page < first + pages; ++page) parts_.faults.open_code(page);
    return true;
  }
  plurix::panic("too many programs", __FILE__, __LINE__);
}

void ResidentPart::bring_whole_kernel() noexcept {
  const auto first = kKernelPage;
  if (!parts_.node().bring(first, start_.kernel_pages, KernelLoader::kAtOnce)) return;
  for (std::uint32_t i = 0; i < start_.kernel_pages; ++i) parts_.faults.open_code(first + i);
}

}  // namespace plurix::kernel
