// What a file as block store refuses, in words.
#include <gtest/gtest.h>
#include <plurix/posix/environment_error.h>
#include <plurix/posix/file_block_store.h>

#include <sys/stat.h>
#include <unistd.h>
#include <cstdio>
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

}  // namespace
}  // namespace plurix::posix
