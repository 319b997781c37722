#include "machine_record.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "kernel/interface/logged_history.h"

namespace plurix::tool {
namespace {

using kernel::AttemptEnd;
using kernel::LoggedAttempt;
using kernel::LoggedHistory;
using kernel::LoggedOperation;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error("the record of a killed machine: " + what);
}

/// The memory of a machine, by its own virtual addresses.
class DeadMemory {
 public:
  DeadMemory(const std::string& file, std::uint64_t page_tables) : root_(page_tables) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status = {};
    if (fd >= 0 && ::fstat(fd, &status) == 0) bytes_ = static_cast<std::size_t>(status.st_size);
    if (bytes_ > 0) memory_ = ::mmap(nullptr, bytes_, PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0) ::close(fd);
    if (memory_ == MAP_FAILED) fail("no memory of it in " + file);
  }
  ~DeadMemory() { ::munmap(memory_, bytes_); }
  DeadMemory(const DeadMemory&) = delete;
  DeadMemory& operator=(const DeadMemory&) = delete;

  template <class T>
  std::vector<T> read(std::uint64_t address, std::size_t count) const {
    static_assert(std::is_trivially_copyable_v<T>);
    if (count > bytes_ / sizeof(T)) fail("it holds more than its memory");
    std::vector<T> values(count);
    copy(address, values.data(), count * sizeof(T));
    return values;
  }

 private:
  static constexpr std::uint64_t kPage = 4096;

  void copy(std::uint64_t address, void* to, std::size_t bytes) const {
    auto* out = static_cast<std::byte*>(to);
    while (bytes > 0) {
      const auto part = std::min<std::size_t>(bytes, kPage - address % kPage);
      std::memcpy(out, physical(translate(address), part), part);
      address += part;
      out += part;
      bytes -= part;
    }
  }

  const std::byte* physical(std::uint64_t address, std::size_t bytes) const {
    if (address > bytes_ || bytes > bytes_ - address) fail("an address outside its memory");
    return static_cast<const std::byte*>(memory_) + address;
  }

  /// Intel SDM volume 3, section 4.5: four levels of tables, or fewer above large pages.
  std::uint64_t translate(std::uint64_t address) const {
    constexpr std::uint64_t kPresent = 1;
    constexpr std::uint64_t kLarge = 1 << 7;
    constexpr std::uint64_t kAddress = 0x000f'ffff'ffff'f000;
    auto table = root_;
    for (unsigned shift = 39;; shift -= 9) {
      std::uint64_t entry = 0;
      std::memcpy(&entry, physical(table + (address >> shift) % 512 * 8, sizeof entry),
                  sizeof entry);
      if ((entry & kPresent) == 0) fail("a page that was not there");
      const auto inside = (std::uint64_t{1} << shift) - 1;
      const bool large = (entry & kLarge) != 0 && shift < 39;
      if (shift == 12 || large) return (entry & kAddress & ~inside) | (address & inside);
      table = entry & kAddress;
    }
  }

  const std::uint64_t root_;
  std::size_t bytes_ = 0;
  void* memory_ = MAP_FAILED;
};

history::Status to_history(AttemptEnd end) {
  switch (end) {
    case AttemptEnd::kCommitted:
      return history::Status::kCommitted;
    case AttemptEnd::kAborted:
      return history::Status::kAborted;
    case AttemptEnd::kCancelled:
      return history::Status::kCancelled;
    case AttemptEnd::kUnknown:
      break;
  }
  return history::Status::kUnknown;
}

class RecordReader {
 public:
  RecordReader(const DeadMemory& memory, const LoggedHistory& logged, std::int64_t died_ns)
      : memory_(memory), logged_(logged), died_ns_(died_ns) {}

  MachineRecord read() const {
    const auto attempts = memory_.read<LoggedAttempt>(logged_.attempts_at, logged_.running);
    MachineRecord record{.history = {}, .full = logged_.full};
    for (std::size_t i = 0; i < attempts.size(); ++i) {
      auto attempt = to_attempt(attempts[i]);
      if (i >= logged_.filed) set_end(attempt, attempts, i);
      record.history.attempts.push_back(std::move(attempt));
    }
    return record;
  }

 private:
  history::Attempt to_attempt(const LoggedAttempt& logged) const {
    const auto error = logged_.clock.error().ns;
    history::Attempt attempt;
    attempt.node = logged_.node;
    attempt.incarnation = logged_.incarnation;
    attempt.tx = logged.tx;
    attempt.attempt = logged.number;
    attempt.epoch = logged.epoch;
    attempt.begin_ns = logged_.clock.at(logged.begin_ns) - error;
    attempt.end_ns = logged_.clock.at(logged.end_ns) + error;
    attempt.status = to_history(logged.end);
    attempt.commit_time = logged.commit_time;
    attempt.read_only = logged.read_only;
    attempt.strict = logged.strict;
    add_operations(logged, attempt);
    return attempt;
  }

  void add_operations(const LoggedAttempt& logged, history::Attempt& attempt) const {
    const auto first = logged_.operations_at + logged.first * sizeof(LoggedOperation);
    for (const auto& done : memory_.read<LoggedOperation>(first, logged.count)) {
      const auto key = "account" + std::to_string(done.key);
      attempt.ops.push_back(done.write ? history::Operation::write(key, done.value)
                                       : history::Operation::read(key, done.value));
    }
  }

  /// Of the transaction in which the machine died.
  void set_end(history::Attempt& attempt, const std::vector<LoggedAttempt>& all,
               std::size_t i) const {
    const bool last = i + 1 == all.size();
    attempt.end_ns = last ? died_ns_ : logged_.clock.at(all[i + 1].begin_ns);
    attempt.status = last ? history::Status::kUnknown : history::Status::kAborted;
  }

  const DeadMemory& memory_;
  const LoggedHistory& logged_;
  const std::int64_t died_ns_;
};

}  // namespace

MachineRecord read_machine_record(const std::string& memory_file, const nlohmann::json& where,
                                  std::int64_t died_ns) {
  const DeadMemory memory(memory_file, where.value("page_tables", std::uint64_t{0}));
  const auto address = where.value("address", std::uint64_t{0});
  const auto logged = memory.read<LoggedHistory>(address, 1).front();
  if (logged.magic != LoggedHistory::kMagic) fail("there is none where it should be");
  if (!logged.clock.is_compared) fail("its clock was not compared with this host's");
  return RecordReader(memory, logged, died_ns).read();
}

}  // namespace plurix::tool
