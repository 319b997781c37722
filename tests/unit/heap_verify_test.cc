// The verifier, which other tests and tools believe: it finds each thing that can be wrong with a
// heap, and comes to its end whatever stands there.
#include <gtest/gtest.h>
#include <plurix/heap/type.h>
#include <rapidcheck/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "support/lone_node.h"
#include "unit/heap_types.h"

namespace plurix::testing {
namespace {

using heap::Offset;
using heap::Tag;

constexpr std::uint32_t kPages = 128;
constexpr auto kRegions = heap::regions(kPages);

/// Where the things of a small heap stand.
struct Places {
  Offset list;       ///< body of a root
  Offset item;       ///< of the first one on it; a second is behind it
  Offset popular;    ///< of an object with a chain for each node
  Offset array;      ///< of an array of vertices, large
  Offset item_type;  ///< descriptors
  Offset list_type;
  Offset entry;      ///< of the name "lists/list"
  Offset directory;  ///< of "lists"
  PageIndex small;   ///< the page of the item
  PageIndex large;   ///< the first page of the array
};

class VerifierTest : public ::testing::Test {
 protected:
  VerifierTest() {
    node_->run([](Transaction& t) {
      const auto list = t.root<List>("lists/list");
      push(t, list, 1);
      push(t, list, 2);
      const auto popular = t.root<Vertex>("popular");
      t.expect_many_links(popular);
      const auto array = t.make_array<Vertex>(200);
      ASSERT_TRUE(t.publish("array", array));
      for (std::size_t i = 0; i < 200; i += 7) array[i].mut()->edges[i % 4] = popular;
      array[1].mut()->edges[0].assign_weak(popular);
      (void)t.make_in<Bytes64>(Placement::kReadOnly);
    });
  }

  Places places(Transaction& t) {
    Places p;
    p.list = t.find<List>("lists/list").offset();
    p.item = t.find<List>("lists/list")->head.target();
    p.popular = t.find<Vertex>("popular").offset();
    p.array = t.find<Array<Vertex>>("array").offset();
    p.item_type = t.type<Item>();
    p.list_type = t.type<List>();
    t.list_names("", [&](const NameListing& name) {
      if (name.is_directory) p.directory = name.target;
    });
    for (const auto& bucket : t.reading<Directory>(p.directory)->buckets) {
      if (bucket) p.entry = bucket.target();
    }
    p.small = page_of(p.item);
    p.large = page_of(p.array);
    return p;
  }

  /// What is found when `damage` has been done, which is taken back afterwards.
  HeapReport found_after(const std::function<void(Transaction&, const Places&)>& damage) {
    HeapReport report;
    (void)node_->try_run([&](Transaction& t) -> Verdict {
      damage(t, places(t));
      report = verify_heap(t);
      return t.cancel("it was only an example");
    });
    return report;
  }

  LoneNode node_{kPages};
};

bool tells(const HeapReport& report, std::string_view what) {
  for (const auto& finding : report.findings) {
    if (finding.what == what) return true;
  }
  return false;
}

Offset header_of_small(Offset body) { return body - sizeof(heap::ObjectHeader); }

Offset map_entry(PageIndex page) {
  return heap::offset_of(kRegions.map) + page * sizeof(heap::PageEntry);
}

Offset index_entry(PageIndex page) {
  return heap::offset_of(kRegions.large_index) + page * sizeof(Offset);
}

PageIndex free_page(Transaction& t) {
  auto page = kRegions.first;
  while (heap::page_entry(t, page).use != heap::PageUse::kFree) ++page;
  return page;
}

void set_entry(Transaction& t, PageIndex page, auto change) {
  change(*t.writing<heap::PageEntry>(map_entry(page)));
}

void set_tag(Transaction& t, Offset header, auto change) {
  t.store(header, change(Tag(t.load(header))).word());
}

template <class Field>
void set(Transaction& t, Offset object, Field field, auto value) {
  using Object = decltype([]<class T, class M>(M T::*) -> T { return {}; }(field));
  t.writing<Object>(object)->*field =
      static_cast<std::remove_reference_t<decltype(std::declval<Object&>().*field)>>(value);
}

/// The first slot of the object's chain.
Offset chain_of(Transaction& t, Offset body) {
  return t.load(header_of_small(body) + heap::kChainAt);
}

/// A cell of the popular object's table.
Offset cell_of(Transaction& t, Offset popular) {
  const auto table = chain_of(t, popular) & ~heap::kSegmented;
  return table + t.node_id() * sizeof(Offset);
}

struct Damage {
  const char* found;
  void (*done)(Transaction&, const Places&);
};

const Damage kDamages[] = {
    {"page 0 is no root block",
     [](Transaction& t, const Places&) { set(t, 0, &RootBlock::magic, 1); }},
    {"the root block has another number of pages",
     [](Transaction& t, const Places&) { set(t, 0, &RootBlock::pages, kPages + 1); }},
    {"a free page is in the index of large objects",
     [](Transaction& t, const Places& p) {
       t.store(index_entry(free_page(t)), t.load(index_entry(p.large)));
     }},
    {"a page of a large object without its beginning",
     [](Transaction& t, const Places&) {
       set_entry(t, free_page(t), [](auto& e) { e.use = heap::PageUse::kLargeRest; });
     }},
    {"a page of small objects is not one",
     [](Transaction& t, const Places& p) {
       set(t, heap::offset_of(p.small), &heap::PageHeader::magic, 0);
     }},
    {"a page is not what the page map says",
     [](Transaction& t, const Places& p) { set_entry(t, p.small, [](auto& e) { e.node = 9; }); }},
    {"a page is not what the page map says",
     [](Transaction& t, const Places& p) {
       set_entry(t, p.small, [](auto& e) { e.placement = static_cast<Placement>(77); });
     }},
    {"blocks do not tile their page",
     [](Transaction& t, const Places& p) { t.store(header_of_small(p.item), 0); }},
    {"blocks do not tile their page",
     [](Transaction& t, const Places& p) {
       t.store(header_of_small(p.item), Tag::object(8, Placement::kReadWrite, 0, 0).word());
     }},
    {"blocks do not tile their page",
     [](Transaction& t, const Places& p) {
       set_tag(t, header_of_small(p.item), [](Tag tag) { return Tag(tag.word() + 4); });
     }},
    {"a small object straddles two pages",
     [](Transaction& t, const Places& p) {
       const auto rest = kPageSize - header_of_small(p.item) % kPageSize;
       t.store(header_of_small(p.item),
               Tag::object(rest + 8, Placement::kReadWrite, t.node_id(), 0).word());
     }},
    {"a page miscounts its objects",
     [](Transaction& t, const Places& p) {
       ++t.writing<heap::PageHeader>(heap::offset_of(p.small))->objects;
     }},
    {"a page miscounts its objects",
     [](Transaction& t, const Places& p) {
       t.writing<heap::PageHeader>(heap::offset_of(p.small))->used += 8;
     }},
    {"objects of two placements share a page",
     [](Transaction& t, const Places& p) {
       t.store(header_of_small(p.item), Tag::object(Tag(t.load(header_of_small(p.item))).bytes(),
                                                    Placement::kReadOnly, t.node_id(), 0)
                                            .word());
     }},
    {"small objects of two nodes share a page",
     [](Transaction& t, const Places& p) {
       set_tag(t, header_of_small(p.item), [](Tag tag) { return tag.of_node(9); });
     }},
    {"a large object without its header",
     [](Transaction& t, const Places& p) { t.store(index_entry(p.large), 0); }},
    {"a large object without its header",
     [](Transaction& t, const Places& p) { t.store(index_entry(p.large), ~Offset{7}); }},
    {"a large object without its header",
     [](Transaction& t, const Places& p) {
       t.store(index_entry(p.large), header_of_small(p.item));
     }},
    {"a large object is not in the index",
     [](Transaction& t, const Places& p) { t.store(index_entry(p.large), 0); }},
    {"a large object is not in the index",
     [](Transaction& t, const Places& p) {
       t.store(t.load(index_entry(p.large)) + heap::kBodyAt, ~Offset{7});
     }},
    {"a large object is not in the index",
     [](Transaction& t, const Places& p) {
       t.store(t.load(index_entry(p.large)) + heap::kBodyBytesAt, Offset{1} << 40);
     }},
    {"a large object does not have its pages to itself",
     [](Transaction& t, const Places& p) {
       set_entry(t, p.large + 1, [](auto& e) { e.use = heap::PageUse::kFree; });
     }},
    {"the memory manager miscounts its pages",
     [](Transaction& t, const Places&) {
       ++t.writing<heap::ManagerState>(heap::offset_of(heap::Regions::kManager))->taken;
     }},
    {"the memory manager miscounts its pages",
     [](Transaction& t, const Places&) {
       ++*t.writing<std::uint16_t>(heap::offset_of(kRegions.summary));
     }},
    {"a node's allocation state is no object",
     [](Transaction& t, const Places&) {
       t.store(heap::offset_of(heap::Regions::kNodes) + 9 * sizeof(Offset), 8 * kPageSize);
     }},
    {"a node's allocation state is no object",
     [](Transaction& t, const Places& p) {
       t.store(heap::offset_of(heap::Regions::kNodes) + 9 * sizeof(Offset), p.item);
     }},
    {"a node fills what is no hole",
     [](Transaction& t, const Places& p) {
       auto& cursor = t.writing<heap::NodeState>(heap::state_of(t, t.node_id()))->of[0].cursor[0];
       cursor = {header_of_small(p.item), cursor.end};
     }},
    {"a node fills what is no hole",
     [](Transaction& t, const Places&) {
       auto& cursor = t.writing<heap::NodeState>(heap::state_of(t, t.node_id()))->of[0].cursor[0];
       cursor.end -= 8;
     }},
    {"an object without a type",
     [](Transaction& t, const Places& p) { t.store(header_of_small(p.item) + heap::kTypeAt, 0); }},
    {"an object without a type",
     [](Transaction& t, const Places& p) {
       t.store(header_of_small(p.item) + heap::kTypeAt, ~Offset{0});
     }},
    {"an object without a type",
     [](Transaction& t, const Places& p) {
       set(t, p.item_type, &heap::TypeDescriptor::runs, 60'000);
     }},
    {"an object without a type",
     [](Transaction& t, const Places& p) { set(t, p.item_type, &heap::TypeDescriptor::size, 0); }},
    {"an object without a type",  // whose links are outside its objects
     [](Transaction& t, const Places& p) {
       set(t, p.item_type + sizeof(heap::TypeDescriptor), &heap::LinkRun::count, 2);
     }},
    {"an object without a type",
     [](Transaction& t, const Places& p) {
       set(t, p.item_type + sizeof(heap::TypeDescriptor), &heap::LinkRun::stride, 0);
     }},
    {"an object is smaller than its type",
     [](Transaction& t, const Places& p) {
       set(t, p.item_type, &heap::TypeDescriptor::size, 5'000);
     }},
    {"an object is smaller than its type",
     [](Transaction& t, const Places& p) { t.store(p.array, 100'000); }},
    {"a link to what is no object",
     [](Transaction& t, const Places& p) { t.store(p.list, p.item + 8); }},
    {"a link to what is no object",
     [](Transaction& t, const Places& p) { t.store(p.list, ~Offset{7}); }},
    {"a link is not in its target's backchain",
     [](Transaction& t, const Places& p) { t.store(p.list + heap::kBackAt, p.item); }},
    {"a link is not in its target's backchain",
     [](Transaction& t, const Places& p) { t.store(p.list + heap::kBackAt, ~Offset{7}); }},
    {"a backchain entry that is no link",
     [](Transaction& t, const Places& p) {
       t.store(header_of_small(p.item) + heap::kChainAt, p.item + 16);
     }},
    {"a backchain entry that is no link",
     [](Transaction& t, const Places& p) {
       t.store(header_of_small(p.item) + heap::kChainAt, ~Offset{7});
     }},
    {"a backchain entry that is no link",  // behind the last element
     [](Transaction& t, const Places& p) {
       t.store(header_of_small(p.item) + heap::kChainAt, p.array + 8 + 200 * sizeof(Vertex) + 8);
     }},
    {"a backchain entry whose link leads elsewhere",
     [](Transaction& t, const Places& p) {
       t.store(header_of_small(p.item) + heap::kChainAt, chain_of(t, p.list));
     }},
    {"a backchain entry with a wrong way back",
     [](Transaction& t, const Places& p) {
       t.store(chain_of(t, p.item) + heap::kBackAt, p.item + 8);
     }},
    {"a backchain entry with a wrong way back",  // a chain that leads into itself
     [](Transaction& t, const Places& p) {
       const auto first = t.load(t.load(cell_of(t, p.popular)));
       t.store(first + heap::kNextAt, first);
     }},
    {"links and backchain entries are not equally many",
     [](Transaction& t, const Places& p) { t.store(header_of_small(p.item) + heap::kChainAt, 0); }},
    {"a backchain without its table",
     [](Transaction& t, const Places& p) {
       t.store(header_of_small(p.popular) + heap::kChainAt, p.item | heap::kSegmented);
     }},
    {"a backchain without its table",
     [](Transaction& t, const Places& p) { t.store(cell_of(t, p.popular), ~Offset{7}); }},
    {"a type descriptor that is none",
     [](Transaction& t, const Places& p) {
       set(t, p.item_type, &heap::TypeDescriptor::next, p.item);
     }},
    {"a type descriptor is in the wrong place",
     [](Transaction& t, const Places& p) {
       ++t.writing<heap::TypeDescriptor>(p.item_type)->name_hash;
     }},
    {"the types do not end",
     [](Transaction& t, const Places& p) {
       set(t, p.item_type, &heap::TypeDescriptor::next, p.item_type);
     }},
    {"a name of nothing",
     [](Transaction& t, const Places& p) { t.writing<NameEntry>(p.entry)->name[0] = '\0'; }},
    {"a name of nothing",
     [](Transaction& t, const Places& p) {
       t.store(p.entry + sizeof(Link<NameEntry>) + heap::kTargetAt, 0);
     }},
    {"a name whose object has another type",
     [](Transaction& t, const Places& p) { set(t, p.entry, &NameEntry::type, type_hash<Item>()); }},
    {"a name that is none", [](Transaction& t, const Places& p) { t.store(p.directory, p.item); }},
    {"a directory that is none",
     [](Transaction& t, const Places& p) {
       set(t, p.entry, &NameEntry::type, type_hash<Directory>());
     }},
    {"the names do not end",
     [](Transaction& t, const Places& p) { t.store(p.entry + heap::kTargetAt, p.entry); }},
    {"directories lie too deep in each other",
     [](Transaction& t, const Places& p) {
       set(t, p.entry, &NameEntry::type, type_hash<Directory>());
       t.store(p.entry + sizeof(Link<NameEntry>) + heap::kTargetAt, p.directory);
       for (int i = 0; i < 1'000; ++i) (void)t.make<long>();  // or there are too few for the names
     }},
};

TEST_F(VerifierTest, FindsNothingInASoundHeap) {
  const auto report = found_after([](Transaction&, const Places&) {});
  EXPECT_EQ(to_words(report), "");
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.unlinked, 1u);    // the object that was never linked
  EXPECT_EQ(report.weak_links, 2u);  // and one of the queue of candidates
  EXPECT_GT(report.pages_large, 1u);
}

TEST_F(VerifierTest, FindsWhatIsWrong) {
  for (std::size_t i = 0; i < std::size(kDamages); ++i) {
    const auto report = found_after(kDamages[i].done);
    EXPECT_TRUE(tells(report, kDamages[i].found))
        << "damage " << i << " (" << kDamages[i].found << ") is found as: " << to_words(report);
    EXPECT_FALSE(report.ok());
  }
  EXPECT_TRUE(node_.verify().ok());  // all of it was taken back
}

/// A word of the heap that something else is written over.
struct Overwritten {
  std::uint32_t at;
  std::uint8_t kind;
  std::uint64_t value;

  std::uint64_t word(std::uint64_t before) const {
    const auto heap_words = kPages * kPageSize / 8;
    if (kind % 5 == 0) return value;
    if (kind % 5 == 1) return value % heap_words * 8;  // some place
    if (kind % 5 == 2) return before ^ (std::uint64_t{1} << value % 64);
    if (kind % 5 == 3) return before + value % 17 * 8 - 64;
    return ~std::uint64_t{0} << value % 64;
  }
  friend std::ostream& operator<<(std::ostream& out, const Overwritten& o) {
    return out << "{" << o.at << ", " << int(o.kind) << ", " << o.value << "}";
  }
};

rc::Gen<Overwritten> overwritten() {
  // The tables, and the pages with objects on them.
  return rc::gen::build<Overwritten>(
      rc::gen::set(&Overwritten::at, rc::gen::inRange<std::uint32_t>(0, 40 * kPageSize / 8)),
      rc::gen::set(&Overwritten::kind, rc::gen::arbitrary<std::uint8_t>()),
      rc::gen::set(&Overwritten::value,
                   rc::gen::resize(1'000, rc::gen::arbitrary<std::uint64_t>())));
}

RC_GTEST_FIXTURE_PROP(VerifierTest, ComesToItsEndWhateverStandsThere, ()) {
  const auto words = *rc::gen::container<std::vector<Overwritten>>(overwritten());
  (void)found_after([&](Transaction& t, const Places&) {
    for (const auto& word : words) {
      const auto at = Offset{word.at} * 8;
      t.store(at, word.word(t.load(at)));
    }
  });
}

}  // namespace
}  // namespace plurix::testing
