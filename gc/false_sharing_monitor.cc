#include <plurix/base/mutation.h>
#include <plurix/gc/false_sharing_monitor.h>
#include <plurix/heap/type.h>

#include <algorithm>
#include <cstring>
#include <iterator>

namespace plurix::gc {
namespace {

using heap::Offset;
using heap::PageHeader;
using heap::Tag;

/// Accesses without a collision after which a page is not watched any more.
constexpr std::uint32_t kQuiet = 1024;
/// True collisions, without as many false ones, after which a page is left alone.
constexpr std::uint32_t kTrulyShared = 16;
/// Collisions for which it is left alone then.
constexpr std::uint32_t kLeftAlone = 4096;

/// Whether two tags may be of one object: flags come and go.
constexpr bool is_same(std::uint64_t a, std::uint64_t b) noexcept {
  constexpr std::uint64_t kKindPlaceAndSize = 0xff00'0000'ffff'ffff;
  return (a & kKindPlaceAndSize) == (b & kKindPlaceAndSize);
}

std::uint64_t word_at(PageObserver::Contents page, std::uint32_t at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, page.data() + at, sizeof word);
  return word;
}

bool has_blocks(PageObserver::Contents page) noexcept {
  PageHeader header;
  std::memcpy(&header, page.data(), sizeof header);
  return header.magic == PageHeader::kMagic;
}

/// Calls `visit(begin, end, tag)` for the header and each block of a page, for all of it if it has
/// no blocks.
template <class Visit>
void for_each_part(PageObserver::Contents page, Visit visit) noexcept {
  if (!has_blocks(page)) return visit(0u, std::uint32_t{kPageSize}, std::uint64_t{0});
  visit(0u, std::uint32_t{sizeof(PageHeader)}, std::uint64_t{0});
  for (std::uint32_t at = sizeof(PageHeader); at < kPageSize;) {
    const Tag tag(word_at(page, at));
    const auto bytes = static_cast<std::uint32_t>(tag.bytes());
    if (bytes < sizeof(Offset) || at + bytes > kPageSize) return;
    if (tag.is_object()) visit(at, at + bytes, tag.word());
    at += bytes;
  }
}

}  // namespace

PageObserver FalseSharingMonitor::observer() noexcept {
  PageObserver observer;
  observer.self = this;
  observer.accessed = [](void* self, const PageAccess& access, Contents committed) noexcept {
    static_cast<FalseSharingMonitor*>(self)->on_access(access, committed);
  };
  observer.overwritten = [](void* self, PageIndex page, NodeId writer) noexcept {
    static_cast<FalseSharingMonitor*>(self)->on_overwritten(page, writer);
  };
  observer.collided = [](void* self, PageIndex page, NodeId writer, std::uint64_t attempt,
                         Contents committed) noexcept {
    static_cast<FalseSharingMonitor*>(self)->on_collision(page, writer, attempt, committed);
  };
  return observer;
}

FalseSharingMonitor::Suspect* FalseSharingMonitor::find(PageIndex page) noexcept {
  for (auto& suspect : suspects_) {
    if (suspect.page == page) return &suspect;
  }
  return nullptr;
}

/// A free place, or that of whoever came longest ago.
FalseSharingMonitor::Suspect* FalseSharingMonitor::suspect_for(PageIndex page) noexcept {
  auto* place = find(kNoPage);
  if (place == nullptr) {
    place = &suspects_[next_++ % PageWatch::kLimit];
    drop(*place);
  }
  if (!watch_->add(page)) return nullptr;
  place->page = page;
  return place;
}

void FalseSharingMonitor::drop(Suspect& suspect) noexcept {
  if (suspect.page == kNoPage) return;
  watch_->remove(suspect.page);
  suspect = Suspect{};
}

/// A page that is truly shared collides for ever, and watching it would only cost.
void FalseSharingMonitor::leave_alone(PageIndex page) noexcept {
  left_alone_[next_left_alone_++ % std::size(left_alone_)] = {page, kLeftAlone};
}

bool FalseSharingMonitor::is_left_alone(PageIndex page) noexcept {
  for (auto& entry : left_alone_) {
    if (entry.page == page && entry.collisions > 0) return entry.collisions-- > 0;
  }
  return false;
}

void FalseSharingMonitor::on_access(const PageAccess& access, Contents committed) noexcept {
  if (busy_) return;
  auto* suspect = find(access.page);
  if (suspect == nullptr) return;
  if (suspect->compare) compare(*suspect, committed);
  if (++suspect->quiet > kQuiet) return drop(*suspect);
  if (suspect->attempt != access.attempt) {
    suspect->attempt = access.attempt;
    suspect->accesses.clear();
    suspect->incomplete = false;
  }
  const bool written = access.access == Access::kWrite;
  for (const auto& known : suspect->accesses) {
    const bool inside = known.begin <= access.begin && access.end <= known.end;
    if (inside && (known.written || !written)) return;
  }
  if (!suspect->accesses.push({access.begin, access.end, written})) suspect->incomplete = true;
}

void FalseSharingMonitor::on_overwritten(PageIndex page, NodeId writer) noexcept {
  auto* suspect = find(page);
  if (suspect != nullptr && writer < kMaxNodes) suspect->writers |= std::uint64_t{1} << writer;
}

void FalseSharingMonitor::on_collision(PageIndex page, NodeId writer, std::uint64_t attempt,
                                       Contents committed) noexcept {
  if (busy_) return;
  ++counters_.collisions;
  auto* suspect = find(page);
  if (suspect == nullptr) {
    if (is_left_alone(page)) return;
    suspect = suspect_for(page);
    if (suspect != nullptr) on_overwritten(page, writer);
    return;  // what the attempt had used of the page was not told
  }
  suspect->quiet = 0;
  if (suspect->attempt != attempt || suspect->incomplete) return;
  suspect->used = suspect->accesses;
  std::memcpy(suspect->before, committed.data(), kPageSize);
  suspect->compare = true;
}

/// The page has come back: what differs was written by the others.
void FalseSharingMonitor::compare(Suspect& suspect, Contents after) noexcept {
  suspect.compare = false;
  const Contents before(suspect.before);
  bool overlap = false;
  for_each_part(before, [&](std::uint32_t begin, std::uint32_t end, std::uint64_t tag) {
    Block block{.begin = begin, .tag = tag};
    note_use(suspect, end, block);
    block.theirs = std::memcmp(before.data() + begin, after.data() + begin, end - begin) != 0;
    overlap |= block.ours && block.theirs && !mutated("true_sharing_taken_for_false");
    if (block.ours || block.theirs) remember(suspect, block);
  });
  judge(suspect, overlap);
}

/// Whether the aborted attempt had used that part of the page, which reaches to `end`.
void FalseSharingMonitor::note_use(const Suspect& suspect, std::uint32_t end,
                                   Block& block) noexcept {
  const bool blocks = has_blocks(Contents(suspect.before));
  for (const auto& used : suspect.used) {
    // Who allocates asks for all of the page and writes behind the header what was free room.
    const bool allocates = blocks && used.begin < sizeof(PageHeader);
    const bool touched = allocates ? block.begin == 0 : used.begin < end && block.begin < used.end;
    block.ours |= touched;
    block.written |= touched && used.written;
  }
}

void FalseSharingMonitor::remember(Suspect& suspect, const Block& block) noexcept {
  for (auto& known : suspect.blocks) {
    if (known.begin != block.begin || !is_same(known.tag, block.tag)) continue;
    known.ours |= block.ours;
    known.written |= block.written;
    known.theirs |= block.theirs;
    return;
  }
  (void)suspect.blocks.push(block);
}

void FalseSharingMonitor::judge(Suspect& suspect, bool overlap) noexcept {
  ++(overlap ? suspect.truly : suspect.falsely);
  ++(overlap ? counters_.truly : counters_.falsely);
  const bool truly = suspect.truly >= kTrulyShared && suspect.truly > suspect.falsely;
  if (suspect.falsely >= suspect.due_at || truly) due_ = true;
}

FalseSharingMonitor::Suspect* FalseSharingMonitor::take_due() noexcept {
  for (auto& suspect : suspects_) {
    if (suspect.page == kNoPage) continue;
    if (suspect.falsely >= suspect.due_at) return &suspect;
    if (suspect.truly >= kTrulyShared && suspect.truly > suspect.falsely) return &suspect;
  }
  due_ = false;
  return nullptr;
}

/// Names the objects, and moves those that only this node uses.
SharingReport FalseSharingMonitor::look_into(Transaction& t, const Suspect& suspect) const {
  const bool falsely = suspect.falsely >= suspect.due_at;
  SharingReport report;
  report.sharing = falsely ? Sharing::kFalse : Sharing::kTrue;
  report.page = suspect.page;
  report.others = suspect.writers;
  report.collisions = falsely ? suspect.falsely : suspect.truly;
  const bool dissolve = falsely && may_leave(t, suspect.page);
  for (const auto& block : suspect.blocks) {
    SharingReport::Object object{
        .ours = block.ours, .written = block.written, .theirs = block.theirs};
    const auto header = heap::offset_of(suspect.page) + block.begin;
    if (block.tag != 0) {
      if (!is_same(t.load(header + heap::kTagAt), block.tag)) continue;  // it has left meanwhile
      object.body = heap::body_of(t, header);
      object.type = t.load(header + heap::kTypeAt);
      if (dissolve && is_to_move(suspect, block)) object.moved_to = move(t, header, suspect);
    }
    (void)report.objects.push(object);
  }
  return report;
}

/// Objects on this node's own pages stay, and so do the system's.
bool FalseSharingMonitor::may_leave(Transaction& t, PageIndex page) const {
  const auto entry = heap::page_entry(t, page);
  return policy_ == SharingPolicy::kDissolve && entry.use == heap::PageUse::kSmall &&
         entry.placement == Placement::kReadWrite && entry.node != t.node_id();
}

/// What this node writes and nobody else; where it writes nothing, what it reads.
bool FalseSharingMonitor::is_to_move(const Suspect& suspect, const Block& block) noexcept {
  if (mutated("true_sharing_taken_for_false")) return block.ours && block.tag != 0;
  if (!block.ours || block.theirs) return false;
  return block.written || !writes_on(suspect);
}

bool FalseSharingMonitor::writes_on(const Suspect& suspect) noexcept {
  return std::any_of(suspect.blocks.begin(), suspect.blocks.end(), [](const Block& block) {
    return block.tag != 0 && block.written && !block.theirs;
  });
}

/// Where the object stands then; 0 if it stays, because it was moved too often before.
Offset FalseSharingMonitor::move(Transaction& t, Offset header, const Suspect& suspect) {
  const Tag tag(t.load(header + heap::kTagAt));
  if (tag.has(Tag::kPinned) || tag.moves() == Tag::kMostMoves) return 0;
  const bool patient = suspect.falsely < kPatience << tag.moves();
  if (patient && !mutated("moved_without_hysteresis")) return 0;
  const auto placement = writes_on(suspect) ? Placement::kReadWrite : Placement::kReadOnly;
  const auto to = heap::relocate(t, heap::body_of(t, header), placement);
  const auto moved = heap::header_of(t, to);
  t.store(moved + heap::kTagAt, Tag(t.load(moved + heap::kTagAt)).moved_once_more().word());
  return to;
}

/// After the report: begins anew with the page, or waits twice as long.
std::optional<SharingReport> FalseSharingMonitor::settle(Suspect& suspect,
                                                         const SharingReport& report) noexcept {
  std::uint64_t moved = 0;
  for (const auto& object : report.objects) moved += object.moved_to != 0 ? 1 : 0;
  counters_.moved += moved;
  const bool first = suspect.due_at == kPatience;
  if (report.sharing == Sharing::kTrue) leave_alone(suspect.page);
  if (moved > 0 || report.sharing == Sharing::kTrue) {
    drop(suspect);
  } else {
    suspect.due_at *= 2;
  }
  if (moved == 0 && !first) return {};
  return report;
}

}  // namespace plurix::gc
