// SmartBuffers (paper section 4.5): what a transaction says to a device leaves only when it
// commits, and what it has taken from one comes again when it is aborted. Local memory of one node,
// of fixed size; they take part through `Transaction::use`.
//
//   t.use(output).write("sent exactly once\n");
//   while (auto key = t.use(input).read()) …
#pragma once

#include <plurix/base/assert.h>
#include <plurix/transaction.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace plurix {

/// Takes the bytes that a committed transaction has said. Called once for them, outside the
/// attempt.
template <class D>
concept ByteSink = requires(D& device, std::string_view bytes) {
  { device.write(bytes) } noexcept;
};

/// Output: kept until the commit, dropped by an abort.
template <ByteSink Device, std::size_t kLimit>
class OutputBuffer {
 public:
  explicit OutputBuffer(Device& device) noexcept : device_(device) {}

  /// False, and nothing is kept, if a transaction says more than the buffer holds.
  [[nodiscard]] bool write(std::string_view bytes) noexcept {
    if (bytes.size() > kLimit - size_) return false;
    for (const char byte : bytes) bytes_[size_++] = byte;
    return true;
  }

  std::size_t pending() const noexcept { return size_; }

  void committed() noexcept {
    if (size_ > 0) device_.write({bytes_, size_});
    size_ = 0;
  }
  void undo() noexcept { size_ = 0; }

 private:
  Device& device_;
  std::size_t size_ = 0;
  char bytes_[kLimit] = {};
};

/// Input: a ring that an interrupt fills and transactions empty. What an aborted one has taken is
/// there again for the next.
template <class T, std::size_t kLimit>
class InputBuffer {
  static_assert(std::is_trivially_copyable_v<T>);
  static_assert((kLimit & (kLimit - 1)) == 0, "a power of two, so that the counters may wrap");

 public:
  /// False, and counted, if there is no room. Interrupt context.
  bool push(const T& item) noexcept {
    if (end_ - kept_ == kLimit) {
      ++lost_;
      return false;
    }
    items_[end_ % kLimit] = item;
    end_ = end_ + 1;
    return true;
  }

  /// The next item, if one has come.
  std::optional<T> read() noexcept {
    if (taken_ == end_) return {};
    return items_[taken_++ % kLimit];
  }

  std::size_t lost() const noexcept { return lost_; }

  void committed() noexcept { kept_ = taken_; }
  void undo() noexcept { taken_ = kept_; }

 private:
  T items_[kLimit] = {};
  std::size_t kept_ = 0;   ///< the first one that no committed transaction has taken
  std::size_t taken_ = 0;  ///< the first one that the running transaction has not taken
  volatile std::size_t end_ = 0;
  std::size_t lost_ = 0;
};

}  // namespace plurix
