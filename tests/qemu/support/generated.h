// A thousand transactions drawn from a seed, and a number that stands for all bytes of the heap
// afterwards. In a kernel and in the simulator it must be the same one.
#pragma once

#include <plurix/base/page.h>
#include <plurix/base/prng.h>
#include <plurix/transaction.h>

namespace plurix::qemu_test {

inline constexpr std::uint64_t kGeneratedSeed = 2026;
inline constexpr unsigned kGeneratedTransactions = 1'000;
inline constexpr std::uint32_t kGeneratedPages = 2'048;

struct Thing {
  long value = 0;
  Link<Thing> next;
  Link<Thing> other;
};
inline constexpr std::size_t kSlots = 32;
struct Shelf {
  Link<Thing> slots[kSlots];
  Link<Array<long>> large;
  long changes;
};

/// What one transaction does; drawn before it runs, because it may run again.
struct Plan {
  std::uint64_t kind;
  std::size_t slot;
  std::size_t other;
  long value;
};

inline Plan draw_plan(Prng& prng) noexcept {
  return {prng.below(7), prng.below(kSlots), prng.below(kSlots),
          static_cast<long>(prng.below(1'000'000))};
}

inline void put(Transaction& t, const Ref<Shelf>& shelf, const Plan& plan) {
  auto thing = t.make<Thing>();
  thing.mut()->value = plan.value;
  thing.mut()->next = shelf->slots[plan.slot];
  shelf.mut()->slots[plan.slot] = thing;
}

inline void change(Transaction& t, const Ref<Shelf>& shelf, const Plan& plan) {
  if (!shelf->slots[plan.slot]) return put(t, shelf, plan);
  auto thing = shelf->slots[plan.slot].ref();
  switch (plan.kind) {
    case 1:
      shelf.mut()->slots[plan.slot] = thing->next;
      break;
    case 2:
      thing.mut()->value += plan.value;
      break;
    case 3:
      thing.mut()->other = shelf->slots[plan.other];
      break;
    case 4:
      (void)t.relocate(thing);
      break;
    case 5:
      t.replace("generated/names/newest", thing);
      break;
    default:
      shelf.mut()->large = t.make_array<long>(512 + plan.value % 1'024);
      shelf->large.ref()[plan.slot].mut()[0] = plan.value;
      break;
  }
}

template <class Node>
void run_generated(Node& node) {
  Prng prng(kGeneratedSeed);
  for (unsigned i = 0; i < kGeneratedTransactions; ++i) {
    const auto plan = draw_plan(prng);
    node.run([&](Transaction& t) {
      auto shelf = t.root<Shelf>("generated/shelf");
      ++shelf.mut()->changes;
      plan.kind == 0 ? put(t, shelf, plan) : change(t, shelf, plan);
    });
  }
}

inline std::uint64_t digest_of(const std::byte* frames) noexcept {
  std::uint64_t digest = 0;
  const auto* words = reinterpret_cast<const std::uint64_t*>(frames);
  for (std::size_t i = 0; i < kGeneratedPages * kPageSize / sizeof *words; ++i) {
    digest = (digest ^ words[i]) * 0x9e3779b97f4a7c15;
    digest ^= digest >> 29;
  }
  return digest;
}

}  // namespace plurix::qemu_test
