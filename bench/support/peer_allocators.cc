#include "support/peer_allocators.h"

#include <stdlib.h>
#include <unistd.h>
#include <cstdint>
#include <string>

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

void PmemPool::allocate(int count, std::size_t bytes) {
  auto* pool = static_cast<PMEMobjpool*>(pool_);
  if (pmemobj_tx_begin(pool, nullptr, TX_PARAM_NONE) != 0) return;
  for (int i = 0; i < count; ++i) (void)pmemobj_tx_zalloc(bytes, 1);
  pmemobj_tx_commit();
  (void)pmemobj_tx_end();
}
#else
PmemPool::PmemPool() = default;
PmemPool::~PmemPool() = default;
void PmemPool::allocate(int, std::size_t) {}
#endif

}  // namespace plurix::bench
