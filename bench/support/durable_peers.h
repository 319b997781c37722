// What else can make pages durable: the raw disk, as fio writes and reads it, and two stores that
// are asked to put the same pages under their numbers in one transaction.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace plurix::bench {

/// Empty, or why there is no fio here.
std::string why_no_fio();

/// Megabytes a second of one sequential run over `bytes` of a file in `folder`, O_DIRECT, with the
/// blocks and the depth of a store of images. The file stays, so that later runs recycle it.
double fio_write(const std::string& folder, std::uint64_t bytes);
double fio_read(const std::string& folder, std::uint64_t bytes);

/// A key-value store in a folder of its own.
class DurablePeer {
 public:
  virtual ~DurablePeer() = default;

  /// Puts `pages` pages of 4 KiB under the numbers 0, 1, …; when it returns they are durable.
  virtual void put(std::uint32_t pages) = 0;

  virtual std::string name() const = 0;
};

/// Those this program was built with.
std::vector<std::unique_ptr<DurablePeer>> durable_peers(const std::string& folder,
                                                        std::uint32_t pages);

/// The others, by name.
std::vector<std::string> missing_durable_peers();

}  // namespace plurix::bench
