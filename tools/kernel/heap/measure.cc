#include "heap/measure.h"

#include <plurix/heap/verify.h>

#include "heap/parts_of_work.h"

namespace plurix::kernel {

// With a name for the linker, which leaves their samples out of the image.
struct LentPage {
  std::uint64_t words[kPageSize / sizeof(std::uint64_t)];
};
struct Lent {
  LentPage pages[kLentPages];
};

namespace {

constexpr int kTimes = 2'000;

struct Pair {
  Link<Pair> one;
  long words[7] = {};  // 64 bytes in all, as docs/heap.md measures
};

template <class Work>
std::int64_t mean_ns(const Node& node, Work work) {
  const auto begin = node.now();
  for (int i = 0; i < kTimes; ++i) work();
  return (node.now() - begin).ns / kTimes;
}

std::uint64_t count_objects(Node& node) noexcept {
  const auto report =
      node.read_only(Freshness::kSnapshot, [](Transaction& t) { return verify_heap(t); });
  return report.committed() ? report.value->objects + report.value->system_objects : 0;
}

constexpr std::string_view kLentNames[] = {"measure/one_by_one", "measure/together"};
constexpr std::uint64_t kPagesAtOnce = 100;   // less than a write set
constexpr std::uint32_t kFetchedAtOnce = 14;  // as when a kernel is loaded

bool lend(Node& node, std::string_view name) noexcept {
  const auto made = node.try_run([&](Transaction& t) { return t.root<Lent>(name).offset(); });
  if (!made.committed()) return false;
  const auto fill = [&](Transaction& t, std::uint64_t first, std::uint64_t last) {
    for (auto i = first; i < last; ++i) {
      t.at<Lent>(*made.value).element(&Lent::pages, i).mut()->words[0] = i + 1;
    }
  };
  return in_parts(node, kLentPages, kPagesAtOnce, fill) == Status::kCommitted;
}

std::optional<Duration> fetch(Node& node, std::string_view name, std::uint32_t at_once) noexcept {
  const auto lent = node.try_run([&](Transaction& t) {
    const auto object = t.find<Lent>(name);
    return object ? object.offset() : 0;
  });
  if (!lent.committed() || *lent.value == 0) return {};
  const auto begin = node.now();
  if (!node.bring(page_of(*lent.value), kLentPages, at_once)) return {};
  return node.now() - begin;
}

}  // namespace

Measured measure(Node& node) noexcept {
  Measured measured{.objects = count_objects(node)};
  (void)node.try_run([&](Transaction& t) {
    const auto holder = t.make<Pair>();
    const auto target = t.make<Pair>();
    measured.allocation_ns = mean_ns(node, [&] { (void)t.make<Pair>(); });
    measured.assignment_ns = mean_ns(node, [&] { holder.mut()->one = target; });
  });
  return measured;
}

bool lend_pages(Node& node) noexcept {
  return lend(node, kLentNames[0]) && lend(node, kLentNames[1]);
}

std::optional<Fetched> fetch_lent_pages(Node& node) noexcept {
  const auto one_by_one = fetch(node, kLentNames[0], 1);
  const auto together = fetch(node, kLentNames[1], kFetchedAtOnce);
  if (!one_by_one || !together) return {};
  return Fetched{*one_by_one, *together};
}

}  // namespace plurix::kernel
