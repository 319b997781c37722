// The block stores against the common suite: files by each way of input and output, and memory.
#include <plurix/conformance/block_store_suite.h>
#include <plurix/posix/file_block_store.h>
#include <plurix/sim/memory_block_store.h>

#include <unistd.h>
#include <cstdio>
#include <optional>

namespace plurix::conformance {
namespace {

template <posix::FileIo kIo>
class FileWorld {
 public:
  FileWorld() { store_.emplace(path_, posix::FileAccess::kReadWrite, kIo); }
  ~FileWorld() { std::remove(path_.c_str()); }
  posix::FileBlockStore& store() { return *store_; }
  posix::FileBlockStore& reopen() {
    store_.reset();
    return store_.emplace(path_, posix::FileAccess::kReadWrite, kIo);
  }

 private:
  std::string path_ = ::testing::TempDir() + "plurix-block-store-" + std::to_string(::getpid());
  std::optional<posix::FileBlockStore> store_;
};

template <std::uint64_t kSeed>
class MemoryWorld {
 public:
  sim::MemoryBlockStore& store() { return store_; }
  sim::MemoryBlockStore& reopen() {
    store_ = sim::MemoryBlockStore(kSeed, store_.contents());
    return store_;
  }

 private:
  sim::MemoryBlockStore store_{kSeed};
};

INSTANTIATE_TYPED_TEST_SUITE_P(File, BlockStoreSuite, FileWorld<posix::FileIo::kAuto>);
INSTANTIATE_TYPED_TEST_SUITE_P(PlainFile, BlockStoreSuite, FileWorld<posix::FileIo::kPlain>);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, BlockStoreSuite, MemoryWorld<0>);
INSTANTIATE_TYPED_TEST_SUITE_P(LazyMemory, BlockStoreSuite, MemoryWorld<11>);

}  // namespace
}  // namespace plurix::conformance
