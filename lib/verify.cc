#include <plurix/heap/backchain.h>
#include <plurix/heap/type.h>
#include <plurix/heap/verify.h>
#include <plurix/transaction.h>

namespace plurix::heap {
namespace {

/// What stands where in a heap of which nothing is taken for granted: no question reads outside the
/// heap, or goes on for ever.
class Heap {
 public:
  explicit Heap(Transaction& t) : t_(t), r_(regions(t.pages())) {}

  const Regions& regions_of() const noexcept { return r_; }

  bool has(Offset at) const noexcept { return has(at, sizeof(Offset)); }
  bool has(Offset at, std::uint64_t bytes) const noexcept {
    const auto end = offset_of(t_.pages());
    return at != 0 && at % kGranule == 0 && at < end && bytes <= end - at;
  }

  /// The word at a place that may be none.
  std::uint64_t word(Offset at) const { return has(at) ? t_.load(at) : 0; }

  Offset large_at(PageIndex page) const {
    return t_.load(offset_of(r_.large_index) + page * sizeof(Offset));
  }

  // ---- blocks and objects, by their headers

  /// Whether a block begins there.
  bool is_block(Offset at) const {
    if (!has(at) || page_of(at) < r_.first) return false;
    if (page_entry(t_, page_of(at)).use != PageUse::kSmall) return false;
    const auto around = block_around(at);
    return around == at;
  }

  /// Whether an object begins there, all of whose body is in the heap.
  bool is_object(Offset header) const {
    if (!is_block(header)) return false;
    const Tag tag(t_.load(header));
    if (!is_whole(tag)) return false;
    return !tag.has(Tag::kLarge) || has(t_.load(header + kBodyAt), t_.load(header + kBodyBytesAt));
  }

  /// Whether an object's block has room for what an object begins with.
  static bool is_whole(Tag tag) noexcept {
    const auto least = tag.has(Tag::kLarge) ? sizeof(LargeHeader) : block_bytes(1);
    return tag.is_object() && tag.bytes() >= least;
  }

  /// Whether an object of so many bytes has its body there.
  bool is_body(Offset body, std::uint64_t bytes) const {
    const auto header = header_of(t_, body);
    return header != 0 && is_object(header) && body_of(t_, header) == body &&
           body_bytes(t_, header) >= bytes;
  }

  /// The object in which that place is, 0 if it is in none.
  Offset object_around(Offset at) const {
    auto page = page_of(at);
    if (!has(at) || page < r_.first) return 0;
    if (page_entry(t_, page).use == PageUse::kSmall) {
      const auto block = block_around(at);
      return block != 0 && is_object(block) && at >= block + sizeof(ObjectHeader) ? block : 0;
    }
    while (page > r_.first && page_entry(t_, page).use == PageUse::kLargeRest) --page;
    const auto header = large_at(page);
    if (!is_object(header) || !Tag(t_.load(header)).has(Tag::kLarge)) return 0;
    return at - body_of(t_, header) < body_bytes(t_, header) ? header : 0;
  }

  // ---- types

  /// A descriptor that is whole and whose links are inside its objects; nullptr otherwise.
  const TypeDescriptor* type(Offset at) {
    if (at != 0 && at == known_type_) return t_.reading<TypeDescriptor>(at);
    if (!is_body(at, sizeof(TypeDescriptor))) return nullptr;
    const auto* type = t_.reading<TypeDescriptor>(at);
    const auto bytes = sizeof *type + type->runs * sizeof(LinkRun) +
                       type->fields * sizeof(TypeField) + type->text_length;
    if (type->size == 0 || bytes > body_bytes(t_, header_of(t_, at))) return nullptr;
    for (const auto& run : TypeView(t_, at).links()) {
      if (!fits(run, type->size)) return nullptr;
    }
    known_type_ = at;
    return type;
  }

  /// Whether a link of the object stands there.
  bool is_link_of(Offset header, Offset slot) {
    const Tag tag(t_.load(header));
    const auto* found = tag.has(Tag::kLinkless) ? nullptr : type(t_.load(header + kTypeAt));
    if (found == nullptr) return false;
    auto offset = slot - body_of(t_, header);
    if (tag.has(Tag::kArray)) {
      if (offset < first_element(*found)) return false;
      offset -= first_element(*found);
      if (offset / found->size >= t_.load(body_of(t_, header))) return false;
      offset %= found->size;
    }
    for (const auto& run : TypeView(t_, t_.load(header + kTypeAt)).links()) {
      const auto from = offset - run.offset;
      if (offset >= run.offset && from % run.stride == 0 && from / run.stride < run.count) {
        return true;
      }
    }
    return false;
  }

  static std::uint64_t first_element(const TypeDescriptor& type) noexcept {
    return type.alignment > kGranule ? type.alignment : kGranule;
  }

  // ---- what a node knows of its own allocation

  const NodeState* node_state(NodeId node) const {
    const auto at = node < kMaxNodes ? state_of(t_, node) : 0;
    return is_body(at, sizeof(NodeState)) ? t_.reading<NodeState>(at) : nullptr;
  }

 private:
  /// The block in which that place of a page of small objects is, 0 if none is.
  Offset block_around(Offset at) const {
    auto block = (at & ~Offset{kPageSize - 1}) + sizeof(PageHeader);
    while (block <= at) {
      const auto bytes = Tag(t_.load(block)).bytes();
      if (bytes == 0 || bytes % kGranule != 0) return 0;
      if (at - block < bytes) return block;
      block += bytes;
    }
    return 0;
  }

  static bool fits(const LinkRun& run, std::uint64_t size) noexcept {
    if (run.count == 0 || run.stride < sizeof(AnyLink) || run.offset % kGranule != 0 ||
        run.stride % kGranule != 0) {
      return false;
    }
    const auto last = run.offset + std::uint64_t{run.count - 1} * run.stride;
    return last + sizeof(AnyLink) <= size;
  }

  Transaction& t_;
  const Regions r_;
  Offset known_type_ = 0;  ///< the last one that was right
};

class Verifier {
 public:
  explicit Verifier(Transaction& t) : t_(t), heap_(t), r_(heap_.regions_of()) {}

  HeapReport run() {
    check_root_block();
    check_types();
    for (auto page = r_.first; page < r_.end;) page = check_page(page);
    check_summary();
    check_nodes();
    check_link(offset_of(Regions::kRoots));
    const auto root = t_.load(offset_of(Regions::kRoots)) & ~kTargetFlags;
    if (root != 0) check_directory(root, 0);
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
      if (heap_.large_at(page) != 0)
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

  /// In its node's run, but nothing was allocated on it yet.
  bool is_unused(PageEntry entry, PageIndex page) {
    const auto* state = heap_.node_state(entry.node);
    const auto i = static_cast<std::size_t>(entry.placement);
    if (state == nullptr || i >= kPlacements) return false;
    return page >= state->of[i].run_next && page < state->of[i].run_end;
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
      if (!(Heap::is_whole(tag) || tag.is_hole()) || tag.bytes() == 0 ||
          tag.bytes() % kGranule != 0) {
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
    const auto header = heap_.large_at(page);
    ++report_.pages_large;
    const bool has_header = heap_.is_object(header) && Tag(t_.load(header)).has(Tag::kLarge) &&
                            body_of(t_, header) == offset_of(page);
    if (!has_header) {
      wrong("a large object without its header", offset_of(page), header);
      return page + 1;
    }
    const auto end = page + pages_for(body_bytes(t_, header));
    entry.use = PageUse::kLargeRest;
    for (++page; page < end; ++page) {
      ++report_.pages_taken;
      ++report_.pages_large;
      if (page_entry(t_, page) != entry) {
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
      const auto* state = heap_.node_state(node);
      if (state == nullptr) {
        wrong("a node's allocation state is no object", at);
        continue;
      }
      for (const auto& of : state->of) {
        for (const auto& cursor : of.cursor) check_cursor(cursor, at);
      }
    }
  }

  void check_cursor(const Cursor& cursor, Offset state) {
    if (cursor.at == cursor.end) return;
    if (!heap_.is_block(cursor.at) ||
        t_.load(cursor.at) != Tag::hole(cursor.end - cursor.at).word()) {
      wrong("a node fills what is no hole", cursor.at, state);
    }
  }

  // ---- objects

  void check_object(Tag tag, Offset header) {
    const bool system = tag.has(Tag::kPinned);
    ++(system ? report_.system_objects : report_.objects);
    if (tag.has(Tag::kLarge) && !is_in_index(header)) {
      return wrong("a large object is not in the index", header);
    }
    report_.object_bytes += body_bytes(t_, header);
    if (!tag.has(Tag::kLinkless)) {
      if (!check_type_of(tag, header)) return;
      LinkWalk links(t_, header);
      while (const auto slot = links.next()) check_link(slot);
    }
    check_chain(header, system);
  }

  bool is_in_index(Offset header) {
    return heap_.is_object(header) && body_of(t_, header) % kPageSize == 0 &&
           heap_.large_at(page_of(body_of(t_, header))) == header;
  }

  bool check_type_of(Tag tag, Offset header) {
    const auto at = t_.load(header + kTypeAt);
    const auto* type = heap_.type(at);
    if (type == nullptr) {
      wrong("an object without a type", header, at);
      return false;
    }
    const auto room = body_bytes(t_, header);
    bool fits = type->size <= room;
    if (tag.has(Tag::kArray)) {
      const auto first = Heap::first_element(*type);
      const auto count = t_.load(body_of(t_, header));
      fits = room >= first && count <= (room - first) / type->size;
    }
    if (!fits) wrong("an object is smaller than its type", header, at);
    return fits;
  }

  // ---- links

  void check_link(Offset slot) {
    const auto word = t_.load(slot + kTargetAt);
    const auto target = word & ~kTargetFlags;
    if (target == 0) return;
    ++report_.links;
    if ((word & kWeak) != 0) ++report_.weak_links;
    if (!heap_.is_body(target, 0)) return wrong("a link to what is no object", slot, target);
    if (heap_.word(t_.load(slot + kBackAt)) != slot) {
      wrong("a link is not in its target's backchain", slot, target);
    }
  }

  void check_chain(Offset header, bool system) {
    const auto chain = t_.load(header + kChainAt);
    bool alive = system;
    if ((chain & kSegmented) == 0) {
      alive |= is_kept_by(chain, header + kChainAt, header);
    } else if (const auto table = chain & ~kSegmented;
               !heap_.is_body(table, sizeof(SegmentTable))) {
      wrong("a backchain without its table", header, table);
    } else {
      for (NodeId node = 0; node < kMaxNodes; ++node) {
        const auto cell = t_.load(table + node * sizeof(Offset));
        if (cell == 0) continue;
        if (heap_.is_body(cell, sizeof(Offset))) {
          alive |= is_kept_by(t_.load(cell), cell, header);
        } else {
          wrong("a backchain without its table", header, cell);
        }
      }
    }
    if (!alive) ++report_.unlinked;
  }

  /// Checks one chain of an object, to which the word at `back` leads. True if one of its links
  /// keeps the object alive. Each entry has one way back, so a chain that is sound ends.
  bool is_kept_by(Offset slot, Offset back, Offset header) {
    const auto body = body_of(t_, header);
    bool alive = false;
    for (; slot != 0; slot = t_.load(back)) {
      if (!is_live_slot(slot)) {
        wrong("a backchain entry that is no link", slot, body);
        return true;
      }
      const auto word = t_.load(slot + kTargetAt);
      if ((word & ~kTargetFlags) != body) {
        wrong("a backchain entry whose link leads elsewhere", slot, body);
        return true;
      }
      if (t_.load(slot + kBackAt) != back) {
        wrong("a backchain entry with a wrong way back", slot, body);
        return true;
      }
      ++entries_;
      alive = alive || (word & kWeak) == 0;
      back = slot + kNextAt;
    }
    return alive;
  }

  /// Whether a link stands there, in an object that lives.
  bool is_live_slot(Offset slot) {
    if (slot == offset_of(Regions::kRoots)) return true;
    const auto header = heap_.object_around(slot);
    return header != 0 && heap_.is_link_of(header, slot);
  }

  // ---- types and names

  void check_types() {
    for (std::uint32_t place = 0; place < kWordsPerPage; ++place) {
      for (auto at = first_type(t_, place); at != 0;) {
        const auto* type = heap_.type(at);
        if (type == nullptr) {
          wrong("a type descriptor that is none", at);
          break;
        }
        // Not told as often as it is met again, if one of the table's lists leads into itself.
        if (++report_.types > offset_of(t_.pages()) / sizeof(TypeDescriptor)) {
          return wrong("the types do not end", at);
        }
        if (type->name_hash % kWordsPerPage != place) {
          wrong("a type descriptor is in the wrong place", at);
          break;
        }
        at = type->next;
      }
    }
  }

  void check_directory(Offset directory, unsigned depth) {
    if (!heap_.is_body(directory, sizeof(Directory))) {
      return wrong("a directory that is none", directory);
    }
    for (const auto& bucket : t_.reading<Directory>(directory)->buckets) {
      for (auto at = bucket.target(); at != 0;) {
        if (!heap_.is_body(at, sizeof(NameEntry))) return wrong("a name that is none", at);
        if (report_.names == report_.objects) return wrong("the names do not end", at);
        const auto* entry = t_.reading<NameEntry>(at);
        check_name(*entry, at, depth);
        at = entry->next.target();
      }
    }
  }

  void check_name(const NameEntry& entry, Offset at, unsigned depth) {
    ++report_.names;
    const auto target = entry.target.target();
    if (entry.name[0] == '\0' || target == 0) return wrong("a name of nothing", at);
    if (!heap_.is_body(target, 0)) return;  // already found, as a link
    if (entry.type == type_hash<Directory>()) {
      if (depth == kMostDirectories) return wrong("directories lie too deep in each other", at);
      return check_directory(target, depth + 1);
    }
    const auto header = header_of(t_, target);
    if (Tag(t_.load(header)).has(Tag::kArray)) return;
    const auto* type = heap_.type(t_.load(header + kTypeAt));
    if (type != nullptr && type->type_hash != entry.type) {
      wrong("a name whose object has another type", at, target);
    }
  }

  /// One in the other; they may lead into themselves, and a kernel's stack is small.
  static constexpr unsigned kMostDirectories = 128;

  Transaction& t_;
  Heap heap_;
  const Regions r_;
  HeapReport report_;
  std::uint64_t entries_ = 0;
};

}  // namespace
}  // namespace plurix::heap

namespace plurix {

HeapReport verify_heap(Transaction& t) { return heap::Verifier(t).run(); }

}  // namespace plurix
