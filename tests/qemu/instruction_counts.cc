// Counts the instructions of what a node does most. Under QEMU's `-icount shift=0` the time stamp
// counter advances by one with each instruction, whatever the host does.
#include <gtest/gtest.h>
#include <plurix/commit/first_wins.h>

#include <plurix/baremetal/node.h>

#include "support/test_machine.h"

namespace plurix::baremetal {
namespace {

using TestNode = BasicNode<NoNetwork, FirstWins>;

constexpr std::uint32_t kPages = 1'024;

struct World {
  Machine& machine = qemu_test::machine();
  NodeConfig config{.core = {.geometry = {.pages = kPages}}};
  PageTableFaultSource faults{machine.memory, config.core.geometry};
  InterruptSleep sleep{machine.clock, machine.alarm};
  NoNetwork net{sleep};
  NullTraceSink trace;
  TestNode node{machine, config, faults, net, trace};
};

struct Pages {
  long words[4 * kPageSize / sizeof(long)];
};
struct Holder {
  Link<Array<long>> link;
  long word;
};

template <class Work>
std::uint64_t count(Work work) {
  const auto before = time_stamp_counter();
  std::atomic_signal_fence(std::memory_order_seq_cst);
  work();
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return time_stamp_counter() - before;
}

// The second of two, so that what is done only once is not in it.
template <class Work>
void tell(Machine& machine, const char* what, Work work) {
  const auto nothing = count([] {});
  (void)count(work);
  machine.say(Text() << what << " " << count(work) - nothing << "\n");
}

// A plain store to a page that others may have: a trap, a shadow image, a right.
void tell_shadow_fault(Machine& machine, TestNode::Core& node, PageTableFaultSource& faults) {
  const auto pages = node.run([](Transaction& t) {
    const auto object = t.root<Pages>("pages");
    for (auto& word : object.mut()->words) word = 1;
    return object.offset();
  });
  node.run([&](Transaction&) {
    auto* at = faults.view() + pages;
    tell(machine, "shadow_fault", [&] {
      *reinterpret_cast<volatile long*>(at) = 2;
      at += kPageSize;
    });
  });
}

void tell_begin(Machine& machine, TestNode::Core& node) {
  std::uint64_t begun = 0;
  for (int i = 0; i < 2; ++i) {
    const auto before = time_stamp_counter();
    node.run([&](Transaction&) { begun = time_stamp_counter() - before; });
  }
  machine.say(Text() << "begin " << begun << "\n");
}

TEST(Instructions, OfWhatANodeDoesMost) {
  alignas(World) static constinit std::byte storage[sizeof(World)];
  auto& world = *std::construct_at(reinterpret_cast<World*>(storage));
  auto& machine = world.machine;
  auto& node = world.node.core();
  disable_line(kTimerLine);
  node.found();
  tell_shadow_fault(machine, node, world.faults);
  tell_begin(machine, node);
  node.run([](Transaction& t) { t.root<Holder>("holder").mut()->link = t.make_array<long>(8); });

  auto& faults = world.faults;
  PageIndex page = 900;
  faults.protect(0, kPages, Rights::kNone);
  const auto touch = [&] {
    (void)*static_cast<volatile std::byte*>(faults.view() + std::size_t{page} * kPageSize);
  };
  faults.on_fault({[](void* source, PageIndex at, Access) noexcept {
                     static_cast<PageTableFaultSource*>(source)->protect(at, 1, Rights::kRead);
                     return FaultVerdict::kResume;
                   },
                   &faults});
  tell(machine, "map_fault", [&] {
    faults.protect(page, 1, Rights::kNone);
    touch();
  });

  tell(machine, "empty_transaction", [&] { node.run([](Transaction&) {}); });
  const auto holder = node.run([](Transaction& t) { return t.root<Holder>("holder").offset(); });
  tell(machine, "read_a_word",
       [&] { (void)node.run([&](Transaction& t) { return t.at<Holder>(holder)->word; }); });
  tell(machine, "commit_a_word",
       [&] { node.run([&](Transaction& t) { ++t.at<Holder>(holder).mut()->word; }); });
  node.run([&](Transaction& t) {
    (void)t.make<Holder>();
    tell(machine, "allocate_64_bytes", [&] { (void)t.make_array<char>(24); });
    auto object = t.make<Holder>();
    auto target = t.at<Holder>(holder)->link.ref();
    tell(machine, "store_a_link", [&] { object.mut()->link = target; });
  });
}

}  // namespace
}  // namespace plurix::baremetal
