#include <plurix/heap/compaction.h>
#include <plurix/transaction.h>

#include <algorithm>

namespace plurix::heap {
namespace {

struct MapPage {
  PageEntry entries[kEntriesPerMapPage];
};
static_assert(sizeof(MapPage) == kPageSize);

constexpr Offset entry_at(const Regions& r, PageIndex page) noexcept {
  return offset_of(r.map) + Offset{page} * sizeof(PageEntry);
}

constexpr Offset summary_at(const Regions& r, std::uint32_t map_page) noexcept {
  return offset_of(r.summary) + Offset{map_page} * sizeof(std::uint16_t);
}

ManagerState& manager(Transaction& t) {
  return *t.writing<ManagerState>(offset_of(Regions::kManager));
}

/// How many entries of a page of the map are taken.
std::uint32_t taken_in(Transaction& t, const Regions& r, std::uint32_t map_page) {
  return *t.reading<std::uint16_t>(summary_at(r, map_page));
}

/// The first page in [begin, end) with that entry, all of one page of the map; kNoPage if none has.
PageIndex find_like(Transaction& t, const Regions& r, PageEntry entry, PageIndex begin,
                    PageIndex end) {
  const auto map_page = begin / kEntriesPerMapPage;
  const auto* map = t.reading<MapPage>(offset_of(r.map + map_page));
  for (auto page = begin; page < end; ++page) {
    if (map->entries[page % kEntriesPerMapPage] == entry) return page;
  }
  return kNoPage;
}

/// Looks for a run of free pages in [begin, end): the first that is long enough, else the longest.
class Search {
 public:
  Search(Transaction& t, std::uint32_t wanted) : t_(t), r_(regions(t.pages())), wanted_(wanted) {}

  void look(PageIndex begin, PageIndex end) {
    run_ = {};
    for (auto page = begin; page < end && !done();) {
      const auto map_page = page / kEntriesPerMapPage;
      const auto stop = std::min(end, (map_page + 1) * kEntriesPerMapPage);
      if (is_full(map_page)) {
        end_run();
      } else {
        look_at(map_page, page, stop);
      }
      page = stop;
    }
    end_run();
  }

  bool done() const noexcept { return best_.count >= wanted_; }
  PageRun best() const noexcept { return {best_.first, std::min(best_.count, wanted_)}; }

 private:
  bool is_full(std::uint32_t map_page) {
    const auto begin = std::max(r_.first, map_page * kEntriesPerMapPage);
    const auto end = std::min(r_.end, (map_page + 1) * kEntriesPerMapPage);
    return begin + taken_in(t_, r_, map_page) >= end;
  }

  void look_at(std::uint32_t map_page, PageIndex page, PageIndex stop) {
    const auto* map = t_.reading<MapPage>(offset_of(r_.map + map_page));
    for (; page < stop && !done(); ++page) {
      if (map->entries[page % kEntriesPerMapPage].use != PageUse::kFree) {
        end_run();
        continue;
      }
      if (run_.count == 0) run_.first = page;
      if (++run_.count >= wanted_) end_run();
    }
  }

  void end_run() noexcept {
    if (run_.count > best_.count) best_ = run_;
    run_ = {};
  }

  Transaction& t_;
  const Regions r_;
  const std::uint32_t wanted_;
  PageRun run_;
  PageRun best_;
};

void set_entry(Transaction& t, const Regions& r, PageIndex page, PageEntry entry, int change) {
  *t.writing<PageEntry>(entry_at(r, page)) = entry;
  auto& taken = *t.writing<std::uint16_t>(summary_at(r, page / kEntriesPerMapPage));
  taken = static_cast<std::uint16_t>(taken + change);
}

void set_entries(Transaction& t, const PageRun& run, PageEntry entry, int change) {
  const auto r = regions(t.pages());
  for (std::uint32_t i = 0; i < run.count; ++i) {
    set_entry(t, r, run.first + i, entry, change);
    if (entry.use == PageUse::kLarge) entry.use = PageUse::kLargeRest;
  }
}

void take(Transaction& t, const PageRun& run, PageEntry entry) {
  set_entries(t, run, entry, 1);
  manager(t).taken += run.count;
}

}  // namespace

PageEntry page_entry(Transaction& t, PageIndex page) {
  return *t.reading<PageEntry>(entry_at(regions(t.pages()), page));
}

void set_page_entry(Transaction& t, PageIndex page, PageEntry entry) {
  *t.writing<PageEntry>(entry_at(regions(t.pages()), page)) = entry;
}

PageIndex next_page_like(Transaction& t, PageEntry entry, PageIndex& hand, std::uint32_t& budget) {
  const auto r = regions(t.pages());
  while (budget > 0) {
    const auto begin = hand < r.first || hand >= r.end ? r.first : hand;
    const auto map_page = begin / kEntriesPerMapPage;
    auto end = std::min(r.end, (map_page + 1) * kEntriesPerMapPage);
    auto found = kNoPage;
    if (taken_in(t, r, map_page) == 0) {
      --budget;
    } else {
      end = std::min(end, begin + budget);
      found = find_like(t, r, entry, begin, end);
      if (found != kNoPage) end = found + 1;
      budget -= end - begin;
    }
    hand = end < r.end ? end : r.first;
    if (found != kNoPage) return found;
  }
  return kNoPage;
}

PageIndex next_taken_page(Transaction& t, PageIndex& hand) {
  const auto r = regions(t.pages());
  while (hand < r.end) {
    const auto map_page = hand / kEntriesPerMapPage;
    const auto end = std::min(r.end, (map_page + 1) * kEntriesPerMapPage);
    if (taken_in(t, r, map_page) != 0) {
      const auto* map = t.reading<MapPage>(offset_of(r.map + map_page));
      for (; hand < end; ++hand) {
        if (map->entries[hand % kEntriesPerMapPage].use != PageUse::kFree) return hand++;
      }
    }
    hand = end;
  }
  return kNoPage;
}

std::uint32_t taken_pages(Transaction& t) {
  return t.reading<ManagerState>(offset_of(Regions::kManager))->taken;
}

PageRun take_pages(Transaction& t, std::uint32_t wanted, std::uint32_t least, PageEntry entry) {
  const auto r = regions(t.pages());
  const auto* state = t.reading<ManagerState>(offset_of(Regions::kManager));
  const auto start = std::clamp(state->next_search, r.first, r.end);
  Search search(t, wanted);
  search.look(start, r.end);
  if (!search.done()) search.look(r.first, r.end);
  const auto run = search.best();
  if (run.count == 0 || run.count < least) return {};
  take(t, run, entry);
  manager(t).next_search = run.first + run.count;
  return run;
}

PageRun find_free_pages(Transaction& t, std::uint32_t wanted, PageIndex end) {
  Search search(t, wanted);
  search.look(regions(t.pages()).first, end);
  return search.done() ? search.best() : PageRun{};
}

bool take_these_pages(Transaction& t, const PageRun& run, PageEntry entry) {
  const auto r = regions(t.pages());
  if (run.first < r.first || run.first > r.end || run.count > r.end - run.first) return false;
  for (std::uint32_t i = 0; i < run.count; ++i) {
    if (page_entry(t, run.first + i).use != PageUse::kFree) return false;
  }
  take(t, run, entry);
  return true;
}

void release_pages(Transaction& t, PageIndex first, std::uint32_t count) {
  set_entries(t, {first, count}, PageEntry{}, -1);
  manager(t).taken -= count;
}

}  // namespace plurix::heap
