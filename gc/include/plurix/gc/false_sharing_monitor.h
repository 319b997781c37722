// Which objects of which nodes collide, and what to do about those that only share a page.
//
// A page on which an attempt was aborted is watched for a while (dsm/page_watch.h). When it is
// aborted again, the monitor knows which objects this node had used, keeps the page as it was
// before the other's commit, and compares when the page has come back: what has changed is what
// the others wrote. An object on both sides is truly shared; if there is none, the sharing was
// false. The node that has met that often enough moves the objects that only it uses to its own
// pages, in an ordinary transaction between two others (`relieve`). What a node writes goes to its
// read-write pages; where it only reads, others may well read the same, and what it reads goes to
// read-only pages, where nobody writes.
//
// Hysteresis: each move of an object, by whichever node, doubles the number of false collisions
// that the next one needs; the count stands in the object's tag. Objects on this node's own pages
// stay: the others leave. Truly shared pages are left alone.
//
// No allocation, no clock, no thread: it runs in every world. Per node, about 80 KiB.
#pragma once

#include <plurix/base/bounded_vector.h>
#include <plurix/dsm/page_watch.h>
#include <plurix/outcome.h>
#include <plurix/transaction.h>

#include <optional>

namespace plurix::gc {

enum class SharingPolicy : std::uint8_t {
  kReport,    ///< says what it finds
  kDissolve,  ///< and moves falsely shared objects
};

enum class Sharing : std::uint8_t { kFalse, kTrue };

/// A falsely or truly shared page, as found by one node.
struct SharingReport {
  struct Object {
    std::uint64_t body = 0;  ///< offset; 0: the page's free room, which its allocator shares
    std::uint64_t type = 0;  ///< descriptor
    bool ours = false;       ///< used by this node
    bool written = false;    ///< by this node
    bool theirs = false;     ///< written by the others
    std::uint64_t moved_to = 0;
  };

  Sharing sharing = Sharing::kFalse;
  PageIndex page = kNoPage;
  std::uint64_t others = 0;      ///< bit n: commits of node n did it
  std::uint32_t collisions = 0;  ///< of that kind
  BoundedVector<Object, 12> objects;
};

struct SharingCounters {
  std::uint64_t collisions = 0;
  std::uint64_t falsely = 0;
  std::uint64_t truly = 0;
  std::uint64_t moved = 0;
};

class FalseSharingMonitor {
 public:
  /// False collisions after which an object is moved for the first time.
  static constexpr std::uint32_t kPatience = 4;

  explicit FalseSharingMonitor(SharingPolicy policy = SharingPolicy::kDissolve) noexcept
      : policy_(policy) {}
  ~FalseSharingMonitor() {
    for (auto& suspect : suspects_) drop(suspect);
    if (watch_ != nullptr) watch_->observe({});
  }
  FalseSharingMonitor(const FalseSharingMonitor&) = delete;
  FalseSharingMonitor& operator=(const FalseSharingMonitor&) = delete;

  /// Watches a node, which outlives the monitor.
  template <class Node>
  void attach(Node& node) noexcept {
    watch_ = &node.watch();
    watch_->observe(observer());
  }

  /// Between transactions: moves what is due, and tells what was found, at most one page a call.
  /// Costs one look at a flag when nothing is.
  template <class Node>
  std::optional<SharingReport> relieve(Node& node) {
    if (!due_) [[likely]]
      return {};
    auto* suspect = take_due();
    if (suspect == nullptr) return {};
    SharingReport report;
    busy_ = true;
    const auto outcome = node.try_run([&](Transaction& t) { report = look_into(t, *suspect); });
    busy_ = false;
    return outcome.committed() ? settle(*suspect, report) : std::nullopt;
  }

  SharingPolicy policy() const noexcept { return policy_; }
  void set_policy(SharingPolicy policy) noexcept { policy_ = policy; }
  const SharingCounters& counters() const noexcept { return counters_; }

 private:
  using Contents = PageObserver::Contents;

  /// Bytes of a page, from its first.
  struct Range {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    bool written = false;
  };

  /// A block of the page, or its header, which stands for the free room.
  struct Block {
    std::uint32_t begin = 0;
    std::uint64_t tag = 0;  ///< 0: the page's header, or all of a page without blocks
    bool ours = false;
    bool written = false;  ///< by us
    bool theirs = false;
  };

  struct Suspect {
    PageIndex page = kNoPage;
    std::uint64_t attempt = 0;  ///< of which the accesses are
    BoundedVector<Range, 24> accesses;
    bool incomplete = false;        ///< there were more
    bool compare = false;           ///< `before` waits for the page to come back
    BoundedVector<Range, 24> used;  ///< by the aborted attempt
    BoundedVector<Block, 24> blocks;
    std::uint64_t writers = 0;
    std::uint32_t falsely = 0;
    std::uint32_t truly = 0;
    std::uint32_t due_at = kPatience;  ///< false collisions
    std::uint32_t quiet = 0;           ///< accesses since the last collision
    alignas(8) std::byte before[kPageSize] = {};
  };

  PageObserver observer() noexcept;
  void on_access(const PageAccess& access, Contents committed) noexcept;
  void on_overwritten(PageIndex page, NodeId writer) noexcept;
  void on_collision(PageIndex page, NodeId writer, std::uint64_t attempt,
                    Contents committed) noexcept;

  Suspect* find(PageIndex page) noexcept;
  Suspect* suspect_for(PageIndex page) noexcept;
  void drop(Suspect& suspect) noexcept;
  void leave_alone(PageIndex page) noexcept;
  bool is_left_alone(PageIndex page) noexcept;
  void compare(Suspect& suspect, Contents after) noexcept;
  static void note_use(const Suspect& suspect, std::uint32_t end, Block& block) noexcept;
  static void remember(Suspect& suspect, const Block& block) noexcept;
  void judge(Suspect& suspect, bool overlap) noexcept;
  Suspect* take_due() noexcept;
  SharingReport look_into(Transaction& t, const Suspect& suspect) const;
  bool may_leave(Transaction& t, PageIndex page) const;
  static bool is_to_move(const Suspect& suspect, const Block& block) noexcept;
  static bool writes_on(const Suspect& suspect) noexcept;
  static heap::Offset move(Transaction& t, heap::Offset header, const Suspect& suspect);
  std::optional<SharingReport> settle(Suspect& suspect, const SharingReport& report) noexcept;

  SharingPolicy policy_;
  PageWatch* watch_ = nullptr;
  SharingCounters counters_;
  bool due_ = false;
  bool busy_ = false;  ///< its own transactions are not what is watched
  std::size_t next_ = 0;
  struct LeftAlone {
    PageIndex page = kNoPage;
    std::uint32_t collisions = 0;  ///< still to be passed over
  };
  LeftAlone left_alone_[32];
  std::size_t next_left_alone_ = 0;
  Suspect suspects_[PageWatch::kLimit];
};

}  // namespace plurix::gc
