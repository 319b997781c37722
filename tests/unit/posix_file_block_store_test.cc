// What a file as block store refuses, in words.
#include <gtest/gtest.h>
#include <plurix/posix/environment_error.h>
#include <plurix/posix/file_block_store.h>

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <span>
#include <string>

namespace plurix::posix {
namespace {

class FileBlockStoreTest : public ::testing::Test {
 protected:
  void TearDown() override {
    std::remove((directory_ + "/plurix.store").c_str());
    ::rmdir(directory_.c_str());
  }

  template <class Try>
  std::string words_of(Try attempt) {
    try {
      attempt();
    } catch (const EnvironmentError& error) {
      return error.what();
    }
    return {};
  }

  std::string directory_ = ::testing::TempDir() + "plurix-store-" + std::to_string(::getpid());
};

TEST_F(FileBlockStoreTest, MakesItsDirectory) {
  FileBlockStore store(store_file_in(directory_, FileAccess::kReadWrite));
  EXPECT_EQ(store.bytes(), 0U);
  EXPECT_NE(store.reason(), "");
}

TEST_F(FileBlockStoreTest, LetsNoSecondPageServerIn) {
  const auto path = store_file_in(directory_, FileAccess::kReadWrite);
  FileBlockStore store(path);
  const auto words = words_of([&] { FileBlockStore second(path); });
  EXPECT_NE(words.find("another PageServer"), std::string::npos) << words;
  FileBlockStore reader(path, FileAccess::kReadOnly);
}

TEST_F(FileBlockStoreTest, SaysThatADirectoryCannotBeWritten) {
  const auto words = words_of([&] { FileBlockStore store("/proc/plurix.store"); });
  EXPECT_NE(words.find("may write"), std::string::npos) << words;
  const auto none = words_of([&] { store_file_in("/proc/plurix", FileAccess::kReadWrite); });
  EXPECT_NE(none.find("cannot be made"), std::string::npos) << none;
}

TEST_F(FileBlockStoreTest, SaysThatThereIsNothingToRead) {
  const auto path = store_file_in(directory_, FileAccess::kReadOnly);
  const auto words = words_of([&] { FileBlockStore store(path, FileAccess::kReadOnly); });
  EXPECT_NE(words.find("with a store"), std::string::npos) << words;
}

TEST_F(FileBlockStoreTest, SaysThatAStoreOpenedForReadingIsNotWritten) {
  const auto path = store_file_in(directory_, FileAccess::kReadWrite);
  {
    FileBlockStore store(path);
  }
  FileBlockStore store(path, FileAccess::kReadOnly);
  alignas(kBlockSize) static std::byte block[kBlockSize];
  finish(store, store.start_write(0, block) + 1);
  EXPECT_EQ(store.error(), BlockError::kReadOnly);
}

/// Other memory than before, where memory was before.
std::span<std::byte> fresh_memory_at(void* address) {
  const int there = address == nullptr ? 0 : MAP_FIXED;
  void* memory = ::mmap(address, 2 * kBlockSize, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | there, -1, 0);
  return {static_cast<std::byte*>(memory), 2 * kBlockSize};
}

TEST_F(FileBlockStoreTest, WritesFromRegisteredMemoryAndForgetsIt) {
  FileBlockStore store(store_file_in(directory_, FileAccess::kReadWrite));
  alignas(kBlockSize) static std::byte read[kBlockSize];
  auto memory = fresh_memory_at(nullptr);
  store.use_memory(memory.first(kBlockSize));
  store.use_memory(memory.last(kBlockSize));
  for (int round = 0; round < 3; ++round) {
    for (std::uint64_t i = 0; i < 2; ++i) {
      const auto block = memory.subspan(i * kBlockSize, kBlockSize);
      const auto value = static_cast<std::byte>(7 * round + static_cast<int>(i));
      std::fill(block.begin(), block.end(), value);
      finish(store, store.start_write(i * kBlockSize, block) + 1);
      finish(store, store.start_read(i * kBlockSize, read) + 1);
      EXPECT_EQ(read[9], value);
    }
    EXPECT_EQ(store.error(), BlockError::kNone);
    if (round == 0) continue;
    store.forget_memory();
    memory = fresh_memory_at(memory.data());
  }
  ::munmap(memory.data(), memory.size());
}

}  // namespace
}  // namespace plurix::posix
