#include <plurix/base/assert.h>
#include <plurix/posix/environment_error.h>
#include <plurix/posix/file_block_store.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

#if PLURIX_HAS_LIBURING
#include <liburing.h>
#endif

namespace plurix::posix {

struct FileBlockStore::Operation {
  enum class Kind : std::uint8_t { kRead, kWrite, kFlush } kind = Kind::kFlush;
  std::uint64_t number = 0;
  std::uint64_t offset = 0;
  std::byte* bytes = nullptr;
  std::size_t size = 0;
};

// ---- io_uring

#if PLURIX_HAS_LIBURING

class FileBlockStore::Ring {
 public:
  static constexpr unsigned kDepth = 16;

  static std::unique_ptr<Ring> open(int fd, std::string& reason) {
    auto ring = std::make_unique<Ring>();
    if (const int result = ::io_uring_queue_init(kDepth, &ring->ring_, 0); result < 0) {
      reason = "io_uring: " + describe_errno(-result);
      return nullptr;
    }
    ring->open_ = true;
    ring->fd_ = fd;
    return ring;
  }

  ~Ring() {
    if (open_) ::io_uring_queue_exit(&ring_);
  }

  /// False when nothing more may be in flight.
  bool submit(const Operation& operation) noexcept {
    auto* free = std::find_if(std::begin(slots_), std::end(slots_),
                              [](const auto& slot) { return !slot.used; });
    if (free == std::end(slots_)) return false;
    auto* entry = ::io_uring_get_sqe(&ring_);
    if (entry == nullptr) return false;
    *free = {operation, true};
    prepare(entry, operation);
    ::io_uring_sqe_set_data64(entry, static_cast<std::uint64_t>(free - slots_));
    while (::io_uring_submit(&ring_) == -EINTR) {
    }
    return true;
  }

  /// Calls `done(operation, result)` for what has finished, after waiting for it if asked.
  template <class Done>
  void take(bool wait, Done done) noexcept {
    io_uring_cqe* entry = nullptr;
    while (wait && any() && ::io_uring_wait_cqe(&ring_, &entry) == -EINTR) {
    }
    while (::io_uring_peek_cqe(&ring_, &entry) == 0) {
      auto& slot = slots_[::io_uring_cqe_get_data64(entry)];
      const auto result = entry->res;
      ::io_uring_cqe_seen(&ring_, entry);
      slot.used = false;
      done(slot.operation, result);
    }
  }

  /// Registers the memory, so that the kernel need not look its pages up at each operation. Nothing
  /// may be in flight. False if it may not: then it goes as without.
  bool use_memory(std::span<std::byte> memory) noexcept {
    if (regions_ == std::size(region_)) return false;
    region_[regions_++] = {memory.data(), memory.size()};
    if (regions_ > 1) (void)::io_uring_unregister_buffers(&ring_);
    if (::io_uring_register_buffers(&ring_, region_, regions_) == 0) return true;
    regions_ = 0;  // too much to lock, most likely: what was registered before is gone as well
    return false;
  }

  void forget_memory() noexcept {
    if (regions_ > 0) (void)::io_uring_unregister_buffers(&ring_);
    regions_ = 0;
  }

  bool any() const noexcept {
    return std::any_of(std::begin(slots_), std::end(slots_),
                       [](const auto& slot) { return slot.used; });
  }

  std::uint64_t oldest(std::uint64_t otherwise) const noexcept {
    for (const auto& slot : slots_) {
      if (slot.used) otherwise = std::min(otherwise, slot.operation.number);
    }
    return otherwise;
  }

 private:
  struct Slot {
    Operation operation;
    bool used = false;
  };

  void prepare(io_uring_sqe* entry, const Operation& operation) const noexcept {
    const auto size = static_cast<unsigned>(operation.size);
    const int region = region_of(operation);
    if (region >= 0 && operation.kind == Operation::Kind::kWrite) {
      return ::io_uring_prep_write_fixed(entry, fd_, operation.bytes, size, operation.offset,
                                         region);
    }
    switch (operation.kind) {
      case Operation::Kind::kRead:
        return ::io_uring_prep_read(entry, fd_, operation.bytes, size, operation.offset);
      case Operation::Kind::kWrite:
        return ::io_uring_prep_write(entry, fd_, operation.bytes, size, operation.offset);
      case Operation::Kind::kFlush:
        return ::io_uring_prep_fsync(entry, fd_, IORING_FSYNC_DATASYNC);
    }
  }

  /// The registered memory in which all of its bytes are; -1: none.
  int region_of(const Operation& operation) const noexcept {
    for (unsigned i = 0; i < regions_; ++i) {
      const auto* begin = static_cast<const std::byte*>(region_[i].iov_base);
      const bool within = operation.bytes >= begin &&
                          operation.bytes + operation.size <= begin + region_[i].iov_len;
      if (within) return static_cast<int>(i);
    }
    return -1;
  }

  io_uring ring_ = {};
  bool open_ = false;
  int fd_ = -1;
  Slot slots_[kDepth];
  iovec region_[kDepth] = {};
  unsigned regions_ = 0;
};

#else

class FileBlockStore::Ring {
 public:
  static std::unique_ptr<Ring> open(int, std::string& reason) {
    reason = "built without liburing";
    return nullptr;
  }
  bool submit(const Operation&) noexcept { return false; }
  template <class Done>
  void take(bool, Done) noexcept {}
  bool use_memory(std::span<std::byte>) noexcept { return false; }
  void forget_memory() noexcept {}
  bool any() const noexcept { return false; }
  std::uint64_t oldest(std::uint64_t otherwise) const noexcept { return otherwise; }
};

#endif

// ---- the file

FileBlockStore::FileBlockStore(const std::string& path, FileAccess access, FileIo io) {
  const bool writes = access == FileAccess::kReadWrite;
  const int flags = O_CLOEXEC | (writes ? O_RDWR | O_CREAT : O_RDONLY);
  fd_ = ::open(path.c_str(), flags | O_DIRECT, 0666);
  direct_ = fd_ >= 0;
  if (!direct_ && errno == EINVAL) fd_ = ::open(path.c_str(), flags, 0666);
  if (fd_ < 0) {
    throw EnvironmentError("The store " + path + " cannot be opened", describe_errno(errno),
                           writes ? "Choose a directory that this user may write."
                                  : "Choose a directory with a store.");
  }
  lock(path, access);
  bytes_ = static_cast<std::uint64_t>(std::max<off_t>(::lseek(fd_, 0, SEEK_END), 0));
  std::string why_no_ring = "asked for";
  if (io == FileIo::kAuto) ring_ = Ring::open(fd_, why_no_ring);
  reason_ = ring_ ? "io_uring" : "pread and pwrite (" + why_no_ring + ")";
  reason_ += direct_ ? ", O_DIRECT" : ", through the page cache (no O_DIRECT here)";
}

FileBlockStore::~FileBlockStore() {
  finish_all(*this);
  ring_.reset();
  ::close(fd_);
}

namespace {

/// The kernel ends what a killed process had in flight a moment after the process, and lets go of
/// the lock only then: nothing of the old one is written after the new one has the lock.
int lock_patiently(int fd) {
  constexpr int kTries = 400;
  for (int i = 0; i < kTries; ++i) {
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return 0;
    if (errno != EWOULDBLOCK) break;
    ::usleep(5'000);
  }
  return errno;
}

}  // namespace

void FileBlockStore::lock(const std::string& path, FileAccess access) const {
  if (access == FileAccess::kReadOnly) return;
  const int error = lock_patiently(fd_);
  if (error == 0) return;
  ::close(fd_);
  if (error == EWOULDBLOCK) {
    throw EnvironmentError("The store " + path + " is in use", "another PageServer has it open",
                           "Stop that one, or choose another directory.");
  }
  throw EnvironmentError("The store " + path + " cannot be locked", describe_errno(error),
                         "Choose a directory on a local file system.");
}

void FileBlockStore::note(int error) noexcept {
  if (error_ != BlockError::kNone) return;
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      error_ = BlockError::kFull;
      break;
    case EROFS:
    case EBADF:
    case EPERM:
      error_ = BlockError::kReadOnly;
      break;
    default:
      error_ = BlockError::kDevice;
  }
}

void FileBlockStore::perform(const Operation& operation) noexcept {
  if (operation.kind == Operation::Kind::kFlush) {
    if (::fdatasync(fd_) != 0) note(errno);
    return;
  }
  const bool reads = operation.kind == Operation::Kind::kRead;
  for (std::size_t done = 0; done < operation.size;) {
    const auto offset = static_cast<off_t>(operation.offset + done);
    const auto left = operation.size - done;
    const auto count = reads ? ::pread(fd_, operation.bytes + done, left, offset)
                             : ::pwrite(fd_, operation.bytes + done, left, offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return note(errno);
    if (count == 0 && reads) {
      if (error_ == BlockError::kNone) error_ = BlockError::kBeyond;
      return;
    }
    done += static_cast<std::size_t>(count);
  }
}

void FileBlockStore::start(const Operation& operation) noexcept {
  if (!ring_) return perform(operation);
  while (!ring_->submit(operation)) wait();
}

std::uint64_t FileBlockStore::start_read(std::uint64_t offset, std::span<std::byte> out) noexcept {
  PLURIX_ASSERT(offset % kBlockSize == 0 && out.size() % kBlockSize == 0);
  const auto number = started_++;
  start({Operation::Kind::kRead, number, offset, out.data(), out.size()});
  return number;
}

std::uint64_t FileBlockStore::start_write(std::uint64_t offset, Bytes bytes) noexcept {
  PLURIX_ASSERT(offset % kBlockSize == 0 && bytes.size() % kBlockSize == 0);
  const auto number = started_++;
  bytes_ = std::max(bytes_, offset + bytes.size());
  start({Operation::Kind::kWrite, number, offset, const_cast<std::byte*>(bytes.data()),
         bytes.size()});
  return number;
}

std::uint64_t FileBlockStore::start_flush() noexcept {
  const auto number = started_++;
  start({Operation::Kind::kFlush, number, 0, nullptr, 0});
  return number;
}

void FileBlockStore::end(const Operation& operation, int result) noexcept {
  if (result < 0) return note(-result);
  // Cut short, as an operation at a quota or at the end of the file is: the rest says why.
  const auto done = static_cast<std::size_t>(result);
  if (operation.kind == Operation::Kind::kFlush || done == operation.size) return;
  perform({operation.kind, operation.number, operation.offset + done, operation.bytes + done,
           operation.size - done});
}

void FileBlockStore::use_memory(std::span<std::byte> memory) noexcept {
  if (!ring_) return;
  finish_all(*this);
  registered_ = ring_->use_memory(memory);
}

void FileBlockStore::forget_memory() noexcept {
  if (!ring_) return;
  finish_all(*this);
  ring_->forget_memory();
  registered_ = false;
}

void FileBlockStore::poll() noexcept {
  if (ring_) ring_->take(false, [this](const auto& operation, int r) { end(operation, r); });
}

void FileBlockStore::wait() noexcept {
  if (ring_) ring_->take(true, [this](const auto& operation, int r) { end(operation, r); });
}

std::uint64_t FileBlockStore::finished() const noexcept {
  return ring_ ? ring_->oldest(started_) : started_;
}

std::string store_file_in(const std::string& directory, FileAccess access) {
  if (access == FileAccess::kReadWrite && ::mkdir(directory.c_str(), 0777) != 0 &&
      errno != EEXIST) {
    throw EnvironmentError("The directory " + directory + " cannot be made", describe_errno(errno),
                           "Choose a place that this user may write.");
  }
  return directory + "/plurix.store";
}

}  // namespace plurix::posix
