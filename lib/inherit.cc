#include <plurix/heap/allocator.h>
#include <plurix/transaction.h>

namespace plurix::heap {
namespace {

// The system's own stays with the number: whoever gets it next goes on with it.
constexpr Placement kInherited[] = {Placement::kReadWrite, Placement::kReadOnly};

/// The node fills nothing any more; what its runs have left goes back to the manager.
std::uint32_t give_back_runs(Transaction& t, NodeId from) {
  const auto at = state_of(t, from);
  std::uint32_t pages = 0;
  for (const auto placement : kInherited) {
    const auto i = static_cast<std::size_t>(placement);
    const auto& known = t.reading<NodeState>(at)->of[i];
    const auto left = known.run_end - known.run_next;
    if (left == 0 && known.cursor[0].end == 0 && known.cursor[1].end == 0) continue;
    auto& state = t.writing<NodeState>(at)->of[i];
    if (left != 0) release_pages(t, state.run_next, left);
    pages += left;
    state = PlacementState{};
  }
  return pages;
}

void set_node_of_large(Transaction& t, Offset header, PageEntry entry) {
  const auto first = page_of(body_of(t, header));
  const auto count = pages_for(body_bytes(t, header));
  for (std::uint32_t i = 0; i < count; ++i) {
    entry.use = i == 0 ? PageUse::kLarge : PageUse::kLargeRest;
    set_page_entry(t, first + i, entry);
  }
}

/// The page, the objects on it and the pages of large ones are this node's from now on.
void take_over(Transaction& t, PageIndex page, PageEntry entry) {
  entry.node = static_cast<std::uint8_t>(t.node_id());
  set_page_entry(t, page, entry);
  auto* header = t.writing<PageHeader>(offset_of(page));
  header->node = entry.node;
  for (auto at = offset_of(page) + sizeof(PageHeader); at < offset_of(page) + kPageSize;) {
    const Tag tag(t.load(at));
    PLURIX_ASSERT(tag.is_object() || tag.is_hole());
    if (tag.is_object()) {
      t.store(at, tag.of_node(t.node_id()).word());
      if (tag.has(Tag::kLarge)) set_node_of_large(t, at, entry);
    }
    at += tag.bytes();
  }
}

}  // namespace

std::uint32_t inherit_pages(Transaction& t, NodeId from, std::uint32_t pages) {
  PLURIX_ASSERT(from != t.node_id());
  if (state_of(t, from) == 0) return 0;
  auto taken = give_back_runs(t, from);
  for (const auto placement : kInherited) {
    const PageEntry entry{PageUse::kSmall, placement, static_cast<std::uint8_t>(from)};
    PageIndex hand = 0;
    for (auto budget = t.pages(); pages > 0; --pages) {
      const auto page = next_page_like(t, entry, hand, budget);
      if (page == kNoPage) break;
      take_over(t, page, entry);
      ++taken;
    }
  }
  return taken;
}

}  // namespace plurix::heap
