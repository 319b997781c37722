// The ways out of a doomed body: a page fault, the network card's interrupt, the timer. Two nodes
// in one kernel: `here` stands on the page tables, `there` on plain memory; whenever `here` looks
// at its network, `there` may commit first, which is how a collision comes to pass.
#include <gtest/gtest.h>
#include <plurix/commit/first_wins.h>
#include <plurix/local/smart_buffer.h>

#include <plurix/baremetal/node.h>
#include <plurix/baremetal/text_screen.h>

#include <cstring>
#include <memory>

#include "support/test_machine.h"

namespace plurix::baremetal {
namespace {

constexpr std::uint32_t kPages = 256;
constexpr std::uint64_t kPlainBase = 0x5900'0000'0000;
constexpr std::uint64_t kPlainStorage = 0x5980'0000'0000;
constexpr unsigned kCardLine = 5;

/// One end of a cable that loses nothing. Waiting lets the other end's node work.
class Cable {
 public:
  explicit Cable(std::byte name) noexcept { endpoint_.bytes[0] = name; }

  void connect(Cable& other, void (*let_other_work)() noexcept) noexcept {
    other_ = &other;
    let_other_work_ = let_other_work;
  }
  void before_poll(void (*call)() noexcept) noexcept { before_poll_ = call; }

  void send(NodeId, Bytes head, Bytes payload) noexcept { other_->arrive(head, payload); }
  void broadcast(Bytes head, Bytes payload) noexcept { other_->arrive(head, payload); }
  void send_to(const Endpoint&, Bytes head, Bytes payload) noexcept {
    other_->arrive(head, payload);
  }
  std::size_t poll(FrameSink sink) noexcept {
    if (before_poll_ != nullptr) before_poll_();
    std::size_t count = 0;
    for (; read_ != written_; ++count) {
      const auto& slot = slots_[read_++ % kSlots];
      sink({slot.bytes, slot.size}, other_->endpoint_);
    }
    return count;
  }
  void wait(Instant) noexcept { let_other_work_(); }
  void set_peer(NodeId, const Endpoint&) noexcept {}
  void remove_peer(NodeId) noexcept {}
  Endpoint local_endpoint() const noexcept { return endpoint_; }

 private:
  static constexpr std::size_t kSlots = 16;
  struct Slot {
    std::size_t size;
    std::byte bytes[kMaxFrame];
  };

  void arrive(Bytes head, Bytes payload) noexcept {
    if (written_ - read_ == kSlots) return;
    auto& slot = slots_[written_++ % kSlots];
    std::memcpy(slot.bytes, head.data(), head.size());
    if (!payload.empty()) std::memcpy(slot.bytes + head.size(), payload.data(), payload.size());
    slot.size = head.size() + payload.size();
  }

  Endpoint endpoint_;
  Cable* other_ = nullptr;
  void (*let_other_work_)() noexcept = nullptr;
  void (*before_poll_)() noexcept = nullptr;
  std::size_t read_ = 0;
  std::size_t written_ = 0;
  Slot slots_[kSlots];
};

class PlainMemory {
 public:
  explicit PlainMemory(PhysicalMemory& memory) noexcept
      : bytes_(memory, kPlainBase, kPages * kPageSize) {}

  std::byte* view() const noexcept { return bytes_.bytes().data(); }
  std::byte* frames() const noexcept { return bytes_.bytes().data(); }
  void protect(PageIndex, std::uint32_t, Rights) noexcept {}
  void on_fault(FaultHandler) noexcept {}
  bool traps() const noexcept { return false; }

 private:
  LazyMemory bytes_;
};

NodeConfig config(std::uint32_t incarnation) noexcept {
  NodeConfig config;
  config.core.geometry.pages = kPages;
  config.core.shadow_pages = 64;
  config.core.log_records = 256;
  config.core.log_words = 4096;
  config.core.incarnation = incarnation;
  config.runaway_grace = milliseconds(2);
  return config;
}

using Here = BasicNode<Cable, FirstWins>;
using There = plurix::Node<PlainMemory, Cable, FirstWins, TscClock>;

struct World {
  Machine& machine = qemu_test::machine();
  NullTraceSink trace;
  PageTableFaultSource faults{machine.memory, HeapGeometry{.pages = kPages}};
  Cable cable_here{std::byte{1}};
  Here here{machine, config(1), faults, cable_here, trace};

  PlainMemory plain{machine.memory};
  LazyMemory storage{machine.memory, kPlainStorage, ProtocolCore::storage_needed(config(2).core)};
  Cable cable_there{std::byte{2}};
  There there{config(2), plain, cable_there, machine.clock, trace, storage.bytes()};
};

World& world() noexcept;

void let_there_work() noexcept { (void)world().there.on_interrupt(false); }
void let_here_work() noexcept { (void)world().here.core().on_interrupt(false); }

// What the tests read and write, each on pages of its own; made and owned by `there`.
struct Data {
  long word;
  Link<Array<long>> far;
};

void form_cluster(World& w) noexcept {
  w.cable_here.connect(w.cable_there, let_there_work);
  w.cable_there.connect(w.cable_here, let_here_work);
  w.there.found();
  w.there.run([](Transaction& t) {
    auto data = t.root<Data>("data");
    data.mut()->far = t.make_array<long>(3 * kPageSize / sizeof(long));
  });
  const Endpoint seed = w.cable_there.local_endpoint();
  EXPECT_TRUE(w.here.core().join({&seed, 1}, false, w.machine.clock.now() + milliseconds(5'000)));
}

World& world() noexcept {
  alignas(World) static constinit std::byte storage[sizeof(World)];
  static constinit World* world = nullptr;
  if (world == nullptr) {
    world = reinterpret_cast<World*>(storage);
    std::construct_at(world);
    form_cluster(*world);
  }
  return *world;
}

constinit volatile bool collide_next = false;

// `there` owns the data and, having written last, the token: it commits without a word to `here`.
void change_if_wanted() noexcept {
  if (!collide_next) return;
  collide_next = false;
  world().there.run([](Transaction& t) { ++t.root<Data>("data").mut()->word; });
}

long value_there() noexcept {
  return world().there.run([](Transaction& t) { return t.root<Data>("data")->word; });
}

/// Runs a body that reads the word, lets it be changed, and in its first execution does not come
/// back from `lost`. Returns how often it ran; the value it has read last must be the new one.
template <class Lost>
int executions_until_left(Lost lost) noexcept {
  const auto before = value_there();
  static constinit volatile int executions = 0;
  executions = 0;
  const auto read = world().here.core().run([&](Transaction& t) {
    executions = executions + 1;
    const auto* data = t.raw(t.root<Data>("data"));
    const auto* far =
        reinterpret_cast<const long*>(kDefaultHeapBase + data->far.target() + 2 * kPageSize);
    if (executions == 1) {
      collide_next = true;
      lost(far);
      EXPECT_FALSE("the body went on");
    }
    return data->word;
  });
  EXPECT_EQ(read, before + 1);
  return executions;
}

TEST(Restart, FromTheTimerInALoopThatTouchesNothing) {
  auto& w = world();
  w.cable_here.before_poll(change_if_wanted);
  const auto cut = w.here.core().counters().bodies_cut;
  EXPECT_EQ(executions_until_left([](const long*) {
              for (;;) asm volatile("pause");
            }),
            2);
  EXPECT_EQ(w.here.core().counters().bodies_cut, cut + 1);
}

TEST(Restart, FromTheCardsInterrupt) {
  auto& w = world();
  w.here.attach_card(kCardLine, [](void*) noexcept {}, nullptr);
  disable_line(kTimerLine);
  const auto interrupts = w.here.core().counters().interrupts;
  EXPECT_EQ(executions_until_left([](const long*) {
              for (;;) asm volatile("int %0" : : "i"(vector_of_line(kCardLine)) : "memory");
            }),
            2);
  EXPECT_GT(w.here.core().counters().interrupts, interrupts);
  enable_line(kTimerLine);
  w.machine.alarm.set(milliseconds(1));
}

TEST(Restart, FromAPageFault) {
  auto& w = world();
  const auto faults = w.here.core().counters().faults;
  EXPECT_EQ(executions_until_left([](const long* far) {
              asm volatile("int %0" : : "i"(vector_of_line(kCardLine)) : "memory");
              (void)*const_cast<const volatile long*>(far);
            }),
            2);
  EXPECT_GT(w.here.core().counters().faults, faults);
}

/// A device that must be told a, b, c, …
struct Alphabet {
  std::size_t told = 0;
  bool right = true;

  static char letter(std::size_t i) noexcept { return static_cast<char>('a' + i % 26); }
  void write(std::string_view bytes) noexcept {
    for (const char byte : bytes) right = right && byte == letter(told++);
  }
};

/// Never returns from a doomed body: left by a page fault, by the card's interrupt, by the timer.
void get_lost(int way, const long* far) noexcept {
  asm volatile("int %0" : : "i"(vector_of_line(kCardLine)) : "memory");
  if (way == 1) (void)*const_cast<const volatile long*>(far);
  while (way == 2) asm volatile("int %0" : : "i"(vector_of_line(kCardLine)) : "memory");
  for (;;) asm volatile("pause");
}

TEST(Drivers, SayAndTakeEverythingOnceUnderHeavyAborts) {
  constexpr std::size_t kTransactions = 60;
  auto& w = world();
  w.cable_here.before_poll(change_if_wanted);
  static constinit std::uint16_t cells[TextScreen::kColumns * TextScreen::kRows] = {};
  TextScreen screen(cells);
  Alphabet device;
  OutputBuffer<Alphabet, 4> output(device);
  InputBuffer<char, 64> input;
  static constinit volatile int executions = 0;
  for (std::size_t i = 0; i < kTransactions; ++i) {
    const auto aborts = static_cast<int>(i % 4);
    EXPECT_TRUE(input.push(Alphabet::letter(i)));
    executions = 0;
    w.here.core().run([&](Transaction& t) {
      executions = executions + 1;
      const auto* data = t.raw(t.root<Data>("data"));
      const auto* far =
          reinterpret_cast<const long*>(kDefaultHeapBase + data->far.target() + 2 * kPageSize);
      EXPECT_EQ(screen.at(1, 0), ' ');
      t.use(screen).draw(executions > aborts ? 0 : 1, 0, executions > aborts ? "kept" : "lost");
      const char letter = t.use(input).read().value_or('?');
      EXPECT_TRUE(t.use(output).write({&letter, 1}));
      EXPECT_EQ(device.told, i);
      if (executions > aborts) return;
      collide_next = true;
      get_lost(executions, far);
    });
    EXPECT_EQ(executions, aborts + 1);
    EXPECT_EQ(screen.at(0, 0), 'k');
    EXPECT_EQ(screen.at(1, 0), ' ');
  }
  EXPECT_TRUE(device.right);
  EXPECT_EQ(device.told, kTransactions);
  EXPECT_FALSE(input.read().has_value());
}

TEST(Restart, LeavesTheHeapAndTheInterruptsAsTheyWere) {
  EXPECT_TRUE(interrupts_enabled());
  world().cable_here.before_poll(nullptr);
  world().here.core().run([](Transaction& t) { t.root<Data>("data").mut()->word = 1'000; });
  EXPECT_EQ(value_there(), 1'000);
}

}  // namespace
}  // namespace plurix::baremetal
