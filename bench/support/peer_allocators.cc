#include "support/peer_allocators.h"

#include "support/samples.h"

#include <stdlib.h>
#include <unistd.h>
#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#if defined(PLURIX_HAS_MIMALLOC)
#include <mimalloc.h>
#endif
#if defined(PLURIX_HAS_PMEMOBJ)
#include <libpmemobj.h>
#endif

namespace plurix::bench {

#if defined(PLURIX_HAS_MIMALLOC)
bool has_mimalloc() { return true; }
void* mimalloc_allocate(std::size_t bytes) { return mi_malloc(bytes); }
void mimalloc_free(void* block) { mi_free(block); }
#else
bool has_mimalloc() { return false; }
void* mimalloc_allocate(std::size_t) { return nullptr; }
void mimalloc_free(void*) {}
#endif

#if defined(PLURIX_HAS_PMEMOBJ)
PmemPool::PmemPool() {
  ::setenv("PMEM_IS_PMEM_FORCE", "1", 1);
  const auto path = "/dev/shm/plurix-bench-" + std::to_string(::getpid());
  pool_ = pmemobj_create(path.c_str(), "bench", std::size_t{256} << 20, 0600);
  ::unlink(path.c_str());
}

PmemPool::~PmemPool() {
  if (pool_ != nullptr) pmemobj_close(static_cast<PMEMobjpool*>(pool_));
}

double PmemPool::allocate(int count, std::size_t bytes) {
  auto* pool = static_cast<PMEMobjpool*>(pool_);
  std::vector<PMEMoid> objects(static_cast<std::size_t>(count));
  const auto us = microseconds_of([&] {
    if (pmemobj_tx_begin(pool, nullptr, TX_PARAM_NONE) != 0) return;
    for (auto& object : objects) object = pmemobj_tx_zalloc(bytes, 1);
    pmemobj_tx_commit();
    (void)pmemobj_tx_end();
  });
  for (auto& object : objects) pmemobj_free(&object);
  return us * 1e3 / count;
}

double PmemPool::free_in_transactions(int count, std::size_t bytes) {
  constexpr std::size_t kAtOnce = 1'000;
  auto* pool = static_cast<PMEMobjpool*>(pool_);
  std::vector<PMEMoid> objects(static_cast<std::size_t>(count));
  for (auto& object : objects) pmemobj_alloc(pool, &object, bytes, 1, nullptr, nullptr);
  const auto us = microseconds_of([&] {
    for (std::size_t i = 0; i < objects.size();) {
      if (pmemobj_tx_begin(pool, nullptr, TX_PARAM_NONE) != 0) return;
      const auto end = std::min(i + kAtOnce, objects.size());
      for (; i < end; ++i) (void)pmemobj_tx_free(objects[i]);
      pmemobj_tx_commit();
      (void)pmemobj_tx_end();
    }
  });
  return us * 1e3 / count;
}

double PmemPool::defragment(int count, std::size_t bytes) {
  auto* pool = static_cast<PMEMobjpool*>(pool_);
  std::vector<PMEMoid> objects(static_cast<std::size_t>(count));
  for (auto& object : objects) pmemobj_alloc(pool, &object, bytes, 1, nullptr, nullptr);
  std::mt19937 random(1);
  std::vector<PMEMoid*> kept;
  for (auto& object : objects) {
    if (random() % 4 == 0) {
      kept.push_back(&object);
    } else {
      pmemobj_free(&object);
    }
  }
  pobj_defrag_result result = {};
  const auto us =
      microseconds_of([&] { (void)pmemobj_defrag(pool, kept.data(), kept.size(), &result); });
  for (auto* object : kept) pmemobj_free(object);
  return result.relocated == 0 ? 0 : us * 1e3 / static_cast<double>(result.relocated);
}
#else
PmemPool::PmemPool() = default;
PmemPool::~PmemPool() = default;
double PmemPool::allocate(int, std::size_t) { return 0; }
double PmemPool::free_in_transactions(int, std::size_t) { return 0; }
double PmemPool::defragment(int, std::size_t) { return 0; }
#endif

}  // namespace plurix::bench
