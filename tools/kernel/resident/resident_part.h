// ResidentPart: Resident over the parts of this machine.
#pragma once

#include "interface/resident.h"
#include "resident/composition.h"

namespace plurix::kernel {

class ResidentPart final : public Resident {
 public:
  explicit ResidentPart(Parts& parts) noexcept : parts_(parts) {}
  ResidentPart(const ResidentPart&) = delete;
  ResidentPart& operator=(const ResidentPart&) = delete;

  baremetal::Machine& machine() noexcept override { return parts_.machine; }
  const ProtocolCore& protocol() const noexcept override { return parts_.bare.core().protocol(); }
  const NodeCounters& counters() const noexcept override { return parts_.bare.core().counters(); }
  CardState card() const noexcept override;
  StartState start() const noexcept override { return start_; }
  std::byte* local_memory(std::size_t bytes) noexcept override;
  BodyEnd transact(const Body& body) noexcept override;
  void serve(Instant until) noexcept override { parts_.node().serve(until); }
  bool leave(Instant until) noexcept override { return parts_.node().leave(until); }
  bool bring(PageIndex first, std::uint32_t count, std::uint32_t at_once) noexcept override {
    return parts_.node().bring(first, count, at_once);
  }
  bool hold_code(PageIndex first, std::uint32_t pages, std::uint64_t variables,
                 std::size_t variable_bytes) noexcept override;
  void bring_whole_kernel() noexcept override;
  [[noreturn]] void panic(const char* what, const char* file, int line) noexcept override {
    plurix::panic(what, file, line);
  }

  void note_start(const StartState& start) noexcept { start_ = start; }

 private:
  static constexpr std::uint64_t kLocalBase = 0x5800'0000'0000;
  static constexpr std::uint64_t kBetweenLocals = 0x80'0000'0000;
  static constexpr std::size_t kMostLocals = 5;
  static constexpr std::size_t kMostPrograms = baremetal::PageTableFaultSource::kMostCode - 1;

  static void bring_page(void* self, PageIndex page) noexcept {
    (void)static_cast<ResidentPart*>(self)->bring(page, 1, 1);
  }

  Parts& parts_;
  StartState start_;
  std::optional<baremetal::LazyMemory> locals_[kMostLocals];
  std::optional<baremetal::LazyMemory> variables_[kMostPrograms];
};

}  // namespace plurix::kernel
