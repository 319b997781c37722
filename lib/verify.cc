#include <plurix/heap/backchain.h>
#include <plurix/heap/type.h>
#include <plurix/heap/verify.h>
#include <plurix/transaction.h>

namespace plurix::heap {
namespace {

class Verifier {
 public:
  explicit Verifier(Transaction& t) : t_(t), r_(regions(t.pages())) {}

  HeapReport run() {
    check_root_block();
    check_types();
    for (auto page = r_.first; page < r_.end;) page = check_page(page);
    check_summary();
    check_nodes();
    check_link(offset_of(Regions::kRoots));
    const auto root = t_.load(offset_of(Regions::kRoots)) & ~kTargetFlags;
    if (root != 0) check_directory(root);
    if (entries_ != report_.links) {
      wrong("links and backchain entries are not equally many", report_.links, entries_);
    }
    return report_;
  }

 private:
  void wrong(const char* what, Offset at, Offset other = 0) {
    ++report_.wrong;
    (void)report_.findings.push({what, at, other});
  }

  bool in_heap(Offset at) const noexcept {
    return at != 0 && at % kGranule == 0 && at < offset_of(t_.pages());
  }

  // ---- pages

  void check_root_block() {
    const auto* block = t_.reading<RootBlock>(0);
    if (block->magic != kHeapMagic) wrong("page 0 is no root block", 0);
    if (block->pages != t_.pages()) wrong("the root block has another number of pages", 0);
  }

  /// Returns the page behind it, or behind the object that begins there.
  PageIndex check_page(PageIndex page) {
    const auto entry = page_entry(t_, page);
    if (entry.use == PageUse::kFree) {
      if (large_at(page) != 0)
        wrong("a free page is in the index of large objects", offset_of(page));
      return page + 1;
    }
    ++report_.pages_taken;
    if (entry.use == PageUse::kSmall) {
      if (!is_unused(entry, page)) check_small_page(entry, page);
      return page + 1;
    }
    if (entry.use == PageUse::kLarge) return check_large_pages(entry, page);
    wrong("a page of a large object without its beginning", offset_of(page));
    return page + 1;
  }

  Offset large_at(PageIndex page) {
    return t_.load(offset_of(r_.large_index) + page * sizeof(Offset));
  }

  const PlacementState* state_for(PageEntry entry) {
    const auto at = state_of(t_, entry.node);
    if (at == 0) return nullptr;
    return &t_.reading<NodeState>(at)->of[static_cast<std::size_t>(entry.placement)];
  }

  /// In its node's run, but nothing was allocated on it yet.
  bool is_unused(PageEntry entry, PageIndex page) {
    const auto* state = state_for(entry);
    return state != nullptr && page >= state->run_next && page < state->run_end;
  }

  void check_small_page(PageEntry entry, PageIndex page) {
    const auto at = offset_of(page);
    const auto header = *t_.reading<PageHeader>(at);
    if (header.magic != PageHeader::kMagic) return wrong("a page of small objects is not one", at);
    if (header.node != entry.node || header.placement != entry.placement) {
      wrong("a page is not what the page map says", at);
    }
    check_tiling(header, at);
  }

  void check_tiling(const PageHeader& header, Offset page) {
    const auto end = page + kPageSize;
    std::uint64_t used = 0;
    std::uint32_t objects = 0;
    for (auto at = page + sizeof(PageHeader); at < end;) {
      const Tag tag(t_.load(at));
      if (!(tag.is_object() || tag.is_hole()) || tag.bytes() == 0 || tag.bytes() % kGranule != 0) {
        return wrong("blocks do not tile their page", page, at);
      }
      if (at + tag.bytes() > end) return wrong("a small object straddles two pages", at);
      if (tag.is_object()) {
        ++objects;
        used += tag.bytes();
        check_belongs(header, tag, at);
        check_object(tag, at);
      } else {
        report_.hole_bytes += tag.bytes();
      }
      at += tag.bytes();
    }
    if (objects != header.objects || used != header.used) {
      wrong("a page miscounts its objects", page);
    }
  }

  void check_belongs(const PageHeader& header, Tag tag, Offset at) {
    if (tag.placement() != header.placement) wrong("objects of two placements share a page", at);
    if (tag.node() != header.node) wrong("small objects of two nodes share a page", at);
  }

  PageIndex check_large_pages(PageEntry entry, PageIndex page) {
    const auto header = large_at(page);
    ++report_.pages_large;
    if (!in_heap(header) || !is_block(header) || body_of(t_, header) != offset_of(page)) {
      wrong("a large object without its header", offset_of(page), header);
      return page + 1;
    }
    const auto end = page + pages_for(body_bytes(t_, header));
    entry.use = PageUse::kLargeRest;
    for (++page; page < end; ++page) {
      ++report_.pages_taken;
      ++report_.pages_large;
      if (page >= r_.end || page_entry(t_, page) != entry) {
        wrong("a large object does not have its pages to itself", offset_of(page), header);
      }
    }
    return page;
  }

  void check_summary() {
    std::uint64_t taken = 0;
    for (std::uint32_t i = 0; i < r_.map_pages(); ++i) {
      taken += *t_.reading<std::uint16_t>(offset_of(r_.summary) + i * sizeof(std::uint16_t));
    }
    if (taken != report_.pages_taken || taken != taken_pages(t_)) {
      wrong("the memory manager miscounts its pages", report_.pages_taken, taken);
    }
  }

  void check_nodes() {
    for (NodeId node = 0; node < kMaxNodes; ++node) {
      const auto at = state_of(t_, node);
      if (at == 0) continue;
      if (header_of(t_, at) == 0) {
        wrong("a node's allocation state is no object", at);
        continue;
      }
      for (const auto& state : t_.reading<NodeState>(at)->of) {
        for (const auto& cursor : state.cursor) check_cursor(cursor, at);
      }
    }
  }

  void check_cursor(const Cursor& cursor, Offset state) {
    if (cursor.at == cursor.end) return;
    if (!in_heap(cursor.at) || !is_block(cursor.at) ||
        t_.load(cursor.at) != Tag::hole(cursor.end - cursor.at).word()) {
      wrong("a node fills what is no hole", cursor.at, state);
    }
  }

  // ---- objects

  /// Whether a block begins there.
  bool is_block(Offset at) {
    const auto page = at & ~Offset{kPageSize - 1};
    if (page_of(at) < r_.first || page_entry(t_, page_of(at)).use != PageUse::kSmall) return false;
    auto block = page + sizeof(PageHeader);
    while (block < at) {
      const auto bytes = Tag(t_.load(block)).bytes();
      if (bytes == 0) return false;
      block += bytes;
    }
    return block == at;
  }

  bool is_object(Offset header) { return is_block(header) && Tag(t_.load(header)).is_object(); }

  void check_object(Tag tag, Offset header) {
    const bool system = tag.has(Tag::kPinned);
    ++(system ? report_.system_objects : report_.objects);
    report_.object_bytes += body_bytes(t_, header);
    if (tag.has(Tag::kLarge) && large_at(page_of(body_of(t_, header))) != header) {
      wrong("a large object is not in the index", header);
    }
    if (!tag.has(Tag::kLinkless)) {
      if (!check_type_of(tag, header)) return;
      LinkWalk links(t_, header);
      while (const auto slot = links.next()) check_link(slot);
    }
    check_chain(header, system);
  }

  bool check_type_of(Tag tag, Offset header) {
    const auto type = t_.load(header + kTypeAt);
    if (!in_heap(type) || !is_object(type - sizeof(ObjectHeader))) {
      wrong("an object without a type", header, type);
      return false;
    }
    const auto* descriptor = t_.reading<TypeDescriptor>(type);
    const bool fits = tag.has(Tag::kArray) || descriptor->size <= body_bytes(t_, header);
    if (!fits) wrong("an object is smaller than its type", header, type);
    return fits;
  }

  // ---- links

  void check_link(Offset slot) {
    const auto word = t_.load(slot + kTargetAt);
    const auto target = word & ~kTargetFlags;
    if (target == 0) return;
    ++report_.links;
    if ((word & kWeak) != 0) ++report_.weak_links;
    const auto header = header_of(t_, target);
    if (header == 0 || !is_object(header)) {
      return wrong("a link to what is no object", slot, target);
    }
    const auto back = t_.load(slot + kBackAt);
    if (!in_heap(back) || t_.load(back) != slot) {
      wrong("a link is not in its target's backchain", slot, target);
    }
  }

  void check_chain(Offset header, bool system) {
    const auto body = body_of(t_, header);
    ChainWalk walk(t_, header);
    bool alive = system;
    std::uint64_t limit = offset_of(t_.pages()) / sizeof(AnyLink);
    while (const auto slot = walk.next()) {
      if (--limit == 0) return wrong("a backchain does not end", header);
      if (!in_heap(slot) || !is_live_slot(slot)) {
        return wrong("a backchain entry that is no link", slot, body);
      }
      ++entries_;
      const auto word = t_.load(slot + kTargetAt);
      if ((word & ~kTargetFlags) != body) {
        return wrong("a backchain entry whose link leads elsewhere", slot, body);
      }
      if (!check_neighbours(slot))
        return wrong("a backchain entry with a wrong way back", slot, body);
      alive = alive || (word & kWeak) == 0;
    }
    if (!alive) ++report_.unlinked;
  }

  bool check_neighbours(Offset slot) {
    const auto next = t_.load(slot + kNextAt);
    return next == 0 || (in_heap(next) && t_.load(next + kBackAt) == slot + kNextAt);
  }

  /// Whether a link stands there, in an object that lives.
  bool is_live_slot(Offset slot) {
    if (slot == offset_of(Regions::kRoots)) return true;
    if (page_of(slot) < r_.first) return false;
    const auto header = object_around(slot);
    if (header == 0 || Tag(t_.load(header)).has(Tag::kLinkless)) return false;
    return is_link_in(header, slot - body_of(t_, header));
  }

  Offset object_around(Offset slot) {
    auto page = page_of(slot);
    if (page_entry(t_, page).use == PageUse::kSmall) return small_object_around(slot);
    while (page_entry(t_, page).use == PageUse::kLargeRest) --page;
    return large_at(page);
  }

  Offset small_object_around(Offset slot) {
    auto block = (slot & ~Offset{kPageSize - 1}) + sizeof(PageHeader);
    for (;;) {
      const Tag tag(t_.load(block));
      if (tag.bytes() == 0) return 0;
      if (slot < block + tag.bytes()) {
        return tag.is_object() && slot >= block + sizeof(ObjectHeader) ? block : 0;
      }
      block += tag.bytes();
    }
  }

  bool is_link_in(Offset header, std::uint64_t offset) {
    const TypeView type(t_, t_.load(header + kTypeAt));
    if (Tag(t_.load(header)).has(Tag::kArray)) {
      const auto first = type.head().alignment > kGranule ? type.head().alignment : kGranule;
      if (offset < first) return false;
      offset = (offset - first) % type.head().size;
    }
    for (const auto& run : type.links()) {
      const auto from = offset - run.offset;
      if (offset >= run.offset && from % run.stride == 0 && from / run.stride < run.count) {
        return true;
      }
    }
    return false;
  }

  // ---- types and names

  void check_types() {
    for (std::uint32_t place = 0; place < kWordsPerPage; ++place) {
      for (auto at = first_type(t_, place); at != 0; at = t_.reading<TypeDescriptor>(at)->next) {
        if (!in_heap(at) || header_of(t_, at) == 0) {
          wrong("a type descriptor that is no object", at);
          break;
        }
        ++report_.types;
        check_type(at, place);
      }
    }
  }

  void check_type(Offset at, std::uint32_t place) {
    const TypeView type(t_, at);
    if (type.head().name_hash % kWordsPerPage != place) {
      wrong("a type descriptor is in the wrong place", at);
    }
    for (const auto& run : type.links()) {
      const auto last = run.offset + std::uint64_t{run.count - 1} * run.stride;
      if (run.count == 0 || last + sizeof(AnyLink) > type.head().size) {
        wrong("a type has links outside its objects", at);
      }
    }
  }

  void check_directory(Offset directory) {
    for (const auto& bucket : t_.reading<Directory>(directory)->buckets) {
      for (auto at = bucket.target(); at != 0;) {
        const auto* entry = t_.reading<NameEntry>(at);
        check_name(*entry, at);
        at = entry->next.target();
      }
    }
  }

  void check_name(const NameEntry& entry, Offset at) {
    ++report_.names;
    const auto target = entry.target.target();
    if (entry.name[0] == '\0' || target == 0) return wrong("a name of nothing", at);
    const auto header = header_of(t_, target);
    if (header == 0) return;  // already found, as a link
    if (entry.type == type_hash<Directory>()) return check_directory(target);
    if (Tag(t_.load(header)).has(Tag::kArray)) return;
    if (t_.reading<TypeDescriptor>(t_.load(header + kTypeAt))->type_hash != entry.type) {
      wrong("a name whose object has another type", at, target);
    }
  }

  Transaction& t_;
  const Regions r_;
  HeapReport report_;
  std::uint64_t entries_ = 0;
};

}  // namespace
}  // namespace plurix::heap

namespace plurix {

HeapReport verify_heap(Transaction& t) { return heap::Verifier(t).run(); }

}  // namespace plurix
