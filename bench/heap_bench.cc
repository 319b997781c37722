// What objects cost: allocating one, storing a link, moving one, beside what programs use for that
// in one process.
#include "support/node.h"
#include "support/peer_allocators.h"
#include "support/report.h"
#include "support/samples.h"

#include <cstring>
#include <functional>
#include <memory>
#include <thread>

namespace plurix::bench {
namespace {

constexpr int kObjects = 1000;  ///< of one round

struct Object {
  char bytes[64];
};

struct Item {
  long value;
  Link<Item> next;
};

struct Shared64 {
  std::shared_ptr<Shared64> next;
};

/// Nanoseconds of each of `count` things that `f()` does.
template <class F>
double ns_each(int count, F f) {
  return microseconds_of(f) * 1e3 / count;
}

class Bench {
 public:
  Bench() : node_(node_options(fresh_cluster(), true)) {}

  // ---- allocation

  /// New objects on new pages; the shadow images of the pages are in it, the commit is not.
  double allocate() {
    return node_.run([](Transaction& t) {
      return ns_each(kObjects, [&t] {
        for (int i = 0; i < kObjects; ++i) (void)t.make<Object>();
      });
    });
  }

  /// The same objects again on pages that this transaction writes already.
  double allocate_warm() {
    return node_.run([](Transaction& t) {
      std::uint64_t made[32];
      double ns = 0;
      for (int round = 0; round < kObjects / 32; ++round) {
        ns += ns_each(1, [&] {
          for (auto& object : made) object = t.make<Object>().offset();
        });
        for (const auto object : made) t.free(t.at<Object>(object));
      }
      return ns / (kObjects / 32 * 32);
    });
  }

  /// Frees what the rounds before have made, so that no round meets a full heap.
  void clear() {
    node_.run([](Transaction& t) {
      const auto r = heap::regions(t.pages());
      for (auto page = r.first; page < r.end; ++page) free_page(t, page);
      PageIndex hand = 0;
      heap::tidy(t, hand, t.pages());
    });
  }

  double bump_and_zero() {
    if (buffer_.empty()) buffer_.resize(std::size_t{kObjects} * 88);
    return ns_each(kObjects, [this] {
      auto* at = buffer_.data();
      for (int i = 0; i < kObjects; ++i, at += 88) {
        std::memset(at, 0, 88);
        asm volatile("" ::"r"(at) : "memory");
      }
    });
  }

  double allocate_by(const std::function<void*()>& allocate,
                     const std::function<void(void*)>& free) {
    void* blocks[kObjects];
    const auto ns = ns_each(kObjects, [&] {
      for (auto& block : blocks) block = std::memset(allocate(), 0, sizeof(Object));
    });
    for (auto* block : blocks) free(block);
    return ns;
  }

  double allocate_by_pmemobj() { return pool_.allocate(kObjects, sizeof(Object)); }

  // ---- links

  double store_links(bool popular) {
    return node_.run([popular](Transaction& t) {
      const auto links = t.make_array<Link<Item>>(64).mut_elements();
      Ref<Item> items[16];
      for (auto& item : items) {
        item = t.make<Item>();
        if (popular) t.expect_many_links(item);
      }
      for (int i = 0; i < 64; ++i) links[i] = items[i % 16];
      return ns_each(kObjects, [&] {
        for (int i = 0; i < kObjects; ++i) links[i % 64] = items[(i * 7 + i / 64) % 16];
      });
    });
  }

  double store_shared_pointers() {
    std::shared_ptr<Shared64> links[64];
    std::shared_ptr<Shared64> items[16];
    for (auto& item : items) item = std::make_shared<Shared64>();
    for (int i = 0; i < 64; ++i) links[i] = items[i % 16];
    return ns_each(kObjects, [&] {
      for (int i = 0; i < kObjects; ++i) links[i % 64] = items[(i * 7 + i / 64) % 16];
    });
  }

  // ---- moving

  /// Objects to which `references` links lead each.
  double relocate(std::size_t references) {
    return node_.run([references](Transaction& t) {
      constexpr int kMoved = 100;
      Ref<Item> items[kMoved];
      const auto links = t.make_array<Link<Item>>(kMoved * references).mut_elements();
      for (int i = 0; i < kMoved; ++i) {
        items[i] = t.make<Item>();
        for (std::size_t k = 0; k < references; ++k) {
          links[static_cast<std::size_t>(i) * references + k] = items[i];
        }
      }
      return ns_each(kMoved, [&] {
        for (auto& item : items) item = t.relocate(item);
      });
    });
  }

  double defragment_by_pmemobj() { return pool_.defragment(20'000, sizeof(Item)); }

  bool has_pmemobj() const { return pool_.usable(); }

 private:
  static void free_page(Transaction& t, PageIndex page) {
    if (heap::page_entry(t, page).use != heap::PageUse::kSmall) return;
    const auto end = heap::offset_of(page) + kPageSize;
    if (t.reading<heap::PageHeader>(heap::offset_of(page))->objects == 0) return;
    for (auto at = heap::offset_of(page) + sizeof(heap::PageHeader); at < end;) {
      const heap::Tag tag(t.load(at));
      if (tag.is_object() && !tag.has(heap::Tag::kPinned)) {
        heap::clear_links(t, at);
        if (!heap::is_linked(t, at)) heap::free_object(t, heap::body_of(t, at));
      }
      at += tag.bytes();
    }
  }

  posix::Node node_;
  PmemPool pool_;
  std::vector<char> buffer_;
};

struct Medians {
  Samples ours, warm, bump, by_malloc, by_mimalloc, by_pmemobj;
  Samples links, popular, shared;
  Samples moved, moved_far, moved_by_pmemobj;
};

void round(Bench& bench, Medians& m) {
  m.ours.add(bench.allocate());
  m.warm.add(bench.allocate_warm());
  m.bump.add(bench.bump_and_zero());
  m.by_malloc.add(bench.allocate_by([] { return std::malloc(sizeof(Object)); }, std::free));
  if (has_mimalloc()) {
    m.by_mimalloc.add(
        bench.allocate_by([] { return mimalloc_allocate(sizeof(Object)); }, mimalloc_free));
  }
  m.links.add(bench.store_links(false));
  m.popular.add(bench.store_links(true));
  m.shared.add(bench.store_shared_pointers());
  m.moved.add(bench.relocate(1));
  m.moved_far.add(bench.relocate(33));
}

void report_move(const Report& report, Medians& m) {
  if (m.moved_by_pmemobj.size() == 0) {
    report.add({"move an object with one reference", m.moved.median(), 0, Aim::none()});
    return report.skip("move an object beside pmemobj_defrag", "libpmemobj moved none");
  }
  report.add({"move an object with one reference (beside: pmemobj_defrag)", m.moved.median(),
              m.moved_by_pmemobj.median(), Aim::ratio_at_most(0.5)});
}

void report_rows(const Report& report, Medians& m) {
  const auto ours = m.ours.median();
  const auto warm = m.warm.median();
  report.add({"allocate 64 B, pages included", ours, m.bump.median(), Aim::none()});
  report.add({"allocate 64 B, pages included (aim)", ours, 0, Aim::figure_at_most(20)});
  report.add({"allocate 64 B, warm (beside: malloc)", warm, m.by_malloc.median(), Aim::none()});
  if (m.by_mimalloc.size() > 0) {
    report.add({"allocate 64 B, warm (beside: mimalloc)", warm, m.by_mimalloc.median(),
                Aim::ratio_at_most(1.5)});
  } else {
    report.skip("allocate 64 B beside mimalloc", "libmimalloc-dev is not installed");
  }
  if (m.by_pmemobj.size() > 0) {
    report.add({"allocate 64 B, warm (beside: libpmemobj, in a transaction)", warm,
                m.by_pmemobj.median(), Aim::ratio_at_most(0.01)});
  } else {
    report.skip("allocate 64 B, warm, beside libpmemobj", "libpmemobj-dev is not installed");
  }
  const auto shared = m.shared.median();
  report.add(
      {"store a link (beside: shared_ptr)", m.links.median(), shared, Aim::ratio_at_most(1.2)});
  report.add({"store a link to a popular object (beside: shared_ptr)", m.popular.median(), shared,
              Aim::none()});
  report_move(report, m);
  report.add({"move it: each further reference", (m.moved_far.median() - m.moved.median()) / 32, 0,
              Aim::figure_at_most(40)});
}

}  // namespace
}  // namespace plurix::bench

int main(int argc, char** argv) {
  using namespace plurix::bench;
  const auto options = parse_options(argc, argv, "heap_bench: what objects and links cost");
  const Report report(options, "heap", "ns each", "bump and zero, where nothing else is said");
  std::thread([] {}).join();  // or shared_ptr counts without atomics, as no server's does
  Bench bench;
  Medians medians;
  const int rounds = options.rounds(2000);
  for (int i = 0; i < rounds; ++i) {
    round(bench, medians);
    if (i % 100 == 0 && bench.has_pmemobj()) {
      medians.by_pmemobj.add(bench.allocate_by_pmemobj());
      if (const auto ns = bench.defragment_by_pmemobj(); ns > 0) medians.moved_by_pmemobj.add(ns);
    }
    bench.clear();
  }
  report_rows(report, medians);
}
