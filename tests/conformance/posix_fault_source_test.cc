// The hosted fault sources against the common suite, and what only a process with signals can do.
#include <plurix/conformance/fault_source_suite.h>

#include <plurix/posix/alternate_stack.h>
#include <plurix/posix/environment_error.h>
#include <plurix/posix/hosted_fault_source.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <array>
#include <csetjmp>
#include <csignal>

namespace plurix::testing {

using namespace conformance;
namespace {

using posix::FaultSourceKind;
using posix::HostedFaultSource;
using posix::SharedRegion;

#if defined(__has_feature)
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_THREAD__) || HAS_FEATURE(thread_sanitizer)
constexpr bool kThreadSanitizer = true;
#else
constexpr bool kThreadSanitizer = false;
#endif

template <FaultSourceKind kKind, std::uint32_t kPageCount = 256>
struct PosixWorld {
  static constexpr std::uint32_t kPages = kPageCount;
  static constexpr FaultSourceKind kSourceKind = kKind;

  static std::string why_unavailable() {
    return kKind == FaultSourceKind::kUserfaultfd ? posix::UffdFaultSource::why_unavailable()
                                                  : std::string();
  }

  static std::string why_no_restart() {
    return kThreadSanitizer ? "ThreadSanitizer loses track when a signal handler is left"
                            : std::string();
  }

  PosixWorld() {
    source_.on_restart(
        {[](void* self) noexcept { std::longjmp(static_cast<PosixWorld*>(self)->start_, 1); },
         this});
  }

  HostedFaultSource& source() { return source_; }

  std::byte* application_address(PageIndex page, std::size_t offset = 0) {
    return source_.view() + std::size_t{page} * kPageSize + offset;
  }
  std::byte read(PageIndex page, std::size_t offset) {
    source_.check(page, Access::kRead);
    return *const_cast<volatile std::byte*>(application_address(page, offset));
  }
  void write(PageIndex page, std::size_t offset, std::byte value) {
    source_.check(page, Access::kWrite);
    *const_cast<volatile std::byte*>(application_address(page, offset)) = value;
  }

  template <class Body>
  bool attempt(Body body) {
    if (setjmp(start_) != 0) return false;
    body();
    return true;
  }

 private:
  posix::AlternateStack stack_;
  SharedRegion region_{HeapGeometry{.pages = kPages}, posix::region_kind_for(kKind)};
  HostedFaultSource source_{region_, kKind};
  std::jmp_buf start_ = {};
};

using SigsegvWorld = PosixWorld<FaultSourceKind::kSigsegv>;
using UffdWorld = PosixWorld<FaultSourceKind::kUserfaultfd>;
using SoftwareWorld = PosixWorld<FaultSourceKind::kSoftware>;

INSTANTIATE_TYPED_TEST_SUITE_P(Sigsegv, FaultSourceSuite, SigsegvWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(Userfaultfd, FaultSourceSuite, UffdWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(Software, FaultSourceSuite, SoftwareWorld);

// ---- the sources that trap ----

template <class World>
class TrappingFaultSource : public FaultSourceSuite<World> {};
using TrappingWorlds = ::testing::Types<SigsegvWorld, UffdWorld>;
TYPED_TEST_SUITE(TrappingFaultSource, TrappingWorlds);

struct Descriptor {
  int fd;
  ~Descriptor() { ::close(fd); }
};

TYPED_TEST(TrappingFaultSource, TheKernelMayWriteIntoAPageOnceItIsOpen) {
  const Descriptor zeros{::open("/dev/zero", O_RDONLY | O_CLOEXEC)};
  this->frame(40) = std::byte{0xff};
  std::byte* page = this->world().application_address(40);
  EXPECT_EQ(::read(zeros.fd, page, 64), -1);
  EXPECT_EQ(errno, EFAULT);
  this->source().protect(40, 1, Rights::kRead);
  EXPECT_EQ(::read(zeros.fd, page, 64), -1);
  EXPECT_EQ(errno, EFAULT);
  this->source().protect(40, 1, Rights::kWrite);
  EXPECT_EQ(::read(zeros.fd, page, 64), 64);
  EXPECT_EQ(this->frame(40), std::byte{0});
  EXPECT_EQ(this->faults().count(), 0U);
}

// As under memory pressure: the entry goes, the rights do not.
TYPED_TEST(TrappingFaultSource, APageTheKernelTookAwayComesBackUnnoticed) {
  for (const auto rights : {Rights::kRead, Rights::kWrite}) {
    this->frame(43) = std::byte{3};
    this->source().protect(43, 1, rights);
    ASSERT_EQ(::madvise(this->world().application_address(43), kPageSize, MADV_DONTNEED), 0);
    EXPECT_EQ(this->world().read(43, 0), std::byte{3});
    EXPECT_EQ(this->faults().count(), 0U);
  }
  this->world().write(43, 0, std::byte{4});
  EXPECT_EQ(this->faults().count(), 0U);
  this->source().protect(43, 1, Rights::kRead);
  this->world().write(43, 0, std::byte{5});
  EXPECT_EQ(this->faults().count(), 1U);
}

TYPED_TEST(TrappingFaultSource, ErrnoSurvivesAFault) {
  errno = 77;
  this->world().write(41, 0, std::byte{1});
  EXPECT_EQ(errno, 77);
}

TYPED_TEST(TrappingFaultSource, AFaultDoesNotChangeTheSignalMask) {
  if (const auto why = TypeParam::why_no_restart(); !why.empty()) GTEST_SKIP() << why;
  sigset_t before;
  sigset_t after;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  this->faults().answer(FaultVerdict::kRestart);
  EXPECT_FALSE(this->world().attempt([&] { this->world().read(42, 0); }));
  ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (int signal = 1; signal < SIGRTMAX; ++signal) {
    EXPECT_EQ(::sigismember(&before, signal), ::sigismember(&after, signal)) << signal;
  }
}

// ---- faults that are not ours ----

volatile std::sig_atomic_t g_foreign_faults = 0;
std::byte* g_foreign_page = nullptr;

void open_foreign_page(int, siginfo_t* info, void*) {
  if (info->si_addr != g_foreign_page) std::abort();
  g_foreign_faults = g_foreign_faults + 1;
  ::mprotect(g_foreign_page, kPageSize, PROT_READ | PROT_WRITE);
}

class ForeignPage {
 public:
  ForeignPage() {
    g_foreign_page = static_cast<std::byte*>(
        ::mmap(nullptr, kPageSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    g_foreign_faults = 0;
  }
  ~ForeignPage() { ::munmap(g_foreign_page, kPageSize); }
  ForeignPage(const ForeignPage&) = delete;
  ForeignPage& operator=(const ForeignPage&) = delete;

  static void touch() { *const_cast<volatile std::byte*>(g_foreign_page) = std::byte{1}; }
};

TEST(ForeignFault, ReachesTheHandlerThatWasThereBefore) {
  struct sigaction foreign = {};
  foreign.sa_sigaction = open_foreign_page;
  foreign.sa_flags = SA_SIGINFO;
  struct sigaction before;
  ASSERT_EQ(::sigaction(SIGSEGV, &foreign, &before), 0);
  const ForeignPage page;
  {
    SigsegvWorld world;
    RecordingHandler handler(world.source());
    ForeignPage::touch();
    EXPECT_EQ(g_foreign_faults, 1);
    world.write(1, 0, std::byte{1});
    EXPECT_EQ(handler.count(), 1U);
    EXPECT_EQ(g_foreign_faults, 1);
  }
  struct sigaction after;
  ::sigaction(SIGSEGV, &before, &after);
  EXPECT_EQ(after.sa_sigaction, open_foreign_page) << "the handler was not put back";
}

TEST(ForeignFaultDeathTest, KillsTheProcessWithItsOwnSignalWhenNobodyElseHandlesIt) {
  const auto touch_foreign_page = [] {
    ::signal(SIGSEGV, SIG_DFL);  // whatever the test program or a sanitizer has set
    SigsegvWorld world;
    const ForeignPage page;
    ForeignPage::touch();
  };
  EXPECT_EXIT(touch_foreign_page(), ::testing::KilledBySignal(SIGSEGV), "");
}

TEST(ForeignFaultDeathTest, AnIgnoredFaultStillKillsAndAnIgnoredSignalDoesNot) {
  const auto ignored = [](bool really) {
    ::signal(SIGSEGV, SIG_IGN);
    SigsegvWorld world;
    const ForeignPage page;
    ::raise(SIGSEGV);
    if (really) ForeignPage::touch();
    std::_Exit(0);
  };
  EXPECT_EXIT(ignored(false), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(ignored(true), ::testing::KilledBySignal(SIGSEGV), "");
}

TEST(ForeignFaultDeathTest, ASentSignalKillsByDefault) {
  const auto send = [] {
    ::signal(SIGSEGV, SIG_DFL);
    SigsegvWorld world;
    ::raise(SIGSEGV);
  };
  EXPECT_EXIT(send(), ::testing::KilledBySignal(SIGSEGV), "");
}

// ---- construction ----

TEST(SharedRegion, TwoHeapsAtOneAddressAreRefusedInWords) {
  const SharedRegion first(HeapGeometry{.pages = 16});
  try {
    const SharedRegion second(HeapGeometry{.pages = 16});
    FAIL() << "two heaps at one address";
  } catch (const posix::EnvironmentError& error) {
    EXPECT_NE(error.what_to_do().find("plurix-heap"), std::string::npos) << error.what();
  }
}

TEST(SharedRegion, PlainRegionsStandSideBySide) {
  const SharedRegion first(HeapGeometry{.pages = 16}, posix::RegionKind::kPlain);
  const SharedRegion second(HeapGeometry{.pages = 16}, posix::RegionKind::kPlain);
  EXPECT_NE(first.view(), second.view());
  EXPECT_EQ(first.view(), first.frames());
}

TEST(SharedRegion, IsFreeAgainAfterItsEnd) {
  for (int time = 0; time < 3; ++time) {
    const SharedRegion region(HeapGeometry{.pages = 16});
    EXPECT_EQ(posix::why_range_taken(region.geometry()).empty(), false);
  }
  EXPECT_EQ(posix::why_range_taken(HeapGeometry{.pages = 16}), "");
}

TEST(HostedFaultSource, AutoChoosesAKindThatWorksAndSaysWhy) {
  SharedRegion region(HeapGeometry{.pages = 16});
  const HostedFaultSource source(region, FaultSourceKind::kAuto);
  EXPECT_NE(source.kind(), FaultSourceKind::kAuto);
  EXPECT_FALSE(source.reason().empty());
  EXPECT_TRUE(source.traps());
}

TEST(HostedFaultSource, ATrappingKindNeedsAProtectedView) {
  SharedRegion region(HeapGeometry{.pages = 16}, posix::RegionKind::kPlain);
  EXPECT_THROW(HostedFaultSource(region, FaultSourceKind::kSigsegv), posix::EnvironmentError);
}

// ---- more pages than the kernel has mappings (vm.max_map_count, 65530 by default) ----

template <class World>
class ManyPages : public ::testing::Test {};
using ManyPagesWorlds = ::testing::Types<PosixWorld<FaultSourceKind::kSigsegv, 150'000>,
                                         PosixWorld<FaultSourceKind::kUserfaultfd, 150'000>>;
TYPED_TEST_SUITE(ManyPages, ManyPagesWorlds);

template <class World>
struct OpensPages {
  explicit OpensPages(World& world_in) : world(world_in) {
    world.source().on_fault({[](void* self, PageIndex page, Access) noexcept {
                               auto& opens = *static_cast<OpensPages*>(self);
                               ++opens.faults;
                               opens.world.source().protect(page, 1, Rights::kWrite);
                               return FaultVerdict::kResume;
                             },
                             this});
  }
  World& world;
  std::uint32_t faults = 0;
};

TYPED_TEST(ManyPages, AlternatingRightsNeverRunOutOfMappings) {
  if (const auto why = TypeParam::why_unavailable(); !why.empty()) GTEST_SKIP() << why;
  TypeParam world;
  OpensPages handler(world);
  for (PageIndex page = 0; page < TypeParam::kPages; page += 2) world.write(page, 0, std::byte{1});
  EXPECT_EQ(handler.faults, TypeParam::kPages / 2);
  // What was opened stays open as far as the node can see, whatever the source did meanwhile …
  for (PageIndex page = 0; page < TypeParam::kPages; page += 2) {
    EXPECT_EQ(world.read(page, 0), std::byte{1});
  }
  EXPECT_EQ(handler.faults, TypeParam::kPages / 2);
  // … and what was not is still guarded.
  world.read(1, 0);
  world.read(TypeParam::kPages - 1, 0);
  EXPECT_EQ(handler.faults, TypeParam::kPages / 2 + 2);
}

// The kernel's own limit, met on purpose: the view must really have been closed once.
TEST(SigsegvFaultSource, ClosesTheViewWhenTheKernelHasNoMappingLeft) {
  constexpr std::uint32_t kPages = 150'000;
  SharedRegion region(HeapGeometry{.pages = kPages});
  posix::SigsegvFaultSource source(region);
  for (PageIndex page = 0; page < kPages; page += 2) source.protect(page, 1, Rights::kWrite);
  if (source.collapses() == 0) GTEST_SKIP() << "vm.max_map_count is large here";
  for (PageIndex page = 0; page < kPages; ++page) {
    ASSERT_EQ(source.rights(page), page % 2 == 0 ? Rights::kWrite : Rights::kNone);
  }
}

}  // namespace
}  // namespace plurix::testing
