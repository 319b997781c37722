#include <plurix/heap/allocator.h>
#include <plurix/transaction.h>

#include <algorithm>

namespace plurix::heap {
namespace {

constexpr std::uint32_t kMostRunPages = 64;
constexpr std::uint32_t kPagesLookedAt = 16;     ///< for room, before new ones are asked for
constexpr std::uint32_t kEntriesLookedAt = 512;  ///< of the page map, for that
constexpr std::uint64_t kFastRefill = 64;  ///< commits between two refills that make runs grow
constexpr std::uint64_t kWorthwhile = kRoomOfPage / 4;  ///< room for which a page is used again

constexpr Offset page_begin(Offset at) noexcept { return at & ~Offset{kPageSize - 1}; }
constexpr Offset page_end(Offset at) noexcept { return page_begin(at) + kPageSize; }
constexpr Offset first_block(PageIndex page) noexcept {
  return offset_of(page) + sizeof(PageHeader);
}

/// Whether a node counts on a page of its own: it fills it, or is going to.
bool is_in_use(const PlacementState& state, PageIndex page) noexcept {
  if (page >= state.run_next && page < state.run_end) return true;
  return std::any_of(std::begin(state.cursor), std::end(state.cursor),
                     [page](const Cursor& c) { return c.end != 0 && page_of(c.end - 1) == page; });
}

bool is_empty_page(Transaction& t, PageEntry entry, PageIndex page) {
  if (entry.use != PageUse::kSmall) return false;
  const auto at = state_of(t, entry.node);
  if (at == 0) return false;
  const auto& state = t.reading<NodeState>(at)->of[static_cast<std::size_t>(entry.placement)];
  return !is_in_use(state, page) && t.reading<PageHeader>(offset_of(page))->objects == 0;
}

/// When nothing is left: gives back the pages of all nodes on which nothing lives. True if there
/// were some.
bool take_empty_pages(Transaction& t) {
  const auto r = regions(t.pages());
  bool found = false;
  for (auto page = r.first; page < r.end; ++page) {
    if (!is_empty_page(t, page_entry(t, page), page)) continue;
    release_pages(t, page, 1);
    found = true;
  }
  return found;
}

/// One request being served from this node's own pages.
class OwnPages {
 public:
  OwnPages(Transaction& t, Offset state, const Request& request)
      : t_(t),
        request_(request),
        bytes_(block_bytes(request.bytes)),
        state_(*t.writing<NodeState>(state)),
        own_(state_.of[mutated("read_only_beside_read_write")
                           ? 0
                           : static_cast<std::size_t>(request.placement)]),
        cursor_(own_.cursor[bytes_ > kSmallBlock ? 1 : 0]) {}

  /// The header of a new object, 0 if there is no room.
  Offset allocate() {
    auto block = place();
    if (block == 0) [[unlikely]] {
      if (!refill()) return 0;
      block = place();
    }
    carve(t_.writing_range(page_begin(block), kPageSize), cursor_, block, bytes_,
          {Tag::object(bytes_, request_.placement, t_.node_id(), request_.flags).word(),
           request_.type, 0});
    return block;
  }

 private:
  Offset place() const noexcept {
    return place_block(cursor_.at, cursor_.end, bytes_, request_.alignment);
  }

  /// Finds another hole for the cursor: on its page, in the run, on pages with room, in a new run.
  bool refill() {
    if (cursor_.end != 0) {
      if (find_hole(cursor_.end)) return true;
      note_filled(page_of(cursor_.end - 1));
    }
    return use_run() || reuse_page(kPagesLookedAt, kEntriesLookedAt, kWorthwhile) || new_run() ||
           reuse_page(t_.pages(), t_.pages(), 0) || (take_empty_pages(t_) && new_run());
  }

  void note_filled(PageIndex page) noexcept {
    if (state_.filled_count == kFilledPages) {
      ++state_.filled_lost;
      return;
    }
    state_.filled[(state_.filled_first + state_.filled_count++) % kFilledPages] = page;
  }

  /// The first hole from `at` to the end of its page that has room. Holes in a row become one.
  bool find_hole(Offset at) {
    const auto end = page_end(at - 1);
    while (at < end) {
      const Tag tag(t_.load(at));
      PLURIX_ASSERT(tag.is_hole() || (tag.is_object() && at + tag.bytes() <= end));
      if (!tag.is_hole()) {
        at += tag.bytes();
        continue;
      }
      const auto behind = merge_holes(at, tag.bytes(), end);
      if (place_block(at, behind, bytes_, request_.alignment) != 0) {
        cursor_ = {at, behind};
        return true;
      }
      at = behind;
    }
    return false;
  }

  /// Returns where the merged hole ends.
  Offset merge_holes(Offset at, std::uint64_t bytes, Offset end) {
    auto behind = at + bytes;
    while (behind < end) {
      const Tag next(t_.load(behind));
      PLURIX_ASSERT(next.is_hole() || next.is_object());
      if (!next.is_hole()) break;
      behind += next.bytes();
    }
    if (behind != at + bytes) t_.store(at, Tag::hole(behind - at).word());
    return behind;
  }

  bool use_run() {
    if (own_.run_next == own_.run_end) return false;
    use_fresh(own_.run_next++);
    return true;
  }

  void use_fresh(PageIndex page) {
    auto* header = t_.writing<PageHeader>(offset_of(page));
    *header = PageHeader{.placement = request_.placement,
                         .node = static_cast<std::uint8_t>(t_.node_id())};
    const auto begin = first_block(page);
    const auto end = offset_of(page) + kPageSize;
    t_.store(begin, Tag::hole(end - begin).word());
    cursor_ = {begin, end};
  }

  bool reuse_page(std::uint32_t pages, std::uint32_t entries, std::uint64_t room) {
    return for_own_pages(pages, entries, [&](PageIndex page) {
      const auto* header = t_.reading<PageHeader>(offset_of(page));
      if (header->used + std::max(room, bytes_) > kRoomOfPage) return false;
      return find_hole(first_block(page));
    });
  }

  /// Calls `use` for pages of this placement that are not being filled, going on where the last
  /// search stopped, until it returns true; says whether it did.
  template <class Use>
  bool for_own_pages(std::uint32_t pages, std::uint32_t entries, Use use) {
    const PageEntry own{PageUse::kSmall, request_.placement,
                        static_cast<std::uint8_t>(t_.node_id())};
    while (pages > 0) {
      const auto page = next_page_like(t_, own, own_.hand, entries);
      if (page == kNoPage) break;
      if (is_in_use(own_, page)) continue;
      --pages;
      if (use(page)) return true;
    }
    return false;
  }

  bool new_run() {
    const auto run =
        take_pages(t_, next_run_pages(), 1,
                   {PageUse::kSmall, request_.placement, static_cast<std::uint8_t>(t_.node_id())});
    if (run.count == 0) return false;
    own_.run_next = run.first;
    own_.run_end = run.first + run.count;
    own_.run_pages = run.count;
    own_.refilled_at = t_.snapshot().value;
    return use_run();
  }

  /// Grows while a node uses its runs up fast, but takes no more than a small part of what is left.
  std::uint32_t next_run_pages() {
    const bool fast = t_.snapshot().value - own_.refilled_at < kFastRefill;
    const auto wanted = fast ? own_.run_pages * 2 : own_.run_pages / 2;
    const auto r = regions(t_.pages());
    const auto left = r.end - r.first - taken_pages(t_);
    return std::clamp(wanted, 1u, std::clamp(left / 64, 1u, kMostRunPages));
  }

  Transaction& t_;
  const Request& request_;
  const std::uint64_t bytes_;
  NodeState& state_;
  PlacementState& own_;
  Cursor& cursor_;
};

Offset node_place(NodeId node) noexcept {
  return offset_of(Regions::kNodes) + node * sizeof(Offset);
}

/// The first page of a node holds its state; the rest of that page is for its other system objects.
Offset make_state(Transaction& t) {
  const auto node = static_cast<std::uint8_t>(t.node_id());
  constexpr auto kSystem = Placement::kSystemReadWrite;
  const auto run = take_pages(t, 1, 1, {PageUse::kSmall, kSystem, node});
  if (run.count == 0) return 0;
  constexpr auto kBytes = block_bytes(sizeof(NodeState));
  *t.writing<PageHeader>(offset_of(run.first)) =
      PageHeader{.placement = kSystem, .node = node, .objects = 1, .used = kBytes};
  const auto block = first_block(run.first);
  const auto tag = Tag::object(kBytes, kSystem, t.node_id(), Tag::kLinkless | Tag::kPinned);
  *t.writing<ObjectHeader>(block) = {tag.word(), 0, 0};
  const auto end = offset_of(run.first) + kPageSize;
  t.store(block + kBytes, Tag::hole(end - block - kBytes).word());
  const auto body = block + sizeof(ObjectHeader);
  auto* state = std::construct_at(t.writing<NodeState>(body));
  state->of[static_cast<std::size_t>(kSystem)].cursor[0] = {block + kBytes, end};
  t.store(node_place(node), body);
  return body;
}

Offset allocate_small(Transaction& t, const Request& request) {
  const auto state = own_state(t);
  if (state == 0) return 0;
  return OwnPages(t, state, request).allocate();
}

Offset large_index_at(Transaction& t, Offset body) {
  return offset_of(regions(t.pages()).large_index) + page_of(body) * sizeof(Offset);
}

PageRun pages_for_large(Transaction& t, const Request& request) {
  const auto pages = pages_for(request.bytes);
  const PageEntry entry{PageUse::kLarge, request.placement, static_cast<std::uint8_t>(t.node_id())};
  if (request.at != kNoPage) {
    const PageRun wanted{request.at, pages};
    return take_these_pages(t, wanted, entry) ? wanted : PageRun{};
  }
  const auto run = take_pages(t, pages, pages, entry);
  return run.count == 0 && take_empty_pages(t) ? take_pages(t, pages, pages, entry) : run;
}

Offset allocate_large(Transaction& t, const Request& request) {
  auto header_request = request;
  header_request.bytes = sizeof(LargeHeader) - sizeof(ObjectHeader);
  header_request.alignment = kGranule;
  header_request.flags |= Tag::kLarge;
  const auto header = allocate_small(t, header_request);
  if (header == 0) return 0;
  t.store(header + kBodyAt, 0);
  const auto run = pages_for_large(t, request);
  if (run.count == 0) {
    deallocate(t, header);
    return 0;
  }
  const auto body = offset_of(run.first);
  t.store(header + kBodyAt, body);
  t.store(header + kBodyBytesAt, request.bytes);
  t.store(large_index_at(t, body), header);
  return body;
}

void release_large_body(Transaction& t, Offset header) {
  const auto body = t.load(header + kBodyAt);
  if (body == 0) return;  // there was no room for it
  t.store(large_index_at(t, body), 0);
  release_pages(t, page_of(body), pages_for(t.load(header + kBodyBytesAt)));
}

}  // namespace

Offset state_of(Transaction& t, NodeId node) { return t.load(node_place(node)); }

Offset own_state(Transaction& t) {
  if (mutated("pages_of_another_node") && state_of(t, 0) != 0) return state_of(t, 0);
  if (t.known_state() != 0) return t.known_state();
  auto state = state_of(t, t.node_id());
  if (state == 0) state = make_state(t);
  if (state != 0) t.know_state(state);
  return state;
}

Offset try_allocate(Transaction& t, const Request& request) {
  if (is_large(request.bytes)) [[unlikely]]
    return allocate_large(t, request);
  const auto header = allocate_small(t, request);
  return header == 0 ? 0 : header + sizeof(ObjectHeader);
}

Offset allocate(Transaction& t, const Request& request) {
  const auto body = try_allocate(t, request);
  if (body == 0) t.fail("the heap is full");
  return body;
}

void begin_anew(Transaction& t, PageIndex page, const PageHeader& header) {
  if (header.node != t.node_id()) return;  // its owner may be filling it
  const auto end = offset_of(page) + kPageSize;
  t.store(first_block(page), Tag::hole(end - first_block(page)).word());
  const auto at = own_state(t);
  if (at == 0) return;
  const auto& known = t.reading<NodeState>(at)->of[static_cast<std::size_t>(header.placement)];
  for (std::size_t i = 0; i < kCursors; ++i) {
    if (known.cursor[i].end == 0 || page_of(known.cursor[i].end - 1) != page) continue;
    auto& state = t.writing<NodeState>(at)->of[static_cast<std::size_t>(header.placement)];
    state.cursor[i] = {first_block(page), end};
    for (std::size_t k = i + 1; k < kCursors; ++k) {
      if (known.cursor[k].end != 0 && page_of(known.cursor[k].end - 1) == page)
        state.cursor[k] = {};
    }
    break;
  }
}

void deallocate(Transaction& t, Offset header) {
  const Tag tag(t.load(header + kTagAt));
  PLURIX_ASSERT(tag.is_object());
  if (tag.has(Tag::kLarge)) release_large_body(t, header);
  auto* page = t.writing<PageHeader>(page_begin(header));
  PLURIX_ASSERT(page->objects > 0 && page->used >= tag.bytes());
  --page->objects;
  page->used -= tag.bytes();
  t.store(header + kTagAt, Tag::hole(tag.bytes()).word());
  if (page->objects == 0) begin_anew(t, page_of(header), *page);
}

Offset header_of(Transaction& t, Offset body) {
  if (body % kGranule != 0 || body < offset_of(Regions::kRoots) || body >= offset_of(t.pages())) {
    return 0;
  }
  if (body % kPageSize == 0) return t.load(large_index_at(t, body));
  if (body % kPageSize < sizeof(PageHeader) + sizeof(ObjectHeader)) return 0;
  const auto header = body - sizeof(ObjectHeader);
  const Tag tag(t.load(header + kTagAt));
  return tag.is_object() && !tag.has(Tag::kLarge) ? header : 0;
}

Offset body_of(Transaction& t, Offset header) {
  const bool large = Tag(t.load(header + kTagAt)).has(Tag::kLarge);
  return large ? t.load(header + kBodyAt) : header + sizeof(ObjectHeader);
}

std::uint64_t body_bytes(Transaction& t, Offset header) {
  const Tag tag(t.load(header + kTagAt));
  return tag.has(Tag::kLarge) ? t.load(header + kBodyBytesAt) : tag.bytes() - sizeof(ObjectHeader);
}

void stop_filling(Transaction& t, PageIndex page) {
  const auto at = state_of(t, t.node_id());
  if (at == 0) return;
  for (std::size_t i = 0; i < kPlacements * kCursors; ++i) {
    const auto cursor = t.reading<NodeState>(at)->of[i / kCursors].cursor[i % kCursors];
    if (cursor.end == 0 || page_of(cursor.end - 1) != page) continue;
    t.writing<NodeState>(at)->of[i / kCursors].cursor[i % kCursors] = {};
  }
}

PageIndex next_sparse_page(Transaction& t, Placement placement, PageIndex& hand,
                           std::uint32_t entries, std::uint64_t most_used) {
  const auto at = state_of(t, t.node_id());
  if (at == 0) return kNoPage;
  const auto& state = t.reading<NodeState>(at)->of[static_cast<std::size_t>(placement)];
  const PageEntry own{PageUse::kSmall, placement, static_cast<std::uint8_t>(t.node_id())};
  while (entries > 0) {
    const auto before = hand;
    const auto page = next_page_like(t, own, hand, entries);
    if (page == kNoPage) break;
    const bool sparse =
        !is_in_use(state, page) && t.reading<PageHeader>(offset_of(page))->used <= most_used;
    if (sparse) return page;
    if (hand <= before) break;  // once around
  }
  return kNoPage;
}

std::uint32_t tidy(Transaction& t, PageIndex& hand, std::uint32_t entries) {
  const auto r = regions(t.pages());
  const auto self = static_cast<std::uint8_t>(t.node_id());
  std::uint32_t given_back = 0;
  PageRun empty;
  const auto release = [&] {
    if (empty.count != 0) release_pages(t, empty.first, empty.count);
    given_back += empty.count;
    empty = {};
  };
  hand = std::max(hand, r.first);
  for (; entries > 0 && hand < r.end; --entries) {
    const auto page = next_taken_page(t, hand);
    if (page == kNoPage) break;
    const auto entry = page_entry(t, page);
    if (entry.node != self || !is_empty_page(t, entry, page)) continue;
    if (page != empty.first + empty.count) release();
    if (empty.count++ == 0) empty.first = page;
  }
  release();
  return given_back;
}

}  // namespace plurix::heap
