// A hosted node with each fault source, and a peer that gets in its way.
#include "cluster/peer.h"

#include <plurix/posix/environment_error.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>
#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "support/sanitizers.h"

namespace plurix {
namespace {

using posix::FaultSourceKind;
using testing::Peer;

struct Word {
  std::int64_t value = 0;
};

/// Two pages: a chain of plain pointers through them is followed in the view.
struct Buffer {
  char bytes[2 * kPageSize] = {};
};

/// To be judged when committed: an attempt that is taken back may have seen less.
std::array<char, 14> copy_of(const char* bytes) {
  std::array<char, 14> copy;
  std::memcpy(copy.data(), bytes, copy.size());
  return copy;
}

void add(posix::Node& node, const char* name, std::int64_t amount) {
  node.run([&](Transaction& t) { t.root<Word>(name).mut()->value += amount; });
}

std::int64_t read(posix::Node& node, const char* name) {
  const auto outcome =
      node.read_only(Freshness::kLatest, [&](Transaction& t) { return t.root<Word>(name)->value; });
  return outcome.value.value_or(-1);
}

// Without a system call, so that only an interrupt can end it. The compiler must keep it.
void spin_while(const std::atomic<bool>& flag) {
  while (flag.load(std::memory_order_relaxed)) asm volatile("" ::: "memory");
}

// Reads again and again: the attempt leaves its body in here as soon as its node knows that it
// must.
template <class Read>
void until_aborted(Read read) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (read() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

class HostedNode : public ::testing::TestWithParam<FaultSourceKind> {
 protected:
  void SetUp() override {
    if (GetParam() == FaultSourceKind::kUserfaultfd) {
      const auto why = posix::UffdFaultSource::why_unavailable();
      if (!why.empty()) GTEST_SKIP() << why;
    }
  }

  posix::NodeOptions options() const {
    auto options = Peer::options(peer.address());
    options.fault_source = GetParam();
    return options;
  }

  Peer peer;
};

INSTANTIATE_TEST_SUITE_P(EveryFaultSource, HostedNode,
                         ::testing::Values(FaultSourceKind::kSigsegv, FaultSourceKind::kUserfaultfd,
                                           FaultSourceKind::kSoftware),
                         [](const auto& kind) { return std::string(to_string(kind.param)); });

TEST_P(HostedNode, SharesWhatItAndItsPeerWrite) {
  posix::Node here(options());
  for (int i = 0; i < 100; ++i) {
    add(here, "word", 1);
    peer.run([](posix::Node& there) { add(there, "word", 1); });
  }
  EXPECT_EQ(read(here, "word"), 200);
}

// Its page's address is translated once.
TEST_P(HostedNode, ReadsAnObjectWhereItWritesIt) {
  posix::Node here(options());
  here.run([](Transaction& t) {
    const auto word = t.root<Word>("word");
    const auto* before = &word->value;
    EXPECT_EQ(before, &word.mut()->value);
    EXPECT_EQ(before, &word->value);
  });
}

TEST_P(HostedNode, ReadsAndWritesThroughPlainPointers) {
  posix::Node here(options());
  peer.run([](posix::Node& there) {
    there.run([](Transaction& t) {
      std::strcpy(t.root<Buffer>("buffer").mut()->bytes + kPageSize, "from the peer");
    });
  });
  const auto from_there = here.run([](Transaction& t) {
    const auto buffer = t.root<Buffer>("buffer");
    const auto seen = copy_of(t.raw(buffer)->bytes + kPageSize);
    std::strcpy(t.raw_mut(buffer)->bytes, "from here");
    return seen;
  });
  EXPECT_STREQ(from_there.data(), "from the peer");
  peer.run([](posix::Node& there) {
    const auto from_here =
        there.run([](Transaction& t) { return copy_of(t.root<Buffer>("buffer")->bytes); });
    EXPECT_STREQ(from_here.data(), "from here");
  });
}

TEST_P(HostedNode, OpensAllOfAnArrayForThePlainPointer) {
  constexpr std::size_t kBytes = 100'000;
  posix::Node here(options());
  const auto count = here.run([](Transaction& t) {
    const auto text = t.make_array<char>(kBytes);
    auto* bytes = reinterpret_cast<char*>(t.raw_mut(text)) + String::kFirst;
    const int zeros = ::open("/dev/zero", O_RDONLY);
    const auto read = ::read(zeros, bytes, kBytes);
    ::close(zeros);
    return read;
  });
  EXPECT_EQ(count, static_cast<ssize_t>(kBytes));
}

TEST_P(HostedNode, GivesNoPlainPointerToWhatANullRefLeadsTo) {
  posix::Node here(options());
  EXPECT_THROW(here.run([](Transaction& t) { (void)t.raw(t.find<Word>("nowhere")); }), Misuse);
  EXPECT_THROW(here.run([](Transaction& t) { t.raw_mut(t.find<Word>("nowhere"))->value = 1; }),
               Misuse);
}

TEST_P(HostedNode, SaysWhyItStopsTheProcess) {
  // A child has no pages of its parent's heap, so it has a node of its own.
  const auto die = [this] {
    auto alone = options();
    alone.cluster += "-alone";
    alone.found = posix::Founding::kAlways;
    posix::Node here(alone);
    here.run([](Transaction& t) { return t.find<Word>("nowhere")->value; });
  };
  EXPECT_DEATH(die(), "plurix: panic: transaction_ != nullptr");
}

TEST_P(HostedNode, RefusesWritesInAReadOnlyTransaction) {
  posix::Node here(options());
  add(here, "word", 1);
  const auto word = [](Transaction& t) { return t.find<Word>("word"); };
  const auto read_only = [&here](auto body) {
    (void)here.read_only(Freshness::kLatest, [&body](Transaction& t) { body(t); });
  };
  EXPECT_THROW(read_only([&](Transaction& t) { word(t).mut()->value = 2; }), Misuse);
  EXPECT_THROW(read_only([&](Transaction& t) { t.raw_mut(word(t))->value = 3; }), Misuse);
  EXPECT_THROW(read_only([&](Transaction& t) { t.make<Word>(4); }), Misuse);
  EXPECT_EQ(read(here, "word"), 1);
}

TEST_P(HostedNode, FollowsPlainPointersToPagesItDoesNotHave) {
  if (GetParam() == FaultSourceKind::kSoftware) GTEST_SKIP() << "nothing traps";
  posix::Node here(options());
  peer.run([](posix::Node& there) { add(there, "far", 7); });
  const auto far = here.run([](Transaction& t) { return t.find<Word>("far").offset(); });
  peer.run([](posix::Node& there) { add(there, "far", 1); });
  const auto seen = here.run([&](Transaction& t) {
    // Only page 0 is announced; the other page traps.
    const auto* base = reinterpret_cast<const std::byte*>(t.raw(t.at<Word>(0)));
    return reinterpret_cast<const Word*>(base + far)->value;
  });
  EXPECT_EQ(seen, 8);
}

// What it had once and was taken away since traps again, many scattered pages as well as one.
TEST_P(HostedNode, FollowsPlainPointersToWhatOthersHaveWrittenSince) {
  if (GetParam() == FaultSourceKind::kSoftware) GTEST_SKIP() << "nothing traps";
  constexpr int kWords = 20;
  posix::Node here(options());
  const auto add_to_all = [this](std::int64_t amount) {
    peer.run([amount](posix::Node& there) {
      for (int word = 0; word < kWords; word += amount == 1 ? 3 : 1) {
        add(there, ("far" + std::to_string(word)).c_str(), amount);
        there.run([](Transaction& t) { t.make<Buffer>(); });  // so that it is on a page of its own
      }
    });
  };
  add_to_all(7);
  const auto offsets = here.run([](Transaction& t) {
    std::array<heap::Offset, kWords> found;
    for (int word = 0; word < kWords; ++word) {
      found[word] = t.find<Word>(("far" + std::to_string(word)).c_str()).offset();
    }
    return found;
  });
  for (std::int64_t round = 0; round < 4; ++round) {
    const auto seen = here.run([&](Transaction& t) {
      const auto* base = reinterpret_cast<const std::byte*>(t.raw(t.at<Word>(0)));
      std::array<std::int64_t, kWords> values;
      for (int word = 0; word < kWords; ++word) {
        values[word] = reinterpret_cast<const Word*>(base + offsets[word])->value;
      }
      return values;
    });
    for (int word = 0; word < kWords; ++word) {
      EXPECT_EQ(seen[word], word % 3 == 0 ? 7 + round : 7) << "word " << word << " of " << round;
    }
    add_to_all(1);
  }
}

TEST_P(HostedNode, LetsTheKernelWriteIntoAPinnedObject) {
  posix::Node here(options());
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const auto size = here.run([&](Transaction& t) {
    EXPECT_EQ(::write(ends[1], "by the kernel", 14), 14);
    return ::read(ends[0], t.raw_mut(t.root<Buffer>("buffer"))->bytes + kPageSize - 5, 14);
  });
  EXPECT_EQ(size, 14);
  peer.run([](posix::Node& there) {
    const auto seen = there.run(
        [](Transaction& t) { return copy_of(t.root<Buffer>("buffer")->bytes + kPageSize - 5); });
    EXPECT_STREQ(seen.data(), "by the kernel");
  });
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_P(HostedNode, StopsADoomedAttemptThatLoopsWithoutTouchingTheHeap) {
  if (testing::kRuntimeInProgram) GTEST_SKIP() << "no body is cut in a sanitizer's runtime";
  posix::Node here(options());
  add(here, "word", 1);
  std::atomic<bool> forever = true;
  int runs = 0;
  volatile int* count = &runs;
  const auto seen = here.run([&](Transaction& t) {
    *count = *count + 1;
    const auto value = t.root<Word>("word")->value;
    if (*count == 1) {
      peer.start([](posix::Node& there) { add(there, "word", 10); });
      spin_while(forever);
    }
    return value;
  });
  EXPECT_EQ(seen, 11);
  EXPECT_GE(here.counters().bodies_cut, 1U);
  peer.wait();
}

TEST_P(HostedNode, AnswersWhileItsApplicationComputes) {
  NEEDS_PROMPT_SIGNALS();
  posix::Node here(options());
  add(here, "word", 1);
  std::atomic<bool> computing = true;
  peer.start([&](posix::Node& there) {
    add(there, "word", 1);
    computing = false;
  });
  spin_while(computing);  // for ever if it does not answer
  peer.wait();
  EXPECT_EQ(read(here, "word"), 2);
}

TEST_P(HostedNode, AnswersWhileItsApplicationSleeps) {
  posix::Node here(options());
  add(here, "word", 1);
  std::atomic<bool> answered = false;
  peer.start([&](posix::Node& there) {
    add(there, "word", 1);
    answered = true;
  });
  for (int i = 0; i < 2 && !answered; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
  EXPECT_TRUE(answered);
  peer.wait();
}

TEST_P(HostedNode, TellsAUserExceptionAndForgetsWhatTheBodyWrote) {
  posix::Node here(options());
  add(here, "word", 1);
  const auto body = [](Transaction& t) {
    t.root<Word>("word").mut()->value = 99;
    throw std::runtime_error("the user's own");
  };
  try {
    here.run(body);
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "the user's own");
  }
  EXPECT_EQ(read(here, "word"), 1);
}

TEST_P(HostedNode, RunsDestructorsOfAnAbortedBody) {
  posix::Node here(options());
  add(here, "word", 1);
  int alive = 0;
  int made = 0;
  struct Guard {
    explicit Guard(int& count) : alive(count) { ++alive; }
    ~Guard() { --alive; }
    int& alive;
  };
  const auto seen = here.run([&](Transaction& t) {
    const Guard guard(alive);
    const std::string text(100, 'x');  // would leak, too
    const auto word = t.root<Word>("word");
    const auto first = word->value;
    if (++made == 1) {
      peer.run([](posix::Node& there) { add(there, "word", 10); });
      // A reader may be of the time before that commit until this node has heard of it.
      until_aborted([&] { return word->value == first; });
    }
    return std::pair(first, word->value);
  });
  EXPECT_EQ(seen, std::pair(std::int64_t{11}, std::int64_t{11}));
  EXPECT_EQ(alive, 0);
  EXPECT_GE(made, 2);
}

TEST_P(HostedNode, HooksRunOnceForTheOutcome) {
  posix::Node here(options());
  int committed = 0;
  int undone = 0;
  const auto refused = here.try_run([&](Transaction& t) {
    t.on_commit([&] { ++committed; });
    t.undo([&] { ++undone; });
    return t.cancel("not today");
  });
  EXPECT_TRUE(refused.cancelled());
  EXPECT_STREQ(refused.reason, "not today");
  here.run([&](Transaction& t) {
    t.on_commit([&] { ++committed; });
    t.undo([&] { ++undone; });
  });
  EXPECT_EQ(committed, 1);
  EXPECT_EQ(undone, 1);
}

TEST_P(HostedNode, SleepsUntilWhatItHasReadChanges) {
  posix::Node here(options());
  peer.start([](posix::Node& there) {
    there.serve(there.now() + milliseconds(20));
    add(there, "word", 5);
  });
  int runs = 0;
  const auto outcome = here.try_run([&](Transaction& t) {
    ++runs;
    return t.root<Word>("word")->value == 5 ? t.commit() : t.wait_for_change();
  });
  EXPECT_TRUE(outcome.committed());
  EXPECT_LE(runs, 4);
  peer.wait();
}

TEST_P(HostedNode, StopEndsAWait) {
  posix::Node here(options());
  add(here, "word", 1);
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    here.stop();
  });
  const auto outcome = here.try_run([](Transaction& t) {
    return t.root<Word>("word")->value == 2 ? t.commit() : t.wait_for_change();
  });
  EXPECT_TRUE(outcome.unknown());
  stopper.join();
}

TEST_P(HostedNode, HandsOverItsPagesWhenItLeaves) {
  {
    posix::Node here(options());
    add(here, "word", 42);
    here.stop();  // also one that was stopped
  }
  peer.run([](posix::Node& there) { EXPECT_EQ(read(there, "word"), 42); });
}

TEST_P(HostedNode, RunsEveryBodyTwiceWhenAskedTo) {
  auto twice = options();
  twice.restart_every = 1;
  posix::Node here(twice);
  int runs = 0;
  here.run([&](Transaction& t) {
    ++runs;
    t.root<Word>("word").mut()->value += 1;
  });
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(read(here, "word"), 1);
}

TEST_P(HostedNode, LeavesForeignFaultsToTheirOwner) {
  static void* foreign = nullptr;
  static volatile int faults = 0;
  faults = 0;
  foreign = ::mmap(nullptr, kPageSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct sigaction before = {};
  struct sigaction own = {};
  own.sa_flags = SA_SIGINFO | SA_NODEFER;
  own.sa_sigaction = [](int, siginfo_t*, void*) {
    faults = faults + 1;
    ::mprotect(foreign, kPageSize, PROT_READ | PROT_WRITE);
  };
  ASSERT_EQ(::sigaction(SIGSEGV, &own, &before), 0);
  {
    posix::Node here(options());
    here.run([](Transaction& t) {
      t.root<Word>("word").mut()->value = 3;
      *static_cast<volatile char*>(foreign) = 1;
    });
    EXPECT_EQ(faults, 1);
    EXPECT_EQ(read(here, "word"), 3);
  }
  ::sigaction(SIGSEGV, &before, nullptr);
  ::munmap(foreign, kPageSize);
}

TEST_P(HostedNode, IsRefusedInWordsWhenItsHeapHasAnotherSize) {
  auto other = options();
  other.heap_bytes = std::uint64_t{2} << 20;
  try {
    const posix::Node here(other);
    FAIL() << "it was let in";
  } catch (const posix::JoinRefused& error) {
    const std::string words = error.what();
    EXPECT_NE(words.find("1 MiB"), std::string::npos) << words;
    EXPECT_NE(words.find("2 MiB"), std::string::npos) << words;
    EXPECT_NE(words.find("heap_bytes"), std::string::npos) << words;
  }
}

TEST(HostedNodes, SaySoWhenNobodyAnswers) {
  auto alone = Peer::options("127.0.0.1:9");
  alone.fault_source = FaultSourceKind::kSoftware;
  alone.join_timeout = milliseconds(200);
  try {
    const posix::Node here(alone);
    FAIL() << "it joined nobody";
  } catch (const posix::NotReachable& error) {
    EXPECT_NE(std::string(error.what()).find("127.0.0.1:9"), std::string::npos) << error.what();
  }
}

/// Loses the answers that would bring a newcomer up to date.
template <class Inner>
class LosesSyncReplies {
 public:
  explicit LosesSyncReplies(Inner& inner) : inner_(inner) {}

  void send(NodeId to, Bytes head, Bytes payload) noexcept { inner_.send(to, head, payload); }
  void broadcast(Bytes head, Bytes payload) noexcept { inner_.broadcast(head, payload); }
  void send_to(const Endpoint& to, Bytes head, Bytes payload) noexcept {
    inner_.send_to(to, head, payload);
  }
  std::size_t poll(FrameSink sink) noexcept {
    return inner_.poll({[](void* to, Bytes frame, const Endpoint& from) noexcept {
                          wire::FrameView view;
                          const bool good =
                              wire::check_frame(frame, view) == wire::DropReason::kNone;
                          if (good && view.header.type == wire::MessageType::kSyncReply) return;
                          (*static_cast<FrameSink*>(to))(frame, from);
                        },
                        &sink});
  }
  void wait(Instant until) noexcept { inner_.wait(until); }
  void set_peer(NodeId node, const Endpoint& at) noexcept { inner_.set_peer(node, at); }
  void remove_peer(NodeId node) noexcept { inner_.remove_peer(node); }
  Endpoint local_endpoint() const noexcept { return inner_.local_endpoint(); }

 private:
  Inner& inner_;
};

TEST(HostedNodes, LeaveNoMemberBehindWhenTheyCannotJoinInTime) {
  Peer peer;
  auto late = Peer::options(peer.address());
  late.fault_source = FaultSourceKind::kSoftware;
  late.join_timeout = milliseconds(100);
  using Newcomer = posix::BasicNode<Fair, NullTraceSink, LosesSyncReplies>;
  EXPECT_THROW(const Newcomer here(late), posix::NotReachable);
  peer.run([](posix::Node& there) {
    EXPECT_EQ(there.commit_time().value, 2u) << "it was never let in";
    EXPECT_EQ(there.protocol().core().peers, 0u);
  });
}

TEST(HostedNodes, RefuseOptionsThatMakeNoSense) {
  const auto start = [](auto change) {
    auto options = Peer::options({});
    change(options);
    const posix::Node node(options);
  };
  EXPECT_THROW(start([](auto& o) { o.bind = "localhost"; }), std::invalid_argument);
  EXPECT_THROW(start([](auto& o) { o.bind = "0.0.0.0:4000"; }), std::invalid_argument);
  EXPECT_THROW(start([](auto& o) { o.heap_bytes = 4096; }), std::invalid_argument);
  EXPECT_THROW(start([](auto& o) { o.cluster = ""; }), std::invalid_argument);
  EXPECT_THROW(start([](auto& o) {
                 o.heap_bytes = std::uint64_t{1} << 30;
                 o.shadow_pages = 20'000;
               }),
               std::invalid_argument);
}

TEST(HostedNodes, FindEachOtherByTheNameOfTheirCluster) {
  const auto live = [](std::int64_t* sum) {
    auto options = Peer::options({});
    options.cluster = "by-name-" + std::to_string(::getpid());
    options.bind = "";
    options.found = posix::Founding::kAuto;
    options.fault_source = FaultSourceKind::kSoftware;
    posix::Node node(options);
    add(node, "word", 1);
    while ((*sum = read(node, "word")) < 3) node.serve(node.now() + milliseconds(1));
  };
  std::int64_t sums[3] = {};
  std::thread threads[3];
  for (int i = 0; i < 3; ++i) threads[i] = std::thread(live, &sums[i]);
  for (auto& thread : threads) thread.join();
  for (const auto sum : sums) EXPECT_EQ(sum, 3);
}

TEST(HostedNodes, EightFitIntoOneProcess) {
  constexpr int kNodes = 8;
  constexpr int kRounds = 50;
  Peer founder;
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 1; i < kNodes; ++i) peers.push_back(std::make_unique<Peer>(founder.address()));
  const auto work = [](posix::Node& node) {
    for (int i = 0; i < kRounds; ++i) add(node, "word", 1);
  };
  for (auto& peer : peers) peer->start(work);
  founder.run(work);
  for (auto& peer : peers) peer->wait();
  founder.run([](posix::Node& node) { EXPECT_EQ(read(node, "word"), kNodes * kRounds); });
}

}  // namespace
}  // namespace plurix
