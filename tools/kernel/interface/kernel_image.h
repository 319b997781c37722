// KernelImage: the beginning of the kernel's part that lives in the heap. It is one object there,
// an array of bytes that is linked for this place and put there by the first machine; every other
// machine fetches its pages like those of any object, and runs them.
#pragma once

#include <plurix/transaction.h>

#include <algorithm>
#include <iterator>
#include <span>

#include "interface/boundary_types.h"
#include "interface/resident.h"

namespace plurix::kernel {

/// Where the image stands in every heap, and at most how large it is. The linker is told the same.
inline constexpr PageIndex kKernelPage = 1024;
inline constexpr std::uint32_t kMostKernelPages = 512;
inline constexpr std::uint64_t kKernelBase = kDefaultHeapBase + kKernelPage * kPageSize;
static_assert(kKernelBase == 0x5500'0040'0000, "BASE in tools/CMakeLists.txt");

/// What the code in the heap has of its own on each machine: variables. Zero at first.
inline constexpr std::uint64_t kKernelLocalBase = kDefaultHeapBase - (std::uint64_t{2} << 20);
static_assert(kKernelLocalBase == 0x54ff'ffe0'0000, "LOCAL in tools/CMakeLists.txt");

/// Its name in the heap.
inline constexpr std::string_view kKernelName = "system/kernel";

inline constexpr BoundaryType kBoundaryTypes[] = {
    boundary_interface<Resident, &Resident::machine, &Resident::protocol, &Resident::counters,
                       &Resident::card, &Resident::start, &Resident::local_memory,
                       &Resident::transact, &Resident::serve, &Resident::leave, &Resident::bring,
                       &Resident::hold_code, &Resident::bring_whole_kernel, &Resident::panic>(),
    boundary_struct<Body>(),
    boundary_struct<BodyEnd>(),
    boundary_struct<CardState>(),
    boundary_struct<StartState>(),
    boundary_struct<Verdict>(),
    boundary_type<Transaction>(),
    boundary_struct<TransactionHost>(),
    boundary_type<ProtocolCore>(),
    boundary_type<CoreContext>(),
    boundary_struct<NodeCounters>(),
    boundary_type<baremetal::Machine>(),
    boundary_type<baremetal::BootInfo>(),
    boundary_type<baremetal::TscClock>(),
};

/// The first of the types that this program was compiled with otherwise; empty: none.
inline std::string_view disagreement(std::span<const BoundaryType> theirs) noexcept {
  for (const auto& type : theirs) {
    const auto same = [&](const BoundaryType& own) { return own.hash == type.hash; };
    if (!std::any_of(std::begin(kBoundaryTypes), std::end(kBoundaryTypes), same)) return type.name;
  }
  return theirs.size() == std::size(kBoundaryTypes) ? "" : "list of types";
}

/// How putting the kernel into the heap went.
enum class Installed : std::uint8_t { kDone, kAnotherIsThere, kNoRoom };

/// Both functions are the heap's. `install` runs from this machine's copy before there is another.
struct KernelImage {
  static constexpr std::uint64_t kMagic = 0x314c4e524b585250;  // "PRXKRNL1"

  const void* length = nullptr;  ///< bytes behind this number: an array's count, by the linker
  std::uint64_t magic = kMagic;
  std::uint64_t heap_format = HeapGeometry{}.format;
  const std::byte* local_end = nullptr;
  std::span<const BoundaryType> types;
  Installed (*install)(Resident& resident, std::span<const std::byte> image) noexcept = nullptr;
  bool (*run)(Resident& resident) noexcept = nullptr;  ///< until the machine is to stop; all well?

  std::uint64_t bytes() const noexcept {
    return sizeof length + reinterpret_cast<std::uintptr_t>(length);
  }
  std::uint32_t pages() const noexcept { return heap::pages_for(bytes()); }
};

/// The beginning of a program that stands in the heap beside the kernel, linked for a place of its
/// own. Like the kernel it is an array of bytes, under kPrograms.
struct ProgramImage {
  static constexpr std::uint64_t kMagic = 0x31474f5250585250;  // "PRXPROG1"

  const void* length = nullptr;
  std::uint64_t magic = kMagic;
  const std::byte* local_begin = nullptr;
  const std::byte* local_end = nullptr;
  std::span<const BoundaryType> types;
  const ProgramImage* place = nullptr;  ///< where it is linked for
  /// Does its work and leaves one line of JSON. May be called again.
  void (*run)(Resident& resident, baremetal::Text& answer) noexcept = nullptr;

  std::uint64_t bytes() const noexcept {
    return sizeof length + reinterpret_cast<std::uintptr_t>(length);
  }
};
inline constexpr std::string_view kPrograms = "programs/";

}  // namespace plurix::kernel
