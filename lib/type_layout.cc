#include <plurix/heap/type_layout.h>

namespace plurix::heap {
namespace {

/// One run for all elements, where the links of each stand at equal distances that go on from one
/// element to the next.
bool add_as_one_run(LinkRuns& runs, const LinkRun& inner, std::uint32_t offset, std::uint32_t count,
                    std::uint32_t stride) noexcept {
  const bool single = inner.count == 1;
  if (!single && inner.count * inner.stride != stride) return false;
  return runs.push({.offset = offset + inner.offset,
                    .count = inner.count * count,
                    .stride = single ? stride : inner.stride});
}

}  // namespace

bool add_repeated(LinkRuns& runs, const LinkRuns& inner, std::uint32_t offset, std::uint32_t count,
                  std::uint32_t stride) noexcept {
  if (count == 0) return true;
  // One after the other, so that a type's links are in no particular order: nobody needs one.
  for (const auto& run : inner) {
    if (add_as_one_run(runs, run, offset, count, stride)) continue;
    for (std::uint32_t i = 0; i < count; ++i) {
      if (!runs.push({.offset = offset + i * stride + run.offset,
                      .count = run.count,
                      .stride = run.stride})) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace plurix::heap
