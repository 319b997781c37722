// FileBlockStore: a file as BlockStore. Past the page cache (O_DIRECT) through io_uring where both
// are to be had, so that the thread goes on while the disk writes; else with pread and pwrite,
// which wait. A lock keeps a second process away.
#pragma once

#include <plurix/concepts/block_store.h>

#include <memory>
#include <string>

namespace plurix::posix {

enum class FileAccess : std::uint8_t { kReadWrite, kReadOnly };
enum class FileIo : std::uint8_t { kAuto, kPlain };

class FileBlockStore {
 public:
  /// Opens the file, and makes it unless it is only to be read. Throws EnvironmentError: it cannot
  /// be opened or made, or another process has it open for writing.
  explicit FileBlockStore(const std::string& path, FileAccess access = FileAccess::kReadWrite,
                          FileIo io = FileIo::kAuto);
  ~FileBlockStore();
  FileBlockStore(const FileBlockStore&) = delete;
  FileBlockStore& operator=(const FileBlockStore&) = delete;

  std::uint64_t start_read(std::uint64_t offset, std::span<std::byte> out) noexcept;
  std::uint64_t start_write(std::uint64_t offset, Bytes bytes) noexcept;
  std::uint64_t start_flush() noexcept;
  void poll() noexcept;
  void wait() noexcept;
  std::uint64_t started() const noexcept { return started_; }
  std::uint64_t finished() const noexcept;
  BlockError error() const noexcept { return error_; }
  void clear_error() noexcept { error_ = BlockError::kNone; }
  std::uint64_t bytes() const noexcept { return bytes_; }

  /// Writes from this memory come often: it is registered with the kernel, if that permits it. It
  /// stays until `forget_memory`.
  void use_memory(std::span<std::byte> memory) noexcept;
  void forget_memory() noexcept;
  bool has_registered_memory() const noexcept { return registered_; }

  /// "io_uring, O_DIRECT": how it works here, and why not better.
  const std::string& reason() const noexcept { return reason_; }

 private:
  class Ring;
  struct Operation;

  void start(const Operation& operation) noexcept;
  void perform(const Operation& operation) noexcept;
  void end(const Operation& operation, int result) noexcept;
  void note(int error) noexcept;
  void lock(const std::string& path, FileAccess access) const;

  int fd_ = -1;
  bool direct_ = false;
  bool registered_ = false;
  std::uint64_t bytes_ = 0;
  std::uint64_t started_ = 0;
  BlockError error_ = BlockError::kNone;
  std::string reason_;
  std::unique_ptr<Ring> ring_;
};
static_assert(BlockStore<FileBlockStore>);

/// Where the images of a directory stand; makes the directory for `kReadWrite`. Throws
/// EnvironmentError.
std::string store_file_in(const std::string& directory, FileAccess access);

}  // namespace plurix::posix
